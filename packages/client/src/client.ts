import { WATCH_TYPE } from "@watchkeeper/wire";
import { diagnosticsChannels } from "./diagnostics/channels.js";
import { badArguments, hasCode } from "./errors.js";
import { type AclEntry, toWireAcl } from "./operations/acl.js";
import { type CallOptions, NO_OPTIONS } from "./operations/call-options.js";
import type { CallDetails } from "./operations/client-call.js";
import { createWith } from "./operations/create.js";
import {
  type CreateOptions,
  contentBytes,
  contentProblem,
  createBody,
  createProblem,
  isSequential,
  type NodeContent,
} from "./operations/create-options.js";
import {
  type MultiOperation,
  type MultiReadOperation,
  type MultiReadResults,
  type MultiResult,
  type MultiResults,
  multiError,
  multiProblem,
  multiReadRequest,
  multiReadResults,
  multiRequest,
} from "./operations/multi.js";
import { type ReconfigOptions, reconfigBody, reconfigProblem } from "./operations/reconfig.js";
import type { Requester } from "./operations/requester.js";
import {
  type Identity,
  type NodeAcl,
  type NodeChildren,
  type NodeData,
  type RequestKind,
  requests,
} from "./operations/requests.js";
import type { Stat } from "./operations/stat.js";
import { Transaction } from "./operations/transaction.js";
import { type Change, type UpdateOptions, update } from "./operations/update.js";
import { whenAborted } from "./operations/when-aborted.js";
import { RestoredEphemerals } from "./retry/restored-ephemerals.js";
import {
  type ClientCounters,
  CONFIG_PATH,
  formatAddress,
  isLastEvent,
  type NodeEvent,
  parseConnectString,
  pathProblem,
  type SessionIdentity,
  type SessionState,
  sequentialPathProblem,
  type WatchEvent,
  type WatchListener,
} from "./session/index.js";
import { OneShot } from "./streams/one-shot.js";
import { PersistentWatch, type PersistentWatchMode } from "./streams/persistent-watch.js";
import { ReRegisteringWatch } from "./streams/re-registering-watch.js";
import { WatchStream } from "./streams/watch-stream.js";
import { type DeleteTreeOptions, deleteTree } from "./tree/delete-tree.js";
import { type WalkedNode, type WalkOptions, walkTree } from "./tree/walk-tree.js";

/** What a read takes. */
export interface ReadOptions extends CallOptions {
  /**
   * Registers a one-shot watch with the read itself, so that no change between them goes unnoticed.
   * Called once with the first change, and with every change of the session's state until then.
   */
  readonly watch?: WatchListener | undefined;
}

/** What a write takes that may depend on a version. */
export interface VersionOptions extends CallOptions {
  /** The version the node must have, as its Stat shows it. @default any */
  readonly version?: number | undefined;
}

/** What a stream of changes takes. */
export interface WatchOptions {
  /** Also everything below the path; children-changed events then do not come, since created and deleted do. @default false */
  readonly recursive?: boolean | undefined;
  /** How many events wait for a slow consumer before they are dropped and counted. @default 1000 */
  readonly queueMax?: number | undefined;
  /** Ends the stream, which then throws ABORTED. */
  readonly signal?: AbortSignal | undefined;
}

/** The kinds of watch, as `removeWatches` and `hasWatch` tell them apart. "any": whichever there are. */
export type WatchType = "children" | "data" | "any" | "persistent" | "persistent-recursive";

/** What was read, and the first change after it. */
export type Watched<T> = T & {
  /**
   * Resolves with the change. Rejects with NO_WATCHER when the watch was removed, with SESSION_EXPIRED,
   * AUTH_FAILED or CLOSING when the session ended, with ABORTED when it was given up. Nobody has to look at it.
   */
  readonly changed: Promise<NodeEvent>;
};

