import { expect, test } from "vitest";
import { badInput } from "./ensemble/bad-input/bad-input.js";
import { ensembleChaos } from "./ensemble/ensemble.js";

/** T is Watchkeeper; `INTEROP_TARGET=apache` proves the tests on Apache's servers. */
const options = { kinds: "T", sessions: 8, keys: 12, tear: "watchkeeper", only: "" } as const;

test("W7, W8, W9: three servers killed, paused, cut off and torn for half a minute keep every acknowledged write, and their history is one", async () => {
  const report = await ensembleChaos({ ...options, servers: 3, seconds: 30, seed: 1 }, () => {});
  expect(report.faults).toEqual([]);
});

test("W7, W8, W9: so do five servers", async () => {
  const report = await ensembleChaos({ ...options, servers: 5, seconds: 30, seed: 2 }, () => {});
  expect(report.faults).toEqual([]);
});

test("3,000 broken messages on each port between the servers: the connection is closed, the quorum does not waver", async () => {
  const report = await badInput({ kinds: "TTT", messages: 3000, seed: 1 }, () => {});
  expect(report.faults).toEqual([]);
});
