import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ByteReader,
  ByteWriter,
  copyBytes,
  readInt,
  readLong,
  readLongAsNumber,
  writeInt,
  writeLong,
  writeLongFromNumber,
} from "../../src/index.js";

const longs = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const exact = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(0, -1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32)),
);

test("integers of 32 and 64 bits are what Node reads and writes", () => {
  fc.assert(
    fc.property(fc.integer(), longs, fc.nat({ max: 5 }), (int, long, at) => {
      const bytes = new Uint8Array(20);
      const view = new DataView(bytes.buffer);
      writeInt(bytes, at, int);
      expect([view.getInt32(at), readInt(bytes, at)]).toEqual([int, int]);
      writeLong(bytes, at, long);
      expect([view.getBigInt64(at), readLong(bytes, at)]).toEqual([long, long]);
    }),
  );
});

test("a double below 2^53 is written and read as the 64-bit integer it is", () => {
  fc.assert(
    fc.property(exact, (value) => {
      const bytes = new Uint8Array(8);
      writeLongFromNumber(bytes, 0, value);
      expect(readLong(bytes, 0)).toBe(BigInt(value));
      expect(readLongAsNumber(bytes, 0)).toBe(value === 0 ? 0 : value);
    }),
  );
});

test("a reader never reads outside its part of the bytes", () => {
  const reader = new ByteReader(new Uint8Array(20), 4, 10);
  reader.int();
  expect(reader.remaining).toBe(2);
  expect(() => reader.int()).toThrow(/4 bytes expected at 8, 2 left/);
  expect(() => reader.skip(3)).toThrow();
  reader.skip(2);
  expect(() => reader.byte()).toThrow();
});

test("a writer grows without losing what was written", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (parts) => {
      const writer = new ByteWriter(1);
      for (const part of parts) writer.copy(part, 0, part.length);
      expect(Buffer.from(writer.view())).toEqual(Buffer.concat(parts));
    }),
  );
});

test("nothing is lost at the very place where a writer grows", () => {
  const writes: readonly [string, (writer: ByteWriter) => void, number[]][] = [
    ["byte", (writer) => writer.byte(0x42), [0x42]],
    ["bool", (writer) => writer.bool(true), [1]],
    ["int", (writer) => writer.int(-2), [255, 255, 255, 254]],
    ["long", (writer) => writer.long(-2n), [255, 255, 255, 255, 255, 255, 255, 254]],
    ["longParts", (writer) => writer.longParts(1, 2), [0, 0, 0, 1, 0, 0, 0, 2]],
    ["longFromNumber", (writer) => writer.longFromNumber(2 ** 32 + 2), [0, 0, 0, 1, 0, 0, 0, 2]],
    ["ustring", (writer) => writer.ustring("ab"), [0, 0, 0, 2, 0x61, 0x62]],
    ["buffer", (writer) => writer.buffer(Uint8Array.of(7)), [0, 0, 0, 1, 7]],
  ];
  for (const [name, write, expected] of writes) {
    for (let capacity = 1; capacity <= 12; capacity++) {
      for (let before = 0; before <= capacity; before++) {
        const writer = new ByteWriter(capacity);
        for (let i = 0; i < before; i++) writer.byte(0xee);
        write(writer);
        expect([...writer.view()], `${name} at ${before} of ${capacity}`).toEqual([
          ...new Array(before).fill(0xee),
          ...expected,
        ]);
      }
    }
  }
});

test("copying is the same for few bytes and for many", () => {
  for (const count of [0, 1, 63, 64, 65, 500]) {
    const source = Uint8Array.from({ length: 600 }, (_, i) => i);
    const target = new Uint8Array(600);
    copyBytes(source, 7, 7 + count, target, 3);
    expect(target.subarray(3, 3 + count)).toEqual(source.subarray(7, 7 + count));
    expect(target.subarray(3 + count).every((byte) => byte === 0)).toBe(true);
  }
});
