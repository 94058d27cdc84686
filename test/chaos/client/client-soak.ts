/**
 * Clients that are disconnected every second, for as long as one likes, with everything that can be opened and
 * closed by them opened and closed: calls, watches of all kinds, caches, recipes. After every round all is
 * closed again, and what this process and the server then hold is counted. It must not grow: the first fifth of
 * the samples is forgotten, and of the rest the second half is held against the first.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ChildrenCache, type Client, connect, NodeCache, TreeCache, ZkError } from "@watchkeeper/client";
import { Counter, Group, LeaderLatch, Mutex, Queue, ReadWriteLock, Semaphore } from "@watchkeeper/client/recipes";
import { countersOf } from "../../interop/ensemble/support/four-letter-words.js";
import { startWatchkeeper } from "../../interop/support/watchkeeper.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { until } from "../../support/until.js";
import type { FaultReport, Progress } from "../support/fault-report.js";
import { FaultyNetwork, type Strike } from "./faulty-network.js";

export interface ClientSoakOptions {
  readonly seconds: number;
  readonly seed: number;
}

interface Sample {
  readonly heapMiB: number;
  readonly handles: number;
  readonly listeners: number;
  readonly watches: number;
}

const CLIENTS = 3;
const DISCONNECT_EVERY_MS = 1000;
const ROUND_MS = 2000;
const ACTIVITIES = 12;
const TELL_EVERY_ROUNDS = 20;
const WARM_UP_PART = 0.2;
/** What a collection leaves behind differs by so much from one to the next. */
const HEAP_NOISE_MIB = 0.5;
const HEAP_NOISE_PART = 0.02;
const STRIKES: readonly Strike[] = [
  { kind: "cut" },
  { kind: "cut" },
  { kind: "cut in a frame", direction: "to the client" },
  { kind: "half-close", direction: "to the server" },
  { kind: "swallow", direction: "to the client" },
  { kind: "forget the client" },
];

export async function clientSoak({ seconds, seed }: ClientSoakOptions, progress: Progress): Promise<FaultReport> {
  const server = await startWatchkeeper({ configLines: ["maxClientCnxns=0"] });
  const soak = new Soak(server.clientPort, new SeededRandom(seed), progress);
  try {
    return await soak.run(seconds * 1000);
  } finally {
    await soak.end();
    await server.stop("SIGKILL");
  }
}

class Soak {
  private readonly port: number;
  private readonly random: SeededRandom;
  private readonly progress: Progress;
  private readonly networks: FaultyNetwork[] = [];
  private readonly clients: Client[] = [];
  private readonly samples: Sample[] = [];
  private readonly faults: string[] = [];
  private readonly collectGarbage: () => void;
  private activities = 0;

  constructor(port: number, random: SeededRandom, progress: Progress) {
    this.port = port;
    this.random = random;
    this.progress = progress;
    setFlagsFromString("--expose-gc");
    this.collectGarbage = runInNewContext("gc") as () => void;
  }

  async run(forMs: number): Promise<FaultReport> {
    for (let i = 0; i < CLIENTS; i++) {
      const network = await FaultyNetwork.to([this.port]);
      this.networks.push(network);
      const options = { connectionThread: i === 0, sessionTimeoutMs: 6000, reconnectDelayMsMax: 50 };
      this.clients.push(await connect(network.servers, options));
    }
    for (let i = 0; i < 30; i++) await this.clients[1]!.create(`/soak/tree/${i % 5}/${i}`, "x", { parents: true });
    const endMs = performance.now() + forMs;
    while (performance.now() < endMs && this.faults.length === 0) {
      await this.round();
      if (this.samples.length % TELL_EVERY_ROUNDS === 0) this.progress(this.describe(this.samples.slice(-1)));
    }
    this.judge();
    const connections = this.clients.reduce((sum, { counters }) => sum + counters.connections, 0);
    const lost = this.clients.filter(({ state }) => state === "lost").length;
    if (lost > 0) this.faults.push(`${lost} clients lost their session, each of which could be kept`);
    return {
      summary: `${this.samples.length} rounds, ${this.activities} activities, ${connections} connections; ${this.describe(this.samples)}`,
      faults: this.faults,
    };
  }

  async end(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    for (const network of this.networks) network.close();
  }

  private async round(): Promise<void> {
    const striking = setInterval(() => {
      for (const network of this.networks) network.heal();
      this.random.pick(this.networks).strike(this.random.pick(STRIKES));
    }, DISCONNECT_EVERY_MS);
    const startedMs = performance.now();
    const lane = async (client: Client): Promise<void> => {
      while (performance.now() < startedMs + ROUND_MS) await this.activity(client);
    };
    await Promise.all(
      this.clients.flatMap((client) => Array.from({ length: ACTIVITIES / CLIENTS }, () => lane(client))),
    );
    clearInterval(striking);
    await this.reconnectAll();
    this.samples.push(await this.sample());
  }

  /** The servers forget what a connection had registered, and are told what the client still holds. */
  private async reconnectAll(): Promise<void> {
    for (const network of this.networks) {
      network.heal();
      network.strike({ kind: "cut" });
    }
    await Promise.all(
      this.clients.map((client) =>
        until("the client to be back", () => client.state === "lost" || answers(client)).catch((error: unknown) => {
          this.faults.push(`${error}, it is ${client.state}`);
        }),
      ),
    );
    for (const network of this.networks) network.heal();
  }

