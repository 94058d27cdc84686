import { ElectionConnections, LocalState, type PeerSettings, QuorumPeer } from "../../src/ensemble/index.js";
import type { LearnerParts } from "../../src/ensemble/learner.js";
import { nodeDigester } from "../../src/host/node-world.js";
import type { Clock, Logger, Timer } from "../../src/ports/index.js";
import {
  type DatabaseContent,
  type LoadDatabase,
  loadDatabase,
  Replica,
  unwrittenLog,
} from "../../src/replica/index.js";
import { SessionTable } from "../../src/sessions/index.js";
import {
  CompressionError,
  dataDirectory,
  loadEpochs,
  prepareDataDirectory,
  purge,
  TxnLog,
  writeSnapshot,
} from "../../src/storage/index.js";
import type { LogLine } from "../../src/testing/kept-lines.js";
import { type DiskOperation, MemoryDisk } from "../../src/testing/memory-disk.js";
import { SETTINGS } from "../replica/replica-world.js";
import type { EnsembleWorld } from "./ensemble-world.js";
import { ProcessLife } from "./process-life.js";

export const QUORUM_PORT = 2888;
export const ELECTION_PORT = 3888;

/** How long a process takes to end after its disk has failed. */
const ENDING_MS = 30;

/** Packed snapshots are nothing that an ensemble's behaviour depends on. */
const NO_COMPRESSION = {
  pack: () => unsupported(),
  unpack: () => unsupported(),
};

function unsupported(): never {
  throw new CompressionError("snapshots are not packed in this world");
}

/** What a server has said, and when. */
class TimedLines implements Logger {
  readonly lines: (LogLine & { readonly atMs: number })[] = [];
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  debug(): void {}

  info(facts: object, sentence: string): void {
    this.keep("info", facts, sentence);
  }

  warn(facts: object, sentence: string): void {
    this.keep("warn", facts, sentence);
  }

  error(facts: object, sentence: string): void {
    this.keep("error", facts, sentence);
  }

  private keep(level: LogLine["level"], facts: object, sentence: string): void {
    this.lines.push({ level, facts, sentence, atMs: this.clock.monotonicMs() });
  }
}

/** One server: its machine with disk and network, and the process that runs on it, if one does. */
export class EnsembleServer {
  readonly sid: number;
  readonly host: string;
  disk = new MemoryDisk();
  readonly lines: TimedLines;
  /** Why its last process ended by itself. */
  failure: unknown;
  /** So much longer everything that is written takes. */
  extraDiskMs = 0;
  process: ServerProcess | undefined;
  private readonly world: EnsembleWorld;
  /** Operations that the disk has under way. */
  private readonly waiting = new Set<() => void>();

  constructor(world: EnsembleWorld, sid: number) {
    this.world = world;
    this.sid = sid;
    this.host = `host${sid}`;
    this.lines = new TimedLines(world.clock);
    this.disk.beforeOperation = (operation) => this.diskTime(operation);
  }

  get isRunning(): boolean {
    return this.process !== undefined;
  }

  get replica(): Replica {
    return this.process!.state!.replica;
  }

  /** Whether it serves clients as a member, and not a reader who takes what he gets. */
  get isServing(): boolean {
    const replica = this.process?.state?.replica;
    return replica?.isServing === true && !replica.isReadOnly;
  }

  get isLeading(): boolean {
    return this.isServing && this.process?.peer?.activity.kind === "leading";
  }

  /** Of the leader it follows, or is; -1 where there is none. */
  get epoch(): number {
    const activity = this.process?.peer?.activity;
    if (activity === undefined || activity.kind === "looking") return -1;
    return activity.kind === "leading" ? activity.leader.epoch : activity.learner.epoch;
  }

  /** Whether what it is told goes to its disk. */
  get writesHistory(): boolean {
    const { config, options } = this.world;
    return config.roleOf(this.sid) !== "observer" || this.sid <= config.members.size - options.observersInMemory;
  }

