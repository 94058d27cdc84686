import type { Notification, VoteReport } from "@watchkeeper/wire";
import { SeededRandom } from "../../../src/testing/seeded-random.js";
import {
  Election,
  type ElectionOutput,
  type EnsembleConfig,
  initialProposal,
  type ServingState,
  type Vote,
} from "../../../src/zab/index.js";
import { EventQueue } from "./event-queue.js";
import { leading, looking } from "./one-server.js";

/**
 * Many servers electing, in simulated time. Between any two there is a connection as on election ports: it
 * breaks and loses what is under way, is made again when something is to be said, keeps one unsent message,
 * and repeats the last one when it is new. What follows an election is played in rough: a leader needs a
 * quorum of followers in time, and then all of them are of a new epoch; who loses the other side looks again.
 */
export interface WorldOptions {
  readonly seed: number;
  readonly config: EnsembleConfig;
  /** The longest way of a message. */
  readonly delayMaxMs: number;
}

export interface Decision {
  readonly sid: number;
  readonly leader: number;
  readonly round: number;
  readonly atMs: number;
}

const CONNECT_TRIES = 5;
const CONNECT_RETRY_MS = 100;
const LEADER_CHECK_MS = 100;
const LEADER_WAIT_MS = 2000;

export class ElectionWorld {
  readonly events = new EventQueue();
  readonly random: SeededRandom;
  readonly servers = new Map<number, SimulatedServer>();
  readonly decisions: Decision[] = [];
  readonly config: EnsembleConfig;
  private readonly delayMaxMs: number;
  private readonly links = new Map<string, Link>();

  constructor({ seed, config, delayMaxMs }: WorldOptions) {
    this.random = new SeededRandom(seed);
    this.config = config;
    this.delayMaxMs = delayMaxMs;
    for (const sid of config.members.keys()) this.servers.set(sid, new SimulatedServer(this, sid));
  }

  /** Everybody who runs is with one leader, and that leader has them. */
  get isSettled(): boolean {
    const running = [...this.servers.values()].filter((server) => server.isUp);
    const leader = running.find((server) => server.isEstablished);
    return leader !== undefined && running.every((server) => server === leader || server.leader === leader);
  }

  get delayMs(): number {
    return 1 + this.random.below(this.delayMaxMs);
  }

  link(one: number, other: number): Link {
    const key = one < other ? `${one}-${other}` : `${other}-${one}`;
    let link = this.links.get(key);
    if (link === undefined) {
      link = new Link(this, this.server(one), this.server(other));
      this.links.set(key, link);
    }
    return link;
  }

  server(sid: number): SimulatedServer {
    return this.servers.get(sid)!;
  }

  /** Only servers of one and the same part hear each other. */
  partition(partOf: (sid: number) => number): void {
    for (const one of this.servers.keys()) {
      for (const other of this.servers.keys()) {
        if (one < other) this.link(one, other).setOpen(partOf(one) === partOf(other));
      }
    }
  }
}

/** The connection between two servers. */
class Link {
  isOpen = true;
  /** Counts connections: what was sent on an earlier one is lost. */
  private connection = 0;
  private isConnected = false;
  private isConnecting = false;
  private readonly world: ElectionWorld;
  private readonly ends: readonly [SimulatedServer, SimulatedServer];
  private readonly unsent = new Map<number, Notification>();
  private readonly last = new Map<number, Notification>();
  private readonly arrivals = new Map<number, number>();

  constructor(world: ElectionWorld, one: SimulatedServer, other: SimulatedServer) {
    this.world = world;
    this.ends = [one, other];
  }

  get isUsable(): boolean {
    return this.isOpen && this.ends[0].isUp && this.ends[1].isUp;
  }

  setOpen(isOpen: boolean): void {
    this.isOpen = isOpen;
    if (!isOpen) this.break();
  }

  break(): void {
    this.connection++;
    this.isConnected = false;
  }

  forget(sid: number): void {
    this.unsent.delete(sid);
    this.last.delete(sid);
  }

  hasUnsent(sid: number): boolean {
    return this.unsent.has(sid);
  }

  send(from: number, message: Notification): void {
    this.unsent.set(from, message);
    this.connect();
    this.flush(from);
  }

  connect(): void {
    if (this.isConnected || this.isConnecting) return;
    this.isConnecting = true;
    this.world.events.after(this.world.delayMs, () => {
      this.isConnecting = false;
      if (!this.isUsable) return;
      this.isConnected = true;
      for (const { sid } of this.ends) {
        const message = this.unsent.get(sid) ?? this.last.get(sid);
        if (message !== undefined) this.unsent.set(sid, message);
        this.flush(sid);
      }
    });
  }

  private flush(from: number): void {
    const message = this.unsent.get(from);
    if (!this.isConnected || message === undefined) return;
    this.unsent.delete(from);
    this.last.set(from, message);
    const { events, delayMs } = this.world;
    const { connection } = this;
    const to = this.ends[0].sid === from ? this.ends[1] : this.ends[0];
    const atMs = Math.max(events.nowMs + delayMs, this.arrivals.get(from) ?? 0);
    this.arrivals.set(from, atMs);
    events.at(atMs, () => {
      if (connection === this.connection) to.receive(from, message);
    });
  }
}

