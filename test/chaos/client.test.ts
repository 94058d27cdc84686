import { expect, test } from "vitest";
import { clientChaos } from "./client/client-chaos.js";
import { clientSoak } from "./client/client-soak.js";

/** A script takes two seconds, most of which its clients wait: they run side by side. */
const AT_ONCE = 6;

test.each([
  ["watchkeeper", 1, 12],
  ["watchkeeper", 3, 6],
  ["apache", 1, 6],
  ["apache", 3, 6],
] as const)(
  "a network that cuts, delays, half-closes, swallows and doubles between clients and %s (servers: %i): nothing hangs, no event is early, no session is lost in vain",
  async (against, servers, scripts) => {
    const report = await clientChaos({ scripts, seed: 1, against, servers, atOnce: AT_ONCE }, () => {});
    expect(report.faults).toEqual([]);
  },
);

test("clients that are disconnected every second for 12 s hold no more at the end than at the beginning", async () => {
  const report = await clientSoak({ seconds: 12, seed: 1 }, () => {});
  expect(report.faults).toEqual([]);
});