  isAt(zxid: number): boolean {
    const { lastZxid, loggedZxid, addedZxid } = this.replica.pipeline;
    return lastZxid === zxid && loggedZxid === zxid && addedZxid === zxid;
  }

  start(): void {
    this.begin((process) => process.join());
  }

  /** A process that has loaded its state and does nothing: for a test that plays its peers. */
  startAlone(): void {
    this.begin((process) => process.load());
  }

  private begin(run: (process: ServerProcess) => Promise<void>): void {
    if (this.process !== undefined) throw new Error(`server ${this.sid} runs already`);
    this.failure = undefined;
    const process = new ServerProcess(this.world, this);
    this.process = process;
    run(process).catch((error: unknown) => process.onFatal(error));
  }

  /** The process is gone at once (kill -9): what it had given to the system is written nonetheless. */
  kill(): void {
    this.process?.life.end();
    this.process = undefined;
    this.world.network.crash(this.host);
    for (const go of [...this.waiting]) go();
  }

  /** The machine loses its power: of what was not synced anything may be lost. */
  crash(): void {
    this.process?.life.end();
    this.process = undefined;
    this.world.network.crash(this.host);
    this.disk.crash(this.world.random);
    for (const go of [...this.waiting]) go();
  }

  /** The machine is down and gets a new disk, with nothing on it. */
  replaceDisk(): void {
    this.disk = new MemoryDisk();
    this.disk.beforeOperation = (operation) => this.diskTime(operation);
    this.world.witness.onDiskReplaced(this.sid);
  }

  async restart(): Promise<void> {
    this.kill();
    await this.world.pass(1);
    this.start();
  }

  /** As a real one, whose roles end at once and whose process takes a moment longer. */
  fail(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    const { process } = this;
    void process?.peer?.stop();
    this.world.scheduler.after(ENDING_MS, () => {
      if (this.process === process) this.kill();
    });
  }

  describe(): string {
    if (this.process === undefined) return `${this.sid} down${this.failure === undefined ? "" : `: ${this.failure}`}`;
    const { peer, state, life } = this.process;
    if (peer === undefined || state === undefined) return `${this.sid} starting`;
    const { lastZxid, loggedZxid } = state.replica.pipeline;
    const zxids = `applied 0x${lastZxid.toString(16)}, logged 0x${loggedZxid.toString(16)}`;
    const serving = this.isServing ? " and serves" : "";
    return `${this.sid} ${life.isPaused ? "(paused) " : ""}${peer.activity.kind}${serving}, epoch ${this.epoch}, ${zxids}`;
  }

  /** Whoever lists and reads does not wait; what is written takes its time. */
  private diskTime({ kind }: DiskOperation): Promise<void> | undefined {
    if (kind === "list" || kind === "open" || kind === "read") return undefined;
    const { min, max } = this.world.diskMs;
    const ms = this.extraDiskMs + min + this.world.random.below(max - min + 1);
    if (ms === 0) return undefined;
    return new Promise((resolve) => {
      const go = () => {
        this.waiting.delete(go);
        timer.cancel();
        resolve();
      };
      this.waiting.add(go);
      const timer: Timer = this.world.scheduler.after(ms, go);
    });
  }
}

/** A process from its start to its end: what `service` does for a real one. */
export class ServerProcess {
  readonly life: ProcessLife;
  state: LocalState | undefined;
  peer: QuorumPeer | undefined;
  private readonly world: EnsembleWorld;
  private readonly server: EnsembleServer;
  private log!: TxnLog;
  private snapshotDue = 0;
  private snapshot: Promise<void> = Promise.resolve();
  private isSnapshotting = false;
  private abandoned = false;
  private purged: Promise<void> = Promise.resolve();

  constructor(world: EnsembleWorld, server: EnsembleServer) {
    this.world = world;
    this.server = server;
    this.life = new ProcessLife({
      scheduler: world.scheduler,
      network: world.network.of(server.host),
      disk: server.disk,
      tap: { port: QUORUM_PORT, begin: () => world.witness.tap(server) },
    });
  }