export class SimulatedServer implements ElectionOutput {
  readonly sid: number;
  zxid = 0;
  epoch = 0;
  isUp = false;
  /** As a leader: a quorum of followers came, and this is their epoch. */
  isEstablished = false;
  /** As a learner: the leader it is connected to. */
  leader: SimulatedServer | undefined;
  private readonly world: ElectionWorld;
  private readonly peers = new Set<number>();
  private election: Election | undefined;
  /** Counts lives and roles: what was planned in an earlier one is void. */
  private stage = 0;
  private timerAtMs: number | undefined;

  constructor(world: ElectionWorld, sid: number) {
    this.world = world;
    this.sid = sid;
  }

  get state(): number {
    return this.election?.state ?? looking;
  }

  get isVoter(): boolean {
    return this.world.config.voters.has(this.sid);
  }

  start(): void {
    this.isUp = true;
    this.election = new Election(this.sid, this.world.config, this);
    this.lookForLeader();
  }

  crash(): void {
    this.isUp = false;
    this.election = undefined;
    this.peers.clear();
    this.leaveRole();
    for (const other of this.world.servers.keys()) {
      if (other === this.sid) continue;
      this.world.link(this.sid, other).break();
      this.world.link(this.sid, other).forget(this.sid);
    }
  }

  receive(from: number, message: Notification): void {
    this.peers.add(from);
    this.election?.onNotification(from, message, this.world.events.nowMs);
    this.setTimer();
  }

  send(sids: readonly number[], report: VoteReport, config: string): void {
    for (const sid of sids) {
      this.peers.add(sid);
      this.world.link(this.sid, sid).send(this.sid, { ...report, version: 2, config });
    }
  }

  haveDelivered(): boolean {
    return [...this.peers].some((sid) => !this.world.link(this.sid, sid).hasUnsent(this.sid));
  }

  connectAll(): void {
    for (const sid of this.peers) this.world.link(this.sid, sid).connect();
  }

  onVoterLooking(): void {}

  onNewerConfig(): void {
    throw new Error("nobody changes the configuration here");
  }

  onDecided(state: ServingState, { leader, round }: Vote): void {
    const { events, decisions } = this.world;
    decisions.push({ sid: this.sid, leader, round, atMs: events.nowMs });
    this.leaveRole();
    if (state === leading) this.lead(events.nowMs + LEADER_WAIT_MS);
    else this.connectTo(this.world.server(leader), CONNECT_TRIES);
  }

  private lookForLeader(): void {
    this.leaveRole();
    const proposal = initialProposal(this.sid, this.world.config, this.zxid, this.epoch);
    this.election!.start(proposal, this.world.events.nowMs);
    this.setTimer();
  }

  private leaveRole(): void {
    this.stage++;
    this.isEstablished = false;
    this.leader = undefined;
  }

  private setTimer(): void {
    const next = this.election?.nextTimerMs;
    if (next === undefined || next === this.timerAtMs) return;
    this.timerAtMs = next;
    this.world.events.at(next, () => {
      this.timerAtMs = undefined;
      this.election?.onTimer(this.world.events.nowMs);
      this.setTimer();
    });
  }

  private later(delayMs: number, task: () => void): void {
    const { stage } = this;
    this.world.events.after(delayMs, () => {
      if (stage === this.stage) task();
    });
  }

  /** Until the followers that are there are no quorum any more, or were none in time. */
  private lead(deadlineMs: number): void {
    const learners = [...this.world.servers.values()].filter((server) => server.leader === this);
    const sids = new Set([this, ...learners].map(({ sid }) => sid));
    const hasQuorum = this.world.config.verifier.containsQuorum(sids);
    if (hasQuorum && !this.isEstablished) this.establish(learners);
    if (!hasQuorum && (this.isEstablished || this.world.events.nowMs > deadlineMs)) this.lookForLeader();
    else this.later(LEADER_CHECK_MS, () => this.lead(deadlineMs));
  }

  private establish(learners: readonly SimulatedServer[]): void {
    this.isEstablished = true;
    this.epoch = Math.max(this.epoch, ...learners.map(({ epoch }) => epoch)) + 1;
    this.zxid += this.world.random.below(3);
    this.election!.updateElectionVote(this.epoch);
    for (const learner of learners) learner.takeHistory(this);
  }

  private takeHistory({ zxid, epoch }: SimulatedServer): void {
    this.zxid = zxid;
    this.epoch = epoch;
    this.election!.updateElectionVote(epoch);
  }

  private connectTo(leader: SimulatedServer, tries: number): void {
    if (this.canReach(leader) && leader.state === leading) this.follow(leader);
    else if (tries > 1) this.later(CONNECT_RETRY_MS, () => this.connectTo(leader, tries - 1));
    else this.lookForLeader();
  }

  private follow(leader: SimulatedServer): void {
    this.leader = leader;
    if (leader.isEstablished) this.takeHistory(leader);
    this.watchLeader(leader, leader.stage);
  }

  private watchLeader(leader: SimulatedServer, stage: number): void {
    if (!this.canReach(leader) || leader.stage !== stage) this.lookForLeader();
    else this.later(this.world.delayMs, () => this.watchLeader(leader, stage));
  }

  private canReach(other: SimulatedServer): boolean {
    return this.sid === other.sid || this.world.link(this.sid, other.sid).isUsable;
  }
}
