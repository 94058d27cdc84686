import {
  ByteWriter,
  checkVersionTxn,
  closeSessionTxn,
  createTtlTxn,
  createTxnV0,
  deleteTxn,
  errorTxn,
  multiTxn,
  OP,
  txnDigest,
  txnHeader,
  WireError,
} from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { nodeCompression } from "../../src/host/node-compression.js";
import {
  checkLog,
  cutLog,
  DataDirectoryError,
  decodeTxn,
  IGNORE_CONTENT,
  LogBatch,
  type LoggedTxn,
  printLog,
  printSnapshot,
  writeSnapshot,
} from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { ContentSource, contentOf } from "./contents.js";
import { entryPositions, flipped, logFile, txn, txns } from "./txns.js";

const LOG = "/logs/log.1";

function diskWith(bytes: Uint8Array): MemoryDisk {
  const disk = new MemoryDisk();
  disk.setContents(LOG, bytes);
  return disk;
}

describe("checking a log", () => {
  test("counts its txns and says how it ends", async () => {
    const check = await checkLog(diskWith(logFile(txns(1, 9), 500)), LOG);
    const end = entryPositions(txns(1, 9)).at(-1)!;
    expect(check).toEqual({ verdict: { kind: "complete", end }, txnCount: 9, firstZxid: 1, lastZxid: 9, gaps: [] });
  });

  test("finds gaps and damage", async () => {
    const list = [...txns(1, 3), ...txns(6, 7), txn(2 ** 32 + 1)];
    const positions = entryPositions(list);
    expect((await checkLog(diskWith(logFile(list)), LOG)).gaps).toEqual([
      { position: positions[3], afterZxid: 3, zxid: 6 },
    ]);
    const damaged = await checkLog(diskWith(flipped(logFile(list), positions[1]! + 40, 1)), LOG);
    expect(damaged).toMatchObject({ verdict: { kind: "damaged", position: positions[1] }, txnCount: 1 });
  });

  test("of no txn at all is fine", async () => {
    expect(await checkLog(diskWith(logFile([])), LOG)).toMatchObject({ txnCount: 0, firstZxid: undefined });
  });
});

describe("printing a log", () => {
  test("hands out every txn decoded, with its place, undecodable ones with the reason", async () => {
    const writer = new ByteWriter();
    txnHeader.encode(writer, { clientId: 0n, cxid: 0, zxid: 2n, time: 5n, type: 77 });
    const bytes = logFile([txn(1)]);
    const batch = new LogBatch();
    batch.begin();
    batch.writer.copy(writer.bytes, 0, writer.length);
    batch.end(2);
    const seen: LoggedTxn[] = [];
    const verdict = await printLog(diskWith(Uint8Array.from([...bytes, ...batch.entries()])), LOG, (each) =>
      seen.push(each),
    );
    expect(verdict.kind).toBe("complete");
    expect(seen).toEqual([
      {
        position: 16,
        txn: {
          clientId: 0x100000c82130000n,
          cxid: 1,
          zxid: 1,
          timeMs: 1,
          operation: { name: "setData", type: 5, path: "/a", data: new TextEncoder().encode("txn 1"), version: 1 },
          digest: { version: 2, treeDigest: 7n },
        },
      },
      { position: bytes.length, problem: "77 is not a type of txn that can stand here" },
    ]);
  });
});

describe("cutting a log", () => {
  test("in place keeps all up to a zxid and drops the padding", async () => {
    const disk = diskWith(logFile(txns(1, 9), 500));
    const cut = await cutLog(disk, LOG, 6);
    const end = entryPositions(txns(1, 6)).at(-1);
    expect(cut).toMatchObject({ end, txnsKept: 6, lastZxidKept: 6, txnsCut: 3, firstZxidCut: 7 });
    expect(disk.contents(LOG)).toEqual(logFile(txns(1, 6)));
  });

  test("into another file leaves the log as it is, and takes no name that is there", async () => {
    const whole = logFile(txns(1, 9), 500);
    const disk = diskWith(whole);
    await cutLog(disk, LOG, 4, "/logs/kept");
    expect(disk.contents("/logs/kept")).toEqual(logFile(txns(1, 4)));
    expect(disk.contents(LOG)).toEqual(whole);
    await expect(cutLog(disk, LOG, 4, "/logs/kept")).rejects.toThrow("exists already");
  });

  test("before damage makes a log that is whole", async () => {
    const positions = entryPositions(txns(1, 9));
    const disk = diskWith(flipped(logFile(txns(1, 9)), positions[5]! + 30, 1));
    expect(await cutLog(disk, LOG, 100)).toMatchObject({ txnsKept: 5, lastZxidKept: 5 });
    expect((await checkLog(disk, LOG)).verdict.kind).toBe("complete");
  });

  test("at a zxid that falls into a gap keeps what is before it", async () => {
    const disk = diskWith(logFile([...txns(1, 3), ...txns(7, 8)]));
    expect(await cutLog(disk, LOG, 5)).toMatchObject({ txnsKept: 3, lastZxidKept: 3, txnsCut: 2 });
  });

  test("that would keep nothing is refused, and nothing is changed", async () => {
    const whole = logFile(txns(5, 9));
    const disk = diskWith(whole);
    await expect(cutLog(disk, LOG, 4)).rejects.toThrow("it has no txn up to 0x4");
    await expect(cutLog(diskWith(new Uint8Array(5)), LOG, 4)).rejects.toBeInstanceOf(DataDirectoryError);
    expect(disk.contents(LOG)).toEqual(whole);
  });
});

