import { expect, test } from "vitest";
import { nodeCompression } from "../../src/host/node-compression.js";
import { Summary } from "../../src/metrics/summary.js";
import type { Replica } from "../../src/replica/index.js";
import { Snapshotter } from "../../src/service/snapshotter.js";
import { dataDirectory, TxnLog } from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { TurnedClock } from "../../src/testing/turned-clock.js";
import { ContentSource, contentOf } from "../storage/contents.js";
import { until } from "../support/until.js";

/** All that a snapshotter asks of a replica. */
function replicaOf(zxid: number, nodeCount: number): Replica {
  const source = new ContentSource(zxid, contentOf(nodeCount, 2000));
  return { isHistorySettled: true, snapshot: () => source } as unknown as Replica;
}

async function snapshotterOn(disk: MemoryDisk): Promise<Snapshotter> {
  const directory = dataDirectory(disk, "/data");
  await disk.makeDirectory(directory.snapDirectory);
  const logger = new KeptLines();
  return new Snapshotter({
    disk,
    directory,
    compression: nodeCompression,
    method: undefined,
    log: new TxnLog({ disk, directory: directory.logDirectory, clock: new TurnedClock(), logger }),
    random: new SeededRandom(1),
    logger,
    snapCount: 100,
    snapLogBytesMax: 0,
    purgeRetainCount: 3,
    times: new Summary(),
  });
}

test.each([
  ["close", (snapshotter: Snapshotter) => snapshotter.close()],
  ["a change of the history", (snapshotter: Snapshotter) => snapshotter.suspendedDuring(async () => {})],
] as const)("%s waits for a snapshot of the start that another has overtaken", async (_what, end) => {
  const disk = new MemoryDisk();
  const snapshotter = await snapshotterOn(disk);
  let release = (): void => {};
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  disk.beforeOperation = ({ kind, path }) => (kind === "write" && path.endsWith("snapshot.5") ? slow : undefined);
  void snapshotter.take(replicaOf(5, 2000));
  const overtaking = snapshotter.take(replicaOf(9, 200));
  let hasEnded = false;
  const ending = end(snapshotter).then(() => {
    hasEnded = true;
  });
  await overtaking;
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasEnded).toBe(false);
  release();
  await ending;
  expect(await disk.list("/data/version-2")).toEqual([]);
});

test("nothing is purged or written while the history is changed, and a change waits for a purge", async () => {
  const disk = new MemoryDisk();
  const snapshotter = await snapshotterOn(disk);
  for (const zxid of [1, 2, 3, 4]) await snapshotter.take(replicaOf(zxid, 10));
  const files = () => disk.list("/data/version-2");
  let release = (): void => {};
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  disk.beforeOperation = ({ kind }) => (kind === "remove" ? slow : undefined);
  const steps: string[] = [];
  const purged = snapshotter.purge();
  const changed = snapshotter.suspendedDuring(async () => {
    expect(await files()).not.toContain("snapshot.1");
    await snapshotter.take(replicaOf(5, 10));
    void snapshotter.purge().then(() => steps.push("purged again"));
    await new Promise((resolve) => setImmediate(resolve));
    steps.push("changed");
  });
  release();
  await Promise.all([purged, changed]);
  expect(await files()).not.toContain("snapshot.5");
  await until(() => steps.length === 2);
  expect(steps).toEqual(["changed", "purged again"]);
  await snapshotter.take(replicaOf(6, 10));
  expect(await files()).toContain("snapshot.6");
});
