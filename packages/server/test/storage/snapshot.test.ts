import { describe, expect, test } from "vitest";
import { nodeCompression } from "../../src/host/node-compression.js";
import {
  type CompressionMethod,
  DataDirectoryError,
  readSnapshot,
  type SnapshotSink,
  writeSnapshot,
} from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { type Content, ContentSink, ContentSource, contentOf } from "./contents.js";
import { flipped, hex } from "./txns.js";

const DIRECTORY = "/data/version-2";

async function freshDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.makeDirectory(DIRECTORY);
  return disk;
}

interface Writing {
  disk: MemoryDisk;
  source: ContentSource;
  pause?: () => Promise<void>;
  method?: CompressionMethod;
}

async function write({ disk, source, pause = async () => {}, method }: Writing): Promise<string> {
  const compression = method === undefined ? undefined : { method, codec: nodeCompression };
  const logger = new KeptLines();
  return (await writeSnapshot({ disk, directory: DIRECTORY, source, logger, pause, compression })).path;
}

async function read(disk: MemoryDisk, path: string): Promise<Content> {
  const method = /\.(gz|snappy)$/.exec(path)?.[1] as CompressionMethod | undefined;
  const sink = new ContentSink();
  await readSnapshot(disk, path, sink, {
    compression: method === undefined ? undefined : { method, codec: nodeCompression },
  });
  return sink.content;
}

async function failure(bytes: Uint8Array, path = "/snapshot.1"): Promise<DataDirectoryError> {
  const disk = new MemoryDisk();
  disk.setContents(path, bytes);
  const error = await read(disk, path).then(
    () => new Error("it was read"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof DataDirectoryError)) throw error;
  expect(error.file).toBe(path);
  expect(error.offset).toBeTypeOf("number");
  return error;
}

/** storage-format, 15.2: an empty database as 3.8.0 writes it, and what later releases add. */
const STAT_ZERO = "00".repeat(60);
const EMPTY_UP_TO_3_8 = hex(`
  5a4b 534e 0000 0002 ffff ffff ffff ffff 0000 0000 0000 0001 0000 0000 0000 0001
  0000 0001 0000 0001 0000 0005 776f 726c 64 0000 0006 616e 796f 6e65
  0000 0000 0000 0000 ffff ffff ffff ffff ${STAT_ZERO}
  0000 000a 2f7a 6f6f 6b65 6570 6572 0000 0000 ffff ffff ffff ffff ${STAT_ZERO}
  0000 0011 2f7a 6f6f 6b65 6570 6572 2f63 6f6e 6669 67 0000 0000 0000 0000 0000 0001
  ${"00".repeat(40)} ffff ffff ${"00".repeat(16)}
  0000 0010 2f7a 6f6f 6b65 6570 6572 2f71 756f 7461 0000 0000 ffff ffff ffff ffff ${STAT_ZERO}
  0000 0001 2f 0000 0000 b8a2 3b49 0000 0001 2f
  0000 0000 0000 0000 0000 0002 0000 0000 0000 0000 0000 0000 95b9 3d59 0000 0001 2f`);
const LAST_ZXID_SECTION = hex("0000 0000 0000 0000 0000 0000 bde8 3f6d 0000 0001 2f");
const EMPTY = Uint8Array.from([...EMPTY_UP_TO_3_8, ...LAST_ZXID_SECTION]);

function emptyDatabase(): Content {
  const stat = new Uint8Array(60);
  const empty = new Uint8Array(0);
  return {
    sessions: [],
    acls: [{ aclId: 1, bytes: EMPTY.slice(0x20, 0x3b) }],
    nodes: [
      { path: "", data: empty, aclId: -1, stat },
      { path: "/zookeeper", data: empty, aclId: -1, stat },
      { path: "/zookeeper/config", data: empty, aclId: 1, stat: stat.slice().fill(0xff, 40, 44) },
      { path: "/zookeeper/quota", data: empty, aclId: -1, stat },
    ],
    digest: { zxid: 0, digestHigh: 0, digestLow: 0 },
  };
}