  private async sample(): Promise<Sample> {
    const counters = await countersOf(this.port);
    // What was closed is gone after a turn or two of the event loop.
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    this.collectGarbage();
    return {
      heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
      handles: process.getActiveResourcesInfo().filter((kind) => kind !== "Timeout" && kind !== "Immediate").length,
      listeners: this.clients.reduce((sum, client) => sum + client["stateListeners"].size, 0),
      watches: Number(counters.get("zk_watch_count")),
    };
  }

  private async activity(client: Client): Promise<void> {
    this.activities++;
    const act = this.random.pick(ACTS);
    try {
      await act(client, this.random);
    } catch (error) {
      if (!(error instanceof ZkError)) this.faults.push(error instanceof Error ? String(error.stack) : String(error));
    }
  }

  private judge(): void {
    const settled = this.samples.slice(Math.floor(this.samples.length * WARM_UP_PART));
    const middle = settled.length >> 1;
    const [first, second] = [settled.slice(0, middle), settled.slice(middle)];
    if (first.length === 0) return;
    const heapMax = median(first, "heapMiB") * (1 + HEAP_NOISE_PART) + HEAP_NOISE_MIB;
    const heapMiB = median(second, "heapMiB");
    if (heapMiB > heapMax)
      this.faults.push(`the heap grew to ${heapMiB.toFixed(2)} MiB, ${heapMax.toFixed(2)} would do`);
    for (const what of ["handles", "listeners", "watches"] as const) {
      if (median(second, what) > median(first, what))
        this.faults.push(`${what} grew from ${median(first, what)} to ${median(second, what)}`);
    }
  }

  private describe(samples: readonly Sample[]): string {
    const middle = (what: keyof Sample): string => median(samples, what).toFixed(what === "heapMiB" ? 2 : 0);
    return `heap ${middle("heapMiB")} MiB, ${middle("handles")} handles, ${middle("listeners")} listeners, ${middle("watches")} watches`;
  }
}

function median(samples: readonly Sample[], what: keyof Sample): number {
  const sorted = samples.map((sample) => sample[what]).sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

async function answers(client: Client): Promise<boolean> {
  return client.sync("/", { whenSuspended: "wait", timeoutMs: 2000 }).then(
    () => client.state === "connected",
    () => false,
  );
}

type Act = (client: Client, random: SeededRandom) => Promise<unknown>;

const TIMEOUT_MS = 800;
const nodeOf = (random: SeededRandom): string => `/soak/tree/${random.below(5)}`;

/** Each leaves nothing behind: what it opens it closes, also where it fails. */
const ACTS: readonly Act[] = [
  (client, random) => Promise.all(Array.from({ length: 20 }, () => client.getData(nodeOf(random)))),
  (client, random) => client.setData(nodeOf(random), random.bytes(random.below(2000)), { timeoutMs: TIMEOUT_MS }),
  (client, random) => client.exists(`/soak/${random.below(9)}`, { signal: AbortSignal.timeout(random.below(20)) }),
  async (client) => {
    const path = await client.create("/soak/e-", null, { mode: "ephemeral-sequential", protection: true });
    await client.delete(path, { whenSuspended: "wait" });
  },
  async (client, random) => {
    const stream = client.watch(nodeOf(random), { recursive: random.chance(0.5) });
    try {
      await stream.ready;
      await client.setData(nodeOf(random), "s");
    } finally {
      await stream.close();
    }
  },
  async (client, random) => {
    const controller = new AbortController();
    const { changed } = await client.watchData(nodeOf(random), { signal: controller.signal });
    await client.setData(nodeOf(random), "o").catch(() => undefined);
    controller.abort();
    await changed.catch(() => undefined);
  },
  async (client, random) => {
    const listener = (): void => undefined;
    const path = nodeOf(random);
    await client.getChildren(path, { watch: listener });
    client.unwatch(path, listener);
  },
  async (client) => useCache(new TreeCache(client, "/soak/tree")),
  async (client, random) => useCache(new NodeCache(client, nodeOf(random))),
  async (client, random) => useCache(new ChildrenCache(client, nodeOf(random))),
  async (client) => useHold(await new Mutex(client, "/soak/mutex").acquire({ timeoutMs: TIMEOUT_MS })),
  async (client) => useHold(await new Semaphore(client, "/soak/semaphore", 3).acquire({ timeoutMs: TIMEOUT_MS })),
  async (client) => useHold(await new ReadWriteLock(client, "/soak/rw").read.acquire({ timeoutMs: TIMEOUT_MS })),
  async (client) => {
    const latch = new LeaderLatch(client, "/soak/latch");
    try {
      await latch.untilLeader({ timeoutMs: TIMEOUT_MS });
    } finally {
      await latch.close();
    }
  },
  (client) => new Counter(client, "/soak/counter").add(1n),
  async (client) => {
    const queue = new Queue(client, "/soak/queue");
    await queue.put("work");
    await queue.take({ timeoutMs: TIMEOUT_MS });
  },
  async (client, random) => {
    const group = new Group(client, "/soak/group");
    const member = group.join(`member-${random.below(1e6)}`);
    const members = group.members();
    try {
      await member.ready;
      await members.ready;
    } finally {
      await members.close();
      await member.close();
    }
  },
];

async function useCache(cache: TreeCache | NodeCache | ChildrenCache): Promise<void> {
  try {
    await cache.ready;
    await cache.reconcile();
  } finally {
    await cache.close();
  }
}

async function useHold(hold: { release(): Promise<void> }): Promise<void> {
  await hold.release();
}
