import { ADD_WATCH_MODE, type ErrorName, type Stat, WATCH_TYPE } from "@watchkeeper/wire";
import type { AclEntry } from "./acl.js";
import { toWireAcl } from "./acl.js";
import { type CallDetails, ClientCall } from "./client-call.js";
import {
  type CreateOptions,
  contentBytes,
  contentProblem,
  createBody,
  createProblem,
  isSequential,
  type NodeContent,
} from "./create-options.js";
import { badArguments, ZkError } from "./errors.js";
import {
  type MultiOperation,
  type MultiReadOperation,
  type MultiReadResult,
  type MultiResult,
  multiError,
  multiProblem,
  multiReadRequest,
  multiReadResults,
  multiRequest,
} from "./multi.js";
import {
  type Identity,
  type NodeAcl,
  type NodeChildren,
  type NodeData,
  type RequestKind,
  requests,
} from "./requests.js";
import {
  formatAddress,
  isFinal,
  pathProblem,
  type SessionIdentity,
  type SessionState,
  sequentialPathProblem,
  type WatchEvent,
  type WatchListener,
} from "./session/index.js";
import type { Connection } from "./transport/connection.js";
import { WatchStream } from "./watch-stream.js";

export interface ReadOptions {
  /**
   * Registers a one-shot watch with the read itself, so that no change between them goes unnoticed.
   * Called once with the first change, and with every change of the session's state until then.
   */
  readonly watch?: WatchListener | undefined;
}

export interface VersionOptions {
  /** The version the node must have, as its Stat shows it. @default any */
  readonly version?: number | undefined;
}

export interface WatchOptions {
  /** Also everything below the path; children-changed events then do not come, since created and deleted do. @default false */
  readonly recursive?: boolean | undefined;
  /** How many events wait for a slow consumer before they are dropped and counted. @default 1000 */
  readonly queueMax?: number | undefined;
}

export type PersistentWatchMode = "persistent" | "persistent-recursive";
export type WatchType = "children" | "data" | "any" | "persistent" | "persistent-recursive";

const ANY_VERSION = -1;
const QUEUE_MAX_DEFAULT = 1000;
const WATCH_TYPES: Readonly<Record<WatchType, number>> = {
  children: WATCH_TYPE.children,
  data: WATCH_TYPE.data,
  any: WATCH_TYPE.any,
  persistent: WATCH_TYPE.persistent,
  "persistent-recursive": WATCH_TYPE.persistentRecursive,
};

/**
 * A session with a ZooKeeper ensemble; made by `connect`.
 *
 * Order: requests take effect, and are answered, in the order in which they are made, whether awaited
 * or not. A watch event is delivered before any later answer that could show the change.
 *
 * Disconnection: requests that were sent and not answered reject with CONNECTION_LOSS (`outcome` tells
 * whether a write may have happened); requests made meanwhile wait, until the client is connected
 * again or all servers were tried in vain. Watches are registered again by themselves.
 *
 * Every method rejects with a `ZkError`; beside the codes named at each there are CONNECTION_LOSS,
 * SESSION_EXPIRED, AUTH_FAILED and CLOSING from the session, BAD_ARGUMENTS for what no server would take.
 */
export class Client {
  private readonly connection: Connection;
  private readonly stateListeners: Set<(event: WatchEvent) => unknown>;
  private readonly closed: Promise<void>;

  /** Not for applications: `connect` resolves only when the session stands. */
  constructor(connection: Connection, stateListeners: Set<(event: WatchEvent) => unknown>) {
    this.connection = connection;
    this.stateListeners = stateListeners;
    this.closed = new Promise((resolve) => {
      stateListeners.add((event) => {
        if (event.kind === "session" && isFinal(event.state)) resolve();
      });
    });
  }

  get state(): SessionState {
    return this.connection.machine.state;
  }

  /** The id under which the servers know the session: what `ephemeralOwner` of its ephemeral nodes shows. */
  get sessionId(): bigint {
    return this.connection.machine.identity.id;
  }

  /** Id and password: what another client needs to go on with this session. */
  get session(): SessionIdentity {
    return this.connection.machine.identity;
  }

  /** The timeout the server granted, which may not be the one asked for. */
  get sessionTimeoutMs(): number {
    return this.connection.machine.timeoutMs;
  }

