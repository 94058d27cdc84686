import { expect, test } from "vitest";
import { killAgainAndAgain } from "./kill/kill.js";

test("kill -9 under load, 8 times: every acknowledged write is there after the restart, and Apache's server opens the log", async () => {
  const report = await killAgainAndAgain({ kills: 8, seed: 1, apacheEvery: 4 }, () => {});
  expect(report.faults).toEqual([]);
});
