import type { Disk, Logger, Scheduler } from "../ports/index.js";
import {
  type DatabaseContent,
  type LoadDatabase,
  loadDatabase,
  type Replica,
  receiveDatabase,
} from "../replica/index.js";
import {
  type AcceptedEpochOnDisk,
  type CurrentEpochOnDisk,
  type DataDirectory,
  discardHistory,
  type Epochs,
  listSnapshots,
  readHistory,
  type SnapshotSink,
  surveyHistory,
  type TxnLog,
  truncateHistory,
  writeAcceptedEpoch,
  writeCurrentEpoch,
  writeSnapshot,
} from "../storage/index.js";
import { epochOf, formatZxid } from "../zab/index.js";
import { LinkError } from "./packet-link.js";
import type { HistoryOnDisk, ServerState } from "./server-state.js";

/** A member's state, kept in a data directory (Apache's `ZKDatabase` and `FileTxnSnapLog`). */
export interface LocalStateParts {
  readonly disk: Disk;
  readonly directory: DataDirectory;
  readonly log: TxnLog;
  readonly load: LoadDatabase;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly snapshotSizeFactor: number;
  /** Whether what this server is told goes to its disk: an observer may keep it in memory alone. */
  readonly writesHistory: boolean;
  /** Makes a replica of what was loaded: the one before it serves nobody any more. */
  readonly makeReplica: (content: DatabaseContent, lastZxid: number) => Replica;
  /**
   * Runs a change of the whole history when no snapshot is being written (of a tree that will be gone) and no old file
   * removed, and lets neither begin before it is over.
   */
  readonly withoutUpkeep: (change: () => Promise<void>) => Promise<void>;
}

export class LocalState implements ServerState {
  replica: Replica;
  readonly history: HistoryOnDisk;
  private readonly parts: LocalStateParts;
  epochs: Epochs;
  private isUninitialized: boolean;
  /** The end of the history on the disk as it was recovered or received, where nothing else is written. */
  private keptZxid: number;
  /** This history cannot be brought to join the leader's. It still counts in elections: what it holds may be committed. */
  private needsSnapshot = false;

  /** Where this process took the log over; from then on it is written without a hole. */
  private readonly wholeFromZxid: number;
  /** An epoch that is on its way to the disk. */
  private epochWrite: Promise<unknown> = Promise.resolve();

  constructor(parts: LocalStateParts, replica: Replica, epochs: Epochs, isUninitialized: boolean) {
    this.parts = parts;
    this.replica = replica;
    this.epochs = epochs;
    this.isUninitialized = isUninitialized;
    this.wholeFromZxid = replica.pipeline.loggedZxid;
    this.keptZxid = replica.pipeline.loggedZxid;
    this.history = {
      reaches: async (peerZxid, throughZxid) => await this.reaches(peerZxid, throughZxid),
      read: async (afterZxid, throughZxid, onTxn, pause) => await this.read(afterZxid, throughZxid, onTxn, pause),
    };
  }

  get lastLoggedZxid(): number {
    return this.isUninitialized ? -1 : this.replica.pipeline.loggedZxid;
  }

  get syncFromZxid(): number {
    return this.needsSnapshot ? -1 : this.lastLoggedZxid;
  }

  async acceptEpoch(epoch: number): Promise<AcceptedEpochOnDisk> {
    const { disk, directory } = this.parts;
    const write = writeAcceptedEpoch(disk, directory.snapDirectory, epoch);
    this.epochWrite = write;
    const accepted = await write;
    this.epochs = { ...this.epochs, accepted };
    return accepted;
  }

  async enterEpoch(epoch: number): Promise<CurrentEpochOnDisk> {
    const { disk, directory, writesHistory } = this.parts;
    // A disk without an epoch's beginning must not speak for that epoch, should this server ever vote.
    const held = writesHistory ? epoch : Math.max(this.epochs.current.epoch, epochOf(this.keptZxid));
    const write = writeCurrentEpoch(disk, directory.snapDirectory, held);
    this.epochWrite = write;
    const current = await write;
    this.epochs = { ...this.epochs, current };
    return current;
  }

  async settled(): Promise<void> {
    await this.epochWrite;
    await this.replica.pipeline.logged();
  }

