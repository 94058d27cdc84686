import type { QuorumVerifier } from "../quorum/index.js";

/** How far a server's history goes: the epoch of the last leader it has followed through NEWLEADER, and its last zxid. */
export interface StateSummary {
  readonly currentEpoch: number;
  readonly lastZxid: number;
}

/** What an ACKEPOCH says in place of a currentEpoch where its sender had accepted the epoch before. */
export const EPOCH_ALREADY_ACCEPTED = -1;

/** "refused": the learner has seen what this leader has not; its connection is to be closed. */
export type EpochAckOutcome = "counted" | "not-counted" | "refused";

/**
 * Whether a quorum has accepted the new epoch (`Leader.waitForEpochAck`, reference L10 and L11), and
 * none of it has a history beyond the leader's own. That is what makes the leader's history a sound
 * beginning of the epoch: whatever was committed before is on some member of every quorum, and nobody in
 * this one has more than the leader.
 */
export class EpochAcks {
  private readonly me: number;
  private readonly summary: StateSummary;
  private readonly verifier: QuorumVerifier;
  private readonly counted = new Set<number>();
  private complete = false;

  /** @param verifier of the committed configuration */
  constructor(me: number, summary: StateSummary, verifier: QuorumVerifier) {
    this.me = me;
    this.summary = summary;
    this.verifier = verifier;
    this.contribute(me, summary.currentEpoch, summary.lastZxid);
  }

  /** Whether a quorum with me in it has accepted: the leader now persists its currentEpoch. */
  get finished(): boolean {
    return this.complete;
  }

  /**
   * Takes a learner's ACKEPOCH. A learner that comes when a quorum has accepted is not compared any more:
   * what it has beyond the leader's history was never committed, and synchronization takes it away.
   *
   * One that had accepted this epoch before (it lost the connection and is back) says nothing about
   * its currentEpoch, so it is let in and not counted.
   */
  contribute(sid: number, currentEpoch: number, lastZxid: number): EpochAckOutcome {
    if (this.complete || currentEpoch === EPOCH_ALREADY_ACCEPTED) return "not-counted";
    if (this.isAhead(currentEpoch, lastZxid)) return "refused";
    // A server without a database (zxid -1) can vouch for nothing.
    if (lastZxid < 0 || !this.verifier.voters.has(sid)) return "not-counted";
    this.counted.add(sid);
    this.complete = this.counted.has(this.me) && this.verifier.containsQuorum(this.counted);
    return "counted";
  }

  private isAhead(currentEpoch: number, lastZxid: number): boolean {
    const own = this.summary;
    return currentEpoch > own.currentEpoch || (currentEpoch === own.currentEpoch && lastZxid > own.lastZxid);
  }
}
