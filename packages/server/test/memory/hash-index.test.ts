import fc from "fast-check";
import { expect, test } from "vitest";
import { HashIndex, hashBytes } from "../../src/memory/index.js";

function idsOf(index: HashIndex, hash: number): number[] {
  const ids: number[] = [];
  for (let id = index.first(hash); id !== 0; id = index.next(id, hash)) ids.push(id);
  return ids.sort((a, b) => a - b);
}

// Few hashes, so that chains are long; the whole range, so that segments and buckets are.
const hashes = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer());

test("it gives exactly the ids with a hash, through any inserts and removes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(hashes, fc.boolean(), fc.nat()), { maxLength: 400 }), (steps) => {
      const index = new HashIndex();
      const model = new Map<number, number>();
      let nextId = 1;
      const free: number[] = [];
      for (const [hash, removes, which] of steps) {
        if (removes && model.size > 0) {
          const id = [...model.keys()][which % model.size]!;
          index.remove(id);
          model.delete(id);
          free.push(id);
        } else {
          const id = free.pop() ?? nextId++;
          index.insert(hash, id);
          model.set(id, hash);
        }
      }
      for (const hash of new Set([...model.values(), 0, 1, 99])) {
        const expected = [...model].filter(([, of]) => of === hash).map(([id]) => id);
        expect(idsOf(index, hash)).toEqual(expected.sort((a, b) => a - b));
      }
    }),
    { numRuns: 150 },
  );
});

test("it grows through its sizes without losing an id", () => {
  const index = new HashIndex();
  const hash = (id: number): number => Math.imul(id, 0x9e3779b1);
  for (let id = 1; id <= 50_000; id++) index.insert(hash(id), id);
  for (let id = 1; id <= 50_000; id += 3) index.remove(id);
  let wrong = 0;
  for (let id = 1; id <= 50_000; id++) {
    const expected = id % 3 === 1 ? 0 : id;
    if (index.first(hash(id)) !== expected) wrong += 1;
    if (expected !== 0 && index.next(id, hash(id)) !== 0) wrong += 1;
  }
  expect(wrong).toBe(0);
});

test("a path's hash goes on from its parent's", () => {
  const path = new TextEncoder().encode("/a/long/path/with-more");
  for (let cut = 0; cut <= path.length; cut++) {
    const parent = hashBytes(12_345, path, 0, cut);
    expect(hashBytes(parent, path, cut, path.length)).toBe(hashBytes(12_345, path, 0, path.length));
  }
  expect(hashBytes(1, path, 0, path.length)).not.toBe(hashBytes(2, path, 0, path.length));
});
