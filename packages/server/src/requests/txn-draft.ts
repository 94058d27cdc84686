import { ByteReader, type ByteWriter, RECORD_SLOTS_MAX } from "@watchkeeper/wire";
import { emptyWriteRequest, type WriteRequest } from "./write-request.js";

/** The txn that is being made, and the request it is made from: one is used for all. */
export class TxnDraft {
  request: WriteRequest = emptyWriteRequest();
  zxid = 0;
  timeMs = 0;
  /** Over the request's body. */
  readonly reader: ByteReader = new ByteReader(new Uint8Array(0));
  /** Of the operation that was scanned last. */
  readonly slots: Int32Array = new Int32Array(RECORD_SLOTS_MAX);

  begin(request: WriteRequest, zxid: number, timeMs: number): void {
    this.request = request;
    this.zxid = zxid;
    this.timeMs = timeMs;
  }
}

/** @returns where the path's bytes lie in the writer */
export function writePath(writer: ByteWriter, bytes: Uint8Array, start: number, end: number): number {
  writer.int(end - start);
  const at = writer.length;
  writer.copy(bytes, start, end);
  return at;
}

export function writeData(writer: ByteWriter, bytes: Uint8Array, start: number, length: number): void {
  writer.int(length);
  if (length > 0) writer.copy(bytes, start, start + length);
}
