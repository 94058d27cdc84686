import { NodeDisk } from "../host/node-disk.js";
import type { Disk, Logger, PeerNetwork, Random } from "../ports/index.js";
import type { Connection, Replica } from "../replica/index.js";
import { type RunningServer, startServer } from "../service/server.js";
import { nodeWorld, type World } from "../service/world.js";
import { MemoryDisk } from "../testing/memory-disk.js";
import { ClientGate } from "./client-gate.js";
import { ServerTime } from "./server-time.js";
import { type TestMembership, type TestSettings, testServerSettings } from "./test-settings.js";
import { turnOfTheEventLoop, turnTogether } from "./turn-together.js";
import { UnreliableDisk } from "./unreliable-disk.js";

export interface TestServerOptions {
  /** Keeps its data there, as a real server does. @default in memory, gone with the server */
  readonly dataDir?: string;
  /** Where clients connect, on 127.0.0.1. @default 0: a free one */
  readonly port?: number;
  readonly settings?: TestSettings;
  /** Where its log lines go. @default nowhere */
  readonly logger?: Logger;
}

/** A session: its id, or the client that has it. */
export type SessionReference = bigint | { readonly sessionId: bigint };

/** What an ensemble's server has in common with the others; not for tests. */
export interface EnsemblePlace {
  readonly id: number;
  readonly network: PeerNetwork;
  readonly membership: () => TestMembership;
  /** The replica that decides about sessions. */
  readonly leader: () => Replica | undefined;
  /** Whether this server hears of the others, and they of it, has changed. */
  readonly onReachChanged: () => void;
  /** Time passes for everybody. */
  readonly turn: (ms: number) => Promise<void>;
}

/** A server in the test's own process, to be connected to by TCP and to be troubled. Made by `startTestServer`. */
export class TestServer {
  /** Its number in an ensemble; 1 for a server alone. */
  readonly id: number;
  private readonly options: TestServerOptions;
  private readonly place: EnsemblePlace | undefined;
  private readonly disk: UnreliableDisk;
  private readonly world: Omit<World, "clock" | "scheduler">;
  private readonly gate: ClientGate;
  private serverTime = new ServerTime();
  private running: RunningServer | undefined;
  private starting: Promise<void> | undefined;
  private paused = false;
  private partitioned = false;

  /** Not for tests. */
  constructor(options: TestServerOptions, place?: EnsemblePlace) {
    this.id = place?.id ?? 1;
    this.options = options;
    this.place = place;
    const inMemory = options.dataDir === undefined ? new MemoryDisk() : undefined;
    this.disk = new UnreliableDisk(inMemory ?? new NodeDisk());
    this.world = worldOf(this.disk, inMemory, place);
    this.gate = new ClientGate(options.port ?? 0, () => this.server.address.port);
  }