  /** The server of the present connection as "host:port", or undefined while there is none. */
  get server(): string | undefined {
    const server = this.connection.machine.server;
    return server === undefined ? undefined : formatAddress(server);
  }

  /**
   * Calls `listener` with every state the session changes to from now on; returns a function that ends
   * it. See `SessionState` for what each state lets an application assume.
   */
  onState(listener: (state: SessionState) => unknown): () => void {
    const told = (event: WatchEvent): unknown => (event.kind === "session" ? listener(event.state) : undefined);
    this.stateListeners.add(told);
    return () => {
      this.stateListeners.delete(told);
    };
  }

  /**
   * Creates a node and returns its path, which for sequential modes ends in the number the server gave.
   *
   * Fires the data watches of the path and the child watches of the parent. An ephemeral node belongs
   * to this session and is deleted when the session ends. After CONNECTION_LOSS the node may exist.
   *
   * @throws NO_NODE the parent is not there; NODE_EXISTS; NO_AUTH no CREATE on the parent; INVALID_ACL;
   * NO_CHILDREN_FOR_EPHEMERALS; QUOTA_EXCEEDED; UNIMPLEMENTED `ttlMs` on a server without TTL nodes
   *
   * ```ts
   * const path = await client.create("/jobs/j-", "payload", { mode: "ephemeral-sequential" });
   * ```
   */
  create(path: string, data: NodeContent = null, options: CreateOptions = {}): Promise<string> {
    if (options.ttlMs === undefined && options.mode !== "container") {
      const problem = createCallProblem(path, data, options);
      if (problem !== undefined) return Promise.reject(badArguments("create", path, problem));
      return this.call(requests.create, { path: this.toServer(path), ...createBody(data, options) }, { path });
    }
    return this.createWithStat(path, data, options).then((created) => created.path);
  }

  /** As `create`, and also returns the new node's Stat. Servers since 3.5. */
  createWithStat(
    path: string,
    data: NodeContent = null,
    options: CreateOptions = {},
  ): Promise<{ path: string; stat: Stat }> {
    const problem = createCallProblem(path, data, options);
    if (problem !== undefined) return Promise.reject(badArguments("create", path, problem));
    const body = { path: this.toServer(path), ...createBody(data, options) };
    if (options.ttlMs !== undefined) return this.call(requests.createTTL, body, { path });
    return this.call(options.mode === "container" ? requests.createContainer : requests.create2, body, { path });
  }

  /**
   * Deletes a node without children. Fires the data and child watches of the path and the child watches
   * of the parent. After CONNECTION_LOSS the node may be gone.
   *
   * @throws NO_NODE; NOT_EMPTY; BAD_VERSION; NO_AUTH no DELETE on the parent
   */
  delete(path: string, options: VersionOptions = {}): Promise<void> {
    const version = options.version ?? ANY_VERSION;
    return this.callAt("delete", path, requests.delete, (serverPath) => ({ path: serverPath, version }), {
      expected: expectedVersion(options),
    });
  }

  /**
   * The node's Stat, or null if there is no such node. A watch fires when the node is created, changed
   * or deleted.
   *
   * @throws NO_AUTH (servers since 3.8.4)
   */
  exists(path: string, options: ReadOptions = {}): Promise<Stat | null> {
    return this.read("exists", "data", path, requests.exists, options);
  }

  /**
   * What the node holds. Read from the server this client is connected to, which may be behind the
   * others; `sync` first where that matters. A watch fires when the node is changed or deleted.
   *
   * @throws NO_NODE (no watch is left then: use `exists` for that); NO_AUTH
   */
  getData(path: string, options: ReadOptions = {}): Promise<Buffer | null> {
    return this.read("getData", "data", path, requests.getDataOnly, options);
  }

  /** As `getData`, with the Stat of the same moment. */
  getDataWithStat(path: string, options: ReadOptions = {}): Promise<NodeData> {
    return this.read("getData", "data", path, requests.getData, options);
  }

