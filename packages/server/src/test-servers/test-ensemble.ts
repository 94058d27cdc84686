import { join } from "node:path";
import type { Logger } from "../ports/index.js";
import { MemoryNetwork } from "../testing/memory-network.js";
import { ServerTime } from "./server-time.js";
import { type SessionReference, TestServer } from "./test-server.js";
import { peerHost, type TestSettings } from "./test-settings.js";
import { turnOfTheEventLoop, turnTogether } from "./turn-together.js";

export interface TestEnsembleOptions {
  /** How many servers. @default 3 */
  readonly size?: number;
  /** Each server keeps its data in a directory of its own below it. @default in memory */
  readonly dataDir?: string;
  readonly settings?: TestSettings;
  /** Where the log lines of a server go. @default nowhere */
  readonly logger?: (id: number) => Logger;
}

/**
 * An ensemble in the test's own process: its clients come by TCP, its servers talk to one another in memory.
 * Made by `startTestEnsemble`.
 */
export class TestEnsemble {
  readonly servers: readonly TestServer[];
  /** The network's own time, which no server's pause stops. */
  private readonly time = new ServerTime();
  private readonly network: MemoryNetwork;
  private readonly sideOf = new Map<TestServer, number>();

  /** Not for tests. */
  constructor({ size = 3, dataDir, settings = {}, logger }: TestEnsembleOptions) {
    const { time } = this;
    this.network = new MemoryNetwork({
      clock: time,
      scheduler: time,
      random: { below: () => 0 }, // nothing is delayed, nothing is cut into pieces
      latencyMs: { min: 0, max: 0 },
    });
    const ids = Array.from({ length: size }, (_, index) => index + 1);
    this.servers = ids.map((id) => {
      const options = {
        settings,
        ...(dataDir === undefined ? {} : { dataDir: join(dataDir, String(id)) }),
        ...(logger === undefined ? {} : { logger: logger(id) }),
      };
      return new TestServer(options, {
        id,
        network: this.network.of(peerHost(id)),
        membership: () => ({ id, clientPorts: new Map(this.servers.map((server) => [server.id, server.port])) }),
        leader: () => this.leader?.replica,
        onReachChanged: () => this.updateLinks(),
        turn: (ms) => this.turnClock(ms),
      });
    });
  }

  /** Not for tests. What has begun has ended when it rejects, so that `close` finds all of it. */
  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.openGate()));
    const started = await Promise.allSettled(this.servers.map((server) => server.run()));
    for (const one of started) if (one.status === "rejected") throw one.reason;
    await this.settled();
  }

  /** All servers, as a client takes them. */
  get connectString(): string {
    return this.servers.map((server) => server.connectString).join(",");
  }

  /** The one that leads, among those that are not cut off; undefined while there is none, or an old one believes it leads too. */
  get leader(): TestServer | undefined {
    const leaders = this.servers.filter((server) => server.isLeader && !server.isCutOff);
    return leaders.length === 1 ? leaders[0] : undefined;
  }

  get followers(): readonly TestServer[] {
    return this.servers.filter((server) => server.isServing && !server.isLeader);
  }

  /** The server that the client of this session is connected to. */
  serverOf(session: SessionReference): TestServer | undefined {
    return this.servers.find((server) => server.serves(session));
  }

  /** As `TestServer.expireSession`, wherever the session's client is. */
  async expireSession(session: SessionReference): Promise<void> {
    const { leader } = this;
    if (leader === undefined) throw new Error("the ensemble has no leader, so no session can be expired");
    await leader.expireSession(session);
  }

  /** Splits the network between the servers: those of a side hear one another. Clients reach all of them. */
  partition(...sides: readonly (readonly TestServer[])[]): void {
    this.sideOf.clear();
    for (const [index, side] of sides.entries()) for (const server of side) this.sideOf.set(server, index);
    this.updateLinks();
  }

  /** Ends every partition, of the ensemble and of its servers. */
  heal(): void {
    this.sideOf.clear();
    for (const server of this.servers) server.heal();
  }

  /** See `TestServer.turnClock`. */
  async turnClock(ms: number): Promise<void> {
    const times = [this.time, ...this.servers.map((server) => server.time)];
    const { tickTimeMs } = this.servers[0]!;
    await turnTogether(times, ms, tickTimeMs, () => {
      for (const server of this.servers) server.hearClients();
    });
  }

  /**
   * Waits until there is a leader and every server that runs and is not cut off serves clients, while the
   * ensemble's time is turned on: an election takes some milliseconds.
   *
   * @throws Error where a minute of the servers' time was not enough
   */
  async settled(): Promise<void> {
    for (let passedMs = 0; passedMs < SETTLING_MS_MAX; passedMs += SETTLING_STEP_MS) {
      const reached = this.servers.filter((server) => server.isRunning && !server.isCutOff);
      if (this.leader !== undefined && reached.every((server) => server.isServing)) return;
      await this.turnClock(SETTLING_STEP_MS);
      await turnOfTheEventLoop();
    }
    const states = this.servers.map((server) => `${server.id} ${stateOf(server)}`).join(", ");
    throw new Error(`the ensemble has not settled within ${SETTLING_MS_MAX} ms of its servers' time: ${states}`);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
    this.time.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private updateLinks(): void {
    for (const [index, one] of this.servers.entries()) {
      for (const other of this.servers.slice(index + 1)) {
        const isOpen = !one.isCutOff && !other.isCutOff && this.sideOf.get(one) === this.sideOf.get(other);
        const [here, there] = [peerHost(one.id), peerHost(other.id)];
        if (isOpen) this.network.mend(here, there);
        else this.network.cut(here, there);
      }
    }
  }
}

const SETTLING_STEP_MS = 10;
const SETTLING_MS_MAX = 60_000;

function stateOf(server: TestServer): string {
  if (!server.isRunning) return "is stopped";
  if (server.isCutOff) return "is cut off";
  return server.isServing ? "serves" : "has no leader";
}
