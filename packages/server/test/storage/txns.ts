import { type ByteWriter, OP, setDataTxn, TXN_HEADER_BYTES, txnDigest, txnHeader } from "@watchkeeper/wire";
import { adler32, LogBatch } from "../../src/storage/index.js";

/** Txns as tests need them: of a given zxid and size, told apart by their data. */
export interface TestTxn {
  readonly zxid: number;
  readonly data: Uint8Array;
}

export function txn(zxid: number, data: Uint8Array | string = `txn ${zxid}`): TestTxn {
  return { zxid, data: typeof data === "string" ? new TextEncoder().encode(data) : data };
}

export function txns(firstZxid: number, lastZxid: number): TestTxn[] {
  return Array.from({ length: lastZxid - firstZxid + 1 }, (_, i) => txn(firstZxid + i));
}

/** A setData with a digest: the commonest of all. */
export function encodeTxn(writer: ByteWriter, { zxid, data }: TestTxn): void {
  txnHeader.encode(writer, {
    clientId: 0x100000c82130000n,
    cxid: zxid,
    zxid: BigInt(zxid),
    time: 1n,
    type: OP.setData,
  });
  setDataTxn.encode(writer, { path: "/a", data, version: 1 });
  txnDigest.encode(writer, { version: 2, treeDigest: BigInt(zxid) * 7n });
}

export function batchOf(list: readonly TestTxn[], batch: LogBatch = new LogBatch()): LogBatch {
  for (const each of list) {
    batch.begin();
    encodeTxn(batch.writer, each);
    batch.end(each.zxid);
  }
  return batch;
}

/** A whole log file. */
export function logFile(list: readonly TestTxn[], paddingBytes = 0): Uint8Array {
  const bytes = batchOf(list).entriesWithFileHeader();
  const file = new Uint8Array(bytes.length + paddingBytes);
  file.set(bytes);
  return file;
}

/** Where each entry of such a file begins, and behind the last. */
export function entryPositions(list: readonly TestTxn[]): number[] {
  const batch = batchOf(list);
  return [16, ...list.map((_, i) => batch.payloadEnd(i) + 1)];
}

/** What a replay saw, as a value to compare. */
export function seenTxn(bytes: Uint8Array, start: number, end: number, zxid: number): TestTxn {
  const dataLength = end - start - TXN_HEADER_BYTES - 4 - 2 - 4 - 4 - 12;
  const dataStart = start + TXN_HEADER_BYTES + 4 + 2 + 4;
  return { zxid, data: bytes.slice(dataStart, dataStart + dataLength) };
}

/** For comparing many or large ones at once: one short text each. */
export function brief(list: readonly TestTxn[]): string[] {
  return list.map(({ zxid, data }) => `${zxid}: ${data.length} bytes, adler ${adler32(data, 0, data.length)}`);
}

export function hex(text: string): Uint8Array {
  const digits = text.replace(/[^0-9a-f]/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16));
}

export function flipped(bytes: Uint8Array, position: number, mask: number): Uint8Array {
  const copy = bytes.slice();
  copy[position] = copy[position]! ^ mask;
  return copy;
}

/** Bytes that look like nothing in particular, the same each time. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >>> 16;
  });
}
