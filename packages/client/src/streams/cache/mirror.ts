import type { Client } from "../../client.js";
import { hasCode, ZkError } from "../../errors.js";
import { childPath, nodeName, parentPath } from "../../operations/paths.js";
import type { Stat } from "../../operations/stat.js";
import { retryPolicies } from "../../retry/retry-policy.js";
import { isFinal, type SessionState, type WatchEvent } from "../../session/index.js";
import type { CacheChange, CacheCounters, CachedNode, ChangeCause, Drift } from "./cached-node.js";
import { type Read, ReadLine } from "./read-line.js";

/** Which nodes of a subtree a mirror holds, and what of them. */
export interface MirrorShape {
  /** Depth of the first nodes that are shown; 0 is the root itself. */
  readonly depthMin: 0 | 1;
  readonly depthMax: number;
  /** Whether to read what the nodes hold, or their Stats alone. */
  readonly data: boolean;
}

export interface MirrorEvents {
  readonly onChange: (change: CacheChange) => void;
  readonly onDrift: (drift: Drift) => void;
}

interface Entry {
  node: CachedNode;
  /** Names, as of `listed`; undefined for a node whose children do not matter. */
  children: Set<string> | undefined;
  /** The Stat that came with the list of children. */
  listed: Stat | undefined;
}

const IN_FLIGHT_MAX = 256;
const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * A copy of a subtree, kept equal by one-shot watches: the one engine of all caches.
 *
 * Why one-shot watches and not one persistent one: only these are compared with the tree when they are
 * registered at the next server (M14). After a reconnect the servers themselves say which nodes changed
 * meanwhile, so that the reads are in proportion to the changes and not to the tree; what a persistent
 * watch missed is missed. The price is a watch for the data and one for the children of every node.
 *
 * Every event only says where to look again; what is believed is always what was read. A listing of
 * children says who came and went, and each of those who came is read by itself.
 *
 * Invariant: a node is held only while its parent's list has its name.
 */
export class Mirror {
  readonly root: string;
  /** Resolves when everything that was there is here; rejects where the root may not be read or the session ends first. */
  readonly ready: Promise<void>;
  private readonly client: Client;
  private readonly shape: MirrorShape;
  private readonly events: MirrorEvents;
  private readonly entries = new Map<string, Entry>();
  private readonly reads: ReadLine<ChangeCause>;
  /** Reads that ended with their session, to be repeated in the next. */
  private setAside: Read<ChangeCause>[] = [];
  private readonly stopListening: () => void;
  private settleReady!: { resolve(): void; reject(error: unknown): void };
  private idleWaiters: (() => void)[] = [];
  private shownCount = 0;
  private isClosed = false;
  readonly counters: { -readonly [K in keyof CacheCounters]: number } = {
    reads: 0,
    checks: 0,
    events: 0,
    changes: 0,
    reconciliations: 0,
    repaired: 0,
  };

