/**
 * The same requests, drawn from a seed, for Apache's server and for Watchkeeper, each answer compared.
 * A change is judged by the same requests every time; `DIFFERENTIAL_SEED=random` draws others, which it names, a number
 * repeats them, and `DIFFERENTIAL_OPERATIONS` sets the length.
 */

import { type ErrorName, errorName } from "@watchkeeper/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Comparison } from "./differential/comparison.js";
import { knownDifferences } from "./differential/known-differences.js";
import { startApache } from "./support/apache.js";
import type { ServerProcess } from "./support/server-process.js";
import { startWatchkeeper } from "./support/watchkeeper.js";

const { DIFFERENTIAL_SEED = "1", DIFFERENTIAL_OPERATIONS } = process.env;
const seed = DIFFERENTIAL_SEED === "random" ? Math.floor(Math.random() * 2 ** 32) : Number(DIFFERENTIAL_SEED);
const operations = Number(DIFFERENTIAL_OPERATIONS ?? 20_000);

const configLines = [
  "maxSessionTimeout=120000",
  // The password is `pw`; it lets the end of a run read every node.
  "DigestAuthenticationProvider.superDigest=super:0bX78nEegDzJM3ju0iLBEJdWzjg=",
  "forceSync=no",
];

/** Nodes must not go by themselves while they are compared. */
const sweepIntervalMs = "3600000";

const ordinaryErrors: readonly ErrorName[] = [
  "NO_NODE",
  "NODE_EXISTS",
  "BAD_VERSION",
  "NOT_EMPTY",
  "NO_CHILDREN_FOR_EPHEMERALS",
  "NO_AUTH",
  "INVALID_ACL",
  "BAD_ARGUMENTS",
  "MARSHALLING_ERROR",
  "NO_WATCHER",
  "AUTH_FAILED",
  "UNIMPLEMENTED",
  "RECONFIG_DISABLED",
];

/** The known differences that were met, in any run. */
const met = new Set<string>();

function describeRun(
  name: string,
  operationsWanted: number,
  withQuotas: boolean,
  errorsToMeet: readonly ErrorName[],
): void {
  describe(`${name}, seed ${seed}`, () => {
    let apache: ServerProcess;
    let watchkeeper: ServerProcess;
    let comparison: Comparison;

    beforeAll(async () => {
      const lines = [...configLines, `enforceQuota=${withQuotas}`];
      // One after the other: if the second does not start, the first is known and will be stopped.
      apache = await startApache({
        configLines: lines,
        javaProperties: { "znode.container.checkIntervalMs": sweepIntervalMs },
      });
      watchkeeper = await startWatchkeeper({
        configLines: [...lines, `znode.container.checkIntervalMs=${sweepIntervalMs}`],
      });
      comparison = new Comparison(apache, watchkeeper, seed, { withQuotas });
      await comparison.begin();
    });

    afterAll(async () => {
      for (const id of comparison?.met.keys() ?? []) met.add(id);
      await Promise.all([apache?.stop("SIGKILL"), watchkeeper?.stop("SIGKILL")]);
    });

    test(`${operationsWanted} random operations are answered alike`, async () => {
      const parts = 4;
      for (let part = 1; part <= parts; part++) {
        await comparison.runRandom((operationsWanted * part) / parts);
        if (part < parts) await comparison.expireSession();
      }
      expect(comparison.report()).toBe("");
      expect(comparison.operations).toBeGreaterThanOrEqual(operationsWanted);
    });

    test("what differs in its consequences differs as the table says", async () => {
      await comparison.runProbes();
      expect(comparison.report()).toBe("");
    });

    test("both trees are the same in the end", async () => {
      const nodes = await comparison.compareTrees();
      expect(comparison.report()).toBe("");
      expect(nodes).toBeGreaterThan(10);
    });

    test("each server's digest is that of its tree", async () => {
      const { told, computed } = await comparison.digests();
      expect(told).toEqual(computed);
      expect(watchkeeper.log()).not.toMatch(/Digests are not matching/);
    });

    test("the operations met the errors that they are there to meet", () => {
      const seen = new Set([...comparison.errors.keys()].map((code) => errorName(code)));
      expect(errorsToMeet.filter((name) => !seen.has(name))).toEqual([]);
    });
  });
}

describeRun("random requests", operations, false, ordinaryErrors);
describeRun("random requests under enforced quotas", Math.ceil(operations / 5), true, ["QUOTA_EXCEEDED"]);

test("every known difference that is not rare was met", () => {
  const expected = knownDifferences.filter((one) => one.isRare !== true).map((one) => one.id);
  expect(expected.filter((id) => !met.has(id))).toEqual([]);
});
