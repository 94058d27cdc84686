import type { Client } from "../../client.js";
import { badArguments } from "../../errors.js";
import { childPath } from "../../operations/paths.js";
import { pathProblem } from "../../session/index.js";
import type { CacheChange, CacheCounters, CachedNode, Drift } from "./cached-node.js";
import { Mirror, type MirrorShape } from "./mirror.js";
import { type ReconcileOptions, Reconciler, type Reconciliation } from "./reconciler.js";

/** What every cache takes. */
export interface CacheOptions {
  /** Told of every change, in order, the first filling included. */
  readonly onChange?: ((change: CacheChange) => unknown) | undefined;
  /** Told of everything that a reconciliation found and no watch had told. */
  readonly onDrift?: ((drift: Drift) => unknown) | undefined;
  /** Compares the cache with the servers at intervals. @default never, unless `reconcile` is called */
  readonly reconcile?: ReconcileOptions | undefined;
  /** Told when a listener throws or its promise rejects. @default a process warning */
  readonly onListenerError?: ((error: unknown) => unknown) | undefined;
}

/** What a `TreeCache` takes besides. */
export interface TreeCacheOptions extends CacheOptions {
  /** How far below the path to go; 0: only the node itself. @default without end */
  readonly depthMax?: number | undefined;
  /** Whether to hold the nodes' data, or their Stats alone. @default true */
  readonly data?: boolean | undefined;
}

/**
 * A local view of a part of the tree, which the caches have in common.
 *
 * It is filled once (`ready`) and then follows the changes. It shows each node as it was at one moment,
 * but different nodes may be shown as of different moments: it is behind, never wrong for good. While the
 * client is away it stays as it was; after a reconnect only what changed is read again. What no watch has
 * told, `reconcile` finds, at intervals if asked. It ends with its session (not where the client renews
 * lost sessions), and then stays as it was.
 */
abstract class Cache implements AsyncDisposable {
  readonly path: string;
  protected readonly mirror: Mirror;
  private readonly reconciler: Reconciler;
  private readonly listeners = new Set<(change: CacheChange) => unknown>();
  private readonly onListenerError: (error: unknown) => unknown;

  constructor(client: Client, path: string, shape: MirrorShape, options: CacheOptions) {
    const problem = pathProblem(path);
    if (problem !== undefined) throw badArguments("cache", String(path), problem);
    this.path = path;
    this.onListenerError = options.onListenerError ?? warnOfListenerError;
    const { onChange, onDrift } = options;
    if (onChange !== undefined) this.listeners.add(onChange);
    this.mirror = new Mirror(client, path, shape, {
      onChange: (change) => {
        for (const listener of this.listeners) this.call(() => listener(change));
      },
      onDrift: (drift) => this.call(() => onDrift?.(drift)),
    });
    this.reconciler = new Reconciler(
      this.mirror,
      () => client.sync(path, { whenSuspended: "wait" }),
      options.reconcile,
    );
  }

  /**
   * Resolves when everything that was there is here. Rejects where the path may not be read, and when the
   * cache is closed or its session ends before that.
   */
  get ready(): Promise<void> {
    return this.mirror.ready;
  }

  /** How many nodes it holds. */
  get size(): number {
    return this.mirror.size;
  }

  /** What it has done so far, as numbers that only grow. */
  get counters(): CacheCounters {
    return { ...this.mirror.counters };
  }

  /** Calls `listener` with every change from now on; returns a function that ends it. */
  onChange(listener: (change: CacheChange) => unknown): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /**
   * Compares everything with the servers now, within the budget of `readsPerSecondMax`, and resolves when
   * all differences are repaired.
   */
  reconcile(): Promise<Reconciliation> {
    return this.reconciler.reconcile();
  }

  /** Ends it. What it shows stays as it is; can be called again. */
  async close(): Promise<void> {
    this.reconciler.close();
    this.mirror.close();
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private call(tell: () => unknown): void {
    try {
      const returned = tell();
      if (returned instanceof Promise) returned.catch(this.onListenerError);
    } catch (error) {
      // Apart: a handler that throws in its turn is an unhandled rejection, and the cache goes on.
      Promise.reject(error).catch(this.onListenerError);
    }
  }
}

/** One node, whether it is there or not. */
export class NodeCache extends Cache {
  constructor(client: Client, path: string, options: CacheOptions = {}) {
    super(client, path, { depthMin: 0, depthMax: 0, data: true }, options);
  }

  /** The node as last seen, or undefined while there is none. */
  get node(): CachedNode | undefined {
    return this.mirror.get(this.path);
  }
}

/** The children of a node, with what they hold; not the node itself, which need not be there. */
export class ChildrenCache extends Cache {
  constructor(client: Client, path: string, options: CacheOptions = {}) {
    super(client, path, { depthMin: 1, depthMax: 1, data: true }, options);
  }

  /** A child as last seen, or undefined if there is none of this name. */
  get(name: string): CachedNode | undefined {
    return this.mirror.get(childPath(this.path, name));
  }

  /** Names, sorted. */
  get names(): string[] {
    return this.mirror.childrenOf(this.path).sort();
  }

  /** The children as last seen, in no order. */
  nodes(): IterableIterator<CachedNode> {
    return this.mirror.nodes();
  }
}

/**
 * A node and everything below it.
 *
 * ```ts
 * await using cache = new TreeCache(client, "/config", { reconcile: { everyMs: 600_000 } });
 * await cache.ready;
 * cache.onChange(({ kind, path }) => console.log(kind, path));
 * cache.get("/config/database")?.data;
 * ```
 */
export class TreeCache extends Cache {
  constructor(client: Client, path: string, options: TreeCacheOptions = {}) {
    const { depthMax = Number.POSITIVE_INFINITY, data = true } = options;
    super(client, path, { depthMin: 0, depthMax, data }, options);
  }

  /** A node as last seen, or undefined if there is none at this path. */
  get(path: string): CachedNode | undefined {
    return this.mirror.get(path);
  }

  /** The names of a node's children, sorted; none for a node that is not there. */
  children(path: string): string[] {
    return this.mirror.childrenOf(path).sort();
  }

  /** Every node comes before its children. */
  nodes(): IterableIterator<CachedNode> {
    return this.mirror.nodes();
  }
}

function warnOfListenerError(error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`a listener of a cache threw: ${reason}`, "ZkListenerWarning");
}
