import type { Replica } from "../replica/index.js";
import type { AcceptedEpochOnDisk, CurrentEpochOnDisk, Epochs, SnapshotSink } from "../storage/index.js";

/**
 * What a server has, in memory and on its disk, as its part in the ensemble sees it. The replica is another
 * one after `reload`, `truncate` and `replace`, where the tree could not be kept.
 */
export interface ServerState {
  readonly replica: Replica;
  /** The end of this server's history on disk; -1 where it has no database and must not vote. */
  readonly lastLoggedZxid: number;
  /** What a leader is told of the end of this history: -1 asks for a snapshot. */
  readonly syncFromZxid: number;
  readonly epochs: Epochs;
  acceptEpoch(epoch: number): Promise<AcceptedEpochOnDisk>;
  enterEpoch(epoch: number): Promise<CurrentEpochOnDisk>;
  /**
   * Resolves when nothing is on its way to the disk: a role that has ended may have left a txn or an epoch. What it
   * had begun to promise must have arrived before this server promises anything else. @throws where it failed
   */
  settled(): Promise<void>;
  /** Throws away everything after `zxid`, on the disk and in memory: no leader has it. */
  truncate(zxid: number): Promise<void>;
  /**
   * A snapshot of a leader's takes the place of everything: read into memory, and on return written and synced.
   * The log goes on behind it in a file of its own.
   */
  replace(zxid: number, read: (sink: SnapshotSink) => Promise<void>): Promise<void>;
  /** The history on this disk, for a learner that is behind what memory holds. */
  readonly history: HistoryOnDisk;
}

export interface HistoryOnDisk {
  /**
   * Whether the log leads from `peerZxid` to `throughZxid` without a gap, and is cheaper to send than a snapshot.
   */
  reaches(peerZxid: number, throughZxid: number): Promise<boolean>;
  /** The txns after `afterZxid` up to `throughZxid`, in order; each is good until the next is asked for. */
  read(
    afterZxid: number,
    throughZxid: number,
    onTxn: (bytes: Uint8Array, start: number, end: number, zxid: number) => void,
    pause: () => Promise<void>,
  ): Promise<void>;
}