  /** `host:port`, as a client takes it; the same through restarts. */
  get connectString(): string {
    return `127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.gate.port;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Whether clients are served, and not only reads without a leader. */
  get isServing(): boolean {
    const replica = this.running?.member.replica;
    return replica?.isServing === true && !replica.isReadOnly;
  }

  /** Whether this server leads an ensemble, established. */
  get isLeader(): boolean {
    const view = this.running?.member.ensembleView?.();
    return view?.state === "leading" && view.phase === "broadcast";
  }

  /** Cut off from the others and from its clients, by `pause` or `partition`. */
  get isCutOff(): boolean {
    return this.paused || this.partitioned;
  }

  /** Resolves when the server ends by itself or is stopped: with the reason in the first case, else with undefined. */
  get ended(): Promise<Error | undefined> {
    return this.server.ended;
  }

  /** Not for tests: the port of the clients, before the server itself is there. */
  openGate(): Promise<void> {
    return this.gate.open();
  }

  /** Not for tests. */
  get time(): ServerTime {
    return this.serverTime;
  }

  /** Not for tests. */
  get replica(): Replica | undefined {
    return this.running?.member.replica;
  }

  /** Not for tests. */
  async run(): Promise<void> {
    this.serverTime = new ServerTime();
    const settings = testServerSettings(
      this.options.settings ?? {},
      this.options.dataDir ?? "/data",
      this.place?.membership(),
    );
    const world: World = { ...this.world, clock: this.serverTime, scheduler: this.serverTime };
    const running = await startServer(settings, this.options.logger ?? SILENCE, world);
    this.running = running;
    void running.ended.then(() => {
      if (this.running === running) this.onEnded();
    });
  }

  /** Starts a server that was stopped or has ended again, on the same port and with what it had on its disk. */
  async start(): Promise<void> {
    if (this.starting === undefined && this.running !== undefined) return;
    this.starting ??= this.startOnce().finally(() => {
      this.starting = undefined;
    });
    await this.starting;
  }

  /** Stops the server; its sessions live on in its data, and clients find nobody until `start`. */
  async stop(): Promise<void> {
    await this.starting?.catch(() => undefined); // whom it concerns is told by `start`
    await this.stopRunning();
  }

  private async startOnce(): Promise<void> {
    await this.run();
    try {
      await this.gate.open();
    } catch (error) {
      await this.stopRunning();
      throw error;
    }
  }

  private async stopRunning(): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    this.heal();
    this.resume();
    await running.close();
    if (this.running === running) this.onEnded();
  }

  /** The server is not needed any more. Idempotent. */
  async close(): Promise<void> {
    await this.stop();
    this.gate.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Ends a session as if nothing had been heard of it for its timeout, at once; resolves when it is gone, with
   * its ephemeral nodes. A client that is connected loses its connection and learns of it when it comes back.
   */
  async expireSession(session: SessionReference): Promise<void> {
    const key = keyOf(session);
    const running = this.server;
    const deciding = this.deciding;
    if (deciding?.expireSession(key) !== true)
      throw new Error(`session ${hex(key)} cannot be expired: ${whyNot(deciding)}`);
    while (deciding.sessions.get(key) !== undefined || this.replica?.sessions.get(key) !== undefined) {
      if (this.running !== running || this.deciding !== deciding)
        throw new Error(
          `session ${hex(key)} has not expired, for all that is known: the server, or its leader, has gone`,
        );
      await turnOfTheEventLoop();
    }
  }

  /** Cuts the connection of one session, or all of this server; the sessions live on, and clients may come back. */
  dropConnection(session?: SessionReference): void {
    this.gate.cut(this.portFilter(session));
  }

  /**
   * Nothing passes any more between this server and everybody else, as behind a dead switch: its clients and
   * the other servers are not told, and it goes on alone. What was under way arrives after `heal`.
   *
   * @param session cuts off the connection of this session alone
   */
  partition(session?: SessionReference): void {
    if (session !== undefined) {
      this.gate.silenceOne(this.portFilter(session));
      return;
    }
    this.partitioned = true;
    this.onReachChanged();
  }

  /** Ends `partition`. */
  heal(): void {
    this.partitioned = false;
    this.onReachChanged();
  }

  /** The process stands still, as after SIGSTOP: nothing is read or sent, no timer goes off, until `resume`. */
  pause(): void {
    this.paused = true;
    this.serverTime.stop();
    this.onReachChanged();
  }

  /** Ends `pause`: the time it took has passed, and what clients have sent meanwhile is read first. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.serverTime.goOn();
    this.onReachChanged();
  }

  /** The next fsync of this server fails with EIO; a server whose log cannot be synced stops (see `ended`). */
  failNextFsync(): void {
    this.disk.failNextSync();
  }

  /**
   * Lets time pass for the server, in no time of the test's: 30 s of it in some milliseconds. Sessions expire
   * whose clients are not connected, or are cut off; those that are connected count as having pinged. Clients
   * have their own clocks and notice nothing. In an ensemble it passes for all its servers.
   */
  async turnClock(ms: number): Promise<void> {
    if (this.place !== undefined) await this.place.turn(ms);
    else await turnTogether([this.serverTime], ms, this.tickTimeMs, () => this.hearClients());
  }

  /** Not for tests: the clients that could have pinged have done so. */
  hearClients(): void {
    const { replica } = this;
    if (replica === undefined || this.paused) return;
    for (const connection of replica.connections)
      if (this.gate.carries(connection.remotePort)) replica.beginInput(connection);
  }

  /** Whether the client of this session is connected to this server. */
  serves(session: SessionReference): boolean {
    return this.connectionOf(keyOf(session)) !== undefined;
  }

  /** Not for tests. */
  get tickTimeMs(): number {
    return this.options.settings?.tickTimeMs ?? TICK_TIME_MS_DEFAULT;
  }

  private get server(): RunningServer {
    if (this.running === undefined) throw new Error(`test server ${this.id} is not running: start it first`);
    return this.running;
  }

  /** The replica that decides about sessions. */
  private get deciding(): Replica | undefined {
    return this.place === undefined ? this.replica : this.place.leader();
  }

  private portFilter(session: SessionReference | undefined): (remotePort: number) => boolean {
    if (session === undefined) return () => true;
    const key = keyOf(session);
    const connection = this.connectionOf(key);
    if (connection === undefined) throw new Error(`session ${hex(key)} has no connection to test server ${this.id}`);
    return (remotePort) => remotePort === connection.remotePort;
  }

  private connectionOf(key: bigint): Connection | undefined {
    for (const connection of this.replica?.connections ?? []) if (connection.session?.key === key) return connection;
    return undefined;
  }

  private onReachChanged(): void {
    if (this.isCutOff) this.gate.silence();
    else this.gate.mend();
    this.place?.onReachChanged();
  }

  private onEnded(): void {
    this.running = undefined;
    this.gate.close();
    this.serverTime.end();
  }
}

const TICK_TIME_MS_DEFAULT = 2000;

const SILENCE: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function worldOf(
  disk: Disk,
  inMemory: MemoryDisk | undefined,
  place: EnsemblePlace | undefined,
): Omit<World, "clock" | "scheduler"> {
  const node = nodeWorld();
  const random: Random = node.random;
  const network = place === undefined ? node.network : () => place.network;
  if (inMemory === undefined) return { ...node, disk, random, network };
  return { disk, random, network, lockDirectory: () => () => {}, directoryBytes: () => inMemory.usedBytes };
}

function keyOf(session: SessionReference): bigint {
  return BigInt.asIntN(64, typeof session === "bigint" ? session : session.sessionId);
}

function hex(key: bigint): string {
  return `0x${BigInt.asUintN(64, key).toString(16)}`;
}

function whyNot(deciding: Replica | undefined): string {
  return deciding === undefined ? "the ensemble has no leader" : "there is no such session, or it is being closed";
}