const ANY_VERSION = -1;
const QUEUE_MAX_DEFAULT = 1000;
const WATCH_TYPES: Readonly<Record<WatchType, number>> = {
  children: WATCH_TYPE.children,
  data: WATCH_TYPE.data,
  any: WATCH_TYPE.any,
  persistent: WATCH_TYPE.persistent,
  "persistent-recursive": WATCH_TYPE.persistentRecursive,
};

/** What a client is made of; not for applications. */
export interface ClientParts {
  readonly requester: Requester;
  /** Called by the listener half, before any watcher, with every event of the session. */
  readonly stateListeners: Set<(event: WatchEvent) => unknown>;
  readonly onBackgroundError: (error: unknown, path: string) => void;
}

/**
 * A session with a ZooKeeper ensemble; made by `connect`.
 *
 * Order: requests take effect, and are answered, in the order in which they are made, whether awaited
 * or not. A watch event is delivered before any later answer that could show the change.
 *
 * Disconnection: requests that were sent and not answered reject with CONNECTION_LOSS (`outcome` tells
 * whether a write may have happened); requests made meanwhile wait, until the client is connected
 * again or all servers were tried in vain (`whenSuspended` of the call or the client changes that).
 * Watches are registered again by themselves.
 *
 * Every method rejects with a `ZkError`; beside the codes named at each there are CONNECTION_LOSS,
 * REQUEST_TIMEOUT, ABORTED, SESSION_EXPIRED, AUTH_FAILED and CLOSING from the session, BAD_ARGUMENTS for
 * what no server would take. All take `CallOptions`: `signal`, `timeoutMs`, `whenSuspended`, `retry`.
 */
export class Client {
  private readonly requester: Requester;
  private readonly stateListeners: Set<(event: WatchEvent) => unknown>;
  private readonly closed: Promise<void>;
  private readonly ephemerals: RestoredEphemerals;
  /** A server has said that it knows no persistent watches; the next one is not asked again. */
  private hasNoPersistentWatches = false;

  /** Not for applications: `connect` resolves only when the session stands. */
  constructor({ requester, stateListeners, onBackgroundError }: ClientParts) {
    this.requester = requester;
    this.stateListeners = stateListeners;
    this.ephemerals = new RestoredEphemerals(this, onBackgroundError);
    this.closed = new Promise((resolve) => {
      stateListeners.add((event) => {
        if (event.kind !== "session") return;
        this.publishState(event.state);
        this.ephemerals.onSessionEvent(event);
        if (isLastEvent(event)) resolve();
      });
    });
  }

  /** Where the session stands now; `onState` tells of changes. */
  get state(): SessionState {
    return this.requester.half.session.state;
  }

  /** The id under which the servers know the session: what `ephemeralOwner` of its ephemeral nodes shows. */
  get sessionId(): bigint {
    return this.requester.half.session.identity.id;
  }

  /** Id and password: what another client needs to go on with this session. */
  get session(): SessionIdentity {
    return this.requester.half.session.identity;
  }

  /** The timeout the server granted, which may not be the one asked for. */
  get sessionTimeoutMs(): number {
    return this.requester.half.session.timeoutMs;
  }

  /**
   * Until when, on the clock of `performance.now()`, the session is certain to live if nothing more is
   * heard: whoever guards something by it must have stopped by then. Infinity before there is a session.
   */
  get sessionAliveUntilMs(): number {
    return this.requester.half.session.aliveUntilMs;
  }

  /** The server of the present connection as "host:port", or undefined while there is none. */
  get server(): string | undefined {
    const { server } = this.requester.half.session;
    return server === undefined ? undefined : formatAddress(server);
  }

  /** The zxid of the latest answer: reads from now on show the tree as of then, or later. */
  get lastZxid(): bigint {
    return this.requester.half.session.lastZxidSeen;
  }

  /** What the client has done so far, as numbers that only grow. */
  get counters(): ClientCounters {
    return { ...this.requester.half.session.counters };
  }

