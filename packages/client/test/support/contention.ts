import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { SeededRandom } from "../../../../test/support/seeded-random.js";
import { until } from "../../../../test/support/until.js";
import { type Client, connect, type Stat } from "../../src/index.js";
import { type ContendedServers, contendedEnsemble, contendedServer } from "./contended-servers.js";
import { type Conflict, GuardedResource, type Held, type Usage } from "./guarded-resource.js";
import { Wires } from "./wires.js";

/** What a contender may do with what it holds: use a resource, by its name, for a while. */
export type Use = (resource: string, hold: Held, usage: Usage) => Promise<void>;

/** Takes what the recipe guards below `root`, uses it and gives it back; called again until the time is up. */
export type Contender = (client: Client, root: string, use: Use, random: SeededRandom) => Promise<void>;

/**
 * What happens to the contenders.
 *
 * "true clocks": their wires are cut and clogged, some for longer than their sessions live, and the server
 * stands still. Time passes for all alike, so nobody may believe to hold what another holds.
 *
 * "turned clocks": besides, the server's clock runs ahead of theirs and sessions are ended by force. That no
 * client can know, and two may believe to hold the same: then the older one's node must be gone, and its token
 * be the smaller one.
 *
 * "leaders stop" and "servers are cut off": the same with an ensemble, see `contendedEnsemble`; the rule of "true
 * clocks" holds in the first, that of "turned clocks" in the second.
 */
export type Trouble = "true clocks" | "turned clocks" | "leaders stop" | "servers are cut off";

export interface Outcome {
  readonly violations: readonly string[];
  readonly uses: number;
  readonly holds: number;
  readonly sessionsLost: number;
  /** Undefined for a single server. */
  readonly leaderChanges: number | undefined;
  /** Nodes of sessions that stood below the root when all had given back what they held. */
  readonly leftOver: readonly string[];
}

const ROOT = "/guarded";
const CHECKED = "/checked";
const CONTENDERS = 3;

/** It goes on until the contenders have held something so often, and one has lost its session, if there is time. */
const HOLDS_MIN = 12;
/** How long that may take on a machine that is busy with other things. */
const EVIDENCE_MS_MAX = 10_000;
const CHECKS_MAX = 100;
const LEFT_OVER_MS_MAX = 20_000;

/**
 * Lets three clients contend under trouble for some time, and until a session was lost; whatever must never
 * happen is in the outcome.
 */
export async function contention(contend: Contender, trouble: Trouble, seed: number, forMs: number): Promise<Outcome> {
  const arena = await Arena.open(new SeededRandom(seed), trouble);
  try {
    await Promise.all([arena.meddle(forMs), ...arena.clients.map((client) => arena.contend(client, contend))]);
    return await arena.outcome();
  } finally {
    arena.stop();
  }
}

class Arena {
  readonly clients: Client[] = [];
  private readonly violations: string[] = [];
  private readonly checks: Promise<void>[] = [];
  private readonly resources = new Map<string, GuardedResource>();
  private readonly random: SeededRandom;
  private readonly trouble: Trouble;
  private readonly servers: ContendedServers;
  private wires: Wires[] = [];
  private observer!: Client;
  private isOver = false;

  private constructor(random: SeededRandom, trouble: Trouble, servers: ContendedServers) {
    this.random = random;
    this.trouble = trouble;
    this.servers = servers;
  }

  static async open(random: SeededRandom, trouble: Trouble): Promise<Arena> {
    const isSingle = trouble === "true clocks" || trouble === "turned clocks";
    const servers = isSingle ? await contendedServer() : await contendedEnsemble(trouble);
    const arena = new Arena(random, trouble, servers);
    const { all, sessionTimeoutMs } = servers;
    arena.wires = await Promise.all(Array.from({ length: CONTENDERS }, () => Wires.to(all)));
    arena.observer = await clientOf(all.map(({ connectString }) => connectString).join(","), 60_000);
    await arena.observer.create(CHECKED);
    for (const { connectString } of arena.wires) arena.clients.push(await clientOf(connectString, sessionTimeoutMs));
    return arena;
  }

  async contend(client: Client, contend: Contender): Promise<void> {
    const use: Use = (name, hold, usage) => this.resource(name).use(hold, usage, 1 + this.random.below(20));
    while (!this.isOver) {
      try {
        await contend(client, ROOT, use, this.random);
      } catch {
        await turn(); // given up, or its session was lost: again, in the next
      }
    }
  }

