import { describe, expect, test } from "vitest";
import type { WorldOptions } from "./ensemble-world.js";
import { expectAllWell, HOURS_MS, seeds } from "./random-faults.js";
import { RandomRun } from "./random-run.js";

const SMALL_MEMORY = { commitLogCount: 20, commitLogBytesMax: 2000, snapshotSizeFactor: 10 };

const ensembles: readonly { name: string; options: WorldOptions }[] = [
  { name: "3 servers", options: {} },
  {
    name: "3 servers that take snapshots and remember little",
    options: { server: { snapCount: 40, ...SMALL_MEMORY } },
  },
];

describe.each(ensembles)("$name", ({ options }) => {
  test(`under faults of every kind nothing that was committed is lost, servers agree, and afterwards all is well (${seeds.length} seeds)`, {
    timeout: HOURS_MS,
  }, async () => {
    await expectAllWell(options);
  });
});

test("the same seed gives the same run", async () => {
  const runs = [new RandomRun({}, 7), new RandomRun({}, 7)];
  for (const run of runs) await run.go();
  expect(runs[0]!.lines).toContain("Leading epoch");
  expect(runs[1]!.lines).toBe(runs[0]!.lines);
});
