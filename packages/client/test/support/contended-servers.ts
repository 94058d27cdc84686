import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { SeededRandom } from "../../../../test/support/seeded-random.js";
import { until } from "../../../../test/support/until.js";
import {
  type SessionReference,
  startTestEnsemble,
  startTestServer,
  type TestEnsemble,
  type TestServer,
} from "../../../server/src/test-servers/index.js";

/** The servers that contenders turn to, with the troubles that are their own. */
export interface ContendedServers {
  readonly all: readonly TestServer[];
  readonly sessionTimeoutMs: number;
  /** One trouble, over when it resolves: clients are served again. */
  disturb(random: SeededRandom, forMs: number): Promise<void>;
  expireSession(session: SessionReference): Promise<void>;
  turnClock(ms: number): Promise<void>;
  /** How often another server has become the leader; undefined where there are no others. */
  readonly leaderChanges: number | undefined;
}

/** Short ticks, so that sessions can be lost within a test. */
const TICK_MS = 25;
const PAUSE_MS_MAX = 40;

/** One server, which stands still at times. */
export async function contendedServer(): Promise<ContendedServers> {
  const server = await startTestServer({ settings: { tickTimeMs: TICK_MS, minSessionTimeoutMs: 100 } });
  onTestFinished(() => server.close());
  return {
    all: [server],
    sessionTimeoutMs: 10 * TICK_MS,
    leaderChanges: undefined,
    async disturb(_random, forMs) {
      server.pause();
      await pause(Math.min(forMs, PAUSE_MS_MAX));
      server.resume();
    },
    expireSession: (session) => server.expireSession(session),
    turnClock: (ms) => server.turnClock(ms),
  };
}

/**
 * "leaders stop": the leader is stopped, another is elected, and the first one comes back. No session is lost by it, and
 * none ends before its client knows: the next leader gives each its full time.
 *
 * "servers are cut off": the leader or a follower from the others, alone or with its clients, or it stands still. A
 * server that is cut off goes on answering its clients' pings for syncLimit, and what it heard last has not reached
 * the leader: such a client takes its session to live for longer than it does, as with any ZooKeeper.
 */
export type EnsembleTrouble = "leaders stop" | "servers are cut off";

/** Twice the single server's: a turn of the event loop is one of three servers, and syncLimit is five ticks. */
const ENSEMBLE_TICK_MS = 50;

export async function contendedEnsemble(trouble: EnsembleTrouble): Promise<ContendedServers> {
  const ensemble = await startTestEnsemble({ settings: { tickTimeMs: ENSEMBLE_TICK_MS, minSessionTimeoutMs: 100 } });
  onTestFinished(() => ensemble.close());
  return new EnsembleInTrouble(ensemble, trouble);
}

class EnsembleInTrouble implements ContendedServers {
  readonly sessionTimeoutMs = 10 * ENSEMBLE_TICK_MS;
  leaderChanges = 0;
  private readonly ensemble: TestEnsemble;
  private readonly trouble: EnsembleTrouble;

  constructor(ensemble: TestEnsemble, trouble: EnsembleTrouble) {
    this.ensemble = ensemble;
    this.trouble = trouble;
  }

  get all(): readonly TestServer[] {
    return this.ensemble.servers;
  }

  async disturb(random: SeededRandom): Promise<void> {
    const leader = await this.untilLed();
    if (this.trouble === "leaders stop") {
      await leader.stop();
      await this.untilLedByAnother(leader);
      await leader.start();
    } else if (random.chance(0.6)) await this.cutOffLeader(leader, random);
    else await this.cutOffFollower(random.pick(this.all.filter((server) => server !== leader)), random);
    await until("all servers to serve", () => this.all.every((server) => server.isServing));
  }

  expireSession(session: SessionReference): Promise<void> {
    return this.ensemble.expireSession(session);
  }

  turnClock(ms: number): Promise<void> {
    return this.ensemble.turnClock(ms);
  }

  private async cutOffLeader(leader: TestServer, random: SeededRandom): Promise<void> {
    const others = this.all.filter((server) => server !== leader);
    random.pick([
      () => this.ensemble.partition([leader], others), // its clients still reach it
      () => leader.partition(),
      () => leader.pause(),
    ])();
    try {
      await this.untilLedByAnother(leader);
      await pause(random.below(2 * ENSEMBLE_TICK_MS));
    } finally {
      this.mend(leader);
    }
  }

  /** For a moment, or until it has given its leader up. */
  private async cutOffFollower(follower: TestServer, random: SeededRandom): Promise<void> {
    const others = this.all.filter((server) => server !== follower);
    random.pick([
      () => this.ensemble.partition([follower], others),
      () => follower.partition(),
      () => follower.pause(),
    ])();
    await pause(random.below(8 * ENSEMBLE_TICK_MS));
    this.mend(follower);
  }

  private mend(server: TestServer): void {
    server.resume();
    this.ensemble.heal();
  }

  private async untilLed(): Promise<TestServer> {
    await until("a leader", () => this.ensemble.leader !== undefined);
    return this.ensemble.leader!;
  }

  private async untilLedByAnother(old: TestServer): Promise<void> {
    await until("another leader", () => this.all.some((server) => server !== old && server.isLeader));
    this.leaderChanges += 1;
  }
}