  async meddle(forMs: number): Promise<void> {
    const { random } = this;
    const startMs = performance.now();
    const elapsedMs = () => performance.now() - startMs;
    const { sessionTimeoutMs } = this.servers;
    const isEnough = () => this.sessionsLost > 0 && this.holds >= HOLDS_MIN && this.servers.leaderChanges !== 0;
    // A loss comes first; it may take its time on a machine that is busy with other things.
    await this.cutOff(this.wires[0]!, sessionTimeoutMs * 1.5);
    if (this.servers.leaderChanges !== undefined) await this.servers.disturb(random, 0);
    // Trouble goes on until there is evidence: no session is lost by waiting once the wires are whole.
    while (elapsedMs() < forMs || (!isEnough() && elapsedMs() < EVIDENCE_MS_MAX)) {
      const wire = random.pick(this.wires);
      const forMs = random.chance(0.25) ? sessionTimeoutMs * 1.5 : random.below(40);
      await (this.trouble === "turned clocks" && random.chance(0.4) ? this.end(wire) : this.disturb(wire, forMs));
      await pause(random.below(40));
    }
    this.stop();
  }

  /** Also when a test has failed: contenders whose clients are closed would turn for ever, and slow the tests that follow. */
  stop(): void {
    this.isOver = true;
  }

  private async disturb(wire: Wires, forMs: number): Promise<void> {
    if (this.random.chance(0.25)) {
      await this.servers.disturb(this.random, forMs);
      return;
    }
    if (this.random.chance(0.5)) {
      wire.clog();
      await pause(forMs);
    }
    await this.cutOff(wire, forMs);
  }

  private async cutOff(wire: Wires, forMs: number): Promise<void> {
    wire.cut();
    await pause(forMs);
    wire.mend();
  }

  /** Ends the session behind a wire, in no time of its client's. */
  private async end(wire: Wires): Promise<void> {
    const client = this.clients[this.wires.indexOf(wire)]!;
    if (this.random.chance(0.3)) {
      await this.servers.expireSession(client).catch(() => undefined); // it has none just now
      return;
    }
    if (this.random.chance(0.5)) wire.clog();
    else wire.cut();
    await this.servers.turnClock(this.servers.sessionTimeoutMs * 2);
    await this.cutOff(wire, 0);
  }

  private get sessionsLost(): number {
    return this.clients.reduce((sum, client) => sum + client.counters.sessionsLost, 0);
  }

  private get holds(): number {
    return [...this.resources.values()].reduce((sum, { holds }) => sum + holds, 0);
  }

  async outcome(): Promise<Outcome> {
    await Promise.all(this.checks);
    let leftOver = ["what is left could not be read"];
    const isTidy = async (): Promise<boolean> => {
      try {
        leftOver = await this.ephemerals();
      } catch {
        return false; // its connection was lost with a server: it has another in a moment
      }
      return leftOver.length === 0;
    };
    await until("all that was held to be given back", isTidy, LEFT_OVER_MS_MAX).catch(() => undefined);
    return {
      violations: this.violations,
      uses: [...this.resources.values()].reduce((sum, { uses }) => sum + uses, 0),
      holds: this.holds,
      sessionsLost: this.sessionsLost,
      leaderChanges: this.servers.leaderChanges,
      leftOver,
    };
  }

  private resource(name: string): GuardedResource {
    let resource = this.resources.get(name);
    if (resource === undefined) {
      resource = new GuardedResource((conflict) => this.onConflict(name, conflict));
      this.resources.set(name, resource);
    }
    return resource;
  }

  private onConflict(name: string, { what, older, newer }: Conflict): void {
    const text = `${name}: ${what}: ${older.token} and ${newer.token}`;
    if (this.trouble === "true clocks" || this.trouble === "leaders stop") this.violations.push(text);
    else this.checks.push(this.checkIsGone(older, text));
  }

  /** The servers' own view: who has the newer token got it only after the older one's node had gone. */
  private async checkIsGone(older: Held, text: string): Promise<void> {
    const stat = await this.statNow(older.path);
    if (stat?.czxid === older.token) this.violations.push(`${text}, and ${older.path} is still there`);
  }

  /**
   * The node as a quorum has it. A write of one's own tells a server that leads from one that was cut off and does not
   * know yet: that one would answer a sync, too.
   */
  private async statNow(path: string): Promise<Stat | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        await this.observer.setData(CHECKED, "");
        return (await this.observer.exists(path)) ?? undefined;
      } catch (error) {
        if (tries === CHECKS_MAX) throw error;
        await pause(10); // its server is gone, or no server leads
      }
    }
  }

  private async ephemerals(): Promise<string[]> {
    const found: string[] = [];
    await this.observer.sync();
    for await (const { path, stat } of this.observer.walk(ROOT)) if (stat.ephemeralOwner !== 0n) found.push(path);
    return found;
  }
}

async function clientOf(connectString: string, sessionTimeoutMs: number): Promise<Client> {
  const options = { sessionTimeoutMs, whenLost: "renew", reconnectDelayMsMax: 5, whenSuspended: "wait" } as const;
  const client = await connect(connectString, options);
  onTestFinished(() => client.close());
  return client;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
