import { PendingProposals } from "../broadcast/index.js";
import { ProtocolViolation } from "../protocol-violation.js";
import { epochOf, formatZxid, makeZxid } from "../zxid.js";

/**
 * What a learner is sent between the leader's DIFF, TRUNC or SNAP and UPTODATE (`Learner.syncWithLeader`,
 * reference 6.3 and 6.4), by zxid: which packets may come, which txns are to be on the disk before
 * NEWLEADER is acknowledged and which are logged only when the leader has said UPTODATE.
 *
 * - Committed when NEWLEADER comes: they are the history that the ack vouches for. In this order: log
 *   through `newLeader()`'s zxid, durable; then currentEpoch, durable; then the ack. They may be logged
 *   before, as they come.
 * - Proposed and not committed by then: after UPTODATE, logged and acknowledged one by one as in
 *   broadcast, for the first ack on the connection must be NEWLEADER's.
 *
 * Apache applies what comes behind a SNAP or TRUNC to the tree alone, before it is logged; when the
 * connection breaks then, memory is ahead of the disk, and the next DIFF leaves a hole in the log
 * (ZOOKEEPER-2872, 3642, 5094). Here all three ways are one: a txn is logged, then applied.
 */
export interface SyncBeginning {
  /** An observer is sent PROPOSAL and COMMIT from the leader's history, and INFORM from then on. */
  readonly role: "follower" | "observer";
  readonly mode: "diff" | "trunc" | "snap";
  /** The epoch that was accepted. */
  readonly epoch: number;
  /** Where our history ends now: the zxid of TRUNC or SNAP once carried out; our last logged one with DIFF. */
  readonly baseZxid: number;
}

/** "covered": the snapshot that was received holds it already; it is neither logged nor applied. */
export type SyncTxn = "take" | "covered";

export class SyncIntake {
  private readonly beginning: SyncBeginning;
  private readonly pending: PendingProposals;
  private phase: "history" | "new-leader" | "up-to-date" = "history";

  /** @throws ProtocolViolation where the leader's first packet names a zxid beyond its own epoch */
  constructor(beginning: SyncBeginning) {
    const { epoch, baseZxid } = beginning;
    if (epochOf(baseZxid) > epoch) {
      const sentence = `the leader of epoch ${epoch} sent ${beginning.mode.toUpperCase()} with the zxid ${formatZxid(baseZxid)} of a later epoch`;
      throw new ProtocolViolation("FOREIGN_EPOCH", sentence);
    }
    this.beginning = beginning;
    this.pending = new PendingProposals(epoch, baseZxid);
  }

  /** All txns up to here are committed, and may be logged and applied. */
  get committedThrough(): number {
    return this.pending.lastCommitted;
  }

  /** PROPOSAL. @throws ProtocolViolation where it does not continue the history */
  proposal(zxid: number): SyncTxn {
    this.refuseAfterUpToDate("PROPOSAL");
    if (this.isCovered(zxid, this.pending.lastProposed)) return "covered";
    this.pending.proposal(zxid);
    return "take";
  }

  /** COMMIT or COMMITANDACTIVATE. @throws ProtocolViolation where it is not of the oldest pending proposal */
  commit(zxid: number): SyncTxn {
    this.refuseAfterUpToDate("COMMIT");
    if (this.isCovered(zxid, this.pending.lastCommitted)) return "covered";
    this.pending.commit(zxid);
    return "take";
  }

  /**
   * INFORM or INFORMANDACTIVATE: proposal and commit in one. Both count for what must come next; Apache
   * (3.9.4+) forgets the latter and then drops the connection over the next one.
   */
  inform(zxid: number): SyncTxn {
    if (this.beginning.role !== "observer") {
      const sentence = `the leader sent INFORM ${formatZxid(zxid)} to a follower, which takes PROPOSAL and COMMIT`;
      throw new ProtocolViolation("UNEXPECTED_PACKET", sentence);
    }
    this.proposal(zxid);
    return this.commit(zxid);
  }

  /**
   * NEWLEADER.
   * @returns the zxid through which the history must be durable before currentEpoch is written and the
   * ack is sent
   */
  newLeader(zxid: number): number {
    const { epoch } = this.beginning;
    if (this.phase !== "history") {
      throw new ProtocolViolation("UNEXPECTED_PACKET", "the leader sent NEWLEADER a second time on one connection");
    }
    if (zxid !== makeZxid(epoch, 0)) {
      const sentence = `the leader sent NEWLEADER ${formatZxid(zxid)}, but the epoch that was agreed on is ${epoch}`;
      throw new ProtocolViolation("FOREIGN_EPOCH", sentence);
    }
    this.phase = "new-leader";
    const through = this.pending.lastCommitted;
    this.pending.beginEpoch();
    return through;
  }

  /**
   * UPTODATE: the leader serves, and this server may.
   * @returns what goes on in broadcast: its pending proposals are logged and acknowledged, and those up to
   * `lastCommitted` that were not logged before NEWLEADER's ack are committed
   */
  upToDate(): PendingProposals {
    if (this.phase !== "new-leader") {
      const sentence = "the leader sent UPTODATE before NEWLEADER, or a second time on one connection";
      throw new ProtocolViolation("UNEXPECTED_PACKET", sentence);
    }
    if (this.beginning.role === "observer" && this.pending.count > 0) {
      const sentence = `the leader left ${this.pending.count} proposals uncommitted with an observer, which never learns of their commit`;
      throw new ProtocolViolation("UNEXPECTED_PACKET", sentence);
    }
    this.phase = "up-to-date";
    return this.pending;
  }

  /**
   * An Apache leader fixes where forwarding begins first and takes the snapshot's zxid later, so that the
   * first txns it forwards may be in the snapshot.
   */
  private isCovered(zxid: number, last: number): boolean {
    const { mode, baseZxid } = this.beginning;
    return mode === "snap" && zxid <= baseZxid && last === baseZxid;
  }

  private refuseAfterUpToDate(packet: string): void {
    if (this.phase === "up-to-date") throw new Error(`${packet} was given to a synchronization that is over`);
  }
}
