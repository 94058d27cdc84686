import { expect, test } from "vitest";
import { spoilDisk } from "./disk/disk.js";

test("a full, a read-only and a failing disk: nothing is acknowledged that is not durable, nothing acknowledged is lost", async () => {
  const report = await spoilDisk({ seed: 1, rounds: 1 }, () => {});
  expect(report.faults).toEqual([]);
});