  /**
   * Calls `listener` with every state the session changes to from now on; returns a function that ends
   * it. See `SessionState` for what each state lets an application assume.
   */
  onState(listener: (state: SessionState) => unknown): () => void {
    const told = (event: WatchEvent): unknown => (event.kind === "session" ? listener(event.state) : undefined);
    return this.onSessionEvent(told);
  }

  /**
   * Creates a node and returns its path, which for sequential modes ends in the number the server gave.
   *
   * Fires the data watches of the path and the child watches of the parent. An ephemeral node belongs
   * to this session and is deleted when the session ends. After CONNECTION_LOSS the node may exist,
   * unless `protection` is on.
   *
   * @throws NO_NODE the parent is not there; NODE_EXISTS; NO_AUTH no CREATE on the parent; INVALID_ACL;
   * NO_CHILDREN_FOR_EPHEMERALS; QUOTA_EXCEEDED; UNIMPLEMENTED `ttlMs` on a server without TTL nodes
   *
   * ```ts
   * const path = await client.create("/jobs/j-", "payload", { mode: "ephemeral-sequential" });
   * ```
   */
  create(path: string, data: NodeContent = null, options: CreateOptions = NO_OPTIONS): Promise<string> {
    const problem = createCallProblem(path, data, options);
    if (problem !== undefined) return Promise.reject(badArguments("create", String(path), problem));
    if (options.parents || options.protection || options.restore) return this.createCarefully(path, data, options);
    return this.createOnce(path, data, options);
  }

  /** As `create`, and also returns the new node's Stat. Servers since 3.5. */
  createWithStat(
    path: string,
    data: NodeContent = null,
    options: CreateOptions = NO_OPTIONS,
  ): Promise<{ path: string; stat: Stat }> {
    const problem = createCallProblem(path, data, options);
    if (problem !== undefined) return Promise.reject(badArguments("create", String(path), problem));
    return createWith(
      this,
      path,
      options,
      (at, plain) => this.createWithStatOnce(at, data, plain),
      async (at, plain) => ({ path: at, stat: (await this.getDataWithStat(at, plain)).stat }),
    );
  }

  /**
   * Deletes a node without children. Fires the data and child watches of the path and the child watches
   * of the parent. After CONNECTION_LOSS the node may be gone.
   *
   * @throws NO_NODE; NOT_EMPTY; BAD_VERSION; NO_AUTH no DELETE on the parent
   */
  delete(path: string, options: VersionOptions = NO_OPTIONS): Promise<void> {
    // With a chroot, "/" is a node like any other to the server; that is never what was meant.
    if (path === "/") return Promise.reject(badArguments("delete", path, "the root cannot be deleted"));
    const version = options.version ?? ANY_VERSION;
    const body = (serverPath: string) => ({ path: serverPath, version });
    const details = { expected: expectedVersion(options) };
    const deleted = this.callAt("delete", path, requests.delete, body, options, details);
    return this.ephemerals.isEmpty ? deleted : deleted.then(() => this.ephemerals.onDeleted(path));
  }

  /**
   * Deletes a node and everything below it, in batches that are each carried out as a whole; returns how
   * many nodes were deleted, 0 if there was none.
   *
   * @throws NOT_EMPTY others kept creating nodes below; NO_AUTH
   */
  deleteRecursive(path: string, options: DeleteTreeOptions = NO_OPTIONS): Promise<number> {
    return deleteTree(this, path, options);
  }

  /**
   * The node's Stat, or null if there is no such node. A watch fires when the node is created, changed
   * or deleted.
   *
   * @throws NO_AUTH (servers since 3.8.4)
   */
  exists(path: string, options: ReadOptions = NO_OPTIONS): Promise<Stat | null> {
    return this.read("exists", "data", path, requests.exists, options);
  }

  /**
   * What the node holds. Read from the server this client is connected to, which may be behind the
   * others; `sync` first where that matters. A watch fires when the node is changed or deleted.
   *
   * @throws NO_NODE (no watch is left then: use `exists` for that); NO_AUTH
   */
  getData(path: string, options: ReadOptions = NO_OPTIONS): Promise<Buffer | null> {
    return this.read("getData", "data", path, requests.getDataOnly, options);
  }