  async truncate(zxid: number): Promise<void> {
    const { disk, directory, log, load, logger } = this.parts;
    const { pipeline } = this.replica;
    const lastZxid = pipeline.loggedZxid;
    logger.warn(
      { zxid: formatZxid(zxid), lastZxid: formatZxid(lastZxid) },
      `Cutting off the history behind ${formatZxid(zxid)}: no leader has what this server logged after it, and nobody was told that it happened`,
    );
    await this.parts.withoutUpkeep(async () => {
      await log.close();
      const outcome = await truncateHistory(disk, directory, zxid, { entryBytesMax: load.entryBytesMax });
      if (outcome === "impossible") {
        this.needsSnapshot = true;
        throw new LinkError(
          `the history cannot be cut at ${formatZxid(zxid)}, for no snapshot and log of this server lead up to it: the leader is asked for a snapshot of its own`,
        );
      }
      this.keptZxid = zxid;
      if (zxid < pipeline.lastZxid) await this.reload();
      else pipeline.truncate(zxid);
    });
  }

  async replace(zxid: number, read: (sink: SnapshotSink) => Promise<void>): Promise<void> {
    const { load } = this.parts;
    const content = await receiveDatabase(load, zxid, read);
    await this.parts.withoutUpkeep(() => this.takeOver(content, zxid));
  }

  private async takeOver(content: DatabaseContent, zxid: number): Promise<void> {
    const { disk, directory, log, logger } = this.parts;
    // Behind it the log goes on in a file of its own: what older files hold does not join (ZOOKEEPER-2846).
    await log.close();
    const replica = this.makeReplica(content, zxid);
    const pause = () => new Promise<void>((resolve) => this.parts.scheduler.soon(resolve));
    // The tree is ahead of its zxid by nobody knows what, and its digest is of no txn: the file says none.
    const source = { ...replica.snapshot(), digest: () => undefined };
    const { path } = await writeSnapshot({ disk, directory: directory.snapDirectory, source, logger, pause });
    // Nothing of before may be read again: an older snapshot, or a log beyond this one, is another history.
    await discardHistory(disk, directory, path);
    this.replica = replica;
    this.keptZxid = zxid;
    this.isUninitialized = false;
    this.needsSnapshot = false;
  }

  private async reload(): Promise<void> {
    const database = await loadDatabase(this.parts.load);
    this.replica = this.makeReplica(database, Math.max(0, database.recovered.lastZxid));
  }

  /** Another tree: nobody can be told what happened between the two, so whoever watches must come back and look. */
  private makeReplica(content: DatabaseContent, lastZxid: number): Replica {
    this.replica.stopServing("this server takes over another history");
    return this.parts.makeReplica(content, lastZxid);
  }

  private async reaches(afterZxid: number, throughZxid: number): Promise<boolean> {
    const { disk, directory, snapshotSizeFactor, load } = this.parts;
    if (snapshotSizeFactor < 0) return false;
    const { logDirectory } = directory;
    const { entryBytesMax } = load;
    const txnBytesMax = (await this.newestSnapshotBytes()) * snapshotSizeFactor;
    const survey = await surveyHistory(
      { disk, logDirectory, afterZxid, throughZxid, wholeFromZxid: this.wholeFromZxid, entryBytesMax },
      txnBytesMax === 0 ? Number.POSITIVE_INFINITY : txnBytesMax,
    );
    return survey.kind === "whole";
  }

  private async newestSnapshotBytes(): Promise<number> {
    const { disk, directory } = this.parts;
    const newest = (await listSnapshots(disk, directory.snapDirectory)).at(-1);
    if (newest === undefined) return 0;
    const file = await disk.open(disk.join(directory.snapDirectory, newest.name), { mode: "read" });
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  }

  private async read(
    afterZxid: number,
    throughZxid: number,
    onTxn: (bytes: Uint8Array, start: number, end: number, zxid: number) => void,
    pause: () => Promise<void>,
  ): Promise<void> {
    const { disk, directory, load } = this.parts;
    const { entryBytesMax } = load;
    const { logDirectory } = directory;
    const { wholeFromZxid } = this;
    const history = readHistory({ disk, logDirectory, afterZxid, throughZxid, wholeFromZxid, entryBytesMax });
    for (let next = await history.next(); ; next = await history.next()) {
      if (next.done === true) {
        if (next.value.kind === "gap") throw new LinkError(`this server's own log has a gap: ${next.value.reason}`);
        return;
      }
      const { bytes, count, payloadStarts, payloadEnds, zxids } = next.value;
      for (let i = 0; i < count; i++) onTxn(bytes, payloadStarts[i]!, payloadEnds[i]!, zxids[i]!);
      await pause();
    }
  }
}
