import type { Disk, Logger } from "../ports/index.js";
import { type DataDirectory, listLogs, listSnapshots, looksWhole } from "./data-directory.js";
import type { LogName, SnapshotName } from "./file-names.js";

/**
 * Which old files may go: all that no start from one of the newest snapshots would read (ZooKeeper's
 * PurgeTxnLog). Only files with the exact names of logs and snapshots are ever removed.
 */
export const SNAPSHOTS_KEPT_MIN = 3;

export interface PurgePlan {
  readonly snapshots: readonly SnapshotName[];
  readonly logs: readonly LogName[];
}

/**
 * @param snapshots all, oldest first, with whether each passes the cheap test: a partial one secures nothing
 * @param logs all, oldest first
 */
export function planPurge(
  snapshots: readonly (SnapshotName & { readonly whole: boolean })[],
  logs: readonly LogName[],
  snapshotsKept: number,
): PurgePlan {
  const whole = snapshots.filter((snapshot) => snapshot.whole);
  const oldestKept = whole.at(-Math.max(snapshotsKept, SNAPSHOTS_KEPT_MIN)) ?? whole[0];
  if (oldestKept === undefined) return { snapshots: [], logs: [] };
  // The txns right behind a snapshot are in the newest log named at or before it.
  const firstLogKept = logs.findLast(({ zxid }) => zxid <= oldestKept.zxid)?.zxid ?? 0;
  return {
    snapshots: snapshots.filter(({ zxid }) => zxid < oldestKept.zxid),
    logs: logs.filter(({ zxid }) => zxid < Math.min(firstLogKept, oldestKept.zxid)),
  };
}

/** @returns the paths removed */
export async function purge(
  disk: Disk,
  directory: DataDirectory,
  snapshotsKept: number,
  logger: Logger,
): Promise<string[]> {
  const { snapDirectory, logDirectory } = directory;
  const snapshots = [];
  for (const snapshot of await listSnapshots(disk, snapDirectory)) {
    snapshots.push({ ...snapshot, whole: await looksWhole(disk, snapDirectory, snapshot) });
  }
  const plan = planPurge(snapshots, await listLogs(disk, logDirectory), snapshotsKept);
  // Snapshots first, each kind oldest first: cut off at any point, no snapshot is left without its logs.
  const paths = [
    ...plan.snapshots.map(({ name }) => disk.join(snapDirectory, name)),
    ...plan.logs.map(({ name }) => disk.join(logDirectory, name)),
  ];
  for (const path of paths) {
    await disk.remove(path);
    logger.info({ file: path }, `Removing file: ${path}`);
  }
  return paths;
}
