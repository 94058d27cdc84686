import { expect, test } from "vitest";
import { oversize } from "./oversize/oversize.js";

test("a frame of jute.maxbuffer is accepted, one byte more is not; a longer reply is sent, and logged with path and size", async () => {
  const report = await oversize({ children: 20_000 }, () => {});
  expect(report.faults).toEqual([]);
});
