import { type Disk, DiskError, type Logger } from "../ports/index.js";
import type { Compression } from "./compression.js";
import { type DataDirectory, listLogs, listSnapshots, looksWhole, takeInitializeMarker } from "./data-directory.js";
import { DataDirectoryError } from "./data-directory-error.js";
import type { SnapshotName } from "./file-names.js";
import { REPAIR_ADVICE, type Replayed, replayLogs, syncLogs } from "./log-replay.js";
import type { SnapshotSink } from "./snapshot-content.js";
import { readSnapshot, type SnapshotRead } from "./snapshot-reader.js";
import { formatZxid, namesTxn } from "./zxid.js";

/**
 * Brings a server's state back at its start: the newest snapshot that can be read, then the logs from
 * there (ZooKeeper's FileTxnSnapLog). What comes out is the whole history or an error that names file
 * and offset, never a part of it in silence.
 */
export interface Recovery {
  readonly disk: Disk;
  readonly directory: DataDirectory;
  readonly logger: Logger;
  readonly compression: Compression;
  readonly options?: RecoveryOptions;
  /**
   * Called for each snapshot that is tried, with the zxid of its name: the tree must be empty and the
   * sessions none, whatever an earlier try has left. Not called where there is no snapshot: the tree is
   * then a new one.
   */
  readonly openSnapshot: (zxid: number) => SnapshotSink;
  /** Called for each txn behind the snapshot, in order. */
  readonly apply: (bytes: Uint8Array, start: number, end: number, zxid: number) => void;
}

export interface RecoveryOptions {
  /** `zookeeper.snapshot.trust.empty`: logs without a snapshot are replayed from the beginning. @default false */
  readonly trustEmptySnapshot?: boolean;
  /** `zookeeper.db.autocreate`: an empty directory is an empty database, without the marker `initialize`. @default true */
  readonly autocreateDatabase?: boolean;
  /** The longest txn, path or data: jute.maxbuffer and its extra size. @default 2 097 150 */
  readonly entryBytesMax?: number;
}

export interface Recovered extends Replayed {
  /** The snapshot that was read; undefined where there was none. */
  readonly snapshot: { readonly path: string; readonly zxid: number } | undefined;
  /**
   * The zxid whose tree digest the snapshot holds (its content may be ahead of its name): the tree's own
   * is to be compared with it when this txn has been applied, and txns' digests from then on. Undefined
   * where the snapshot has none that could be compared.
   */
  readonly pendingDigestZxid: number | undefined;
  /** -1 where the directory is empty and nothing says that it is meant to be: such a server must not vote. */
  readonly lastZxid: number;
}

export async function recover(recovery: Recovery): Promise<Recovered> {
  const { disk, directory, logger, options = {} } = recovery;
  const snapshots = await listSnapshots(disk, directory.snapDirectory);
  const logs = await listLogs(disk, directory.logDirectory);
  const meantToBeEmpty = await takeInitializeMarker(disk, directory);

  const loaded = await loadNewestSnapshot(recovery, snapshots);
  if (loaded === undefined && logs.length === 0) {
    requireSkippedSnapshots(recovery, snapshots, 0, 0);
    const empty = meantToBeEmpty || (options.autocreateDatabase ?? true);
    return { ...NOTHING, lastZxid: empty ? 0 : -1 };
  }
  if (loaded === undefined)
    acceptLogsAlone(recovery, disk.join(directory.logDirectory, logs[0]!.name), snapshots.at(-1)?.name);

  const afterZxid = loaded?.zxid ?? 0;
  const replayed = await replayLogs({
    disk,
    logDirectory: directory.logDirectory,
    logs,
    afterZxid,
    apply: recovery.apply,
    entryBytesMax: options.entryBytesMax,
    logger,
  });
  requireSkippedSnapshots(recovery, snapshots, afterZxid, replayed.lastZxid);
  await syncLogs(disk, directory.logDirectory, logs, afterZxid);

  const { lastZxid, txnsLoaded, tornTails } = replayed;
  const pendingDigestZxid = comparableDigest(loaded);
  const heldZxid = heldThrough(loaded);
  if (heldZxid > lastZxid) throw tooFewLogs(loaded!, heldZxid, lastZxid);
  logger.info({ txnsLoaded, lastZxid }, `${txnsLoaded} txns loaded, the last zxid is ${formatZxid(lastZxid)}`);
  const snapshot = loaded === undefined ? undefined : { path: loaded.path, zxid: loaded.zxid };
  return { snapshot, pendingDigestZxid, lastZxid, txnsLoaded, tornTails, warnings: replayed.warnings };
}

/**
 * The snapshot holds a part of what came after the last txn the logs have: a tree that never was, on
 * which the next write would be given a zxid that was given before. A server only applies, and so only
 * snapshots, what its log has on disk; so the log has lost its end.
 */
