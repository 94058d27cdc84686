/**
 * One client of a fault script, behind a network of its own: it does what the script says, and whatever it is
 * told and shown goes to `ClientPromises`.
 */
import { type Client, connect, type NodeEvent, type SessionState, TreeCache, ZkError } from "@watchkeeper/client";
import { ClientPromises, type PromisedCall } from "../../checkers/client-promises.js";
import type { FaultyNetwork } from "./faulty-network.js";
import type { CallLimits, Deed } from "./script-plan.js";

/** What became of a node that this client, and nobody else, was to make. */
export type Fate = "acknowledged" | "unknown" | "not made";

export interface Stage {
  /** Below it, everything. */
  readonly chroot: string;
  /** The latest version of a shared node that any write begun so far can have made. */
  latestVersion(path: string): number;
}

export class TriedClient {
  readonly name: string;
  readonly network: FaultyNetwork;
  readonly promises: ClientPromises;
  readonly fates = new Map<string, Fate>();
  /** Pairs of nodes of which there must be both or none. */
  readonly pairs: [string, string][] = [];
  readonly states: SessionState[] = [];
  client!: Client;
  cache!: TreeCache;
  private readonly stage: Stage;
  /** Ended streams and calls, so that the end of the script can wait for all. */
  private readonly work = new Set<Promise<void>>();
  /** Paths on which a persistent watch was asked for: one is enough, or events would be counted twice. */
  private readonly followed = new Set<string>();
  private made = 0;

  constructor(name: string, network: FaultyNetwork, stage: Stage) {
    this.name = name;
    this.network = network;
    this.stage = stage;
    const startedMs = performance.now();
    this.promises = new ClientPromises(() => performance.now() - startedMs);
  }

  get ephemeralPath(): string {
    return `/alive-${this.name}`;
  }

  async connect(sessionTimeoutMs: number, connectionThread: boolean): Promise<void> {
    this.client = await connect(`${this.network.servers}${this.stage.chroot}`, {
      sessionTimeoutMs,
      connectionThread,
      reconnectDelayMsMax: 50,
    });
    this.client.onState((state) => {
      this.states.push(state);
      this.promises.onDisconnected();
    });
    await this.client.create(this.ephemeralPath, null, { mode: "ephemeral" });
    this.cache = new TreeCache(this.client, "/shared");
    await this.cache.ready;
  }

  do(deed: Deed): void {
    const running = this.perform(deed);
    this.work.add(running);
    void running.then(() => this.work.delete(running));
  }

  /** Resolves when all that was begun has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.work);
  }

  /** Reads a shared node, as the script's own deeds do. */
  async read(path: string, options: object, watches: boolean): Promise<void> {
    const watch = (event: { readonly kind: string }): void => {
      if (event.kind === "dataChanged") this.promises.onEvent(path, this.stage.latestVersion(path));
    };
    const { data, stat } = await this.client.getDataWithStat(path, watches ? { ...options, watch } : options);
    if (String(data) !== String(stat.version))
      this.promises.violate(`${path} of version ${stat.version} held ${String(data)}`);
    this.promises.onRead(path, stat.version, watches);
  }

  private async perform(deed: Deed): Promise<void> {
    switch (deed.kind) {
      case "create":
        return this.create(deed.limits);
      case "create two":
        return this.createTwo(deed.limits);
      case "sync":
        return this.call("sync", deed.limits, (options) => this.client.sync("/", options)).then(ignore);
      case "read":
      case "read and watch": {
        const path = sharedPath(deed.node);
        const watches = deed.kind === "read and watch";
        return this.call(`${deed.kind} ${path}`, deed.limits, (options) => this.read(path, options, watches)).then(
          ignore,
        );
      }
      case "one-shot":
        return this.oneShot(sharedPath(deed.node), deed.limits);
      case "stream":
        return this.stream(sharedPath(deed.node), deed.recursive, deed.openMs);
      case "addWatch":
        return this.addWatch(sharedPath(deed.node));
    }
  }

  private async create(limits: CallLimits): Promise<void> {
    const path = this.newPath();
    this.fates.set(path, "unknown");
    const error = await this.call(`create ${path}`, limits, (options) => this.client.create(path, null, options));
    this.note(path, error);
  }