  /** As `getData`, with the Stat of the same moment. */
  getDataWithStat(path: string, options: ReadOptions = NO_OPTIONS): Promise<NodeData> {
    return this.read("getData", "data", path, requests.getData, options);
  }

  /**
   * Replaces what the node holds and returns its new Stat. With a version, only if nobody changed it
   * since that was read. Fires the data watches. After CONNECTION_LOSS the data may have been replaced.
   *
   * @throws NO_NODE; BAD_VERSION; NO_AUTH; QUOTA_EXCEEDED
   *
   * ```ts
   * const { data, stat } = await client.getDataWithStat("/greeting");
   * await client.setData("/greeting", `${data}, world`, { version: stat.version });
   * ```
   */
  setData(path: string, data: NodeContent, options: VersionOptions = NO_OPTIONS): Promise<Stat> {
    const problem = pathProblem(path) ?? contentProblem(data);
    if (problem !== undefined) return Promise.reject(badArguments("setData", String(path), problem));
    const { version = ANY_VERSION } = options;
    const body = { path: this.toServer(path), data: contentBytes(data), version };
    const details = { path, expected: expectedVersion(options) };
    const written = this.requester.request(requests.setData, body, options, details);
    if (this.ephemerals.isEmpty) return written;
    return written.then((stat) => {
      this.ephemerals.onWritten(path, data);
      return stat;
    });
  }

  /**
   * Reads the node, lets `change` make its new contents, and writes them if nobody was quicker; else
   * begins again. Where `change` gives undefined, nothing is written. Returns the Stat of what stands
   * then. After CONNECTION_LOSS with outcome "unknown" the last write may have happened.
   *
   * @throws NO_NODE (unless `create` is given); NO_AUTH; BAD_VERSION after `attemptsMax` tries
   *
   * ```ts
   * await client.update("/counter", (data) => String(Number(data ?? 0) + 1), { create: {} });
   * ```
   */
  update(path: string, change: Change, options: UpdateOptions = NO_OPTIONS): Promise<Stat> {
    return update(this, path, change, options);
  }

  /**
   * The names of the node's children, in no order. A watch fires when a child is created or deleted, or
   * the node itself is deleted; not when a child's data changes.
   *
   * @throws NO_NODE; NO_AUTH
   */
  getChildren(path: string, options: ReadOptions = NO_OPTIONS): Promise<string[]> {
    return this.read("getChildren", "child", path, requests.getChildren, options);
  }

  /** As `getChildren`, with the node's Stat of the same moment. */
  getChildrenWithStat(path: string, options: ReadOptions = NO_OPTIONS): Promise<NodeChildren> {
    return this.read("getChildren", "child", path, requests.getChildren2, options);
  }

  /**
   * As `exists`, `getDataWithStat` and `getChildrenWithStat`, each with the one-shot watch as a promise:
   * `changed` resolves with the first change after the read. It rejects when that can no longer come.
   *
   * ```ts
   * for (;;) {
   *   const { data, changed } = await client.watchData("/config");
   *   apply(data);
   *   await changed; // changes until the next read are not told one by one
   * }
   * ```
   */
  async watchExists(path: string, options: CallOptions = NO_OPTIONS): Promise<Watched<{ stat: Stat | null }>> {
    return await this.watched(path, options, "data", async (read) => ({ stat: await this.exists(path, read) }));
  }

  /** See `watchExists`. */
  async watchData(path: string, options: CallOptions = NO_OPTIONS): Promise<Watched<NodeData>> {
    return await this.watched(path, options, "data", (read) => this.getDataWithStat(path, read));
  }

  /** See `watchExists`. */
  async watchChildren(path: string, options: CallOptions = NO_OPTIONS): Promise<Watched<NodeChildren>> {
    return await this.watched(path, options, "child", (read) => this.getChildrenWithStat(path, read));
  }

