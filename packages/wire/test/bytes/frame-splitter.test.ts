import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter, FrameSplitter, WireError } from "../../src/index.js";

const LIMIT = 5000;

function stream(frames: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  for (const frame of frames) writer.buffer(frame);
  return writer.view().slice();
}

function takeAll(splitter: FrameSplitter): Uint8Array[] {
  const frames: Uint8Array[] = [];
  while (splitter.next()) frames.push(splitter.bytes.slice(splitter.start, splitter.end));
  return frames;
}

const frames = fc.array(
  fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 250, maxLength: 800, size: "max" })),
  { maxLength: 8 },
);

test("any chunking gives the same frames", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (list, sizes) => {
      const bytes = stream(list);
      const splitter = new FrameSplitter(LIMIT);
      const seen: Uint8Array[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length]!;
        splitter.push(bytes.slice(at, at + size));
        seen.push(...takeAll(splitter));
        at += size;
      }
      expect(seen).toEqual(list);
      expect(splitter.hasUnhandled).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test("a frame that is not taken yet waits, and more may be pushed behind it", () => {
  fc.assert(
    fc.property(
      frames,
      fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat({ max: 2 })), { minLength: 1 }),
      (list, steps) => {
        const bytes = stream(list);
        const splitter = new FrameSplitter(LIMIT);
        const seen: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const [size, taken] = steps[i % steps.length]!;
          splitter.push(bytes.slice(at, at + size));
          for (let k = 0; k < taken && splitter.next(); k++) {
            seen.push(splitter.bytes.slice(splitter.start, splitter.end));
          }
          at += size;
        }
        seen.push(...takeAll(splitter));
        expect(seen).toEqual(list);
      },
    ),
    { numRuns: 300 },
  );
});

test("whole frames are handed out where they lie, torn ones in memory of their own", () => {
  const splitter = new FrameSplitter(LIMIT);
  const chunk = stream([Uint8Array.of(1), Uint8Array.of(2, 3)]);
  splitter.push(chunk);
  expect([splitter.next(), splitter.bytes === chunk]).toEqual([true, true]);
  expect([splitter.next(), splitter.bytes === chunk]).toEqual([true, true]);
  splitter.push(chunk.slice(0, 4));
  expect(splitter.next()).toBe(false);
  splitter.push(chunk.slice(4));
  expect([splitter.next(), splitter.end - splitter.start]).toEqual([true, 1]);
});

test.for([-1, -(2 ** 31), LIMIT + 1, 2 ** 31 - 1])("a frame of %i bytes is refused", (length) => {
  for (const cut of [1, 2, 3, 4]) {
    const head = Buffer.alloc(8);
    head.writeInt32BE(length);
    const splitter = new FrameSplitter(LIMIT);
    splitter.push(Uint8Array.from(head.subarray(0, cut)));
    const attempt = (): void => {
      splitter.next();
      splitter.push(Uint8Array.from(head.subarray(cut)));
      splitter.next();
    };
    expect(attempt, `in pieces of ${cut}`).toThrow(WireError);
  }
});

test("a frame as long as the limit is taken", () => {
  const splitter = new FrameSplitter(LIMIT);
  splitter.push(stream([new Uint8Array(LIMIT)]));
  expect(takeAll(splitter)).toHaveLength(1);
});

test("a length that is announced takes no memory: only bytes that have come do", () => {
  const announced = Buffer.alloc(5);
  announced.writeInt32BE(0xfffff);
  const splitters: FrameSplitter[] = [];
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 500; i++) {
    const splitter = new FrameSplitter(0xfffff);
    splitter.push(Uint8Array.from(announced));
    expect(splitter.next()).toBe(false);
    splitters.push(splitter);
  }
  // Half a gigabyte was announced.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 << 20);
  expect(splitters).toHaveLength(500);
});

describe("peeking at the first bytes", () => {
  test("shows them once they have come, in whatever pieces, and takes none", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 8 }), (sizes) => {
        const bytes = stream([Uint8Array.of(0x73, 0x72, 0x76, 0x72)]);
        const splitter = new FrameSplitter(LIMIT);
        let come = 0;
        for (const size of sizes) {
          const chunk = bytes.slice(come, come + size);
          if (chunk.length === 0) break;
          splitter.push(chunk);
          come += chunk.length;
          const peeked = splitter.peek(4);
          if (come < 4) expect(peeked).toBeUndefined();
          else expect(peeked).toEqual(bytes.slice(0, 4));
          if (come < 8) expect(splitter.next()).toBe(false);
        }
        if (come === 8) expect(takeAll(splitter)).toEqual([bytes.slice(4)]);
      }),
    );
  });
});
