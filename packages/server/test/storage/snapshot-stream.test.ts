import { describe, expect, test } from "vitest";
import {
  readSnapshotStream,
  type SnapshotSink,
  SnapshotStreamError,
  snapshotPieces,
  writeSnapshot,
} from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { type Content, ContentSink, ContentSource, contentOf } from "./contents.js";
import { flipped, hex } from "./txns.js";

const STAT_ZERO = "00".repeat(60);
/** reference 17.10: what a 3.8.0 leader sends behind a SNAP packet, its system nodes left out. */
const CAPTURED = hex(`
  00000001 010000109ccf0000 00001f40
  00000002
    0000000000000001 00000001 00000001 00000005 776f726c64 00000006 616e796f6e65
    0000000000000002 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65
  00000000 00000000 ffffffffffffffff ${"00".repeat(36)} 00000001 00000000 0000000000000000 0000000100000002
  00000002 2f61 00000005 68656c6c6f 0000000000000002 ${STAT_ZERO}
  00000001 2f
  0000000a 42656e57617348657265`);

function captured(): Content {
  const acl = (from: number) => CAPTURED.slice(from, from + 27);
  const rootStat = hex(`${"00".repeat(36)} 00000001 00000000 0000000000000000 0000000100000002`);
  return {
    sessions: [{ idHigh: 0x01000010, idLow: 0x9ccf0000 | 0, timeoutMs: 8000 }],
    acls: [
      { aclId: 1, bytes: acl(0x1c) },
      { aclId: 2, bytes: acl(0x3f) },
    ],
    nodes: [
      { path: "", data: new Uint8Array(0), aclId: -1, stat: Uint8Array.from([...rootStat]) },
      { path: "/a", data: new TextEncoder().encode("hello"), aclId: 2, stat: new Uint8Array(60) },
    ],
    digest: undefined,
  };
}

/** Hands out bytes in pieces of the given size, and complains when asked for more than there are. */
async function* pieces(bytes: Uint8Array, size: number, end: "more" | "over" = "more"): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
  if (end === "more") throw new Error("more was asked for than must come");
}

async function read(bytes: Uint8Array, size = 1 << 16, end: "more" | "over" = "more") {
  const sink = new ContentSink();
  const result = await readSnapshotStream(pieces(bytes, size, end), sink);
  return { ...result, content: sink.content };
}

function streamOf(content: Content): Uint8Array {
  const parts = [...snapshotPieces(new ContentSource(1, content))];
  return Uint8Array.from(Buffer.concat(parts));
}

describe("a snapshot's stream", () => {
  test("is byte for byte what Apache sends, and read as that", async () => {
    expect(streamOf(captured())).toEqual(CAPTURED);
    const { content, sessionCount, nodeCount, rest } = await read(CAPTURED);
    expect(content).toEqual(captured());
    expect([sessionCount, nodeCount, rest.length]).toEqual([1, 2, 0]);
  });

  test("comes back in whatever pieces it arrives, and nothing beyond it is waited for", async () => {
    const bytes = streamOf(contentOf(40));
    for (let size = 1; size <= bytes.length; size += size < 40 ? 1 : 97) {
      const { content } = await read(bytes, size);
      expect(content).toEqual(contentOf(40));
    }
  });

  test("waits for nothing beyond a long ACL list that ends it all but", async () => {
    const content = contentOf(0);
    const one = content.acls[0]!.bytes.slice(4);
    content.acls[0]!.bytes = Uint8Array.from([0, 0, 4, 0, ...Array.from({ length: 1024 }, () => [...one]).flat()]);
    const bytes = streamOf(content);
    for (const size of [1, 100, 4096, bytes.length]) expect((await read(bytes, size)).content).toEqual(content);
  });

  test("gives back what came behind it", async () => {
    const packet = Uint8Array.of(0, 0, 0, 10, 7, 7, 7);
    const { rest } = await read(Uint8Array.from([...CAPTURED, ...packet]), 50);
    expect([...packet.slice(0, rest.length)]).toEqual([...rest]);
    expect((await read(Uint8Array.from([...CAPTURED, ...packet]))).rest).toEqual(packet);
  });

  test("has the body of a snapshot file, node for node", async () => {
    const disk = new MemoryDisk();
    await disk.makeDirectory("/data");
    const content = contentOf(3000, 200);
    const { path } = await writeSnapshot({
      disk,
      directory: "/data",
      source: new ContentSource(1, content),
      logger: new KeptLines(),
      pause: async () => {},
    });
    const stream = streamOf(content);
    const body = stream.subarray(0, stream.length - 14);
    expect(Buffer.compare(disk.contents(path).subarray(16, 16 + body.length), body)).toBe(0);
  });

  test("is made in pieces of their own memory, and its source released at the end or when it is left", () => {
    const source = new ContentSource(1, contentOf(10_000, 300));
    const made = [...snapshotPieces(source)];
    expect(made.length).toBeGreaterThan(5);
    expect(new Set(made.map(({ buffer }) => buffer)).size).toBe(made.length);
    expect(source.releases).toBe(1);
    const left = new ContentSource(1, contentOf(10_000, 300));
    for (const _piece of snapshotPieces(left)) break;
    expect(left.releases).toBe(1);
    const failing = new ContentSource(1, contentOf(10));
    failing.writeNodes = () => {
      throw new Error("the tree is broken");
    };
    expect(() => [...snapshotPieces(failing)]).toThrow("the tree is broken");
    expect(failing.releases).toBe(1);
  });
});

