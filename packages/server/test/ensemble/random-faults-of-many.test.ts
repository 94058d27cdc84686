import { describe, test } from "vitest";
import type { WorldOptions } from "./ensemble-world.js";
import { expectAllWell, HOURS_MS, seeds } from "./random-faults.js";

const ensembles: readonly { name: string; options: WorldOptions }[] = [
  {
    name: "3 servers and 2 observers, one of them in memory alone",
    options: {
      observers: 2,
      server: { snapCount: 60, commitLogCount: 10, commitLogBytesMax: 1000, observersInMemory: 1 },
    },
  },
  { name: "5 servers", options: { servers: 5, server: { snapCount: 150 } } },
];

describe.each(ensembles)("$name", ({ options }) => {
  test(`under faults of every kind nothing that was committed is lost, servers agree, and afterwards all is well (${seeds.length} seeds)`, {
    timeout: HOURS_MS,
  }, async () => {
    await expectAllWell(options);
  });
});
