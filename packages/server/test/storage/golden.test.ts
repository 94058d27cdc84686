import { describe, expect, test } from "vitest";
import { nodeCompression } from "../../src/host/node-compression.js";
import {
  checkLog,
  dataDirectory,
  decodeTxn,
  LogBatch,
  listLogs,
  listSnapshots,
  readSnapshot,
  readTxnLog,
  recover,
  writeSnapshot,
} from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { ContentSink, ContentSource } from "./contents.js";
import { GOLDEN_NAMES, type GoldenDirectory, golden } from "./golden-directories.js";

async function replay(disk: MemoryDisk) {
  const txns: { zxid: string; type: number; digest: string | null }[] = [];
  const recovered = await recover({
    disk,
    directory: dataDirectory(disk, "/data"),
    logger: new KeptLines(),
    compression: nodeCompression,
    openSnapshot: () => new ContentSink(),
    apply: (bytes, start, end, zxid) => {
      const { operation, digest } = decodeTxn(bytes, start, end);
      txns.push({
        zxid: String(zxid),
        type: operation.type,
        digest: digest === undefined ? null : String(digest.treeDigest),
      });
    },
  });
  return { recovered, txns };
}

function allTxns({ logs }: GoldenDirectory["expected"]) {
  return Object.values(logs)
    .flat()
    .sort((a, b) => Number(a.zxid) - Number(b.zxid));
}

describe.each(GOLDEN_NAMES)("the directory %s of an Apache server", (name) => {
  test("is recovered from its newest snapshot on", async () => {
    const { disk, expected } = golden(name);
    const { recovered, txns } = await replay(disk);
    const newest = (await listSnapshots(disk, "/data/version-2")).at(-1)!;
    expect(recovered.snapshot?.zxid).toBe(newest.zxid);
    expect(recovered).toMatchObject({ lastZxid: Number(expected.lastZxid), tornTails: [], warnings: [] });
    expect(txns).toEqual(allTxns(expected).filter(({ zxid }) => Number(zxid) > newest.zxid));
  });

  test("is recovered whole from its first snapshot and all its logs, every txn with its digest", async () => {
    const { disk, expected } = golden(name);
    for (const snapshot of await listSnapshots(disk, "/data/version-2")) {
      if (snapshot.zxid > 0) await disk.remove(`/data/version-2/${snapshot.name}`);
    }
    const { txns } = await replay(disk);
    expect(txns).toEqual(allTxns(expected));
  });

  test("has logs that are written back byte for byte", async () => {
    const { disk, expected } = golden(name);
    const logs = await listLogs(disk, "/data/version-2");
    expect(logs.map((log) => log.name).sort()).toEqual(Object.keys(expected.logs).sort());
    for (const log of logs) {
      const path = `/data/version-2/${log.name}`;
      const batch = new LogBatch();
      await readTxnLog(disk, path, (bytes, start, end, _position, zxid) => {
        batch.begin();
        batch.writer.copy(bytes, start, end);
        batch.end(zxid);
      });
      const written = batch.entriesWithFileHeader();
      const original = disk.contents(path);
      expect(Buffer.compare(written, original.subarray(0, written.length))).toBe(0);
      expect(original.subarray(written.length).every((byte) => byte === 0)).toBe(true);
      expect(await checkLog(disk, path)).toMatchObject({
        verdict: { kind: "complete", end: written.length },
        txnCount: expected.logs[log.name]!.length,
        gaps: [],
      });
    }
  });

  test("has snapshots that are written back byte for byte, but for the section that 3.9 added", async () => {
    const { disk, expected } = golden(name);
    for (const { name: file, zxid, compression: method } of await listSnapshots(disk, "/data/version-2")) {
      const sink = new ContentSink();
      const path = `/data/version-2/${file}`;
      const compression = method === undefined ? undefined : { method, codec: nodeCompression };
      const { digestZxid } = await readSnapshot(disk, path, sink, { compression });
      if (expected.fuzzySnapshots?.includes(file)) expect(digestZxid, file).toBeGreaterThan(zxid);

      const source = new ContentSource(zxid, sink.content);
      const again = new MemoryDisk();
      await again.makeDirectory("/again");
      const world = { logger: new KeptLines(), pause: async () => {} };
      const { path: written } = await writeSnapshot({ disk: again, directory: "/again", source, ...world });
      const original = await unpacked(disk, path, method);
      expect(again.contents(written).length).toBe(original.length + 21);
      expect(Buffer.compare(again.contents(written).subarray(0, original.length), original)).toBe(0);
    }
  });

  test("has in its newest snapshot the nodes that clients saw", async () => {
    const { disk, expected } = golden(name);
    const { name: file, compression: method } = (await listSnapshots(disk, "/data/version-2")).at(-1)!;
    const sink = new ContentSink();
    const compression = method === undefined ? undefined : { method, codec: nodeCompression };
    await readSnapshot(disk, `/data/version-2/${file}`, sink, { compression });
    let unchanged = 0;
    for (const { path, data, stat } of sink.content.nodes) {
      const seen = expected.nodes[path === "" ? "/" : path];
      // Quota counters change without a txn.
      if (seen === undefined || path.endsWith("/zookeeper_stats")) continue;
      if (String(Buffer.from(stat).readBigInt64BE(8)) !== seen.stat.mzxid) continue;
      unchanged++;
      expect(data === null ? null : Buffer.from(data).toString("hex"), path).toBe(seen.data?.hex ?? null);
    }
    expect(unchanged).toBeGreaterThanOrEqual(4);
  });
});

async function unpacked(disk: MemoryDisk, path: string, method: "gz" | "snappy" | undefined): Promise<Uint8Array> {
  const bytes = disk.contents(path);
  if (method === undefined) return bytes;
  const pieces: Uint8Array[] = [];
  const packed = (async function* () {
    yield bytes;
  })();
  for await (const piece of nodeCompression.unpack(method, packed)) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}
