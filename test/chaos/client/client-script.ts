/**
 * One fault script on real sockets: three clients, each behind a network of its own, do what a seed says while
 * their networks are troubled for a second and a half; then all is healed, and what the clients were told
 * is held against what the servers have.
 */
import { type Client, connect, ZkError } from "@watchkeeper/client";
import { SeededRandom } from "../../support/seeded-random.js";
import { until } from "../../support/until.js";
import { within } from "../../support/within.js";
import { FaultyNetwork } from "./faulty-network.js";
import { CLIENTS, drawPlan, type ScriptPlan, SHARED_NODES, type Step } from "./script-plan.js";
import { wronglyLost } from "./session-evidence.js";
import type { Stalls } from "./stalls.js";
import { type Stage, sharedPath, TriedClient } from "./tried-client.js";

/** A call is late by the machine's timers, and by the way of its failure to the application. */
const DEADLINE_SLACK_MS = 150;
const CHECK_EVERY_MS = 25;
/** Beyond what a client takes for it: also a server may be kept from running for a while, which nobody here notices. */
const RECOVERY_MS_MAX = 2500;
/** Over a sound network, on a busy machine. */
const ANSWER_MS_MAX = 4000;
const CLOSE_MS_MAX = 4000;

export interface ScriptFigures {
  calls: number;
  unknown: number;
  timedOut: number;
  events: number;
  reconnects: number;
  lost: number;
}

export class ClientScript implements Stage {
  readonly chroot: string;
  readonly violations: string[] = [];
  readonly figures: ScriptFigures = { calls: 0, unknown: 0, timedOut: 0, events: 0, reconnects: 0, lost: 0 };
  private readonly plan: ScriptPlan;
  private readonly ports: readonly number[];
  private readonly stalls: Stalls;
  private readonly clients: TriedClient[] = [];
  /** For each shared node, how often it was written, or is being written. */
  private readonly begun = Array.from({ length: SHARED_NODES }, () => 0);
  private observer!: Client;
  /** One write after the other: version and contents go together. */
  private writing: Promise<unknown> = Promise.resolve();

  constructor(seed: number, ports: readonly number[], stalls: Stalls) {
    this.plan = drawPlan(seed, new SeededRandom(seed));
    this.ports = ports;
    this.stalls = stalls;
    this.chroot = `/script-${seed}`;
  }

  latestVersion(path: string): number {
    return this.begun[Number(path.slice(sharedPath(0).length - 1))]!;
  }

  async run(): Promise<void> {
    const servers = this.ports.map((port) => `127.0.0.1:${port}`).join(",");
    const founder = await connect(servers);
    await founder.create(this.chroot);
    this.observer = await connect(`${servers}${this.chroot}`, { sessionTimeoutMs: 10_000 });
    try {
      await this.prepare();
      await this.carryOut(this.plan);
      await this.recover();
      await this.checkShown();
    } catch (error) {
      this.violations.push(`the script came to no end: ${error instanceof Error ? error.stack : String(error)}`);
    } finally {
      await this.closeClients();
    }
    await this.checkMade();
    this.count();
    await this.observer.close();
    await founder.deleteRecursive(this.chroot);
    await founder.close();
  }

