import { expect, test } from "vitest";
import { corrupt } from "./corrupt/corrupt.js";

test("files cut and bits flipped, 500 of each: a start has all whole txns or refuses with file and offset, never a wrong tree", async () => {
  const report = await corrupt({ seed: 1, cutStep: 97, flips: 90 }, () => {});
  expect(report.faults).toEqual([]);
});
