import type { QuorumVerifier } from "../quorum/index.js";
import { COUNTER_MAX, counterOf, formatZxid, makeZxid } from "../zxid.js";

/**
 * What a leader has proposed in its epoch and how far it is committed (`Leader.propose`, `processAck`
 * and `tryToCommit`, reference 8.1).
 *
 * Proposals are numbered without a gap and a learner acknowledges them in order, from a log without a
 * hole: its ack of z is an ack of everything up to z. So nothing is kept per proposal. Each server has
 * one number, how far it has acknowledged, and the commit point is the highest zxid that a quorum has
 * reached; it moves over many proposals at once and never back.
 *
 * While a reconfiguration is under way, proposals need a quorum of two configurations. The proposals are
 * therefore divided into stretches, one for each set of quorum systems, and committed stretch by stretch.
 */
export class Proposals {
  private committed: number;
  private proposed: number;
  /** Never empty; the last one is open-ended. Invariant: those before the first are committed. */
  private readonly stretches: Stretch[];
  /** Acks that count, the furthest first. */
  private readonly acks: Ack[] = [];
  /** Learners that are being synchronized, and how far each has acknowledged already. */
  private readonly remembered = new Map<number, number>();
  private readonly quorum = new Set<number>();

  /**
   * @param me counts from the beginning: a leader broadcasts only after its own NEWLEADER ack
   * @param verifiers quorums are needed in each of them
   */
  constructor(me: number, epoch: number, verifiers: readonly QuorumVerifier[]) {
    this.committed = makeZxid(epoch, 0);
    this.proposed = this.committed;
    this.stretches = [{ first: this.committed + 1, verifiers }];
    this.acks.push({ sid: me, through: this.committed });
  }

  get lastProposed(): number {
    return this.proposed;
  }

  /** All proposals up to here are committed, and COMMIT or INFORM may be sent for them, in order. */
  get lastCommitted(): number {
    return this.committed;
  }

  get outstandingCount(): number {
    return this.proposed - this.committed;
  }

  /** Whether the epoch has no zxid left to give: the leader must give way. */
  get isExhausted(): boolean {
    return counterOf(this.proposed) >= COUNTER_MAX;
  }

  /** The next proposal. It must be the next zxid: to call it with another is a bug. */
  propose(zxid: number): void {
    if (zxid !== this.proposed + 1 || this.isExhausted) {
      throw new Error(`proposed ${formatZxid(zxid)} after ${formatZxid(this.proposed)}`);
    }
    this.proposed = zxid;
  }

  /** From the next proposal on, a quorum of each of these is needed. */
  changeQuorums(verifiers: readonly QuorumVerifier[]): void {
    this.stretches.push({ first: this.proposed + 1, verifiers });
  }

  /**
   * A learner's synchronization begins: where its history joins ours is being fixed, and all that is
   * outstanding will be sent to it. Its acks count when `newLeaderAcked` says so; until then they are
   * remembered, since releases up to 3.8.4 acknowledge proposals before NEWLEADER.
   *
   * What it acknowledged on an earlier connection is forgotten. It must be:
   *
   *     the learner logs 5 and acknowledges it, the connection breaks, it is back and reports 5 as its last;
   *     4 is committed, so it is sent TRUNC(4) and, with everything outstanding, 5 again; it has cut 5 off,
   *     not yet logged it again, when our own log write of 5 completes.
   *
   * With its old ack 5 would be committed, on our disk alone. Acks that still arrive on the earlier
   * connection must not be passed on either.
   */
  startForwarding(sid: number): void {
    this.forget(sid);
    this.remembered.set(sid, -1);
  }

  /** The learner has acknowledged NEWLEADER: its acks count, those remembered too. @returns `lastCommitted` */
  newLeaderAcked(sid: number): number {
    const through = this.remembered.get(sid);
    if (through === undefined) return this.committed;
    this.remembered.delete(sid);
    this.acks.push({ sid, through: -1 });
    return this.ack(sid, through);
  }

  /**
   * The server's log is durable through `zxid`, my own included. Ignored where it says nothing new: of a
   * zxid with counter 0 (the acks of NEWLEADER and UPTODATE), committed already, or never proposed; of a
   * server that was not forwarded to. Acks of servers without a vote are kept and not counted.
   * @returns `lastCommitted`, which may have moved over any number of proposals
   */
  ack(sid: number, zxid: number): number {
    if (zxid <= this.committed || zxid > this.proposed) return this.committed;
    const early = this.remembered.get(sid);
    if (early !== undefined) {
      this.remembered.set(sid, Math.max(early, zxid));
    } else if (this.moveAck(sid, zxid)) {
      this.tryToCommit();
    }
    return this.committed;
  }

  /** What it acknowledged counts no more: it has come anew, and is not forwarded to as a voter. */
  forget(sid: number): void {
    this.remembered.delete(sid);
    const index = this.acks.findIndex((ack) => ack.sid === sid);
    if (index >= 0) this.acks.splice(index, 1);
  }

  private moveAck(sid: number, zxid: number): boolean {
    const { acks } = this;
    let index = acks.findIndex((ack) => ack.sid === sid);
    if (index < 0 || acks[index]!.through >= zxid) return false;
    const moved = acks[index]!;
    moved.through = zxid;
    for (; index > 0 && acks[index - 1]!.through < zxid; index--) acks[index] = acks[index - 1]!;
    acks[index] = moved;
    return true;
  }

  private tryToCommit(): void {
    const { stretches } = this;
    for (;;) {
      const next = stretches[1];
      const end = next === undefined ? this.proposed : next.first - 1;
      const reached = this.reachedByQuorums(stretches[0]!.verifiers, end);
      this.committed = Math.max(this.committed, reached);
      if (next === undefined || this.committed < end) return;
      stretches.shift();
    }
  }

  /** The highest zxid up to `end` that a quorum of every configuration has acknowledged. */
  private reachedByQuorums(verifiers: readonly QuorumVerifier[], end: number): number {
    let reached = end;
    for (const verifier of verifiers) reached = Math.min(reached, this.reachedByQuorum(verifier));
    return reached;
  }

  private reachedByQuorum(verifier: QuorumVerifier): number {
    const { quorum } = this;
    quorum.clear();
    for (const { sid, through } of this.acks) {
      if (through <= this.committed) break;
      quorum.add(sid);
      if (verifier.containsQuorum(quorum)) return through;
    }
    return -1;
  }
}

interface Stretch {
  readonly first: number;
  readonly verifiers: readonly QuorumVerifier[];
}

interface Ack {
  readonly sid: number;
  through: number;
}