  readonly onFatal = (error: unknown): void => this.life.run(() => this.server.fail(error));

  /** Loads the state, and becomes a member of its ensemble. */
  async join(): Promise<void> {
    await this.load();
    this.peer = this.makePeer();
    await this.peer.start();
    this.tick();
  }

  async load(): Promise<void> {
    const { world, life, server } = this;
    const { options, clock } = world;
    const { disk, scheduler } = life;
    const logger = server.lines;
    const directory = dataDirectory(disk, "/data");
    await prepareDataDirectory(disk, directory, true, logger);
    const load: LoadDatabase = {
      disk,
      directory,
      compression: NO_COMPRESSION,
      logger,
      hashSeed: 1,
      treeDigestEnabled: true,
      trustEmptySnapshot: false,
      autocreateDatabase: options.autocreateDatabase,
      entryBytesMax: SETTINGS.txnBytesMax,
    };
    const database = await loadDatabase(load);
    const { recovered } = database;
    this.log = new TxnLog({ disk, directory: directory.logDirectory, clock, logger }, { preAllocBytes: 8 << 10 });
    const epochs = await loadEpochs(disk, directory.snapDirectory, recovered.lastZxid, logger);
    const state = new LocalState(
      {
        disk,
        directory,
        log: this.log,
        load,
        scheduler,
        logger,
        snapshotSizeFactor: options.snapshotSizeFactor,
        writesHistory: server.writesHistory,
        makeReplica: (content, lastZxid) => {
          world.witness.onReplaced(server.sid);
          return this.makeReplica(content, lastZxid);
        },
        withoutUpkeep: (change) => this.withoutUpkeep(change),
      },
      this.makeReplica(database, Math.max(0, recovered.lastZxid)),
      epochs,
      recovered.lastZxid < 0,
    );
    if (recovered.snapshot === undefined && recovered.lastZxid === 0) await this.writeSnapshot(state.replica);
    this.state = state;
    world.witness.onRecovered(server.sid, state.replica);
  }

  get settings(): PeerSettings {
    const { options, config } = this.world;
    return {
      ...options,
      myid: this.server.sid,
      config,
      connectToLeaderLimitTicks: 0,
      leaderConnectRetryDelayMs: 100,
      observerReconnectDelayMsMax: 0,
      observerElectionDelayMsMax: 200,
      quorumListensOnAllAddresses: false,
      packetBytesMax: SETTINGS.txnBytesMax,
    };
  }

  /** What a role is made of. */
  get roleParts(): LearnerParts {
    const { world, life, server, settings } = this;
    const { network, scheduler } = life;
    const { clock, random } = world;
    return {
      settings,
      state: this.state!,
      network,
      scheduler,
      clock,
      random,
      logger: server.lines,
      metrics: this.state!.replica.stats.metrics,
      isObserver: world.config.roleOf(server.sid) === "observer",
      onEstablished: () => {},
    };
  }

  private makePeer(): QuorumPeer {
    const { world, life, server } = this;
    const { options, config } = world;
    const { network, scheduler } = life;
    const logger = server.lines;
    const connections = new ElectionConnections({
      myid: server.sid,
      config,
      network,
      scheduler,
      logger,
      connectTimeoutMs: 5000,
      handshakeTimeoutMs: options.syncLimitTicks * options.tickTimeMs,
      bindRetries: 3,
      listensOnAllAddresses: false,
      multiAddress: false,
    });
    return new QuorumPeer({
      ...this.roleParts,
      electionOptions: {
        minNotificationIntervalMs: 200,
        maxNotificationIntervalMs: options.maxNotificationIntervalMs,
        finalizeWaitMs: 200,
      },
      connections,
      onFatal: this.onFatal,
    });
  }

