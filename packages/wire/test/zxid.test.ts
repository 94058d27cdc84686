import fc from "fast-check";
import { expect, test } from "vitest";
import { counterOf, epochOf, makeZxid } from "../src/index.js";

const EPOCH_MAX = 2 ** 21 - 1;
const counters = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test("a zxid is made of its epoch and counter, as with 64-bit integers", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1, max: EPOCH_MAX }), counters, (epoch, counter) => {
      const zxid = makeZxid(epoch, counter);
      expect(BigInt(zxid)).toBe((BigInt(epoch) << 32n) | BigInt(counter));
      expect([epochOf(zxid), counterOf(zxid)]).toEqual([epoch, counter]);
    }),
  );
});

test("the edges are exact: no zxid, no epoch, the last counter, the last that a double holds", () => {
  expect([epochOf(-1), counterOf(-1)]).toEqual([-1, 0xffffffff]);
  expect([epochOf(makeZxid(-1, 0)), counterOf(makeZxid(-1, 0))]).toEqual([-1, 0]);
  expect([epochOf(0), counterOf(0)]).toEqual([0, 0]);
  expect([epochOf(0x1_ffff_ffff), counterOf(0x1_ffff_ffff)]).toEqual([1, 0xffffffff]);
  expect([epochOf(2 ** 53 - 1), counterOf(2 ** 53 - 1)]).toEqual([EPOCH_MAX, 0xffffffff]);
});
