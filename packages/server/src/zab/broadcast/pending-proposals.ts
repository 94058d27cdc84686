import { ProtocolViolation } from "../protocol-violation.js";
import { continuesHistory, epochOf, formatZxid, makeZxid } from "../zxid.js";

/**
 * What a learner has been proposed and has not seen committed yet (`FollowerZooKeeperServer`'s
 * pendingTxns, reference 8.2), by zxid: the txns themselves wait with whoever logs them.
 *
 * Proposals come without a gap and commits in the same order, so two numbers say it all, and beside them
 * the few places where the history goes over into a later epoch. What does not fit is a violation: a
 * proposal that skips some, or a commit of any but the oldest, would make this replica another one than
 * its leader's. (Apache warns of the first and exits on the second.)
 */
export class PendingProposals {
  private readonly epoch: number;
  private proposed: number;
  private committed: number;
  private waiting = 0;
  private readonly leaps: Leap[] = [];

  /**
   * @param epoch of the leader: nothing beyond it can come
   * @param lastZxid where the history ends that the first proposal must continue
   */
  constructor(epoch: number, lastZxid: number) {
    this.epoch = epoch;
    this.proposed = lastZxid;
    this.committed = lastZxid;
  }

  get lastProposed(): number {
    return this.proposed;
  }

  get lastCommitted(): number {
    return this.committed;
  }

  get count(): number {
    return this.waiting;
  }

  /** PROPOSAL. @throws ProtocolViolation where it is not the next */
  proposal(zxid: number): void {
    if (!continuesHistory(this.proposed, zxid) || epochOf(zxid) > this.epoch) {
      throw new ProtocolViolation(
        "GAP",
        `the leader of epoch ${this.epoch} proposed ${formatZxid(zxid)} after ${formatZxid(this.proposed)}: ` +
          "that is not the next txn, so some would be missing here",
      );
    }
    if (zxid !== this.proposed + 1) this.leaps.push({ after: this.proposed, to: zxid });
    this.proposed = zxid;
    this.waiting++;
  }

  /** COMMIT, COMMITANDACTIVATE. @throws ProtocolViolation where it is not of the oldest pending proposal */
  commit(zxid: number): void {
    const leap = this.leaps[0]?.after === this.committed ? this.leaps[0] : undefined;
    const oldest = leap?.to ?? this.committed + 1;
    if (this.waiting === 0 || zxid !== oldest) {
      const expected = this.waiting === 0 ? "no proposal is pending" : `${formatZxid(oldest)} is the oldest pending`;
      throw new ProtocolViolation(
        "COMMIT_OUT_OF_ORDER",
        `the leader of epoch ${this.epoch} committed ${formatZxid(zxid)}, but ${expected}`,
      );
    }
    if (leap !== undefined) this.leaps.shift();
    this.committed = zxid;
    this.waiting--;
  }

  /** The leader's epoch begins: what older epochs left has all been proposed. */
  beginEpoch(): void {
    const beginning = makeZxid(this.epoch, 0);
    if (this.proposed >= beginning) return;
    this.leaps.push({ after: this.proposed, to: beginning + 1 });
    this.proposed = beginning;
  }
}

interface Leap {
  readonly after: number;
  readonly to: number;
}