  /**
   * Walks a subtree: every node comes before its children. It is no snapshot of one moment.
   *
   * ```ts
   * for await (const { path, stat } of client.walk("/jobs")) console.log(path, stat.dataLength);
   * ```
   */
  walk(path: string, options: WalkOptions = NO_OPTIONS): AsyncGenerator<WalkedNode> {
    return walkTree(this, path, options);
  }

  /**
   * The access control list, with the node's Stat. Hashes of digest entries are hidden from whoever
   * lacks ADMIN.
   *
   * @throws NO_NODE; NO_AUTH neither READ nor ADMIN
   */
  getAcl(path: string, options: CallOptions = NO_OPTIONS): Promise<NodeAcl> {
    return this.callAt("getAcl", path, requests.getAcl, (serverPath) => ({ path: serverPath }), options);
  }

  /**
   * Replaces the access control list and returns the new Stat. `version` is the ACL's own (`aversion`).
   * Fires no watch.
   *
   * @throws NO_NODE; BAD_VERSION; NO_AUTH no ADMIN; INVALID_ACL
   */
  setAcl(path: string, acl: readonly AclEntry[], options: VersionOptions = NO_OPTIONS): Promise<Stat> {
    if (acl.length === 0) {
      return Promise.reject(badArguments("setAcl", path, "an access control list needs at least one entry"));
    }
    const version = options.version ?? ANY_VERSION;
    const body = (serverPath: string) => ({ path: serverPath, acl: toWireAcl(acl), version });
    const details = { expected: expectedVersion(options, "ACL version") };
    return this.callAt("setAcl", path, requests.setAcl, body, options, details);
  }

  /**
   * Brings the server up to date: reads made after this one see every write that was answered to
   * anybody before it was sent.
   */
  sync(path = "/", options: CallOptions = NO_OPTIONS): Promise<void> {
    return this.callAt("sync", path, requests.sync, (serverPath) => ({ path: serverPath }), options);
  }

  /**
   * Does all of it or none, with one zxid. Rejects with the error of the first step that fails. The
   * results have the types of their steps, where these are written out in the call.
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
  async multi<const S extends readonly MultiOperation[]>(
    steps: S,
    options: CallOptions = NO_OPTIONS,
  ): Promise<MultiResults<S>> {
    const problem = multiProblem(steps);
    if (problem !== undefined) throw problem;
    if (steps.length === 0) return [] as unknown as MultiResults<S>;
    const { chroot } = this.requester.half;
    const results = await this.requester.request(multiRequest, { steps, chroot }, options);
    const error = multiError(steps, results);
    if (error !== undefined) throw error;
    for (const step of this.ephemerals.isEmpty ? [] : steps) {
      if (step.op === "delete") this.ephemerals.onDeleted(step.path);
      else if (step.op === "setData") this.ephemerals.onWritten(step.path, step.data);
    }
    return results as MultiResult[] as unknown as MultiResults<S>;
  }

  /** A `multi` to be put together step by step; nothing is sent before its `commit`. */
  transaction(): Transaction {
    return new Transaction((steps, options) => this.multi(steps, options) as Promise<MultiResult[]>);
  }

  /** Reads several nodes with one request. A step that fails gives an `error` result and harms no other. Servers since 3.6. */
  async multiRead<const S extends readonly MultiReadOperation[]>(
    steps: S,
    options: CallOptions = NO_OPTIONS,
  ): Promise<MultiReadResults<S>> {
    for (const [index, step] of steps.entries()) {
      const problem = pathProblem(step.path);
      if (problem !== undefined) throw badArguments("multiRead", String(step.path), `operation ${index}: ${problem}`);
    }
    if (steps.length === 0) return [] as unknown as MultiReadResults<S>;
    const { chroot } = this.requester.half;
    const results = await this.requester.request(multiReadRequest, { steps, chroot }, options);
    return multiReadResults(steps, results) as unknown as MultiReadResults<S>;
  }