  private async createTwo(limits: CallLimits): Promise<void> {
    const pair: [string, string] = [this.newPath(), this.newPath()];
    this.pairs.push(pair);
    for (const path of pair) this.fates.set(path, "unknown");
    const steps = pair.map((path) => ({ op: "create", path }) as const);
    const error = await this.call(`multi ${pair}`, limits, (options) => this.client.multi(steps, options));
    for (const path of pair) this.note(path, error);
  }

  private note(path: string, error: ZkError | undefined): void {
    if (error === undefined) this.fates.set(path, "acknowledged");
    else if (error.outcome === "not-applied") this.fates.set(path, "not made");
    if (error?.code === "NODE_EXISTS") this.promises.violate(`${path} was made twice: ${error.message}`);
  }

  private async oneShot(path: string, limits: CallLimits): Promise<void> {
    let changed: Promise<NodeEvent> | undefined;
    let version = 0;
    await this.call(`watchData ${path}`, limits, async (options) => {
      const watched = await this.client.watchData(path, options);
      ({ changed } = watched);
      ({ version } = watched.stat);
    });
    if (changed === undefined) return;
    const promised = this.promises.begin(`the one-shot watch of ${path}`, 0);
    try {
      await changed;
      if (this.stage.latestVersion(path) <= version)
        this.promises.violate(`the one-shot watch of ${path} at ${version} resolved before its time`);
    } catch (error) {
      this.check(error);
    }
    this.promises.settle(promised);
  }

  /** Follows a node for a while, or until the client is closed. */
  private async stream(path: string, recursive: boolean, openMs: number): Promise<void> {
    const promised = this.promises.begin(`the stream of ${path}`, 0);
    const stream = this.client.watch(path, { recursive });
    const timer = setTimeout(() => void stream.close().catch((error: unknown) => this.check(error)), openMs);
    try {
      for await (const event of stream) {
        if (event.kind === "dataChanged" && this.stage.latestVersion(path) === 0)
          this.promises.violate(`the stream of ${path} told of a change before there was one`);
      }
    } catch (error) {
      this.check(error);
    }
    clearTimeout(timer);
    this.promises.settle(promised);
  }

  /** A persistent watch that stays, whose events are held against what is read. */
  private async addWatch(path: string): Promise<void> {
    if (this.followed.has(path)) return;
    this.followed.add(path);
    const listener = (event: { readonly kind: string }): void => {
      if (event.kind === "dataChanged") this.promises.onStandingEvent(path);
    };
    const limits = { timeoutMs: undefined, whenSuspended: "wait", abortMs: undefined } as const;
    const before = this.states.length;
    const error = await this.call(`addWatch ${path}`, limits, (options) =>
      this.client.addWatch(path, "persistent", listener, options),
    );
    // Registered on a connection that is gone already, it is there on the next one, before any read.
    if (error === undefined && this.states.length === before) this.promises.onStanding(path);
  }

  /** @returns how it failed; undefined where it did not */
  private async call(
    what: string,
    { timeoutMs, whenSuspended, abortMs }: CallLimits,
    run: (options: object) => Promise<unknown>,
  ): Promise<ZkError | undefined> {
    const promised: PromisedCall = this.promises.begin(`${what} of ${this.name}`, timeoutMs ?? 0);
    const controller = new AbortController();
    const timer = abortMs === undefined ? undefined : setTimeout(() => controller.abort(), abortMs);
    let failed: ZkError | undefined;
    try {
      await run({ whenSuspended, ...(timeoutMs === undefined ? {} : { timeoutMs }), signal: controller.signal });
    } catch (error) {
      failed = this.check(error);
    }
    clearTimeout(timer);
    this.promises.settle(promised);
    return failed;
  }

  /** Errors of calls are always of one kind, and of a code that the script can bring about. */
  private check(error: unknown): ZkError | undefined {
    if (!(error instanceof ZkError)) {
      this.promises.violate(`it was no ZkError that came: ${error instanceof Error ? error.stack : String(error)}`);
      return undefined;
    }
    if (!EXPECTED.has(error.code)) this.promises.violate(`an error that nothing explains: ${error.message}`);
    return error;
  }

  private newPath(): string {
    return `/made/${this.name}-${this.made++}`;
  }
}

const EXPECTED = new Set<ZkError["code"]>([
  "CONNECTION_LOSS",
  "REQUEST_TIMEOUT",
  "ABORTED",
  "CLOSING",
  "SESSION_EXPIRED",
  "SESSION_MOVED",
]);

export function sharedPath(node: number): string {
  return `/shared/${node}`;
}

function ignore(): void {}
