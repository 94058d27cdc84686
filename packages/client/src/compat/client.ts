import { EventEmitter } from "node:events";
import { type Stat as ClientStat, type Client as Connected, connect, type WatchEvent, ZkError } from "../index.js";
import { type ACL, fromEntries, toEntries } from "./acl.js";
import { createArguments, requireCallback, requirePath, versionAndCallback } from "./arguments.js";
import { Event } from "./event.js";
import { Exception, exceptionOf } from "./exception.js";
import { longOf, type Stat, statOf } from "./stat.js";
import { type ClientState, eventOf, State, stateOf } from "./state.js";
import { Transaction, transactionResult } from "./transaction.js";

/** What `createClient` takes. */
export interface ClientOptions {
  /** Milliseconds. @default 30000 */
  readonly sessionTimeout?: number;
  /** The longest pause between two attempts to connect, in milliseconds. @default 1000 */
  readonly spinDelay?: number;
  /** How often a call that ended with CONNECTION_LOSS is made again, whether it can have happened or not. @default 0 */
  readonly retries?: number;
}

/** The client's events. `state` tells of all of them. */
export interface ClientEvents {
  state: [state: ClientState];
  connected: [];
  connectedReadOnly: [];
  disconnected: [];
  expired: [];
  authenticationFailed: [];
}

/** Called once, with the first change after the call that it was given to. It is told of nothing else. */
export type Watcher = (event: Event) => unknown;
type Done = (error: Error | null) => unknown;
type WithPath = (error: Error | null, path?: string) => unknown;
type WithStat = (error: Error | null, stat?: Stat | null) => unknown;
type WithData = (error: Error | null, data?: Buffer, stat?: Stat) => unknown;
type WithChildren = (error: Error | null, children?: string[], stat?: Stat) => unknown;
type WithAcls = (error: Error | null, acls?: ACL[], stat?: Stat) => unknown;
type WithPaths = (error: Error | null, paths?: string[]) => unknown;
type CreateOption = Buffer | readonly ACL[] | number | null | undefined;

/** A call and its way to its callback: what was resolved with is what the callback gets after the error. */
interface Call {
  readonly run: (client: Connected) => Promise<readonly unknown[]>;
  readonly callback: (error: Error | null, ...results: never[]) => unknown;
  attempt: number;
}

const RETRY_DELAY_MS_FIRST = 1000;

/** A client with callbacks, on top of the one with promises. Made by `createClient`; calls wait until it is connected. */
export class Client extends EventEmitter<ClientEvents> {
  private readonly connectString: string;
  private readonly options: Required<ClientOptions>;
  private readonly closing = new AbortController();
  private readonly auth: { scheme: string; credential: Buffer }[] = [];
  private readonly waiting: Call[] = [];
  private client: Connected | undefined;
  private state: ClientState = State.DISCONNECTED;
  private isConnecting = false;
  /** Why no call can succeed any more. */
  private end: Error | undefined;

  constructor(connectString: string, options: ClientOptions = {}) {
    super();
    if (typeof connectString !== "string" || connectString === "")
      throw new TypeError(`a connect string such as "127.0.0.1:2181" expected, ${String(connectString)} found`);
    this.connectString = connectString;
    this.options = { sessionTimeout: 30_000, spinDelay: 1000, retries: 0, ...options };
    this.on("state", (state) => {
      const event = eventOf(state);
      if (event !== undefined) this.emit(event);
    });
  }

  /** Begins to look for a server, and goes on until one is found or the client is closed. */
  connect(): void {
    if (this.isConnecting) return;
    this.isConnecting = true;
    connect(this.connectString, {
      sessionTimeoutMs: this.options.sessionTimeout,
      connectTimeoutMs: Number.POSITIVE_INFINITY,
      reconnectDelayMsMax: this.options.spinDelay,
      whenSuspended: "wait",
      signal: this.closing.signal,
      auth: this.auth,
      onListenerError: (error) =>
        fromTheTop(() => {
          throw error;
        }),
    }).then(
      (client) => this.onConnected(client),
      (error: unknown) => this.onRefused(error),
    );
  }

  /** Ends the session, with its ephemeral nodes. Calls made afterwards end with CONNECTION_LOSS. */
  close(): void {
    // A signal that is aborted in the turn of `connect` is not heard: its connection is being made.
    if (this.client === undefined) setImmediate(() => this.closing.abort());
    else void this.client.close();
  }

  /** One of `State`. */
  getState(): ClientState {
    return this.state;
  }

  /** 8 bytes; zeros before there is a session. */
  getSessionId(): Buffer {
    return longOf(this.client?.sessionId ?? 0n);
  }

  /** 16 bytes; zeros before there is a session. */
  getSessionPassword(): Buffer {
    return Buffer.from(this.client?.session.password ?? new Uint8Array(16));
  }

  /** In milliseconds, as the server granted it. */
  getSessionTimeout(): number {
    return this.client?.sessionTimeoutMs ?? this.options.sessionTimeout;
  }

