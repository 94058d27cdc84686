import { type Notification, SERVER_STATE, type ServerState, type VoteReport } from "@watchkeeper/wire";
import { EnsembleConfig, EnsembleConfigError } from "../membership/index.js";
import { ElectionConfigs } from "./election-configs.js";
import { type ElectionOptions, LookForLeader } from "./look-for-leader.js";
import type { Proposal, Vote } from "./vote.js";

/**
 * A server's part in elections, its own and those of others: it looks for a leader when told to, and at
 * all other times tells those who look what it has found (`FastLeaderElection`; the letter R with a number
 * names a row of the protocol's table of receiving). Pure: what it is told comes with the time, what it
 * wants done goes to `ElectionOutput`.
 *
 * Rounds are counted over the life of one object. A change of the members begins a new life, with round 0.
 */
export type ServingState = Exclude<ServerState, typeof SERVER_STATE.looking>;

export interface ElectionOutput {
  /** A notification for each of these servers; it is a report of a state, and only the newest counts. */
  send(sids: readonly number[], report: VoteReport, config: string): void;
  /** Whether for at least one server nothing is waiting to be sent. */
  haveDelivered(): boolean;
  /** Connections are wanted to everybody something was sent to before. */
  connectAll(): void;
  /** The election is over; the last call it makes. `voters` voted as this server does. */
  onDecided(state: ServingState, vote: Vote, voters: ReadonlySet<number>): void;
  /** This server has a leader, or is one, and a voter has none (any more). */
  onVoterLooking(sid: number): void;
  /**
   * Seen while looking for a leader: a voter's configuration, newer than the committed one. Who activates it
   * and finds other members in it stops this election and begins a new one, also from within this call.
   */
  onNewerConfig(config: EnsembleConfig): void;
}

export const electionDefaults: ElectionOptions = {
  minNotificationIntervalMs: 200,
  maxNotificationIntervalMs: 60_000,
  finalizeWaitMs: 200,
};

/** Who asks beyond this number has to ask again. */
const WAITING_STRANGERS_MAX = 256;

type Phase =
  | { readonly kind: "idle" }
  /** `waiting`: strangers that asked, to be told the end. */
  | { readonly kind: "looking"; readonly loop: LookForLeader; readonly waiting: Set<number> }
  | { readonly kind: "serving"; readonly state: ServingState; readonly vote: Vote };
type LookingPhase = Extract<Phase, { kind: "looking" }>;

export class Election {
  private readonly myid: number;
  private readonly options: ElectionOptions;
  private readonly output: ElectionOutput;
  private configs: ElectionConfigs;
  private phase: Phase = { kind: "idle" };
  /** Of the last election that has ended (Apache's `logicalclock`). */
  private lastRound = 0;
  private readConfig: { readonly text: string; readonly config: EnsembleConfig | undefined } | undefined;

  /** @param committed both configurations, where no change of members is under way */
  constructor(
    myid: number,
    committed: EnsembleConfig,
    output: ElectionOutput,
    options: Partial<ElectionOptions> = {},
    lastSeen: EnsembleConfig = committed,
  ) {
    this.myid = myid;
    this.output = output;
    this.options = { ...electionDefaults, ...options };
    this.configs = new ElectionConfigs(committed, lastSeen);
  }

  get state(): ServerState {
    return this.phase.kind === "serving" ? this.phase.state : SERVER_STATE.looking;
  }

  /** Undefined while there is no leader. */
  get vote(): Vote | undefined {
    return this.phase.kind === "serving" ? this.phase.vote : undefined;
  }

  get round(): number {
    return this.phase.kind === "looking" ? this.phase.loop.round : this.lastRound;
  }

  /** When `onTimer` wants to be called, by the clock of `nowMs`. */
  get nextTimerMs(): number | undefined {
    return this.phase.kind === "looking" ? this.phase.loop.nextTimerMs : undefined;
  }

  /** New versions of the configurations. Another set of committed members needs a new election object instead. */
  setConfigs(committed: EnsembleConfig, lastSeen: EnsembleConfig): void {
    this.configs = new ElectionConfigs(committed, lastSeen);
  }

  /** Looks for a leader from now on, whatever was before. */
  start(initial: Proposal, nowMs: number): void {
    const election = this;
    const parts = {
      myid: this.myid,
      options: this.options,
      get configs(): ElectionConfigs {
        return election.configs;
      },
      broadcast: (report: VoteReport) => this.broadcast(report),
      tell: (sid: number, report: VoteReport) => this.reply(sid, report),
      haveDelivered: () => this.output.haveDelivered(),
      connectAll: () => this.output.connectAll(),
    };
    const loop = new LookForLeader(parts, this.round + 1, initial, nowMs);
    this.phase = { kind: "looking", loop, waiting: new Set() };
  }

  /** A leader that was found without an election: the one a reconfiguration designated. */
  setState(state: ServingState, vote: Vote): void {
    this.lastRound = this.round;
    this.phase = { kind: "serving", state, vote };
  }