  /** The paths of this session's ephemeral nodes that begin with `prefix`. Servers since 3.6. */
  getEphemerals(prefix = "/", options: CallOptions = NO_OPTIONS): Promise<string[]> {
    const body = (serverPath: string) => ({ prefixPath: serverPath });
    return this.callAt("getEphemerals", prefix, requests.getEphemerals, body, options);
  }

  /** How many nodes there are below the path, at any depth. Servers since 3.6. @throws NO_NODE; NO_AUTH */
  getAllChildrenNumber(path: string, options: CallOptions = NO_OPTIONS): Promise<number> {
    const body = (serverPath: string) => ({ path: serverPath });
    return this.callAt("getAllChildrenNumber", path, requests.getAllChildrenNumber, body, options);
  }

  /** Whom the server takes this connection for: its address, and whatever `addAuth` proved. Servers since 3.7. */
  whoAmI(options: CallOptions = NO_OPTIONS): Promise<Identity[]> {
    return this.requester.request(requests.whoAmI, undefined, options);
  }

  /**
   * The ensemble's members and their roles, as the text of its dynamic configuration, which is a node
   * outside of any chroot. A watch fires when it has changed.
   */
  getConfig(options: ReadOptions = NO_OPTIONS): Promise<NodeData> {
    const { watch: listener } = options;
    const watch = listener && ({ kind: "data", path: CONFIG_PATH, listener } as const);
    const body = { path: CONFIG_PATH, watch: watch !== undefined };
    return this.requester.request(requests.getData, body, options, { path: CONFIG_PATH, watch });
  }

  /**
   * Changes the ensemble's members, either by joining and leaving ones or as a whole; returns the new
   * configuration. It needs permission to write `/zookeeper/config`. After CONNECTION_LOSS it may have
   * been changed.
   *
   * @throws RECONFIG_DISABLED; RECONFIG_IN_PROGRESS; NEW_CONFIG_NO_QUORUM; BAD_VERSION; NO_AUTH;
   * UNIMPLEMENTED a standalone server
   */
  reconfig(options: ReconfigOptions): Promise<NodeData> {
    const problem = reconfigProblem(options);
    if (problem !== undefined) return Promise.reject(badArguments("reconfig", CONFIG_PATH, problem));
    return this.requester.request(requests.reconfig, reconfigBody(options), options, { path: CONFIG_PATH });
  }

  /**
   * Authenticates: for scheme "digest" the credential is `user:password`. Requests made afterwards have
   * it; it is sent again on every later connection, even if given up. A refusal ends the client ("auth-failed").
   *
   * @throws AUTH_FAILED
   */
  addAuth(scheme: string, credential: Uint8Array | string, options: CallOptions = NO_OPTIONS): Promise<void> {
    const auth = contentBytes(credential) ?? new Uint8Array(0);
    return this.requester.credential(requests.auth, scheme, auth, options);
  }

  /**
   * Registers a watch that stays until it is removed, on a path that need not exist. Servers since 3.6.
   * What happens while the client is away does not reach it.
   */
  async addWatch(
    path: string,
    mode: PersistentWatchMode,
    listener: WatchListener,
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    await new PersistentWatch(this.requester, path, mode, listener, "addWatch").add(options);
  }

  /**
   * Removes watches of this client from one path, all listeners of the given type; each is told by a
   * "removed" event. The persistent types need a server since 3.9; "any" works with all.
   *
   * @throws NO_WATCHER
   */
  removeWatches(path: string, type: WatchType, options: CallOptions = NO_OPTIONS): Promise<void> {
    const wireType = WATCH_TYPES[type];
    const serverPath = pathProblem(path) === undefined ? this.toServer(path) : path;
    const body = () => ({ path: serverPath, type: wireType });
    return this.callAt("removeWatches", path, requests.removeWatches, body, options, {
      removesWatches: { path: serverPath, type: wireType },
    });
  }