  /** Authenticates this connection and every later one. A refusal ends the client: event `authenticationFailed`. */
  addAuthInfo(scheme: string, auth: Buffer): void {
    if (typeof scheme !== "string" || scheme === "") throw new TypeError("scheme must be a string that is not empty");
    if (!Buffer.isBuffer(auth)) throw new TypeError("auth must be a Buffer");
    const credential = Buffer.from(auth);
    if (!this.isConnecting) this.auth.push({ scheme, credential });
    // A refusal is told by the state, AUTH_FAILED.
    else
      this.call(
        () => {},
        async (client) => [await client.addAuth(scheme, credential)],
      );
  }

  /** Creates a node. Of data, ACLs and mode any may be left out; `null`, everybody, persistent. */
  create(path: string, ...given: [...CreateOption[], WithPath]): void {
    requirePath(path);
    const { data, options, callback } = createArguments<WithPath>(given);
    this.call(requireCallback(callback), async (client) => [await client.create(path, data, options)]);
  }

  /** As with `mkdir -p`: whatever of the path is missing is created, all of it with the same data, ACLs and mode. */
  mkdirp(path: string, ...given: [...CreateOption[], WithPath]): void {
    requirePath(path);
    const { data, options, callback } = createArguments<WithPath>(given);
    this.call(requireCallback(callback), async (client) => {
      for (let end = path.indexOf("/", 1); end !== -1; end = path.indexOf("/", end + 1))
        await ignoring("NODE_EXISTS", client.create(path.slice(0, end), data, options));
      await ignoring("NODE_EXISTS", client.create(path, data, options));
      return [path];
    });
  }

  /** Deletes a node without children. */
  remove(path: string, callback: Done): void;
  /** Deletes a node without children that has this version; -1: any. */
  remove(path: string, version: number, callback: Done): void;
  remove(path: string, given: number | Done, last?: Done): void {
    requirePath(path);
    const [version, callback] = versionAndCallback(given, last);
    this.call(callback, async (client) => {
      await client.delete(path, { version });
      return [];
    });
  }

  /** Deletes a node and all below it, one after the other. */
  removeRecursive(path: string, callback: Done): void;
  /** The same for nodes that all have this version; -1: any. */
  removeRecursive(path: string, version: number, callback: Done): void;
  removeRecursive(path: string, given: number | Done, last?: Done): void {
    requirePath(path);
    const [version, callback] = versionAndCallback(given, last);
    this.call(callback, async (client) => {
      const paths = await listSubTree(client, path);
      for (const each of paths.reverse()) await ignoring("NO_NODE", client.delete(each, { version }));
      return [];
    });
  }

  /** Gives the node's Stat, or null. */
  exists(path: string, callback: WithStat): void;
  /** And watches for its being created, changed or deleted. */
  exists(path: string, watcher: Watcher | undefined | null, callback: WithStat): void;
  exists(path: string, given: Watcher | WithStat | undefined | null, last?: WithStat): void {
    requirePath(path);
    const { watch, callback } = watcherAndCallback<WithStat>(given, last);
    this.call(callback, async (client) => {
      const stat = await client.exists(path, { watch });
      return [stat && statOf(stat)];
    });
  }

  /** Gives what the node holds, undefined for nothing, and its Stat. */
  getData(path: string, callback: WithData): void;
  /** And watches for its being changed or deleted. */
  getData(path: string, watcher: Watcher | undefined | null, callback: WithData): void;
  getData(path: string, given: Watcher | WithData | undefined | null, last?: WithData): void {
    requirePath(path);
    const { watch, callback } = watcherAndCallback<WithData>(given, last);
    this.call(callback, async (client) => {
      const { data, stat } = await client.getDataWithStat(path, { watch });
      return [data ?? undefined, statOf(stat)];
    });
  }

  /** Replaces what the node holds; gives its new Stat. */
  setData(path: string, data: Buffer | null, callback: WithStat): void;
  /** If it has this version; -1: any. */
  setData(path: string, data: Buffer | null, version: number, callback: WithStat): void;
  setData(path: string, data: Buffer | null, given: number | WithStat, last?: WithStat): void {
    requirePath(path);
    const [version, callback] = versionAndCallback(given, last);
    this.callForStat(callback, (client) => client.setData(path, data ?? null, { version }));
  }

  /** Gives the names of the children, in no order, and the node's Stat. */
  getChildren(path: string, callback: WithChildren): void;
  /** And watches for children being created or deleted, and for the node's own end. */
  getChildren(path: string, watcher: Watcher | undefined | null, callback: WithChildren): void;
  getChildren(path: string, given: Watcher | WithChildren | undefined | null, last?: WithChildren): void {
    requirePath(path);
    const { watch, callback } = watcherAndCallback<WithChildren>(given, last, childWatches);
    this.call(callback, async (client) => {
      const { children, stat } = await client.getChildrenWithStat(path, { watch });
      return [children, statOf(stat)];
    });
  }