  /**
   * To be called when this server starts to serve in a new epoch. Members hold votes of different moments;
   * only if all of them name the epoch of their common leader does a newcomer see that they are a quorum.
   */
  updateElectionVote(newEpoch: number): void {
    if (this.phase.kind !== "serving") return;
    this.phase = { ...this.phase, vote: { ...this.phase.vote, peerEpoch: newEpoch } };
  }

  /** Says and hears nothing more. */
  stop(): void {
    this.lastRound = this.round;
    this.phase = { kind: "idle" };
  }

  onNotification(fromSid: number, said: Notification, nowMs: number): void {
    if (this.phase.kind === "idle" || fromSid === this.myid) return;
    if (!this.receivedConfig(said)) return;
    if (!this.configs.isVoter(fromSid)) this.answerStranger(fromSid);
    else if (this.phase.kind === "looking") this.receivedWhileLooking(this.phase, fromSid, said, nowMs);
    else if (said.state === SERVER_STATE.looking) {
      this.answerLooking(fromSid, this.phase.state, this.phase.vote); // R6, else R7
      this.output.onVoterLooking(fromSid);
    }
  }

  onTimer(nowMs: number): void {
    if (this.phase.kind !== "looking") return;
    const vote = this.phase.loop.onTimer(nowMs);
    if (vote !== undefined) this.leaveElection(this.phase, vote);
  }

  /** R1, R2. Returns whether this election is still the one the notification was received in. */
  private receivedConfig({ config: text }: Notification): boolean {
    const { phase } = this;
    const { committed } = this.configs;
    if (phase.kind !== "looking" || text === undefined || text === committed.text) return true;
    const config = this.parseConfig(text);
    if (config === undefined || config.version <= committed.version) return true;
    this.output.onNewerConfig(config);
    return this.phase === phase;
  }

  /** Undefined for a text that is no configuration: the vote that came with it counts all the same. */
  private parseConfig(text: string): EnsembleConfig | undefined {
    if (this.readConfig?.text === text) return this.readConfig.config;
    this.readConfig = { text, config: parsedOrUndefined(text) };
    return this.readConfig.config;
  }

  /**
   * R3: observers, and servers that wait to be let in, take no part; they only want to know. While there is
   * nothing to know they are told what this server would do alone, as a server that has just started tells
   * them: of proposals that come and go they would make a quorum for somebody whom nobody elects.
   */
  private answerStranger(sid: number): void {
    if (this.phase.kind === "looking") {
      const { waiting, loop } = this.phase;
      if (waiting.size < WAITING_STRANGERS_MAX) waiting.add(sid);
      this.reply(sid, loop.initialReport);
    } else if (this.phase.kind === "serving") {
      this.reply(sid, { ...reportOf(this.phase.state, this.phase.vote), electionEpoch: this.round });
    }
  }

  private answerLooking(sid: number, state: ServingState, vote: Vote): void {
    this.reply(sid, reportOf(state, vote));
  }

  /** R5: whoever is behind learns of this round at once. */
  private receivedWhileLooking(phase: LookingPhase, sid: number, said: Notification, nowMs: number): void {
    const { loop } = phase;
    if (said.state === SERVER_STATE.looking && said.electionEpoch < loop.round) this.reply(sid, loop.report);
    const vote = loop.receivedNotification(sid, said, nowMs);
    if (vote !== undefined) this.leaveElection(phase, vote);
  }

  /** E9. Whoever is still waiting for a word would otherwise ask again in up to a minute only. */
  private leaveElection({ loop, waiting }: LookingPhase, vote: Vote): void {
    const state = this.stateBehind(vote.leader);
    this.lastRound = loop.round;
    this.phase = { kind: "serving", state, vote };
    for (const sid of loop.unanswered) this.answerLooking(sid, state, vote);
    for (const sid of waiting) this.answerStranger(sid);
    this.output.onDecided(state, vote, loop.votersFor(vote.leader));
  }

  private stateBehind(leader: number): ServingState {
    if (leader === this.myid) return SERVER_STATE.leading;
    return this.configs.committed.roleOf(this.myid) === "observer" ? SERVER_STATE.observing : SERVER_STATE.following;
  }

  private broadcast(report: VoteReport): void {
    const others = [...this.configs.voters].filter((sid) => sid !== this.myid);
    this.output.send(others, report, this.configs.committed.text);
  }

  private reply(sid: number, report: VoteReport): void {
    this.output.send([sid], report, this.configs.committed.text);
  }
}

function reportOf(state: ServingState, { leader, zxid, round, peerEpoch }: Vote): VoteReport {
  return { state, leader, zxid, electionEpoch: round, peerEpoch };
}

function parsedOrUndefined(text: string): EnsembleConfig | undefined {
  try {
    return EnsembleConfig.parse(text);
  } catch (error) {
    if (!(error instanceof EnsembleConfigError)) throw error;
    return undefined;
  }
}
