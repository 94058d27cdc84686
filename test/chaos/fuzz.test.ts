import { expect, test } from "vitest";
import { fuzz } from "./fuzz/fuzz.js";

test("30,000 mutated frames: refused or answered with an error, memory bounded, others notice nothing", async () => {
  const report = await fuzz({ frames: 30_000, seed: 1, memoryMiBMax: 400, controlMsMax: 3000 }, () => {});
  expect(report.faults).toEqual([]);
});
