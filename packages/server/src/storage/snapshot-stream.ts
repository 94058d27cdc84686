import { WireError } from "@watchkeeper/wire";
import { ENTRY_BYTES_MAX_DEFAULT } from "./log-format.js";
import { SnapshotBodyParser, type SnapshotBodyRead } from "./snapshot-body-parser.js";
import type { SnapshotSink, SnapshotSource } from "./snapshot-content.js";
import { SnapshotEncoder } from "./snapshot-encoder.js";
import { STREAM_SIGNATURE } from "./snapshot-format.js";
import { StreamWindow } from "./stream-window.js";

/**
 * The stream behind a SNAP packet (`FileTxnSnapLog.serializeSnapshot` to a socket): a snapshot's
 * sessions, ACL lists and nodes, a signature, and nothing that tells its length. It is fuzzy as a file is: changes made
 * while it is sent may be in it or not, and are sent as txns behind it.
 */

/** What a peer sent in place of a snapshot: its connection is to be closed and what was read thrown away. */
export class SnapshotStreamError extends Error {
  override readonly name = "SnapshotStreamError";
  /** Counted from where the window's stream began. */
  readonly offset: number;

  constructor(found: string, offset: number, options?: ErrorOptions) {
    super(`the snapshot that was received is damaged at byte ${offset}: ${found}`, options);
    this.offset = offset;
  }
}

/**
 * The bytes to send, each piece in memory of its own, made when it is asked for: whoever sends waits
 * until the network has taken a piece before asking for the next. The source is released at the end,
 * when it fails, and when the iteration is left early (`return`).
 */
export function* snapshotPieces(source: SnapshotSource): Generator<Uint8Array, void, undefined> {
  try {
    for (const slice of new SnapshotEncoder(source).stream()) yield slice.slice();
  } finally {
    source.release();
  }
}

export interface SnapshotStreamRead extends SnapshotBodyRead {
  /** What came behind the stream in the last of its pieces: the beginning of what follows. */
  readonly rest: Uint8Array;
}

/**
 * Reads such a stream into `sink`, in memory bounded by its longest value, asking for no piece more than
 * it needs: behind it there may come nothing until the sender is answered. A sink that was given a part
 * of a damaged stream must be thrown away.
 * @param valueBytesMax the longest path, data or ACL list: jute.maxbuffer and its extra size
 * @throws SnapshotStreamError where the bytes are no snapshot, or end before it does
 */
export async function readSnapshotStream(
  pieces: AsyncIterable<Uint8Array>,
  sink: SnapshotSink,
  valueBytesMax: number = ENTRY_BYTES_MAX_DEFAULT,
): Promise<SnapshotStreamRead> {
  const window = new StreamWindow(pieces);
  const damaged = (found: string, cause?: unknown) => new SnapshotStreamError(found, window.offset, { cause });
  const parser = new SnapshotBodyParser(window, sink, valueBytesMax, damaged, "stream");
  try {
    const body = await parser.parse();
    await parser.need(STREAM_SIGNATURE.length, "its signature");
    const { bytes, at } = window;
    if (!STREAM_SIGNATURE.every((byte, i) => byte === bytes[at + i])) {
      throw damaged('"BenWasHere" is to follow the nodes, and does not');
    }
    return { ...body, rest: bytes.slice(at + STREAM_SIGNATURE.length, window.end) };
  } catch (error) {
    // What the sink could not make sense of is wrong with the stream.
    if (error instanceof WireError) throw damaged(error.message, error);
    throw error;
  } finally {
    await window.close();
  }
}
