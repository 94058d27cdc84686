import { createSessionTxn, createTxn, OP, txnDigest, txnHeader } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { LogBatch } from "../../src/storage/index.js";
import { batchOf, encodeTxn, hex, txn } from "./txns.js";

/** storage-format, 15.1: the beginning of a log that a 3.8.0 server wrote. */
const APACHE_LOG = hex(`
  5a4b 4c47 0000 0002 0000 0000 0000 0000
  0000 0000 9744 08e1 0000 0030
  0100 000c 8213 0000 0000 0000 0000 0000 0000 0001 0000 01a2 02c2 3429 ffff fff6 0000 2710
  0000 0002 0000 0000 51c6 d660 42
  0000 0000 b19d 0bc4 0000 005b
  0100 000c 8213 0000 0000 0001 0000 0000 0000 0002 0000 01a2 02c2 3435 0000 0001
  0000 0002 2f61 0000 0005 6865 6c6c 6f 0000 0001 0000 001f 0000 0005 776f 726c 64 0000 0006 616e 796f 6e65
  00 0000 0001 0000 0002 0000 0000 9b0e a970 42`);

function apacheBatch(): LogBatch {
  const batch = new LogBatch();
  const clientId = 0x100000c82130000n;
  batch.begin();
  txnHeader.encode(batch.writer, { clientId, cxid: 0, zxid: 1n, time: 0x1a202c23429n, type: OP.createSession });
  createSessionTxn.encode(batch.writer, { timeOut: 10_000 });
  txnDigest.encode(batch.writer, { version: 2, treeDigest: 1371985504n });
  batch.end(1);
  batch.begin();
  txnHeader.encode(batch.writer, { clientId, cxid: 1, zxid: 2n, time: 0x1a202c23435n, type: OP.create });
  createTxn.encode(batch.writer, {
    path: "/a",
    data: new TextEncoder().encode("hello"),
    acl: [{ perms: 31, id: { scheme: "world", id: "anyone" } }],
    ephemeral: false,
    parentCVersion: 1,
  });
  txnDigest.encode(batch.writer, { version: 2, treeDigest: 2601429360n });
  batch.end(2);
  return batch;
}

describe("a log batch", () => {
  test("lays out a new file byte for byte as Apache 3.8.0 does", () => {
    expect(apacheBatch().entriesWithFileHeader()).toEqual(APACHE_LOG);
    expect(apacheBatch().entries()).toEqual(APACHE_LOG.subarray(16));
  });

  test("tells where each payload lies and which zxids it spans", () => {
    const batch = batchOf([txn(5, "five"), txn(6, "six")]);
    expect([batch.count, batch.firstZxid, batch.lastZxid, batch.zxid(1)]).toEqual([2, 5, 6, 6]);
    for (const index of [0, 1]) {
      const alone = new LogBatch().writer;
      alone.reset();
      encodeTxn(alone, index === 0 ? txn(5, "five") : txn(6, "six"));
      expect(batch.writer.bytes.slice(batch.payloadStart(index), batch.payloadEnd(index))).toEqual(alone.view());
    }
    expect(batch.byteLength).toBe(batch.entries().length);
  });

  test("forgets an abandoned entry", () => {
    const batch = batchOf([txn(1)]);
    const before = batch.entries().slice();
    batch.begin();
    encodeTxn(batch.writer, txn(2));
    batch.abandonEntry();
    expect(batch.entries()).toEqual(before);
    expect(batchOf([txn(2)], batch).entries()).toEqual(batchOf([txn(1), txn(2)]).entries());
  });

  test("is as new after a reset, and does not keep the memory of an unusual one", () => {
    const batch = batchOf([
      txn(1, new Uint8Array(1 << 20)),
      txn(2, new Uint8Array(1 << 20)),
      txn(3, new Uint8Array(2_000_000)),
    ]);
    expect(batch.isFull).toBe(true);
    batch.reset();
    expect([batch.count, batch.byteLength, batch.isFull]).toEqual([0, 0, false]);
    expect(batch.writer.bytes.length).toBeLessThan(4 << 20);
    expect(batchOf([txn(9)], batch).entriesWithFileHeader()).toEqual(batchOf([txn(9)]).entriesWithFileHeader());
  });

  test("refuses an entry that no reader would accept, and can abandon it", () => {
    const batch = new LogBatch(100);
    batch.begin();
    encodeTxn(batch.writer, txn(1, new Uint8Array(60)));
    expect(batch.openEntryBytes).toBeGreaterThan(100);
    expect(() => batch.end(1)).toThrow("longer than the 100 that a log can hold");
    batch.abandonEntry();
    expect(batch.count).toBe(0);
  });
});
