import fc from "fast-check";
import { expect, test } from "vitest";
import { CellStore } from "../../src/memory/index.js";
import { liveMemory } from "../support/live-memory.js";

type Step = { readonly kind: "allocate"; readonly size: number } | { readonly kind: "release"; readonly which: number };

const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 600 }) },
  { weight: 3, arbitrary: fc.integer({ min: 600, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 200_000, max: 300_000 }) },
);
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: sizes.map((size): Step => ({ kind: "allocate", size })) },
    { weight: 4, arbitrary: fc.nat().map((which): Step => ({ kind: "release", which })) },
  ),
  { maxLength: 300, minLength: 20 },
);

test("cells that are in use never overlap, whatever is taken and given back", () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const store = new CellStore();
      const live: { reference: number; size: number; mark: number }[] = [];
      for (const [i, step] of sequence.entries()) {
        if (step.kind === "allocate") {
          const reference = store.allocate(step.size);
          const mark = (i * 37 + 11) & 0xff;
          const at = store.offsetOf(reference);
          store.bytesOf(reference).fill(mark, at, at + step.size);
          live.push({ reference, size: step.size, mark });
        } else if (live.length > 0) {
          const [gone] = live.splice(step.which % live.length, 1);
          store.release(gone!.reference);
        }
      }
      // Every cell still holds what was written into it: no other write has touched it.
      for (const { reference, size, mark } of live) {
        const at = store.offsetOf(reference);
        const cell = store.bytesOf(reference).subarray(at, at + size);
        expect(cell.length).toBe(size);
        expect(cell.every((byte) => byte === mark)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test("the bytes in use are at least what was asked for, and none when all is given back", () => {
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 60 }), (list) => {
      const store = new CellStore();
      const references = list.map((size) => store.allocate(size));
      expect(store.liveBytes).toBeGreaterThanOrEqual(list.reduce((sum, size) => sum + size, 0));
      for (const reference of references) store.release(reference);
      expect(store.liveBytes).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("rounding wastes at most an eighth above 512 bytes, and less than 16 bytes below", () => {
  for (const size of [1, 8, 17, 100, 511, 512, 513, 1000, 5000, 100_000]) {
    const store = new CellStore();
    store.allocate(size);
    const waste = store.liveBytes - size;
    expect(waste, `${size} bytes`).toBeLessThan(size <= 512 ? 16 : size / 8 + 64);
  }
});

test("a cell fits another size exactly where an allocation would be as large", () => {
  fc.assert(
    fc.property(sizes, sizes, (one, other) => {
      const store = new CellStore();
      store.allocate(one);
      const forOne = store.liveBytes;
      store.allocate(other);
      const forOther = store.liveBytes - forOne;
      if (store.fits(one, other)) expect(forOther).toBe(forOne);
    }),
  );
});

test("what comes and goes leaves no memory behind, in cells or in the lists of pages with room", () => {
  const store = new CellStore();
  const live: number[] = [];
  for (let i = 0; i < 30_000; i++) live.push(store.allocate(100));
  // Only among the first, whose pages are full: a lock taken and given back for ever among a million nodes.
  const churn = (rounds: number): void => {
    for (let i = 0; i < rounds; i++) {
      const at = (i * 7919) % 5000;
      store.release(live[at]!);
      live[at] = store.allocate(100);
    }
  };
  churn(10_000);
  const before = liveMemory();
  churn(400_000);
  expect(liveMemory() - before).toBeLessThan(1 << 20);
  expect(new Set(live).size).toBe(live.length);
});