  /**
   * Whether the server has a watch of this type on the path for this client. (Servers before 3.9 say yes
   * also for other clients' watches; the persistent types need 3.9.)
   */
  async hasWatch(path: string, type: WatchType, options: CallOptions = NO_OPTIONS): Promise<boolean> {
    const body = (serverPath: string) => ({ path: serverPath, type: WATCH_TYPES[type] });
    try {
      await this.callAt("checkWatches", path, requests.checkWatches, body, options);
      return true;
    } catch (error) {
      if (hasCode(error, "NO_WATCHER")) return false;
      throw error;
    }
  }

  /**
   * Takes one listener's one-shot watches away from a path, here and at once. The server is not told: it
   * still sends their event, which nobody hears then.
   */
  unwatch(path: string, listener: WatchListener): void {
    const serverPath = this.toServer(path);
    for (const kind of ["data", "exist", "child"] as const) this.requester.half.dropWatch(kind, serverPath, listener);
  }

  /**
   * The changes of a node, or of a whole subtree, as they come. The watch is registered at once, not
   * with the first step of the loop; leaving the loop removes it. On servers before 3.6, which have no
   * such watches, one-shot watches are registered again and again, and on servers before 3.9 so for the
   * second of two streams of one path that differ in `recursive`; of several changes in quick succession
   * only the last is told then.
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
    const { recursive = false, queueMax = QUEUE_MAX_DEFAULT, signal } = options;
    let isClosed = false;
    let stop = (): Promise<void> | void => undefined;
    const host = {
      open: async (listener: WatchListener): Promise<void> => {
        const mode = recursive ? "persistent-recursive" : "persistent";
        const watch = new PersistentWatch(this.requester, path, mode, listener, "watch");
        stop = () => watch.remove();
        // Nothing is awaited where no other mode is there: the table has the watch when `watch` returns.
        const isTaken = this.hasOtherMode(path, mode) && (await this.keepsOneMode(path, mode));
        if (isClosed) return;
        if (!this.hasNoPersistentWatches && !isTaken) {
          try {
            await watch.addThroughReconnects({ signal });
            return;
          } catch (error) {
            if (!hasCode(error, "UNIMPLEMENTED")) throw error;
            this.hasNoPersistentWatches = true;
            if (isClosed) return;
          }
        }
        const fallback = new ReRegisteringWatch(this, path, recursive, listener);
        const unsubscribe = this.onSessionEvent((event) => {
          listener(event);
          fallback.onSessionEvent(event);
        });
        stop = () => {
          fallback.close();
          unsubscribe();
        };
        await fallback.open();
      },
      close: async (): Promise<void> => {
        isClosed = true;
        return stop();
      },
    };
    return new WatchStream(host, path, queueMax, signal);
  }

  /**
   * Puts another list of servers in the place of the connect string's ("host:port,host:port", without a
   * chroot). The client stays where it is, or moves, so that all clients of a changed ensemble come to be
   * spread over it evenly.
   *
   * @throws BAD_ARGUMENTS
   */
  updateServers(servers: string): void {
    const { half } = this.requester;
    half.updateServers(parseServers(servers));
  }