  /**
   * Replaces what the node holds and returns its new Stat. With a version, only if nobody changed it
   * since that was read. Fires the data watches. After CONNECTION_LOSS the data may have been replaced.
   *
   * @throws NO_NODE; BAD_VERSION; NO_AUTH; QUOTA_EXCEEDED
   *
   * ```ts
   * const { data, stat } = await client.getDataWithStat("/counter");
   * await client.setData("/counter", next(data), { version: stat.version });
   * ```
   */
  setData(path: string, data: NodeContent, options: VersionOptions = {}): Promise<Stat> {
    const problem = contentProblem(data);
    if (problem !== undefined) return Promise.reject(badArguments("setData", path, problem));
    const version = options.version ?? ANY_VERSION;
    const body = (serverPath: string) => ({ path: serverPath, data: contentBytes(data), version });
    return this.callAt("setData", path, requests.setData, body, { expected: expectedVersion(options) });
  }

  /**
   * The names of the node's children, in no order. A watch fires when a child is created or deleted, or
   * the node itself is deleted; not when a child's data changes.
   *
   * @throws NO_NODE; NO_AUTH
   */
  getChildren(path: string, options: ReadOptions = {}): Promise<string[]> {
    return this.read("getChildren", "child", path, requests.getChildren, options);
  }

  /** As `getChildren`, with the node's Stat of the same moment. */
  getChildrenWithStat(path: string, options: ReadOptions = {}): Promise<NodeChildren> {
    return this.read("getChildren", "child", path, requests.getChildren2, options);
  }

  /**
   * The access control list, with the node's Stat. Hashes of digest entries are hidden from whoever
   * lacks ADMIN.
   *
   * @throws NO_NODE; NO_AUTH neither READ nor ADMIN
   */
  getAcl(path: string): Promise<NodeAcl> {
    return this.callAt("getAcl", path, requests.getAcl, (serverPath) => ({ path: serverPath }));
  }

  /**
   * Replaces the access control list and returns the new Stat. `version` is the ACL's own (`aversion`).
   * Fires no watch.
   *
   * @throws NO_NODE; BAD_VERSION; NO_AUTH no ADMIN; INVALID_ACL
   */
  setAcl(path: string, acl: readonly AclEntry[], options: VersionOptions = {}): Promise<Stat> {
    if (acl.length === 0) {
      return Promise.reject(badArguments("setAcl", path, "an access control list needs at least one entry"));
    }
    const version = options.version ?? ANY_VERSION;
    const body = (serverPath: string) => ({ path: serverPath, acl: toWireAcl(acl), version });
    return this.callAt("setAcl", path, requests.setAcl, body, { expected: expectedVersion(options, "ACL version") });
  }

  /**
   * Brings the server up to date: reads made after this one see every write that was answered to
   * anybody before it was sent.
   */
  sync(path = "/"): Promise<void> {
    return this.callAt("sync", path, requests.sync, (serverPath) => ({ path: serverPath }));
  }

  /**
   * Does all of it or none, with one zxid. Rejects with the error of the first step that fails.
   *
   * @throws what the single operations do; BAD_VERSION from `check`
   *
   * ```ts
   * await client.multi([
   *   { op: "check", path: "/leader", version: 7 },
   *   { op: "setData", path: "/result", data: "done" },
   * ]);
   * ```
   */
  async multi(steps: readonly MultiOperation[]): Promise<MultiResult[]> {
    const problem = multiProblem(steps);
    if (problem !== undefined) throw problem;
    if (steps.length === 0) return [];
    const results = await this.call(multiRequest, { steps, chroot: this.connection.machine.chroot });
    const error = multiError(steps, results);
    if (error !== undefined) throw error;
    return results as MultiResult[];
  }

  /** Reads several nodes with one request. A step that fails gives an `error` result and harms no other. Servers since 3.6. */
  async multiRead(steps: readonly MultiReadOperation[]): Promise<MultiReadResult[]> {
    for (const [index, step] of steps.entries()) {
      const problem = pathProblem(step.path);
      if (problem !== undefined) throw badArguments("multiRead", String(step.path), `operation ${index}: ${problem}`);
    }
    if (steps.length === 0) return [];
    return multiReadResults(
      steps,
      await this.call(multiReadRequest, { steps, chroot: this.connection.machine.chroot }),
    );
  }