function tooFewLogs(snapshot: LoadedSnapshot, heldZxid: number, lastZxid: number): DataDirectoryError {
  const found =
    `it was written while the tree changed and holds changes up to zxid ${formatZxid(heldZxid)}, ` +
    `but the logs end at ${formatZxid(lastZxid)}: the end of the log is missing`;
  const advice =
    "Put the missing log back. To give up what it held, move this snapshot away: the start then goes by an older " +
    "snapshot and the logs behind it. In an ensemble, empty this server's version-2 directories instead";
  return new DataDirectoryError({ file: snapshot.path, found, advice });
}

const NOTHING = {
  snapshot: undefined,
  pendingDigestZxid: undefined,
  txnsLoaded: 0,
  tornTails: [],
  warnings: [],
} as const satisfies Partial<Recovered>;

interface LoadedSnapshot extends SnapshotRead {
  readonly path: string;
  readonly zxid: number;
}

/** @returns undefined where no file passes even the cheap test: then there is no snapshot */
async function loadNewestSnapshot(
  recovery: Recovery,
  snapshots: readonly SnapshotName[],
): Promise<LoadedSnapshot | undefined> {
  const { disk, directory, logger } = recovery;
  let newestFailure: Error | undefined;
  for (const snapshot of snapshots.toReversed()) {
    const path = disk.join(directory.snapDirectory, snapshot.name);
    try {
      if (await looksWhole(disk, directory.snapDirectory, snapshot)) return await load(recovery, snapshot, path);
      logger.warn({ file: path }, `${path} is passed over: it is not a whole snapshot`);
    } catch (error) {
      if (!(error instanceof DataDirectoryError || error instanceof DiskError)) throw error;
      newestFailure ??= error;
      logger.warn({ file: path }, `problem reading the snapshot: ${error.message}`);
    }
  }
  if (newestFailure === undefined) return undefined;
  const found = `no snapshot in it can be read; the newest fails with: ${newestFailure.message}`;
  throw new DataDirectoryError(
    { file: directory.snapDirectory, found, advice: REPAIR_ADVICE },
    { cause: newestFailure },
  );
}

async function load(recovery: Recovery, snapshot: SnapshotName, path: string): Promise<LoadedSnapshot> {
  const { compression: method, zxid } = snapshot;
  recovery.logger.info({ file: path }, `Reading snapshot ${path}`);
  const valueBytesMax = recovery.options?.entryBytesMax;
  const read = await readSnapshot(recovery.disk, path, recovery.openSnapshot(zxid), {
    compression: method === undefined ? undefined : { method, codec: recovery.compression },
    ...(valueBytesMax === undefined ? {} : { valueBytesMax }),
  });
  return { ...read, path, zxid };
}

/** Logs alone are the whole history only where no snapshot was ever taken, as by servers before 3.5.3. */
function acceptLogsAlone(recovery: Recovery, firstLog: string, brokenSnapshot: string | undefined): void {
  if (recovery.options?.trustEmptySnapshot !== true) {
    const advice =
      "Restore a snapshot, or, if a server before 3.5.3 wrote these logs and never a snapshot, start once with snapshot.trust.empty=true";
    throw new DataDirectoryError({
      file: firstLog,
      found: `there are logs but no snapshot that they go on from${brokenSnapshot === undefined ? "" : ` (${brokenSnapshot} is not whole)`}`,
      advice,
    });
  }
  recovery.logger.warn(
    { file: firstLog },
    "there is no snapshot; snapshot.trust.empty is set, so the logs are replayed from the beginning",
  );
}

/**
 * A snapshot is named for a txn that had been applied. One that cannot be read may be replaced by an
 * older one only if the logs lead up to it again; else txns that this server acknowledged are gone, and
 * a start would hide it. (A new leader's snapshot, with counter 0, names no txn.)
 */
function requireSkippedSnapshots(
  { disk, directory }: Recovery,
  snapshots: readonly SnapshotName[],
  loadedZxid: number,
  lastZxid: number,
): void {
  const newest = snapshots.at(-1);
  if (newest === undefined || newest.zxid <= loadedZxid) return;
  if (newest.zxid <= lastZxid || !namesTxn(newest.zxid)) return;
  const found = `this snapshot cannot be read, and the logs lead only to zxid ${formatZxid(lastZxid)}: the txns between are lost`;
  throw new DataDirectoryError({ file: disk.join(directory.snapDirectory, newest.name), found, advice: REPAIR_ADVICE });
}

/** The last txn that a snapshot is known to hold a part of; without digests only its last section tells. */
function heldThrough(loaded: LoadedSnapshot | undefined): number {
  const { digestZxid = 0, lastProcessedZxid = 0 } = loaded ?? {};
  return Math.max(digestZxid, namesTxn(lastProcessedZxid) ? lastProcessedZxid : 0);
}

function comparableDigest(loaded: LoadedSnapshot | undefined): number | undefined {
  if (loaded?.digestZxid === undefined || loaded.digestZxid === 0) return undefined;
  return loaded.digestZxid >= loaded.zxid ? loaded.digestZxid : undefined;
}