  private async prepare(): Promise<void> {
    await this.observer.create("/made");
    await this.observer.create("/shared");
    for (let i = 0; i < SHARED_NODES; i++) await this.observer.create(sharedPath(i), "0");
    const names = Array.from({ length: CLIENTS }, (_, i) => `client-${i}`);
    await Promise.all(
      names.map(async (name, i) => {
        const client = new TriedClient(name, await FaultyNetwork.to(this.ports), this);
        this.clients.push(client);
        await client.connect(this.plan.sessionTimeoutMs, i === 1);
        client.network.onRefused = (refusal) => this.onRefused(client, refusal);
      }),
    );
    this.clients.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  private onRefused(tried: TriedClient, refusal: Parameters<typeof wronglyLost>[0]): void {
    const { client, promises } = tried;
    if (client.sessionAliveUntilMs > refusal.atMs)
      promises.violate(
        `the session was over, which the client held certain for ${client.sessionAliveUntilMs - refusal.atMs} ms more`,
      );
    const wrong = wronglyLost(refusal, this.stalls.worstMs);
    if (wrong !== undefined) promises.violate(wrong);
  }

  private async carryOut({ steps, faultsMs }: ScriptPlan): Promise<void> {
    const startedMs = performance.now();
    const checking = setInterval(() => this.checkDeadlines(), CHECK_EVERY_MS);
    try {
      await new Promise<void>((resolve) => {
        for (const step of steps) {
          setTimeout(() => this.carryOutOne(step), step.atMs - (performance.now() - startedMs));
        }
        setTimeout(resolve, faultsMs - (performance.now() - startedMs));
      });
    } finally {
      clearInterval(checking);
    }
  }

  private carryOutOne(step: Step): void {
    if ("write" in step) {
      void this.write(step.write);
      return;
    }
    const tried = this.clients[step.client]!;
    if ("deed" in step) tried.do(step.deed);
    else if ("strike" in step) tried.network.strike(step.strike);
    else tried.network.admit(step.admission);
  }

  private write(node: number): Promise<unknown> {
    this.writing = this.writing.then(() => {
      this.begun[node]!++;
      return this.observer.setData(sharedPath(node), String(this.begun[node]));
    });
    return this.writing;
  }

  private checkDeadlines(): void {
    for (const { promises } of this.clients) promises.checkDeadlines(DEADLINE_SLACK_MS + this.stalls.worstMs);
  }

  /** Heals the networks; whoever can still keep its session must. */
  private async recover(): Promise<void> {
    const slackMs = this.stalls.worstMs;
    for (const { network } of this.clients) network.heal();
    await Promise.all(
      this.clients.map(async ({ client, network, promises }) => {
        const mustBeKept = network.evidence.canBeKept(client.sessionId, slackMs);
        const isBack = async (): Promise<boolean> => client.state === "lost" || (await answers(client));
        const back = until("the client to come back", isBack, ANSWER_MS_MAX).catch(() => undefined);
        await within(RECOVERY_MS_MAX + this.stalls.worstMs, back);
        if (client.state !== "connected" && (mustBeKept || client.state !== "lost"))
          promises.violate(`a sound network left the client in state ${client.state}`);
        await back;
      }),
    );
  }

  /** With all healed everybody sees what is there, and every watch tells of the next change. */
  private async checkShown(): Promise<void> {
    for (let i = 0; i < SHARED_NODES; i++) await this.write(i);
    const alive = this.clients.filter(({ client }) => client.state === "connected");
    await Promise.all(
      alive.map(async (tried) => {
        // A server that the machine keeps from running is left, as it should be; what it leaves is to be seen again.
        await this.checkView(tried).catch((error: unknown) => {
          if (error instanceof ZkError && error.code === "CONNECTION_LOSS") return this.checkView(tried);
          throw error;
        });
      }),
    );
  }

  private async checkView(tried: TriedClient): Promise<void> {
    const { client, cache, promises } = tried;
    const options = { timeoutMs: ANSWER_MS_MAX };
    await client.sync("/", options);
    for (let i = 0; i < SHARED_NODES; i++) await tried.read(sharedPath(i), options, false);
    if (promises.untold.length > 0) promises.violate(`the watches of ${promises.untold} have not told`);
    const ephemeral = await client.exists(tried.ephemeralPath, options);
    if (ephemeral?.ephemeralOwner !== client.sessionId)
      promises.violate(`the session lives, its ephemeral node is owned by ${ephemeral?.ephemeralOwner}`);
    const isCaughtUp = (): boolean =>
      this.begun.every((version, i) => String(cache.get(sharedPath(i))?.data) === String(version));
    await until("the cache to show what is there", isCaughtUp, ANSWER_MS_MAX).catch((error: unknown) => {
      promises.violate(String(error));
    });
    const { repaired } = await cache.reconcile();
    if (repaired > 0) promises.violate(`the cache had drifted: ${repaired} differences were repaired`);
  }

  private async closeClients(): Promise<void> {
    await Promise.all(
      this.clients.map(async (tried) => {
        await tried.cache?.close();
        const hasClosed = await within(
          CLOSE_MS_MAX,
          (tried.client?.close() ?? Promise.resolve()).then(() => true),
        );
        if (hasClosed !== true) tried.promises.violate("the client did not close");
        await within(CLOSE_MS_MAX, tried.settled());
        tried.promises.checkAllSettled();
        tried.network.close();
      }),
    );
  }

  /** What was acknowledged is there, what certainly did not happen is not; of the rest either. */
  private async checkMade(): Promise<void> {
    await this.observer.sync();
    const made = new Set((await this.observer.getChildren("/made")).map((name) => `/made/${name}`));
    for (const { fates, pairs, promises } of this.clients) {
      for (const [path, fate] of fates) {
        if (fate === "acknowledged" && !made.has(path)) promises.violate(`${path} was acknowledged and is not there`);
        if (fate === "not made" && made.has(path)) promises.violate(`${path} was certainly not made and is there`);
      }
      for (const [one, other] of pairs)
        if (made.has(one) !== made.has(other)) promises.violate(`half of ${one} and ${other} was made`);
    }
  }

  private count(): void {
    const { figures } = this;
    for (const { name, client, promises, fates, states } of this.clients) {
      this.violations.push(...promises.violations.map((violation) => `${name}: ${violation}`));
      if (client === undefined) continue;
      figures.calls += client.counters.calls;
      figures.timedOut += client.counters.callsTimedOut;
      figures.events += client.counters.events;
      figures.reconnects += client.counters.connections - 1;
      figures.unknown += [...fates.values()].filter((fate) => fate === "unknown").length;
      if (states.includes("lost")) figures.lost++;
    }
  }
}

/** A client may not know yet that its connection is cut: a request tells. */
async function answers(client: Client): Promise<boolean> {
  try {
    await client.sync("/", { whenSuspended: "wait", timeoutMs: ANSWER_MS_MAX });
    return true;
  } catch (error) {
    if (error instanceof ZkError) return false;
    throw error;
  }
}
