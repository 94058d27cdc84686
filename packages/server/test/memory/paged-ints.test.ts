import fc from "fast-check";
import { expect, test } from "vitest";
import { PagedInts } from "../../src/memory/index.js";

test("rows hold what was set, start as zeros and are used again, like a map of arrays would", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.integer()), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), steps, (stride, sequence) => {
      const rows = new PagedInts(stride);
      const model = new Map<number, number[]>();
      for (const [releases, which, value] of sequence) {
        if (releases && model.size > 0) {
          const row = [...model.keys()][which % model.size]!;
          rows.release(row);
          model.delete(row);
        } else {
          const row = rows.allocate();
          expect(row).toBeGreaterThan(0);
          expect(model.has(row)).toBe(false);
          const fields = Array.from({ length: stride }, (_, field) => rows.get(row, field));
          expect(fields).toEqual(new Array(stride).fill(0));
          rows.set(row, which % stride, value);
          fields[which % stride] = value;
          model.set(row, fields);
        }
      }
      expect(rows.count).toBe(model.size);
      for (const [row, fields] of model) {
        expect(fields.map((_, field) => rows.get(row, field))).toEqual(fields);
      }
    }),
  );
});

test("growing goes on past many pages and never moves a row", () => {
  const rows = new PagedInts(3);
  for (let i = 1; i <= 5000; i++) {
    const row = rows.allocate();
    expect(row).toBe(i);
    rows.set(row, 2, -i);
  }
  for (let i = 1; i <= 5000; i++) expect(rows.get(i, 2)).toBe(-i);
  expect(rows.rowsEnd).toBe(5001);
});
