import { CANNOT_LEAD, type Notification, SERVER_STATE, type ServerState, type VoteReport } from "@watchkeeper/wire";
import {
  Election,
  type ElectionOptions,
  type ElectionOutput,
  EnsembleConfig,
  initialProposal,
  type Vote,
} from "../../../src/zab/index.js";

export const { looking, following, leading, observing } = SERVER_STATE;

/** An ensemble with these voters and observers. */
export function ensemble(voters: readonly number[], observers: readonly number[] = [], ...lines: string[]) {
  const servers = [
    ...voters.map((sid) => `server.${sid}=host${sid}:2888:3888`),
    ...observers.map((sid) => `server.${sid}=host${sid}:2888:3888:observer`),
  ];
  return EnsembleConfig.parse([...servers, ...lines].join("\n"));
}

export interface Sent extends VoteReport {
  readonly to: readonly number[];
}

export interface OneServerOptions extends Partial<ElectionOptions> {
  readonly myid?: number;
  readonly config?: EnsembleConfig;
  readonly lastSeen?: EnsembleConfig;
  readonly zxid?: number;
  readonly epoch?: number;
}

/** One server in an election, the others being played by the test; time stands still until it is turned. */
export class OneServer implements ElectionOutput {
  nowMs = 1000;
  delivered = true;
  connectAlls = 0;
  decided: { state: ServerState; vote: Vote } | undefined;
  /** Those who voted for what was decided. */
  voters: readonly number[] = [];
  /** Who was heard to look for a leader while this server has one. */
  readonly heardLooking: number[] = [];
  newerConfigs: EnsembleConfig[] = [];
  onNewer: (config: EnsembleConfig) => void = () => {};
  configText = "";
  readonly election: Election;
  readonly myid: number;
  private readonly config: EnsembleConfig;
  private readonly options: OneServerOptions;
  private sent: Sent[] = [];

  constructor(options: OneServerOptions = {}) {
    this.options = options;
    this.myid = options.myid ?? 2;
    this.config = options.config ?? ensemble([1, 2, 3]);
    this.election = new Election(this.myid, this.config, this, options, options.lastSeen);
  }

  start(zxid = this.options.zxid ?? 5, epoch = this.options.epoch ?? 1): this {
    this.election.start(initialProposal(this.myid, this.config, zxid, epoch), this.nowMs);
    return this;
  }

  hear(from: number, said: Partial<Notification>): void {
    const full = { state: looking, leader: from, zxid: 5, electionEpoch: 1, peerEpoch: 1, version: 2, ...said };
    this.election.onNotification(from, { config: undefined, ...full }, this.nowMs);
  }

  /** Time passes, timer by timer. */
  turn(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let next = this.election.nextTimerMs; next !== undefined && next <= endMs; next = this.election.nextTimerMs) {
      this.nowMs = next;
      this.election.onTimer(next);
    }
    this.nowMs = endMs;
  }

  /** What was sent since the last look. */
  takeSent(): Sent[] {
    const { sent } = this;
    this.sent = [];
    return sent;
  }

  send(sids: readonly number[], report: VoteReport, config: string): void {
    this.configText = config;
    this.sent.push({ to: sids, ...report });
  }

  haveDelivered(): boolean {
    return this.delivered;
  }

  connectAll(): void {
    this.connectAlls++;
  }

  onDecided(state: ServerState, vote: Vote, voters: ReadonlySet<number>): void {
    this.decided = { state, vote };
    this.voters = [...voters].sort();
  }

  onVoterLooking(sid: number): void {
    this.heardLooking.push(sid);
  }

  onNewerConfig(config: EnsembleConfig): void {
    this.newerConfigs.push(config);
    this.onNewer(config);
  }
}

export { CANNOT_LEAD };
