import type { Random } from "../../src/ports/index.js";
import { MemoryNetwork } from "../../src/testing/memory-network.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { TurnedClock } from "../../src/testing/turned-clock.js";
import { TurnedScheduler } from "../../src/testing/turned-scheduler.js";
import { EnsembleConfig } from "../../src/zab/index.js";
import { EnsembleClient } from "./ensemble-client.js";
import { ELECTION_PORT, EnsembleServer, QUORUM_PORT } from "./ensemble-server.js";
import { ProtocolWitness } from "./protocol-witness.js";

/**
 * Whole servers among their peers, and clients of theirs, in a world without sockets, files and time of its
 * own. The server's code is what runs in production, down to its ports; disks, network and clock are of memory and take
 * their time by a seed, so that a run can be repeated to the byte. A witness looks on after every step.
 */
export interface WorldOptions {
  readonly seed?: number;
  readonly servers?: number;
  readonly observers?: number;
  /** Lines of groups and weights. */
  readonly quorums?: readonly string[];
  /** How long a write to a disk takes. @default 1 to 4 ms */
  readonly diskMs?: { readonly min: number; readonly max: number };
  /** What a connection between servers holds that was not taken by its other end. @default 64 KiB */
  readonly windowBytes?: number;
  readonly server?: Partial<ServerOptions>;
}

/** What every server of a world is told. */
export interface ServerOptions {
  readonly tickTimeMs: number;
  readonly initLimitTicks: number;
  readonly syncLimitTicks: number;
  readonly maxNotificationIntervalMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** After so many txns a snapshot is taken. */
  readonly snapCount: number;
  readonly commitLogCount: number;
  readonly commitLogBytesWanted: number;
  readonly commitLogBytesMax: number;
  readonly snapshotSizeFactor: number;
  readonly learnerBytesMax: number;
  readonly outputBytesMax: number;
  readonly leaderServes: boolean;
  readonly readOnlyModeEnabled: boolean;
  readonly autocreateDatabase: boolean;
  readonly alwaysSendsSnapshot: boolean;
  readonly maxTimeToWaitForEpochMs: number;
  readonly maxConcurrentSnapSyncs: number;
  readonly maxConcurrentDiffSyncs: number;
  /** So many of the observers, the last ones, keep what they are told in memory alone. */
  readonly observersInMemory: number;
  /** A snapshot is made in slices of so much; between two of them, on their way to the disk, others go on for up to so long. */
  readonly snapshotSliceBytes: number;
  readonly snapshotPauseMsMax: number;
  /** Containers and TTL nodes are looked through so often. */
  readonly sweepIntervalMs: number;
}

const DEFAULTS: ServerOptions = {
  tickTimeMs: 500,
  initLimitTicks: 10,
  syncLimitTicks: 4,
  maxNotificationIntervalMs: 5000,
  minSessionTimeoutMs: 1000,
  maxSessionTimeoutMs: 30_000,
  snapCount: 100_000,
  commitLogCount: 500,
  commitLogBytesWanted: 0,
  commitLogBytesMax: 1 << 20,
  snapshotSizeFactor: 0.33,
  learnerBytesMax: 64 << 20,
  outputBytesMax: 16 << 20,
  leaderServes: true,
  readOnlyModeEnabled: false,
  autocreateDatabase: true,
  alwaysSendsSnapshot: false,
  maxTimeToWaitForEpochMs: -1,
  maxConcurrentSnapSyncs: 10,
  maxConcurrentDiffSyncs: 100,
  observersInMemory: 0,
  snapshotSliceBytes: 256 << 10,
  snapshotPauseMsMax: 1,
  sweepIntervalMs: 60_000,
};

export class EnsembleWorld {
  readonly random: Random;
  readonly clock = new TurnedClock();
  readonly scheduler = new TurnedScheduler(this.clock);
  readonly network: MemoryNetwork;
  readonly config: EnsembleConfig;
  readonly options: ServerOptions;
  readonly diskMs: { readonly min: number; readonly max: number };
  readonly witness: ProtocolWitness;
  readonly servers: readonly EnsembleServer[];
  private steps = 0;

