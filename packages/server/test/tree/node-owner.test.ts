import fc from "fast-check";
import { expect, test } from "vitest";
import { containerOwner, NODE_KIND, ownerKind, TTL_MS_MAX, ttlMsOf, ttlOwner } from "../../src/tree/index.js";

test("a node's owner tells its kind", () => {
  const kind = (owner: bigint): number =>
    ownerKind(Number(BigInt.asIntN(32, owner >> 32n)), Number(BigInt.asIntN(32, owner)));
  expect(kind(0n)).toBe(NODE_KIND.persistent);
  expect(kind(0x8000_0000_0000_0000n)).toBe(NODE_KIND.container);
  expect(kind(0x8000_0000_0000_0001n)).toBe(NODE_KIND.ephemeral);
  expect(kind(0xff00_0000_0000_0001n)).toBe(NODE_KIND.ttl);
  expect(kind(0xff00_00ff_ffff_ffffn)).toBe(NODE_KIND.ttl);
  expect(kind(0xfe00_0000_0000_0001n)).toBe(NODE_KIND.ephemeral);
  expect(kind(0x0100_0004_b58b_a2a1n)).toBe(NODE_KIND.ephemeral);
  expect(containerOwner()).toEqual({ high: -(2 ** 31), low: 0 });
});

test("any TTL of 40 bits comes back from its owner", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom(1, 2 ** 32 - 1, 2 ** 32, TTL_MS_MAX), fc.nat({ max: TTL_MS_MAX })),
      (ttlMs) => {
        const { high, low } = ttlOwner(ttlMs);
        expect(ttlMsOf(high, low)).toBe(ttlMs);
        if (ttlMs > 0) expect(ownerKind(high, low)).toBe(NODE_KIND.ttl);
      },
    ),
  );
});