  private makeReplica(content: DatabaseContent, lastZxid: number): Replica {
    const { world, life, server } = this;
    const { options, clock } = world;
    const sessions = new SessionTable(options.tickTimeMs, clock.monotonicMs());
    for (const [key, { idHigh, idLow, timeoutMs }] of content.sessions)
      sessions.add(key, idHigh, idLow, timeoutMs, clock.monotonicMs());
    const replica: Replica = new Replica(
      {
        settings: {
          ...SETTINGS,
          ...options,
          serverId: server.sid,
          sweep: { ...SETTINGS.sweep, checkIntervalMs: options.sweepIntervalMs },
        },
        tree: content.tree,
        quotas: content.quotas,
        sessions,
        lastZxid,
        log: {
          append: async (batch) => {
            await (server.writesHistory ? this.log : unwrittenLog).append(batch);
            world.witness.onLogged(server.sid, replica, batch);
          },
        },
        committedLog: {
          txnsMin: options.commitLogCount,
          bytesWanted: options.commitLogBytesWanted,
          bytesMax: options.commitLogBytesMax,
        },
        clock,
        scheduler: life.scheduler,
        digester: nodeDigester("sha1"),
        logger: server.lines,
      },
      {
        onDurable: (txns) => this.onDurable(txns),
        onRoundEnd: () => this.onRoundEnd(replica),
        onFatal: this.onFatal,
      },
    );
    const snapshot = replica.snapshot.bind(replica);
    replica.snapshot = () => ({ ...snapshot(), sliceBytes: options.snapshotSliceBytes });
    world.witness.onLoaded(replica, lastZxid);
    if (!content.digestsComparable) replica.pipeline.digestsCountAfterZxid = Number.POSITIVE_INFINITY;
    return replica;
  }

  private tick(): void {
    this.state!.replica.tick();
    this.life.scheduler.after(this.world.options.tickTimeMs / 2, () => this.tick());
  }

  // Snapshots: every so many txns, as the log rolls.

  private onDurable(txns: number): void {
    if (!this.server.writesHistory) return;
    this.snapshotDue += txns;
    if (this.snapshotDue >= this.world.options.snapCount) this.log.roll();
  }

  private onRoundEnd(replica: Replica): void {
    if (this.snapshotDue < this.world.options.snapCount || this.isSnapshotting || this.abandoned) return;
    this.snapshotDue = 0;
    this.isSnapshotting = true;
    // One that fails loses nothing: the log has everything.
    this.snapshot = this.writeSnapshot(replica)
      .catch((error: unknown) => {
        this.server.lines.error({ error: String(error) }, "A snapshot could not be written");
      })
      .finally(() => {
        this.isSnapshotting = false;
      });
  }

  /** The next txns are the last of their log file, and a snapshot follows them. */
  snapshotSoon(): void {
    if (this.server.writesHistory) this.snapshotDue = this.world.options.snapCount;
  }

  /** Whatever else goes on, as an interval's end brings it. */
  purge(): void {
    if (this.abandoned) return;
    const { lines } = this.server;
    const { disk } = this.life;
    this.purged = purge(disk, dataDirectory(disk, "/data"), 1, lines).then(
      () => {},
      (error: unknown) => lines.error({ error: String(error) }, "Purging old snapshots and logs failed"),
    );
  }

  private async writeSnapshot(replica: Replica): Promise<void> {
    const { options, random } = this.world;
    const { disk, scheduler } = this.life;
    const isFirst = this.state === undefined;
    const pause = async () => {
      do {
        if (this.abandoned) throw new Error("the tree is not this server's any more");
        const pauseMs = 1 + random.below(options.snapshotPauseMsMax);
        await new Promise<void>((resolve) => scheduler.after(pauseMs, resolve));
      } while (!isFirst && !replica.isHistorySettled);
    };
    const source = replica.snapshot();
    await writeSnapshot({ disk, directory: "/data/version-2", source, logger: this.server.lines, pause });
  }

  private async withoutUpkeep(change: () => Promise<void>): Promise<void> {
    this.abandoned = true;
    await Promise.all([this.snapshot, this.purged]);
    try {
      await change();
    } finally {
      this.abandoned = false;
    }
  }
}