  constructor(options: WorldOptions = {}) {
    const { seed = 1, servers = 3, observers = 0, diskMs = { min: 1, max: 4 }, windowBytes = 64 << 10 } = options;
    this.random = new SeededRandom(seed);
    this.options = { ...DEFAULTS, ...options.server };
    this.diskMs = diskMs;
    const { clock, scheduler, random } = this;
    this.network = new MemoryNetwork({ clock, scheduler, random, windowBytes });
    const lines = Array.from({ length: servers + observers }, (_, i) => {
      const role = i < servers ? "participant" : "observer";
      return `server.${i + 1}=host${i + 1}:${QUORUM_PORT}:${ELECTION_PORT}:${role}`;
    });
    this.config = EnsembleConfig.parse([...lines, ...(options.quorums ?? [])].join("\n"));
    this.witness = new ProtocolWitness(this.config);
    this.servers = [...this.config.members.keys()].map((sid) => new EnsembleServer(this, sid));
  }

  /** All servers started, one serving as leader and the others up to date with it. */
  static async formed(options: WorldOptions = {}): Promise<EnsembleWorld> {
    const world = new EnsembleWorld(options);
    for (const server of world.servers) server.start();
    await world.untilAllServe();
    return world;
  }

  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  /** A number for every step of the world: later is larger. */
  get moment(): number {
    return this.steps;
  }

  server(sid: number): EnsembleServer {
    return this.servers[sid - 1]!;
  }

  /** The one that leads and serves. @throws where none does, or more than one */
  get leader(): EnsembleServer {
    const leaders = this.servers.filter(({ isLeading }) => isLeading);
    if (leaders.length !== 1) throw new Error(`${leaders.length} leaders: ${this.describe()}`);
    return leaders[0]!;
  }

  /** Those that are led and serve, in the order of their ids. */
  get learners(): EnsembleServer[] {
    return this.servers.filter((server) => server.isServing && !server.isLeading);
  }

  client(): EnsembleClient {
    return new EnsembleClient(this);
  }

  /** A client with a session at the server. */
  async clientOf(server: EnsembleServer, timeoutMs?: number): Promise<EnsembleClient> {
    const client = this.client();
    await client.open(server, timeoutMs);
    return client;
  }

  // Links.

  cut(one: EnsembleServer, other: EnsembleServer, state: "silent" | "refused" = "silent"): void {
    this.network.cut(one.host, other.host, state);
  }

  isolate(server: EnsembleServer, state: "silent" | "refused" = "silent"): void {
    for (const other of this.servers) if (other !== server) this.cut(server, other, state);
  }

  mend(): void {
    for (const one of this.servers) {
      for (const other of this.servers) if (one !== other) this.network.setLink(one.host, other.host, "open");
    }
  }

  // Time.

  async pass(ms: number): Promise<void> {
    await this.run(ms, () => false);
  }

  /** @throws where it does not come about within `limitMs` */
  async until(condition: () => boolean, what: string, limitMs = 30_000): Promise<void> {
    if (!(await this.run(limitMs, condition)))
      throw new Error(`${limitMs} ms went by without ${what}: ${this.describe()}`);
  }

  async untilLeading(among: readonly EnsembleServer[] = this.servers, limitMs?: number): Promise<EnsembleServer> {
    await this.until(() => among.some(({ isLeading }) => isLeading), "a leader", limitMs);
    return among.find(({ isLeading }) => isLeading)!;
  }

  /** Every server that runs serves, has what the leader has committed, and nothing is under way. */
  async untilAllServe(limitMs?: number): Promise<void> {
    await this.until(() => this.isSettled, "every server serving the same", limitMs);
  }

  get isSettled(): boolean {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    const leaders = running.filter(({ isLeading }) => isLeading);
    if (leaders.length !== 1) return false;
    const { lastZxid } = leaders[0]!.replica;
    return running.every((one) => one.isServing && one.epoch === leaders[0]!.epoch && one.isAt(lastZxid));
  }

  describe(): string {
    return this.servers.map((server) => server.describe()).join("; ");
  }

  private async run(limitMs: number, condition: () => boolean): Promise<boolean> {
    const endMs = this.nowMs + limitMs;
    for (;;) {
      await settled();
      this.steps++;
      this.witness.look(this.servers);
      if (condition()) return true;
      if (!this.scheduler.isIdle) {
        this.scheduler.endTurn();
        continue;
      }
      const nextMs = this.scheduler.nextAlarmMs ?? Number.POSITIVE_INFINITY;
      if (nextMs > endMs) {
        this.clock.turn(Math.max(0, endMs - this.nowMs));
        return condition();
      }
      this.clock.turn(Math.max(0, nextMs - this.nowMs));
      this.scheduler.ring();
    }
  }
}

/** Every promise that could be settled has told who waits for it. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
