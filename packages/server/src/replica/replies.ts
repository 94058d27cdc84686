import { type ByteWriter, STAT_BYTES, writeInt, XID } from "@watchkeeper/wire";
import type { Tree } from "../tree/index.js";

/** Frames towards clients: a length, a reply header, a body. The length is filled in when the body is done. */

/** Begins a reply and returns where its frame starts, for `endFrame`. */
export function beginReply(writer: ByteWriter, xid: number, zxid: number, err: number): number {
  const at = writer.reserve(20);
  const { bytes } = writer;
  writeInt(bytes, at + 4, xid);
  writeInt(bytes, at + 8, Math.floor(zxid / TWO_32));
  writeInt(bytes, at + 12, zxid | 0);
  writeInt(bytes, at + 16, err);
  return at;
}

export function endFrame(writer: ByteWriter, at: number): void {
  writeInt(writer.bytes, at, writer.length - at - 4);
}

/** Without its length, as all sizes of replies. */
export const HEADER_REPLY_BYTES = 16;

/** A reply that is its header alone. */
export function writeHeaderReply(writer: ByteWriter, xid: number, zxid: number, err: number): void {
  endFrame(writer, beginReply(writer, xid, zxid, err));
}

export function writeStatOf(writer: ByteWriter, tree: Tree, node: number): void {
  const start = tree.statStart(node);
  writer.copy(tree.cellBytesOf(node), start, start + STAT_BYTES);
}

/** A watch event; `zxid` is the txn's that fired it, -1 for catch-up events. */
export function writeEvent(
  writer: ByteWriter,
  zxid: number,
  type: number,
  state: number,
  path: Uint8Array,
  start: number,
  end: number,
): void {
  const at = beginReply(writer, XID.notification, zxid, 0);
  writer.int(type);
  writer.int(state);
  writer.int(end - start);
  writer.copy(path, start, end);
  endFrame(writer, at);
}

const TWO_32 = 2 ** 32;
