import { describe, expect, test } from "vitest";
import { SnapshotSchedule, type SnapshotScheduleOptions } from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";

function schedule(seed: number, options: SnapshotScheduleOptions): { due: SnapshotSchedule; logger: KeptLines } {
  const logger = new KeptLines();
  return { due: new SnapshotSchedule(new SeededRandom(seed), logger, options), logger };
}

/** How many appends of one txn until something is due. */
function appendsUntilDue(due: SnapshotSchedule, bytes: number): number {
  for (let count = 1; ; count++) if (due.appended(1, bytes) !== "nothing") return count;
}

describe("a snapshot", () => {
  test("is due somewhere in the second half of snapCount, elsewhere each time", () => {
    const { due } = schedule(1, { snapCount: 1000, snapSizeLimitBytes: 0 });
    const counts = Array.from({ length: 50 }, () => {
      const count = appendsUntilDue(due, 1_000_000);
      due.ended();
      return count;
    });
    expect(Math.min(...counts)).toBeGreaterThan(500);
    expect(Math.max(...counts)).toBeLessThanOrEqual(1000);
    expect(new Set(counts).size).toBeGreaterThan(30);
  });

  test("is due by size too, beyond 4 GiB as well", () => {
    for (const snapSizeLimitBytes of [1 << 20, 2 ** 36]) {
      const { due } = schedule(3, { snapCount: 1_000_000, snapSizeLimitBytes });
      const bytes = appendsUntilDue(due, snapSizeLimitBytes / 1000) * (snapSizeLimitBytes / 1000);
      expect(bytes).toBeGreaterThan(snapSizeLimitBytes / 2);
      expect(bytes).toBeLessThanOrEqual(snapSizeLimitBytes * 1.001);
    }
  });

  test("is never due more often than every second txn", () => {
    const { due } = schedule(1, { snapCount: 0 });
    expect(appendsUntilDue(due, 1)).toBe(2);
  });

  test("is skipped while one is being written, the log rolling all the same", () => {
    const { due, logger } = schedule(1, { snapCount: 10 });
    expect(due.appended(100, 1)).toBe("roll-and-snapshot");
    expect(due.appended(100, 1)).toBe("roll");
    expect(logger.warnings).toEqual([expect.stringContaining("Too busy to snap, skipping")]);
    due.ended();
    expect(due.appended(100, 1)).toBe("roll-and-snapshot");
  });

  test("of a large tree waits until the log has half its size, or ten times the txns", () => {
    const { due } = schedule(1, { snapCount: 100 });
    expect(appendsUntilDue(due, 1000)).toBeLessThanOrEqual(100);
    due.ended(1_000_000);
    expect(appendsUntilDue(due, 1000)).toBe(500);
    due.ended(1_000_000);
    expect(appendsUntilDue(due, 1)).toBeGreaterThan(500);
    due.ended(1_000_000);
    expect(appendsUntilDue(due, 1)).toBeLessThanOrEqual(1001);
  });
});
