import { describe, expect, test } from "vitest";
import { dataDirectory, planPurge, purge } from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { hex } from "./txns.js";

function snapshots(...zxids: number[]) {
  return zxids.map((zxid) => ({ name: `snapshot.${zxid.toString(16)}`, zxid, compression: undefined, whole: true }));
}

function logs(...zxids: number[]) {
  return zxids.map((zxid) => ({ name: `log.${zxid.toString(16)}`, zxid }));
}

function zxidsOf(plan: ReturnType<typeof planPurge>): { snapshots: number[]; logs: number[] } {
  return { snapshots: plan.snapshots.map(({ zxid }) => zxid), logs: plan.logs.map(({ zxid }) => zxid) };
}

describe("what may be purged", () => {
  test("is what no start from the newest snapshots reads (storage-format, section 10)", () => {
    const plan = planPurge(
      snapshots(0, 6, 0x10, 0x17, 0x1f, 0x28, 0x30, 0x3a),
      logs(1, 8, 0x12, 0x19, 0x21, 0x2a, 0x32, 0x3c),
      3,
    );
    expect(zxidsOf(plan)).toEqual({ snapshots: [0, 6, 0x10, 0x17, 0x1f], logs: [1, 8, 0x12, 0x19] });
  });

  test("counts whole snapshots only, and keeps partial ones that are newer", () => {
    const all = snapshots(1, 2, 3, 4, 5, 6);
    const partial = all.map((snapshot) => ({ ...snapshot, whole: snapshot.zxid !== 5 && snapshot.zxid !== 2 }));
    expect(zxidsOf(planPurge(partial, [], 3)).snapshots).toEqual([1, 2]);
  });

  test("is never less than three snapshots, and nothing where there is none that is whole", () => {
    expect(zxidsOf(planPurge(snapshots(1, 2, 3, 4), logs(1, 2, 3, 4), 1))).toEqual({ snapshots: [1], logs: [1] });
    expect(zxidsOf(planPurge(snapshots(5, 9), logs(1, 3, 6), 3))).toEqual({ snapshots: [], logs: [1] });
    const none = snapshots(5, 9).map((snapshot) => ({ ...snapshot, whole: false }));
    expect(zxidsOf(planPurge(none, logs(1, 3), 3))).toEqual({ snapshots: [], logs: [] });
  });

  test("keeps all logs where none is as old as the snapshot", () => {
    expect(zxidsOf(planPurge(snapshots(1, 2, 3), logs(5, 8), 3))).toEqual({ snapshots: [], logs: [] });
  });
});

test("purging removes the planned files and leaves what it does not know", async () => {
  const disk = new MemoryDisk();
  const whole = hex(`${"00".repeat(20)} 00000001 2f`);
  for (const zxid of [1, 2, 3, 4, 5]) disk.setContents(`/data/version-2/snapshot.${zxid}`, whole);
  for (const name of ["log.1", "log.2", "log.4", "log.1.fixed", "currentEpoch"]) {
    disk.setContents(`/data/version-2/${name}`, new Uint8Array(0));
  }
  const logger = new KeptLines();
  const removed = await purge(disk, dataDirectory(disk, "/data"), 3, logger);
  expect(removed).toEqual(["snapshot.1", "snapshot.2", "log.1"].map((name) => `/data/version-2/${name}`));
  expect((await disk.list("/data/version-2")).sort()).toEqual(
    ["currentEpoch", "log.1.fixed", "log.2", "log.4", "snapshot.3", "snapshot.4", "snapshot.5"].sort(),
  );
  expect(logger.lines.map(({ sentence }) => sentence)).toContain("Removing file: /data/version-2/log.1");
});
