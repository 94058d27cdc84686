import { continuesHistory, counterOf } from "../zxid.js";

/**
 * Finds in the leader's history, read in order, where the learner's ends, and makes sure that what is
 * sent from there on leaves nothing out (`LearnerHandler.queueCommittedProposals`, reference 7.3). The
 * txns may come from the log and then from memory: what came before is skipped. The two must overlap,
 * in one txn at least, for whether one epoch's last txn stands before the next one's first cannot be
 * seen from the zxids.
 *
 * A history that skips zxids is never sent as a DIFF: the learner would take it for whole. (Apache walks
 * over the hole that a SNAP leaves in the log, ZOOKEEPER-2846.) Apache's other answer here, TRUNC to the
 * txn before, does not exist for the same reason: a learner's last txn which lies between two neighbours
 * of one epoch lies in a hole.
 */
export type WalkStep =
  /** The learner has it. */
  | "skip"
  /** PROPOSAL and COMMIT; before the first of them DIFF. */
  | "send"
  /** The learner's history does not join this one, or this one has a hole: SNAP. */
  | "give-up";

export class HistoryWalk {
  private readonly peerLastZxid: number;
  private previous = -1;
  private joined = false;

  constructor(peerLastZxid: number) {
    this.peerLastZxid = peerLastZxid;
  }

  /** The txn that comes next in the leader's history. Nothing may be asked behind "give-up". */
  next(zxid: number): WalkStep {
    const { peerLastZxid, previous } = this;
    if (zxid <= previous) return "skip";
    if (zxid <= peerLastZxid) {
      this.joined = zxid === peerLastZxid;
      this.previous = zxid;
      return "skip";
    }
    if (!this.joined && !this.joinsBetween(zxid)) return "give-up";
    if (this.previous >= 0 && !continuesHistory(this.previous, zxid)) return "give-up";
    this.joined = true;
    this.previous = zxid;
    return "send";
  }

  /** Whether the learner's history was found, asked behind the last txn: else SNAP. */
  get hasJoined(): boolean {
    return this.joined;
  }

  /** How far the learner will have been brought by what was sent: forwarding begins behind it. */
  get covered(): number {
    return Math.max(this.previous, this.peerLastZxid);
  }

  /**
   * A learner whose last zxid has counter 0 was given a snapshot when that epoch began: it has all before
   * that epoch, and goes on with the first txn behind.
   */
  private joinsBetween(zxid: number): boolean {
    if (counterOf(this.peerLastZxid) !== 0) return false;
    return this.previous >= 0 || zxid === this.peerLastZxid + 1;
  }
}
