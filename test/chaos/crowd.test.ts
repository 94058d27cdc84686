import { expect, test } from "vitest";
import { crowd } from "./crowd/crowd.js";

test("500 connections that are silent, slow, deaf or half-spoken: good clients are served nearly as without them", async () => {
  const report = await crowd({ connections: 500, workMs: 2000, percentMin: 60, memoryMiBMax: 400 }, () => {});
  expect(report.faults).toEqual([]);
});
