import { type Notification, SERVER_STATE, type VoteReport } from "@watchkeeper/wire";
import type { ElectionConfigs } from "./election-configs.js";
import { beats, type Proposal, UNINITIALIZED, type Vote } from "./vote.js";
import { type CastVote, VoteTable } from "./vote-table.js";

/**
 * One election, from the moment a server starts to look for a leader until it has one
 * (`FastLeaderElection.lookForLeader`; the letters are those of the protocol's table of events).
 *
 * Everybody proposes itself, adopts whatever is better and tells all voters. Who sees a quorum behind its
 * own proposal waits a moment for something better still, and then decides: without a word more, because
 * the others come to the same conclusion, or are told when they ask.
 */
export interface ElectionOptions {
  /** After this long without a word everything is said again; the wait doubles each time, up to the maximum. */
  readonly minNotificationIntervalMs: number;
  readonly maxNotificationIntervalMs: number;
  /** How long a quorum waits for a better vote. */
  readonly finalizeWaitMs: number;
}

export interface ElectionParts {
  readonly myid: number;
  readonly configs: ElectionConfigs;
  readonly options: ElectionOptions;
  /** To every voter but this server itself. */
  readonly broadcast: (report: VoteReport) => void;
  readonly tell: (sid: number, report: VoteReport) => void;
  /** Whether a message left for at least one voter; where none did it is of no use to say it again. */
  readonly haveDelivered: () => boolean;
  readonly connectAll: () => void;
}

/** A quorum stands behind the proposal, and nothing better may come until `atMs`. */
interface Finalizing {
  atMs: number;
  /** Of later rounds and not better: to be handled if the decision falls through, to be answered if not. */
  readonly heldBack: Map<number, Notification>;
}

export class LookForLeader {
  /** Only grows during one election, until it ends in somebody else's. */
  round: number;
  private proposal: Proposal;
  private readonly initial: Proposal;
  private readonly parts: ElectionParts;
  /** Votes of this round. */
  private readonly received = new VoteTable();
  /** Votes of servers that are not looking for a leader, of whatever round. */
  private readonly outOfElection = new VoteTable();
  private timeoutMs: number;
  private notifyAtMs = 0;
  private finalizing: Finalizing | undefined;

  /** @param round one more than that of the election before */
  constructor(parts: ElectionParts, round: number, initial: Proposal, nowMs: number) {
    this.parts = parts;
    this.round = round;
    this.initial = initial;
    this.proposal = initial;
    this.timeoutMs = parts.options.minNotificationIntervalMs;
    this.sendNotifications(); // E0
    this.tally(nowMs);
  }

  get nextTimerMs(): number {
    return this.finalizing?.atMs ?? this.notifyAtMs;
  }

  get report(): VoteReport {
    return { state: SERVER_STATE.looking, electionEpoch: this.round, ...this.proposal };
  }

  /** What this server would do alone. */
  get initialReport(): VoteReport {
    return { state: SERVER_STATE.looking, electionEpoch: this.round, ...this.initial };
  }

  /** Voters that spoke while the decision was being made, and have no answer. */
  get unanswered(): number[] {
    return [...(this.finalizing?.heldBack.keys() ?? [])];
  }

  /** Those who voted for this leader, in this round or before. */
  votersFor(leader: number): ReadonlySet<number> {
    return new Set([...this.received.votersFor(leader), ...this.outOfElection.votersFor(leader)]);
  }

  /** What a voter says; returns the vote that ends this election. */
  receivedNotification(from: number, said: Notification, nowMs: number): Vote | undefined {
    if (!this.parts.configs.isVoter(said.leader)) return undefined; // E2
    switch (said.state) {
      case SERVER_STATE.looking:
        return this.receivedLookingNotification(from, said, nowMs);
      case SERVER_STATE.observing:
        return undefined; // E10
      case SERVER_STATE.following:
      case SERVER_STATE.leading:
        return this.receivedServingNotification(from, said, nowMs);
    }
  }

  onTimer(nowMs: number): Vote | undefined {
    if (nowMs < this.nextTimerMs) return undefined;
    if (this.finalizing !== undefined) return { ...this.proposal, round: this.round }; // E9
    const { options, haveDelivered, connectAll } = this.parts;
    this.timeoutMs = Math.min(2 * this.timeoutMs, options.maxNotificationIntervalMs); // E1
    if (haveDelivered()) this.sendNotifications();
    else connectAll();
    this.tally(nowMs);
    return undefined;
  }