describe("printing a snapshot", () => {
  test("takes any name, its last part telling how it is packed", async () => {
    const disk = new MemoryDisk();
    await disk.makeDirectory("/snaps");
    for (const method of [undefined, "gz", "snappy"] as const) {
      const compression = method === undefined ? undefined : { method, codec: nodeCompression };
      const source = new ContentSource(1, contentOf(4));
      const world = { disk, directory: "/snaps", logger: new KeptLines(), pause: async () => {} };
      const { path } = await writeSnapshot({ ...world, source, compression });
      const copy = `/snaps/copy of ${path.slice("/snaps/".length)}`;
      disk.setContents(copy, disk.contents(path));
      expect(await printSnapshot(disk, copy, nodeCompression, IGNORE_CONTENT)).toMatchObject({
        nodeCount: 5,
        sessionCount: 1,
      });
    }
  });
});

describe("decoding a txn", () => {
  const header = { clientId: -1n, cxid: -9, zxid: 3n, time: 1_700_000_000_000n };
  const acl = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
  const digest = { version: 2, treeDigest: 0x1_0000_0002n };

  function decoded(type: number, body: (writer: ByteWriter) => void) {
    const writer = new ByteWriter();
    writer.int(0x5a5a5a5a);
    txnHeader.encode(writer, { ...header, type });
    body(writer);
    return decodeTxn(writer.bytes, 4, writer.length);
  }

  test("reads each field", () => {
    const body = { path: "/ttl", data: null, acl, parentCVersion: 4, ttl: 5_000_000n };
    const found = decoded(OP.createTTL, (writer) => {
      createTtlTxn.encode(writer, body);
      txnDigest.encode(writer, digest);
    });
    expect(found).toEqual({
      clientId: -1n,
      cxid: -9,
      zxid: 3,
      timeMs: 1_700_000_000_000,
      operation: { name: "createTTL", type: 21, ...body },
      digest,
    });
  });

  test("takes a create of release 3.3, without the parent's cversion", () => {
    const body = { path: "/a", data: new Uint8Array(3), acl, ephemeral: true };
    const found = decoded(OP.create, (writer) => createTxnV0.encode(writer, body));
    expect(found.operation).toEqual({ name: "create", type: 1, ...body, parentCVersion: -1 });
  });

  test("takes a closeSession with its list, without, and with only a digest", () => {
    const close = (body: (writer: ByteWriter) => void) => decoded(OP.closeSession, body);
    const listed = close((writer) => {
      closeSessionTxn.encode(writer, { paths2Delete: ["/a/e"] });
      txnDigest.encode(writer, digest);
    });
    expect(listed).toMatchObject({ operation: { paths2Delete: ["/a/e"] }, digest });
    const empty = close((writer) => {
      closeSessionTxn.encode(writer, { paths2Delete: [] });
      txnDigest.encode(writer, digest);
    });
    expect(empty).toMatchObject({ operation: { paths2Delete: [] }, digest });
    expect(close(() => {})).toMatchObject({ operation: { paths2Delete: null }, digest: undefined });
    expect(close((writer) => txnDigest.encode(writer, digest))).toMatchObject({
      operation: { paths2Delete: null },
      digest,
    });
  });

  test("reads a multi's operations, failed ones too", () => {
    const sub = (encode: (writer: ByteWriter) => void) => {
      const writer = new ByteWriter();
      encode(writer);
      return writer.bytes.slice(0, writer.length);
    };
    const found = decoded(OP.multi, (writer) =>
      multiTxn.encode(writer, {
        txns: [
          { type: OP.delete, data: sub((to) => deleteTxn.encode(to, { path: "/d" })) },
          { type: OP.check, data: sub((to) => checkVersionTxn.encode(to, { path: "/c", version: 3 })) },
          { type: OP.error, data: sub((to) => errorTxn.encode(to, { err: -2 })) },
        ],
      }),
    );
    expect(found.operation).toEqual({
      name: "multi",
      type: 14,
      operations: [
        { name: "delete", type: 2, path: "/d" },
        { name: "check", type: 13, path: "/c", version: 3 },
        { name: "error", type: -1, err: -2 },
      ],
    });
  });

  test.each([OP.check, OP.getData, 77])("refuses the type %i", (type) => {
    expect(() => decoded(type, () => {})).toThrow(WireError);
  });

  test("refuses bytes that end too early", () => {
    expect(() => decoded(OP.setData, () => {})).toThrow(WireError);
    expect(() => decodeTxn(new Uint8Array(31), 0, 31)).toThrow(WireError);
  });
});
