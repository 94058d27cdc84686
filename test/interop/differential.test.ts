import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Comparison } from "./differential/comparison.js";
import { startApache } from "./support/apache.js";
import type { ServerProcess } from "./support/server-process.js";
import { startWatchkeeper } from "./support/watchkeeper.js";

const { DIFFERENTIAL_SEED, DIFFERENTIAL_OPERATIONS } = process.env;
const seed = Number(DIFFERENTIAL_SEED ?? 1);
const operations = Number(DIFFERENTIAL_OPERATIONS ?? 20_000);
const withQuotas = process.env["Q"] === "1";

const configLines = [
  "maxSessionTimeout=120000",
  "DigestAuthenticationProvider.superDigest=super:0bX78nEegDzJM3ju0iLBEJdWzjg=",
  "forceSync=no",
  `enforceQuota=${withQuotas}`,
];

describe("x", () => {
  let apache: ServerProcess;
  let watchkeeper: ServerProcess;
  beforeAll(async () => {
    [apache, watchkeeper] = await Promise.all([
      startApache({ configLines, javaProperties: { "znode.container.checkIntervalMs": "3600000" } }),
      startWatchkeeper({ configLines: [...configLines, "znode.container.checkIntervalMs=3600000"] }),
    ]);
  });
  afterAll(async () => {
    await apache.stop("SIGKILL");
    await watchkeeper.stop("SIGKILL");
  });
  test("y", { timeout: 120_000 }, async () => {
    const c = new Comparison(apache, watchkeeper, seed, { withQuotas });
    const t = performance.now();
    try {
      await c.begin();
      await c.runRandom(operations);
    } finally {
      console.log(c.unexplained.join("\n\n"));
      console.log(c.operations, "ops", Math.round(performance.now() - t), "ms", Object.fromEntries(c.met));
      if (c.unexplained.length === 0 ) console.log(watchkeeper.log().slice(-1500), apache.log().slice(-1500));
    }
    expect(c.unexplained).toEqual([]);
  });
});