  private receivedLookingNotification(from: number, said: Notification, nowMs: number): Vote | undefined {
    if (this.initial.zxid === UNINITIALIZED || said.zxid === UNINITIALIZED) return undefined; // E3
    // E5. Not even a better vote of an earlier round holds a decision up: it comes again in this round.
    if (said.electionEpoch < this.round) return undefined;
    const isBetter = this.beats(said, this.proposal);
    if (said.electionEpoch === this.round && this.beats(this.proposal, said)) this.tellBetter(from);
    if (this.finalizing !== undefined && !isBetter) {
      this.receivedWhileFinalizing(this.finalizing, from, said, nowMs);
      return undefined;
    }
    const heldBack = this.resume();
    if (said.electionEpoch > this.round) {
      this.joinRound(said); // E4
    } else if (isBetter) {
      this.updateProposal(said); // E6
    }
    this.received.cast(from, castOf(said, 0));
    this.tally(nowMs);
    return this.handleAgain(heldBack, nowMs);
  }

  /**
   * More than Apache does, which says a proposal once to everybody and then waits. Who still followed the
   * lost leader when it was said did not take it up; while this server waits, the rest agrees on somebody
   * worse, and the two parties that come of it find together only after initLimit.
   */
  private tellBetter(sid: number): void {
    const { myid, configs, tell } = this.parts;
    if (configs.isVoter(myid)) tell(sid, this.report); // a voter would answer anybody else, who would answer again
  }

  /**
   * E8. Apache throws these votes away. Here they are kept: the servers that cast them need not say it again.
   * One of a later round cannot be counted in this one, and it must not end this one either: the others
   * of the quorum may have decided already, and would wait for this server in vain.
   */
  private receivedWhileFinalizing(finalizing: Finalizing, from: number, said: Notification, nowMs: number): void {
    if (said.electionEpoch > this.round) {
      finalizing.heldBack.set(from, said);
    } else if (this.received.cast(from, castOf(said, 0))) {
      finalizing.atMs = nowMs + this.parts.options.finalizeWaitMs;
    }
  }

  /** E11, E12: an election that is over elsewhere is over here too, if a quorum and its leader say so. */
  private receivedServingNotification(from: number, said: Notification, nowMs: number): Vote | undefined {
    const heldBack = this.beats(said, this.proposal) ? this.resume() : [];
    if (said.electionEpoch === this.round) {
      this.received.cast(from, castOf(said, 0));
      if (this.isEstablished(this.received, said)) return voteOf(said);
    }
    this.outOfElection.cast(from, castOf(said, said.version));
    if (this.isEstablished(this.outOfElection, said)) {
      this.round = said.electionEpoch;
      return voteOf(said);
    }
    this.notifyAtMs = nowMs + this.timeoutMs;
    return this.handleAgain(heldBack, nowMs);
  }

  private isEstablished(table: VoteTable, said: Notification): boolean {
    const { configs } = this.parts;
    return table.hasAllQuorums(castOf(said, said.version), configs.active) && this.checkLeader(table, said);
  }

  /** A leader that is gone is still named by followers that have not noticed; so it must say itself that it leads. */
  private checkLeader(table: VoteTable, said: Notification): boolean {
    return said.leader === this.parts.myid ? said.electionEpoch === this.round : table.isLeading(said.leader);
  }

  /** Gives up a decision that was about to be made; returns what has to be handled again. */
  private resume(): [number, Notification][] {
    const heldBack = [...(this.finalizing?.heldBack ?? [])];
    this.finalizing = undefined;
    return heldBack;
  }

  private handleAgain(heldBack: readonly [number, Notification][], nowMs: number): Vote | undefined {
    for (const [from, said] of heldBack) {
      const vote = this.receivedNotification(from, said, nowMs);
      if (vote !== undefined) return vote;
    }
    return undefined;
  }

  private joinRound(said: Notification): void {
    this.round = said.electionEpoch;
    this.received.clear();
    this.updateProposal(this.beats(said, this.initial) ? said : this.initial);
  }

  private updateProposal({ leader, zxid, peerEpoch }: Proposal): void {
    this.proposal = { leader, zxid, peerEpoch };
    this.sendNotifications();
  }

  private sendNotifications(): void {
    const { myid, configs, broadcast } = this.parts;
    broadcast(this.report);
    if (configs.isVoter(myid) && this.initial.zxid !== UNINITIALIZED) this.received.cast(myid, this.ownVote());
  }

  /** E7. */
  private tally(nowMs: number): void {
    this.notifyAtMs = nowMs + this.timeoutMs;
    if (!this.received.hasAllQuorums(this.ownVote(), this.parts.configs.active)) return;
    this.finalizing = { atMs: nowMs + this.parts.options.finalizeWaitMs, heldBack: new Map() };
  }

  private ownVote(): CastVote {
    return { ...this.proposal, round: this.round, state: SERVER_STATE.looking, version: 0 };
  }

  private beats(candidate: Proposal, current: Proposal): boolean {
    return beats(candidate, current, this.parts.configs.committed.verifier);
  }
}

function voteOf({ leader, zxid, electionEpoch, peerEpoch }: VoteReport): Vote {
  return { leader, zxid, round: electionEpoch, peerEpoch };
}

function castOf(said: Notification, version: number): CastVote {
  return { ...voteOf(said), state: said.state, version };
}
