import { FILE_HEADER_BYTES } from "@watchkeeper/wire";
import type { Disk } from "../ports/index.js";
import { type DataDirectory, listLogs, listSnapshots, looksWhole } from "./data-directory.js";
import type { LogName } from "./file-names.js";
import { ENTRY_FRAME_BYTES } from "./log-format.js";
import { truncateFile } from "./log-tools.js";
import { type LogReadOptions, readTxnLog } from "./txn-log-reader.js";
import { beginsEpoch } from "./zxid.js";

/**
 * Takes from a server's files what its leader does not have: the end of the history (TRUNC), or all that
 * a snapshot of the leader's has taken the place of (SNAP).
 *
 * Both are called while no log file is being written: the `TxnLog` has been closed, or has rolled and its
 * `close` of the old file is over, and the next append will open a new one. The state in memory is of no use
 * afterwards and is to be recovered from the files anew.
 *
 * A crash in the middle must leave files that say what was true at some time. So what comes later in the
 * history goes first, each removal is made durable before the next, and the cut comes last: what is left
 * at any moment is the history up to some point between the old end and the new. Nothing of what was lost by
 * then was committed: a leader sends TRUNC when a quorum has accepted its epoch, and what is committed is
 * in its history. (Snapshots go before logs, for the logs alone lead as far. Only where a snapshot was itself
 * received, and the log has a gap before it, recovery refuses what a crash right then leaves.)
 */

/** "impossible": nothing was changed, and a history up to the zxid cannot be had from these files. */
export type Truncation = "cut" | "impossible";

/**
 * Ends the history with the txn `zxid`: cuts its log behind it, removes the logs that follow, and all
 * snapshots beyond it, which Apache leaves and loads again later (reference 15.2, D4). Resolves when all
 * of it is on the disk (D5).
 *
 * Possible where the newest snapshot at or below `zxid` is whole and the log leads from it to exactly
 * `zxid`. A snapshot is looked at, not read: recovery has the last word, and where it refuses (the content of a
 * snapshot may be ahead of its name, and beyond `zxid`) that is to be taken as "impossible".
 */
export async function truncateHistory(
  disk: Disk,
  directory: DataDirectory,
  zxid: number,
  options: LogReadOptions = {},
): Promise<Truncation> {
  const { snapDirectory, logDirectory } = directory;
  const snapshots = await listSnapshots(disk, snapDirectory);
  const base = snapshots.findLast((snapshot) => snapshot.zxid <= zxid);
  if (base === undefined || !(await looksWhole(disk, snapDirectory, base))) return "impossible";
  const logs = await listLogs(disk, logDirectory);
  const cut = await findCut(disk, logDirectory, logs, { base: base.zxid, zxid }, options);
  if (cut === undefined) return "impossible";

  const beyond = snapshots.filter((snapshot) => snapshot.zxid > zxid);
  await removeNewestFirst(disk, snapDirectory, beyond);
  await removeNewestFirst(disk, logDirectory, cut.logsBehind);
  if (cut.log !== undefined) await truncateFile(disk, disk.join(logDirectory, cut.log.name), cut.log.end);
  return "cut";
}

/**
 * Removes all logs and snapshots, save one: the snapshot that a leader has sent, which must be written and
 * synced by now. From then on the history begins with it.
 *
 * The logs go first, newest first, then the other snapshots, newest first. A crash in between leaves
 *
 * - some of the logs and all snapshots: the old history, shorter, where an old snapshot or log reaches beyond
 *   the new snapshot; otherwise the new snapshot, behind which no log that is left has anything;
 * - no log and some snapshots: the newest of them, old or new, alone.
 *
 * With none to be kept a server is left that knows nothing of what it has acknowledged. Its word was counted
 * for committed txns: it must not vote again before a leader has given it the history back. That is why the
 * snapshot should come first, and the old files go when it is there.
 * @param keptPath of the snapshot to be kept, as `writeSnapshot` gave it
 */
export async function discardHistory(disk: Disk, directory: DataDirectory, keptPath?: string): Promise<void> {
  const { snapDirectory, logDirectory } = directory;
  await removeNewestFirst(disk, logDirectory, await listLogs(disk, logDirectory));
  const snapshots = await listSnapshots(disk, snapDirectory);
  const others = snapshots.filter(({ name }) => disk.join(snapDirectory, name) !== keptPath);
  await removeNewestFirst(disk, snapDirectory, others);
}

interface Cut {
  /** The log that holds the last txn to be kept and where that ends; undefined where the snapshot alone is kept. */
  readonly log: { readonly name: string; readonly end: number } | undefined;
  readonly logsBehind: readonly LogName[];
}

/** @returns undefined where the log does not lead from the snapshot to the txn */
async function findCut(
  disk: Disk,
  logDirectory: string,
  logs: readonly LogName[],
  { base, zxid: cutZxid }: { readonly base: number; readonly zxid: number },
  options: LogReadOptions,
): Promise<Cut | undefined> {
  const first = Math.max(
    0,
    logs.findLastIndex((log) => log.zxid <= base + 1),
  );
  let last = base;
  let gap = false;
  let log: Cut["log"];
  let kept = first;
  for (let index = first; index < logs.length && logs[index]!.zxid <= cutZxid; index++) {
    const { name } = logs[index]!;
    let end = FILE_HEADER_BYTES;
    await readTxnLog(
      disk,
      disk.join(logDirectory, name),
      (_bytes, start, payloadEnd, position, zxid) => {
        if (zxid > cutZxid) return;
        end = position + ENTRY_FRAME_BYTES + payloadEnd - start;
        if (zxid <= last) return;
        gap ||= zxid !== last + 1 && !beginsEpoch(last, zxid);
        last = zxid;
      },
      options,
    );
    if (end === FILE_HEADER_BYTES) break;
    log = { name, end };
    kept = index + 1;
  }
  if (gap || last !== cutZxid) return undefined;
  return { log, logsBehind: logs.slice(kept) };
}

async function removeNewestFirst(
  disk: Disk,
  directory: string,
  files: readonly { readonly name: string }[],
): Promise<void> {
  for (const { name } of files.toReversed()) {
    await disk.remove(disk.join(directory, name));
    await disk.syncDirectory(directory);
  }
}