  /** The path and all paths below it, those of one level before those of the next. */
  listSubTreeBFS(path: string, callback: WithPaths): void {
    requirePath(path);
    this.call(requireCallback(callback), async (client) => [await listSubTree(client, path)]);
  }

  /** Gives the access control list and the node's Stat. */
  getACL(path: string, callback: WithAcls): void {
    requirePath(path);
    this.call(requireCallback(callback), async (client) => {
      const { acl, stat } = await client.getAcl(path);
      return [fromEntries(acl), statOf(stat)];
    });
  }

  /** Replaces the access control list; gives the new Stat. */
  setACL(path: string, acls: readonly ACL[], callback: WithStat): void;
  /** If the list has this version (`aversion`); -1: any. */
  setACL(path: string, acls: readonly ACL[], version: number, callback: WithStat): void;
  setACL(path: string, acls: readonly ACL[], given: number | WithStat, last?: WithStat): void {
    requirePath(path);
    const [version, callback] = versionAndCallback(given, last);
    const entries = toEntries(acls);
    this.callForStat(callback, (client) => client.setAcl(path, entries, { version }));
  }

  /** Operations to be carried out together or not at all, once committed. */
  transaction(): Transaction {
    return new Transaction((steps, callback) =>
      // The one call that is never repeated.
      this.call(callback, async (client) => [(await client.multi(steps)).map(transactionResult)], Infinity),
    );
  }

  private callForStat(callback: WithStat, run: (client: Connected) => Promise<ClientStat>): void {
    this.call(callback, async (client) => [statOf(await run(client))]);
  }

  private call(callback: Call["callback"], run: Call["run"], attempt = 0): void {
    this.start({ callback, run, attempt });
  }

  private start(call: Call): void {
    const { client, end } = this;
    if (client !== undefined) this.runWith(client, call);
    else if (end !== undefined) fromTheTop(() => call.callback(end));
    else this.waiting.push(call);
  }

  private runWith(client: Connected, call: Call): void {
    call.run(client).then(
      (results) => fromTheTop(() => call.callback(null, ...(results as never[]))),
      (error: unknown) => this.onFailed(call, exceptionOf(error)),
    );
  }

  private onFailed(call: Call, error: Error): void {
    const isLoss = error instanceof Exception && error.code === Exception.CONNECTION_LOSS;
    if (!isLoss || call.attempt >= this.options.retries || this.client?.state === "closed") {
      fromTheTop(() => call.callback(error));
      return;
    }
    const delayMs = Math.min(RETRY_DELAY_MS_FIRST * 2 ** call.attempt, this.getSessionTimeout());
    call.attempt++;
    setTimeout(() => this.start(call), delayMs);
  }

  private onConnected(client: Connected): void {
    this.client = client;
    client.onState((state) => this.become(stateOf(state)));
    this.become(stateOf(client.state));
    for (const call of this.waiting.splice(0)) this.runWith(client, call);
  }

  private onRefused(error: unknown): void {
    this.end = exceptionOf(error);
    if (error instanceof ZkError && error.code === "AUTH_FAILED") this.become(State.AUTH_FAILED);
    for (const call of this.waiting.splice(0)) this.start(call);
  }

  private become(state: ClientState | undefined): void {
    if (state === undefined || state === this.state) return;
    this.state = state;
    fromTheTop(() => this.emit("state", state));
  }
}

/** A client of the servers of `connectString` ("host:port,host:port/chroot"); `connect` begins. */
export function createClient(connectString: string, options?: ClientOptions): Client {
  return new Client(connectString, options);
}

/**
 * Calls what the application gave as if the event loop had called it: what it throws is an uncaught exception
 * and not the rejection of a promise. Callbacks and watchers keep their order.
 */
function fromTheTop(run: () => void): void {
  process.nextTick(run);
}

function watcherAndCallback<C>(
  given: Watcher | C | undefined | null,
  last: C | undefined,
  watches = dataWatches,
): { watch: ((event: WatchEvent) => void) | undefined; callback: C } {
  if (last === undefined) return { watch: undefined, callback: requireCallback(given as C) };
  const callback = requireCallback(last);
  if (typeof given !== "function") return { watch: undefined, callback };
  const watcher = given as Watcher;
  const watch =
    watches.get(watcher) ??
    ((event: WatchEvent): void => {
      if (event.kind !== "session" && event.kind !== "removed") fromTheTop(() => watcher(new Event(event)));
    });
  watches.set(watcher, watch);
  return { watch, callback };
}

/** A watcher that is given twice for the same is called once. */
const dataWatches = new WeakMap<Watcher, (event: WatchEvent) => void>();
const childWatches: typeof dataWatches = new WeakMap();

async function ignoring(code: ZkError["code"], done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof ZkError && error.code === code)) throw error;
  }
}

async function listSubTree(client: Connected, path: string): Promise<string[]> {
  const paths = [path];
  for (const each of paths) {
    const below = each === "/" ? "/" : `${each}/`;
    for (const child of await client.getChildren(each)) paths.push(below + child);
  }
  return paths;
}
