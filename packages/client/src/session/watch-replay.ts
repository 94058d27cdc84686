import { type ByteWriter, OP, operations, textBytes, XID } from "@watchkeeper/wire";
import { appendFrame } from "./frames.js";
import { WATCH_KINDS, type WatchKind, type WatchTable } from "./watch-table.js";

/** Path text in one packet: far below what a server accepts, whatever limit it was given. */
const BATCH_TEXT_BYTES = 128 * 1024;

/**
 * Tells a server, after a reconnect, everything that is watched (M14). It compares each classic watch
 * with the tree as of `relativeZxid`, the last zxid this client saw, and sends at once the events of
 * those whose node changed since. Split, because a server refuses packets above its limit, and a client
 * whose registration is refused would reconnect for ever. A batch without persistent watches is sent as
 * the older request, which every server knows. One-shot kinds come first: where both stand on a path, an
 * old server keeps the last. Returns how many paths were registered.
 */
export function appendSetWatches(writer: ByteWriter, table: WatchTable, relativeZxid: bigint): number {
  let batch = emptyBatch();
  let textLeft = BATCH_TEXT_BYTES;
  let count = 0;
  let total = 0;
  for (const kind of WATCH_KINDS) {
    for (const path of table.paths(kind)) {
      batch[kind].push(path);
      count++;
      total++;
      textLeft -= textBytes(path);
      if (textLeft > 0) continue;
      appendBatch(writer, batch, relativeZxid);
      batch = emptyBatch();
      textLeft = BATCH_TEXT_BYTES;
      count = 0;
    }
  }
  if (count > 0) appendBatch(writer, batch, relativeZxid);
  return total;
}

/**
 * Registers the watches of one path again when one was removed there: one-shot watches that a persistent one
 * stood for are not known to the server. What changed before came as its event, and has used them up.
 */
export function appendWatchesOf(writer: ByteWriter, table: WatchTable, path: string, zxid: bigint): void {
  const batch = emptyBatch();
  let count = 0;
  for (const kind of WATCH_KINDS) if (table.has(kind, path)) count = batch[kind].push(path);
  if (count > 0) appendBatch(writer, batch, zxid);
}

type Batch = Record<WatchKind, string[]>;

function emptyBatch(): Batch {
  return { data: [], exist: [], child: [], persistent: [], recursive: [] };
}

function appendBatch(writer: ByteWriter, batch: Batch, relativeZxid: bigint): void {
  const classic = {
    relativeZxid,
    dataWatches: batch.data,
    existWatches: batch.exist,
    childWatches: batch.child,
  };
  if (batch.persistent.length === 0 && batch.recursive.length === 0) {
    appendFrame(writer, XID.setWatches, OP.setWatches, () => operations.setWatches.request.encode(writer, classic));
    return;
  }
  const all = { ...classic, persistentWatches: batch.persistent, persistentRecursiveWatches: batch.recursive };
  appendFrame(writer, XID.setWatches, OP.setWatches2, () => operations.setWatches2.request.encode(writer, all));
}
