import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CRC32_START, crc32Continue, type DigestedStat, nodeDigest, TreeDigest } from "../../src/tree/index.js";

const finished = (state: number): number => ~state >>> 0;

test("the checksum is zlib's, in one go or in pieces, from any offset", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(), (bytes, from, cut) => {
      const start = from % (bytes.length + 1);
      const middle = start + (cut % (bytes.length - start + 1));
      const whole = crc32(bytes.subarray(start));
      expect(finished(crc32Continue(CRC32_START, bytes, start, bytes.length))).toBe(whole);
      const first = crc32Continue(CRC32_START, bytes, start, middle);
      expect(finished(crc32Continue(first, bytes, middle, bytes.length))).toBe(whole);
    }),
  );
});

test("a node's digest covers every persisted number", () => {
  const stat: DigestedStat = {
    czxid: 2 ** 40 + 1,
    mzxid: 2,
    pzxid: 3,
    ctime: 4,
    mtime: 5,
    version: -6,
    creations: 7,
    aversion: 8,
    ownerHigh: -9,
    ownerLow: 10,
  };
  const digests = new Set([nodeDigest(CRC32_START, stat)]);
  for (const name of Object.keys(stat)) {
    digests.add(nodeDigest(CRC32_START, { ...stat, [name]: stat[name as keyof DigestedStat] + 1 }));
  }
  expect(digests.size).toBe(11);
});

test("the sum is modulo 2^64, however digests are added and taken away", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer())), (steps) => {
      const digest = new TreeDigest();
      let sum = 0n;
      for (const [adds, value] of steps) {
        if (adds) digest.add(value);
        else digest.subtract(value);
        sum += (adds ? 1n : -1n) * BigInt(value >>> 0);
      }
      expect((BigInt(digest.high) << 32n) | BigInt(digest.low)).toBe(BigInt.asUintN(64, sum));
    }),
  );
});