  /** The paths of this session's ephemeral nodes that begin with `prefix`. Servers since 3.6. */
  getEphemerals(prefix = "/"): Promise<string[]> {
    return this.callAt("getEphemerals", prefix, requests.getEphemerals, (serverPath) => ({ prefixPath: serverPath }));
  }

  /** How many nodes there are below the path, at any depth. Servers since 3.6. @throws NO_NODE; NO_AUTH */
  getAllChildrenNumber(path: string): Promise<number> {
    const body = (serverPath: string) => ({ path: serverPath });
    return this.callAt("getAllChildrenNumber", path, requests.getAllChildrenNumber, body);
  }

  /** Whom the server takes this connection for: its address, and whatever `addAuth` proved. Servers since 3.7. */
  whoAmI(): Promise<Identity[]> {
    return this.call(requests.whoAmI, undefined);
  }

  /**
   * Authenticates: for scheme "digest" the credential is `user:password`. Requests made afterwards have
   * it; it is sent again on every later connection. A refusal ends the client (state "auth-failed").
   *
   * @throws AUTH_FAILED
   */
  addAuth(scheme: string, credential: Uint8Array | string): Promise<void> {
    const auth = contentBytes(credential) ?? new Uint8Array(0);
    const { chroot } = this.connection.machine;
    return new Promise((resolve, reject) => {
      const call = new ClientCall(requests.auth, undefined, chroot, resolve, reject, { path: scheme });
      this.connection.addCredential(scheme, auth, call);
    });
  }

  /**
   * Registers a watch that stays until it is removed, on a path that need not exist. Servers since 3.6.
   * What happens while the client is away does not reach it.
   */
  async addWatch(path: string, mode: PersistentWatchMode, listener: WatchListener): Promise<void> {
    const kind = mode === "persistent" ? "persistent" : "recursive";
    const { machine } = this.connection;
    const serverPath = this.checkedPath("addWatch", path);
    machine.addWatch(kind, serverPath, listener);
    try {
      await this.submitAddWatch(path, mode);
    } catch (error) {
      machine.dropWatch(kind, serverPath, listener);
      throw error;
    }
  }

  /**
   * Removes watches of this client from one path, all listeners of the given type; each is told by a
   * "removed" event. The persistent types need a server since 3.9; "any" works with all.
   *
   * @throws NO_WATCHER
   */
  removeWatches(path: string, type: WatchType): Promise<void> {
    const wireType = WATCH_TYPES[type];
    const serverPath = pathProblem(path) === undefined ? this.toServer(path) : path;
    const body = () => ({ path: serverPath, type: wireType });
    return this.callAt("removeWatches", path, requests.removeWatches, body, {
      removesWatches: { path: serverPath, type: wireType },
    });
  }

  /**
   * The changes of a node, or of a whole subtree, as they come. The watch is registered at once, not
   * with the first step of the loop; leaving the loop removes it. Servers since 3.6.
   *
   * The stream ends when the client is closed and throws SESSION_EXPIRED when the session is lost.
   *
   * ```ts
   * for await (const event of client.watch("/config", { recursive: true })) {
   *   if (event.kind === "dataChanged") await reload(event.path);
   *   if (event.kind === "session" && event.state === "connected") await reloadAll(); // may have missed some
   * }
   * ```
   */
  watch(path: string, options: WatchOptions = {}): WatchStream {
    const mode = options.recursive === true ? "persistent-recursive" : "persistent";
    const host = {
      open: (listener: WatchListener) => this.openStream(path, mode, listener),
      close: (listener: WatchListener) => this.closeStream(path, mode, listener),
    };
    return new WatchStream(host, path, options.queueMax ?? QUEUE_MAX_DEFAULT);
  }