  constructor(client: Client, root: string, shape: MirrorShape, events: MirrorEvents) {
    this.client = client;
    this.root = root;
    this.shape = shape;
    this.events = events;
    this.ready = new Promise((resolve, reject) => {
      this.settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined); // whoever never looks at it needs no word of it
    this.reads = new ReadLine(IN_FLIGHT_MAX, (read) => this.carryOut(read), this.onIdle);
    this.stopListening = client.onState(this.onState);
    this.reads.want({ aspect: "data", path: root, cause: "load" });
  }

  /** How many nodes are shown. */
  get size(): number {
    return this.shownCount;
  }

  get(path: string): CachedNode | undefined {
    return this.isShown(path) ? this.entries.get(path)?.node : undefined;
  }

  childrenOf(path: string): string[] {
    const names = this.entries.get(path)?.children ?? NO_NAMES;
    return [...names].filter((name) => this.entries.has(childPath(path, name)));
  }

  *nodes(): IterableIterator<CachedNode> {
    for (const { node } of this.entries.values()) if (this.isShown(node.path)) yield node;
  }

  /** What there is to check: all that is held, shown or not, and the root in any case. */
  paths(): string[] {
    return this.entries.has(this.root) ? [...this.entries.keys()] : [this.root];
  }

  /** Compares one node's Stat with the servers'; what differs is reported and read again (M16). */
  async check(path: string): Promise<void> {
    this.counters.checks++;
    const found = await this.client.exists(path, PATIENT);
    const entry = this.entries.get(path);
    // A change that is being read already was told by its watch; and one told before this answer is.
    if (this.isClosed || this.reads.isBusyWith(path)) return;
    if (entry === undefined) {
      if (found !== null && path === this.root) this.repair({ path, of: "existence", known: null, found }, "data");
      return;
    }
    const known = entry.node.stat;
    if (found === null || found.czxid > known.czxid) {
      this.repair({ path, of: "existence", known, found }, "data");
      return;
    }
    if (found.mzxid > known.mzxid) this.repair({ path, of: "data", known, found }, "data");
    const { listed } = entry;
    if (listed !== undefined && (found.pzxid > listed.pzxid || found.cversion !== listed.cversion)) {
      this.repair({ path, of: "children", known: listed, found }, "children");
    }
  }

  /** Resolves when nothing is on its way. */
  idle(): Promise<void> {
    if (this.reads.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** Ends it; what it holds stays as it is. */
  close(): void {
    if (this.isClosed) return;
    this.end(this.sessionEnd("CLOSING"));
    for (const path of this.entries.keys()) this.client.unwatch(path, this.onEvent);
    this.client.unwatch(this.root, this.onEvent);
  }

  private end(error: unknown): void {
    this.isClosed = true;
    this.stopListening();
    this.settleReady.reject(error);
    for (const tell of this.idleWaiters.splice(0)) tell();
  }

  /** One listener for all nodes, told once of a session's state however many watches there are. */
  private readonly onEvent = (event: WatchEvent): void => {
    if (this.isClosed || event.kind === "session") return;
    this.counters.events++;
    const { path } = event;
    if (event.kind === "childrenChanged") {
      this.want("children", path, "watch");
      return;
    }
    if (event.kind === "removed") this.want("children", path, "watch"); // by the application: registered again
    if (event.kind === "deleted") {
      this.reads.outdate(path);
      this.forget(path, "watch");
      if (path !== this.root) return; // should it come back, its parent's list will say so
    }
    this.want("data", path, "watch");
  };

  private readonly onState = (state: SessionState): void => {
    if (state === "connected" || state === "read-only") {
      for (const read of this.setAside.splice(0)) this.reads.want(read);
    } else if (isFinal(state)) {
      setImmediate(this.endWithClient);
    }
  };

  /** A client that renews a lost session is on its way to the next one a turn later. */
  private readonly endWithClient = (): void => {
    const { state } = this.client;
    if (!this.isClosed && isFinal(state)) this.end(this.sessionEnd(SESSION_ENDS[state]));
  };

  private sessionEnd(code: (typeof SESSION_ENDS)[FinalState]): ZkError {
    return new ZkError({ code, outcome: "not-applied", operation: "cache", path: this.root });
  }

  private readonly onIdle = (): void => {
    if (this.setAside.length > 0) return;
    this.settleReady.resolve();
    for (const tell of this.idleWaiters.splice(0)) tell();
  };

  private want(aspect: Read<ChangeCause>["aspect"], path: string, cause: ChangeCause): void {
    if (aspect === "data" ? this.belongs(path) : this.entries.get(path)?.children !== undefined) {
      this.reads.want({ aspect, path, cause });
    }
  }

  private repair(drift: Drift, aspect: Read<ChangeCause>["aspect"]): void {
    this.counters.repaired++;
    this.events.onDrift(drift);
    this.want(aspect, drift.path, "reconcile");
  }

  private async carryOut(read: Read<ChangeCause>): Promise<() => void> {
    if (this.isClosed) return NOTHING;
    const { aspect, path, cause } = read;
    this.counters.reads++;
    const siblings = this.siblingsOf(path);
    const gone = (): void => this.applyGone(path, siblings, cause);
    try {
      if (aspect === "data") {
        const node = await this.readNode(path);
        return node === undefined ? gone : () => this.applyNode(path, node, cause);
      }
      const { children, stat } = await this.client.getChildrenWithStat(path, { ...PATIENT, watch: this.onEvent });
      return () => this.applyChildren(path, children, stat, cause);
    } catch (error) {
      if (hasCode(error, "NO_NODE")) return gone;
      if (hasCode(error, "SESSION_EXPIRED", "CLOSING", "AUTH_FAILED")) {
        this.setAside.push(read);
        setImmediate(this.endWithClient);
      } else if (path === this.root) this.settleReady.reject(error);
      return NOTHING; // what may not be read is not there for this cache
    } finally {
      if (this.isClosed) this.client.unwatch(path, this.onEvent);
    }
  }

  private async readNode(path: string): Promise<CachedNode | undefined> {
    const options = { ...PATIENT, watch: this.onEvent };
    if (this.shape.data && this.isShown(path)) {
      try {
        return { path, ...(await this.client.getDataWithStat(path, options)) };
      } catch (error) {
        // No watch is left where there is no node; of the root it must be known when it comes.
        if (path !== this.root || !hasCode(error, "NO_NODE")) throw error;
      }
    }
    const stat = await this.client.exists(path, options);
    if (stat === null) return undefined;
    if (this.shape.data && this.isShown(path)) return await this.readNode(path); // it has come in between
    return { path, data: null, stat };
  }

  private applyNode(path: string, node: CachedNode, cause: ChangeCause): void {
    if (this.isClosed) return;
    if (!this.belongs(path)) {
      this.client.unwatch(path, this.onEvent);
      return;
    }
    const entry = this.entries.get(path);
    if (entry !== undefined && entry.node.stat.czxid === node.stat.czxid) {
      const old = entry.node;
      entry.node = node;
      if (old.stat.mzxid !== node.stat.mzxid) this.tell({ kind: "changed", path, old, new: node, cause });
      return;
    }
    this.removeEntry(path, cause); // deleted and created again
    const hasList = this.depthOf(path) < this.shape.depthMax && node.stat.ephemeralOwner === 0n;
    this.entries.set(path, { node, children: hasList ? new Set() : undefined, listed: undefined });
    if (this.isShown(path)) this.shownCount++;
    this.tell({ kind: "added", path, old: undefined, new: node, cause });
    if (hasList) this.want("children", path, cause);
  }

  /** A list that was taken up while the node was read may be newer than its end: it is back, then. */
  private applyGone(path: string, siblings: ReadonlySet<string> | undefined, cause: ChangeCause): void {
    if (this.siblingsOf(path) === siblings) this.forget(path, cause);
    else this.want("data", path, cause);
    if (!this.belongs(path)) this.client.unwatch(path, this.onEvent);
  }

  private applyChildren(path: string, names: readonly string[], stat: Stat, cause: ChangeCause): void {
    const entry = this.entries.get(path);
    if (this.isClosed || entry?.children === undefined) return;
    const before = entry.children;
    entry.children = new Set(names);
    entry.listed = stat;
    for (const name of before) if (!entry.children.has(name)) this.removeEntry(childPath(path, name), cause);
    for (const name of names) if (!before.has(name)) this.want("data", childPath(path, name), cause);
  }

  /** A node is known to be gone, before its parent's list says so. */
  private forget(path: string, cause: ChangeCause): void {
    if (this.isClosed) return;
    if (path !== this.root) this.siblingsOf(path)?.delete(nodeName(path));
    this.removeEntry(path, cause);
  }

  private removeEntry(path: string, cause: ChangeCause): void {
    const entry = this.entries.get(path);
    if (entry === undefined) return;
    for (const name of entry.children ?? NO_NAMES) this.removeEntry(childPath(path, name), cause);
    this.entries.delete(path);
    if (this.isShown(path)) this.shownCount--;
    this.tell({ kind: "removed", path, old: entry.node, new: undefined, cause });
  }

  private tell(change: CacheChange): void {
    if (!this.isShown(change.path)) return;
    this.counters.changes++;
    this.events.onChange(change);
  }

  private belongs(path: string): boolean {
    if (path === this.root) return true;
    return this.siblingsOf(path)?.has(nodeName(path)) === true;
  }

  private siblingsOf(path: string): Set<string> | undefined {
    return this.entries.get(parentPath(path))?.children;
  }

  private isShown(path: string): boolean {
    return this.shape.depthMin === 0 || path !== this.root;
  }

  private depthOf(path: string): number {
    if (path === this.root) return 0;
    const below = this.root === "/" ? path : path.slice(this.root.length);
    return below.split("/").length - 1;
  }
}

/**
 * A read waits for a connection as long as there is a session, and is repeated if its answer is lost. A deadline
 * that the client has for all its requests does not end it: a node that was not read would be missing.
 */
const PATIENT = {
  whenSuspended: "wait",
  retry: retryPolicies.untilDeadline,
  timeoutMs: Number.POSITIVE_INFINITY,
} as const;
const NOTHING = (): void => undefined;

type FinalState = keyof typeof SESSION_ENDS;
const SESSION_ENDS = { lost: "SESSION_EXPIRED", "auth-failed": "AUTH_FAILED", closed: "CLOSING" } as const;