describe("a damaged stream", () => {
  async function failure(bytes: Uint8Array, sink: SnapshotSink = new ContentSink()): Promise<SnapshotStreamError> {
    const error: unknown = await readSnapshotStream(pieces(bytes, 64, "over"), sink).then(
      () => new Error("it was read"),
      (reason: unknown) => reason,
    );
    if (!(error instanceof SnapshotStreamError)) throw error;
    return error;
  }

  test("is told wherever it ends early", async () => {
    for (let size = 0; size < CAPTURED.length; size++) {
      const { message, offset } = await failure(CAPTURED.slice(0, size));
      expect(message).toContain("the stream ends within");
      expect(offset).toBeLessThanOrEqual(size);
    }
  });

  test("has a sentence for each length and count that cannot be", async () => {
    const cases: [number, number[], string][] = [
      [0, [0xff, 0xff, 0xff, 0xfe], "the session list has the count -2"],
      [16, [0x80, 0, 0, 0], "the ACL table has the count -2147483648"],
      [20, [0x7f, 0xff], "an ACL list has the id"],
      [28, [0xff, 0xff, 0xff, 0xf0], "an ACL list has the count -16"],
      [36, [0x7f], "an ACL has a text of length"],
      [90, [0x40], "a node has a path of length"],
      [94, [0x40], "a node has data of length"],
      [98, [0x7f], "a node has the ACL id"],
      [CAPTURED.length - 1, [0x66], '"BenWasHere" is to follow the nodes'],
    ];
    for (const [position, bytes, sentence] of cases) {
      const copy = CAPTURED.slice();
      copy.set(bytes, position);
      expect((await failure(copy)).message).toContain(sentence);
    }
    const refusing: SnapshotSink = { session: () => {}, acl: () => {}, node: () => false, digest: () => {} };
    expect((await failure(CAPTURED, refusing)).message).toContain("a node comes before its parent");
  });

  test("takes no more memory than has arrived, whatever it announces", async () => {
    const endless = Uint8Array.from([...CAPTURED.slice(0, 28), 0x7f, 0xff, 0xff, 0xff, ...new Uint8Array(12 << 20)]);
    expect((await failure(endless)).message).toContain("an ACL list is longer than 2097150 bytes");
  });

  test("is told or harmless wherever a bit flips, and always ends", async () => {
    const random = new SeededRandom(3);
    for (let i = 0; i < 3000; i++) {
      const bytes = flipped(CAPTURED, random.below(CAPTURED.length), 1 << random.below(8));
      const error: unknown = await readSnapshotStream(pieces(bytes, 64, "over"), new ContentSink()).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) expect(error).toBeInstanceOf(SnapshotStreamError);
    }
  });
});