  /**
   * Ends the session: requests made before are answered, its ephemeral nodes are deleted at once. Never
   * rejects, and can be called again. Without a connection the servers end the session when it expires.
   */
  close(): Promise<void> {
    this.connection.close();
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The listener is registered before the request is sent, so that a reconnect in between carries the
   * watch to the next server; the request is then repeated, for a first answer.
   */
  private async openStream(path: string, mode: PersistentWatchMode, listener: WatchListener): Promise<void> {
    const serverPath = this.checkedPath("watch", path);
    const kind = mode === "persistent" ? "persistent" : "recursive";
    this.connection.machine.addWatch(kind, serverPath, listener);
    for (;;) {
      try {
        await this.submitAddWatch(path, mode);
        return;
      } catch (error) {
        if (hasCode(error, "CONNECTION_LOSS") && (await this.untilConnected())) continue;
        this.connection.machine.dropWatch(kind, serverPath, listener);
        throw error;
      }
    }
  }

  private async closeStream(path: string, mode: PersistentWatchMode, listener: WatchListener): Promise<void> {
    if (pathProblem(path) !== undefined) return;
    const { machine } = this.connection;
    const serverPath = this.toServer(path);
    const kind = mode === "persistent" ? "persistent" : "recursive";
    machine.dropWatch(kind, serverPath, listener);
    if (machine.hasWatch(kind, serverPath) || this.state !== "connected") return;
    try {
      await this.removeUnused(serverPath, WATCH_TYPES[mode]);
    } catch (error) {
      // Servers before 3.9 remove by path only: possible where nothing else of ours stands on it. Left
      // where it is, a watch sends events that find no listener here.
      if (!hasCode(error, "MARSHALLING_ERROR") || machine.hasAnyWatch(serverPath)) return;
      await this.removeUnused(serverPath, WATCH_TYPE.any).catch(() => undefined);
    }
  }

  private removeUnused(serverPath: string, type: number): Promise<void> {
    return this.call(requests.removeWatches, { path: serverPath, type });
  }

  private submitAddWatch(path: string, mode: PersistentWatchMode): Promise<void> {
    const wireMode = mode === "persistent" ? ADD_WATCH_MODE.persistent : ADD_WATCH_MODE.persistentRecursive;
    return this.callAt("addWatch", path, requests.addWatch, (serverPath) => ({ path: serverPath, mode: wireMode }));
  }

  /** True when the client is connected (again), false when it never will be. */
  private untilConnected(): Promise<boolean> {
    if (this.state === "connected") return Promise.resolve(true);
    if (isFinal(this.state)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const stop = this.onState((state) => {
        if (state !== "connected" && !isFinal(state)) return;
        stop();
        resolve(state === "connected");
      });
    });
  }

  private read<R>(
    operation: string,
    kind: "data" | "child",
    path: string,
    request: RequestKind<{ path: string; watch: boolean }, R>,
    options: ReadOptions,
  ): Promise<R> {
    const problem = pathProblem(path);
    if (problem !== undefined) return Promise.reject(badArguments(operation, String(path), problem));
    const serverPath = this.toServer(path);
    const listener = options.watch;
    const watch = listener === undefined ? undefined : { kind, path: serverPath, listener };
    return this.call(request, { path: serverPath, watch: watch !== undefined }, { path, watch });
  }

  private callAt<A, R>(
    operation: string,
    path: string,
    request: RequestKind<A, R>,
    body: (serverPath: string) => A,
    details: CallDetails = {},
  ): Promise<R> {
    const problem = pathProblem(path);
    if (problem !== undefined) return Promise.reject(badArguments(operation, String(path), problem));
    return this.call(request, body(this.toServer(path)), { path, ...details });
  }

  private call<A, R>(request: RequestKind<A, R>, args: A, details?: CallDetails): Promise<R> {
    const { connection } = this;
    return new Promise((resolve, reject) => {
      connection.submit(new ClientCall(request, args, connection.machine.chroot, resolve, reject, details));
    });
  }

  private toServer(path: string): string {
    return this.connection.machine.chroot.toServer(path);
  }

  private checkedPath(operation: string, path: string): string {
    const problem = pathProblem(path);
    if (problem !== undefined) throw badArguments(operation, String(path), problem);
    return this.toServer(path);
  }
}

function createCallProblem(path: string, data: NodeContent, options: CreateOptions): string | undefined {
  const problem = isSequential(options) ? sequentialPathProblem(path) : pathProblem(path);
  return problem ?? contentProblem(data) ?? createProblem(options);
}

function expectedVersion(options: VersionOptions, name = "version"): string | undefined {
  return options.version === undefined ? undefined : `${name} ${options.version} expected`;
}

function hasCode(error: unknown, code: ErrorName): boolean {
  return error instanceof ZkError && error.code === code;
}