describe("a snapshot", () => {
  test("of an empty database is byte for byte what Apache writes", async () => {
    expect([EMPTY_UP_TO_3_8.length, EMPTY.length]).toEqual([457, 478]);
    const disk = await freshDisk();
    const path = await write({ disk, source: new ContentSource(0, emptyDatabase()) });
    expect(path).toBe(`${DIRECTORY}/snapshot.0`);
    expect(disk.contents(path)).toEqual(EMPTY);
  });

  test.each([undefined, "gz", "snappy"] as const)("comes back as it was, packed: %s", async (method) => {
    const content = { ...contentOf(5000, 300), digest: { zxid: 0x1c, digestHigh: 7, digestLow: -9 } };
    const disk = await freshDisk();
    const path = await write({ disk, source: new ContentSource(0x1a, content), ...(method && { method }) });
    expect(path).toBe(`${DIRECTORY}/snapshot.1a${method === undefined ? "" : `.${method}`}`);
    const { nodes, ...rest } = await read(disk, path);
    const { nodes: nodesWritten, ...restWritten } = content;
    expect(rest).toEqual(restWritten);
    expect(nodes.length).toBe(nodesWritten.length);
    expect(JSON.stringify(nodes.map(plain))).toBe(JSON.stringify(nodesWritten.map(plain)));
  });

  test("keeps null and empty data apart, and data larger than a slice", async () => {
    const content = contentOf(3);
    content.nodes[1]!.data = new Uint8Array(1_500_000).fill(3);
    content.nodes[2]!.data = new Uint8Array(0);
    content.nodes[3]!.data = null;
    const disk = await freshDisk();
    const { nodes } = await read(disk, await write({ disk, source: new ContentSource(1, content) }));
    expect(nodes.slice(1).map(({ data }) => data?.length ?? null)).toEqual([1_500_000, 0, null]);
  });

  test("lets others run between slices", async () => {
    let pauses = 0;
    const pause = async () => {
      pauses++;
    };
    const disk = await freshDisk();
    await write({ disk, source: new ContentSource(1, contentOf(10_000, 300)), pause });
    expect(pauses).toBeGreaterThan(10);
  });
});

function plain({ path, data, aclId, stat }: Content["nodes"][number]): unknown {
  return [path, data === null ? null : Buffer.from(data).toString("hex"), aclId, Buffer.from(stat).toString("hex")];
}

describe("reading a snapshot", () => {
  test("takes the files of every release, told apart by what follows the nodes", async () => {
    const disk = await freshDisk();
    const upTo3_5 = EMPTY.slice(0, 0x1a8);
    // 3.9 with the digest off: its last seal is over other bytes.
    const withoutDigest = hex(
      `${Buffer.from(upTo3_5).toString("hex")} 0000 0000 0000 0000 0000 0000 b3ad 39ad 0000 0001 2f`,
    );
    const cases: [Uint8Array, number | undefined, number | undefined][] = [
      [upTo3_5, undefined, undefined],
      [EMPTY_UP_TO_3_8, 0, undefined],
      [EMPTY, 0, 0],
      [resealed(withoutDigest), undefined, 0],
      [Uint8Array.from([...EMPTY, 1, 2, 3]), 0, 0],
    ];
    for (const [bytes, digestZxid, lastProcessedZxid] of cases) {
      disk.setContents("/snapshot.0", bytes);
      const sink = new ContentSink();
      const result = await readSnapshot(disk, "/snapshot.0", sink);
      expect(result).toEqual({ nodeCount: 4, sessionCount: 0, digestZxid, lastProcessedZxid });
      expect(sink.content.nodes).toEqual(emptyDatabase().nodes);
    }
  });

  test("finds every cut", async () => {
    const boundaries = [0x1a8, 0x1c9, EMPTY.length];
    for (let size = 0; size < EMPTY.length; size++) {
      if (boundaries.includes(size)) continue;
      const error = await failure(EMPTY.slice(0, size));
      expect(error.offset).toBeLessThanOrEqual(size);
    }
  });

  test("finds every flipped bit", async () => {
    for (let position = 0; position < EMPTY.length; position++) {
      for (let bit = 0; bit < 8; bit++) {
        // The sections' meaning is sealed; only dbid in the header is under no rule but the seal.
        await failure(flipped(EMPTY, position, 1 << bit));
      }
    }
  });

  test("says what is wrong and where", async () => {
    expect((await failure(hex("5a4b4c47 00000002 0000000000000000"))).message).toContain(
      "/snapshot.1, offset 0: a snapshot begins with the magic 0x5a4b534e, found 0x5a4b4c47",
    );
    expect((await failure(EMPTY.slice(0, 100))).message).toContain("the file ends within the node list");
    const lost = Uint8Array.from([...EMPTY.slice(0, 0x87), ...EMPTY.slice(0xdd)]);
    expect((await failure(lost)).message).toContain("offset 135: a node comes before its parent");
    expect((await failure(flipped(EMPTY, 0xe0, 0xff))).message).toContain("offset");
    expect((await failure(flipped(EMPTY, 0x190, 1))).message).toContain(
      "the seal of the node list holds the checksum 0xb8a23b49",
    );
  });

  test.each(["gz", "snappy"] as const)("finds cuts and flipped bits of a packed file: %s", async (method) => {
    const disk = await freshDisk();
    const content = contentOf(300, 100);
    const whole = disk.contents(await write({ disk, source: new ContentSource(1, content), method }));
    const path = `/snapshot.1.${method}`;
    const expectSameOrRefused = async (bytes: Uint8Array, what: string) => {
      const outcome = await readBytes(bytes, path).catch((error: unknown) => error);
      if (outcome instanceof DataDirectoryError) return;
      // What unpacks to the same bytes is the same snapshot: gzip's own checksum at the end, say, is not needed.
      expect(JSON.stringify((outcome as Content).nodes.map(plain)), what).toBe(
        JSON.stringify(content.nodes.map(plain)),
      );
    };
    for (let size = 0; size < whole.length - 8; size += 97) await failure(whole.slice(0, size), path);
    for (let size = whole.length - 8; size < whole.length; size++)
      await expectSameOrRefused(whole.slice(0, size), `cut at ${size}`);
    const random = new SeededRandom(7);
    for (let i = 0; i < 300; i++) {
      const position = random.below(whole.length);
      await expectSameOrRefused(flipped(whole, position, 1 << random.below(8)), `flip at ${position}`);
    }
  });

  async function readBytes(bytes: Uint8Array, path: string): Promise<Content> {
    const disk = new MemoryDisk();
    disk.setContents(path, bytes);
    return await read(disk, path);
  }

  test("leaves no file open when the sink refuses", async () => {
    const disk = await freshDisk();
    const path = await write({ disk, source: new ContentSource(1, contentOf(3)) });
    const sink: SnapshotSink = { session: () => {}, acl: () => {}, node: () => false, digest: () => {} };
    await expect(readSnapshot(disk, path, sink)).rejects.toThrow("a node comes before its parent");
  });
});