  /**
   * Ends the session: requests made before are answered, its ephemeral nodes are deleted at once. Never
   * rejects, and can be called again. Without a connection the servers end the session when it expires.
   */
  close(): Promise<void> {
    this.requester.half.close();
    return this.closed;
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private onSessionEvent(listener: (event: WatchEvent) => unknown): () => void {
    this.stateListeners.add(listener);
    return () => {
      this.stateListeners.delete(listener);
    };
  }

  private publishState(state: SessionState): void {
    const { state: channel } = diagnosticsChannels;
    if (!channel.hasSubscribers) return;
    const problem = this.requester.half.session.lastProblem;
    channel.publish({ state, sessionId: this.sessionId, server: this.server, problem });
  }

  private createOnce(path: string, data: NodeContent, options: CreateOptions): Promise<string> {
    if (options.ttlMs === undefined && options.mode !== "container") {
      const body = { path: this.toServer(path), ...createBody(data, options) };
      return this.requester.request(requests.create, body, options, { path });
    }
    return this.createWithStatOnce(path, data, options).then((created) => created.path);
  }

  private createWithStatOnce(path: string, data: NodeContent, options: CreateOptions) {
    const body = { path: this.toServer(path), ...createBody(data, options) };
    if (options.ttlMs !== undefined) return this.requester.request(requests.createTTL, body, options, { path });
    const request = options.mode === "container" ? requests.createContainer : requests.create2;
    return this.requester.request(request, body, options, { path });
  }

  private hasOtherMode(path: string, mode: PersistentWatchMode): boolean {
    return this.requester.half.watches.has(mode === "persistent" ? "recursive" : "persistent", this.toServer(path));
  }

  /**
   * Servers before 3.9 keep one mode for a path and a client: a second one would end the stream that has
   * the first. They can be told by not knowing how to check for a mode.
   */
  private async keepsOneMode(path: string, mode: PersistentWatchMode): Promise<boolean> {
    try {
      await this.hasWatch(path, mode, { whenSuspended: "wait" });
      return false;
    } catch (error) {
      return hasCode(error, "MARSHALLING_ERROR", "UNIMPLEMENTED");
    }
  }

  private async createCarefully(path: string, data: NodeContent, options: CreateOptions): Promise<string> {
    const created = await createWith(
      this,
      path,
      options,
      (at, plain) => this.createOnce(at, data, plain),
      async (at) => at,
    );
    if (options.restore === true) this.ephemerals.onCreated(created, data, options);
    return created;
  }

  private async watched<T>(
    path: string,
    options: CallOptions,
    kind: "data" | "child",
    read: (options: ReadOptions) => Promise<T>,
  ): Promise<Watched<T>> {
    const shot = new OneShot(String(path));
    const result = await read({ ...options, watch: shot.listener });
    const { signal } = options;
    if (signal === undefined) return { ...result, changed: shot.changed };
    const unheed = whenAborted(signal, () => {
      const { half } = this.requester;
      const serverPath = this.toServer(path);
      half.dropWatch(kind, serverPath, shot.listener);
      if (kind === "data") half.dropWatch("exist", serverPath, shot.listener);
      shot.fail("ABORTED", signal.reason);
    });
    shot.changed.then(unheed, unheed);
    return { ...result, changed: shot.changed };
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
    return this.requester.request(request, { path: serverPath, watch: watch !== undefined }, options, { path, watch });
  }

  private callAt<A, R>(
    operation: string,
    path: string,
    request: RequestKind<A, R>,
    body: (serverPath: string) => A,
    options: CallOptions,
    details?: CallDetails,
  ): Promise<R> {
    const problem = pathProblem(path);
    if (problem !== undefined) return Promise.reject(badArguments(operation, String(path), problem));
    return this.requester.request(request, body(this.toServer(path)), options, { path, ...details });
  }

  private toServer(path: string): string {
    return this.requester.half.chroot.toServer(path);
  }
}

function createCallProblem(path: string, data: NodeContent, options: CreateOptions): string | undefined {
  const problem = isSequential(options) ? sequentialPathProblem(path) : pathProblem(path);
  return problem ?? contentProblem(data) ?? createProblem(options);
}

function expectedVersion(options: VersionOptions, name = "version"): string | undefined {
  return options.version === undefined ? undefined : `${name} ${options.version} expected`;
}

function parseServers(text: string) {
  try {
    const { servers, chroot } = parseConnectString(text);
    if (chroot !== "") throw new RangeError("a list of servers without a path expected");
    return servers;
  } catch (error) {
    if (error instanceof RangeError) throw badArguments("updateServers", text, error.message);
    throw error;
  }
}