/** Corrects the last checksum of a file put together by hand. */
function resealed(bytes: Uint8Array): Uint8Array {
  let a = 1;
  let b = 0;
  for (const byte of bytes.subarray(0, bytes.length - 13)) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(copy.length - 9, b * 65536 + a);
  return copy;
}

describe("writing a snapshot", () => {
  test.each([
    ["a failed write", (disk: MemoryDisk) => disk.failWrite(2, "EIO"), "EIO"],
    ["a failed sync", (disk: MemoryDisk) => disk.failSync(1, "EIO"), "EIO"],
    ["a full disk", (disk: MemoryDisk) => (disk.capacityBytes = 100_000), "ENOSPC"],
  ])("leaves nothing behind after %s, and releases its source", async (_name, fail, code) => {
    for (const method of [undefined, "snappy"] as const) {
      const disk = await freshDisk();
      fail(disk);
      const source = new ContentSource(9, contentOf(5000, 600));
      await expect(write({ disk, source, ...(method && { method }) })).rejects.toMatchObject({ code });
      expect(await disk.list(DIRECTORY)).toEqual([]);
      expect(source.releases).toBe(1);
    }
  });

  test("in a crash leaves the old file of that name, or the new one, whole", async () => {
    for (let seed = 0; seed < 100; seed++) {
      const disk = await freshDisk();
      await write({ disk, source: new ContentSource(9, contentOf(3)) });
      const random = new SeededRandom(seed);
      let operationsLeft = random.below(10);
      disk.beforeOperation = () => {
        if (operationsLeft-- === 0) disk.crash(random);
        return undefined;
      };
      await write({ disk, source: new ContentSource(9, contentOf(2000, 300)) }).catch(() => {});
      disk.beforeOperation = undefined;
      expect([4, 2001]).toContain((await read(disk, `${DIRECTORY}/snapshot.9`)).nodes.length);
    }
  });

  test("ends at a source's failure, and releases it", async () => {
    const disk = await freshDisk();
    const source = new ContentSource(9, contentOf(10));
    source.writeNodes = () => {
      throw new Error("the tree is broken");
    };
    await expect(write({ disk, source, method: "gz" })).rejects.toThrow("the tree is broken");
    expect(await disk.list(DIRECTORY)).toEqual([]);
    expect(source.releases).toBe(1);
  });
});
