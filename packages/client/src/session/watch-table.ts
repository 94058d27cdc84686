import { WATCH_TYPE } from "@watchkeeper/wire";
import type { NodeEvent, WatchListener } from "./watch-event.js";

/**
 * Who in this application watches what. The server keeps two tables, this one has five kinds: what a
 * watch is good for after a reconnect ("exist": the node was not there) only the client knows.
 *
 * | kind | set by | fires for | one-shot |
 * | --- | --- | --- | --- |
 * | data | getData, exists of a node that is there | changed, deleted (created) | yes |
 * | exist | exists of a node that is not there | created | yes |
 * | child | getChildren | children changed, deleted | yes |
 * | persistent | addWatch | all four, of exactly the path | no |
 * | recursive | addWatch, recursive | created, deleted, changed, of the path and all below | no |
 */
export type WatchKind = "data" | "exist" | "child" | "persistent" | "recursive";

export const WATCH_KINDS = ["data", "exist", "child", "persistent", "recursive"] as const satisfies WatchKind[];

/** In the place of a type: what the server is to forget was dropped from the table before. */
export const DROPPED = 0;

type PathTable = Map<string, Set<WatchListener>>;

/** What a kind has before its first watch; never added to. Most of ten thousand idle clients watch little. */
const NO_PATHS: PathTable = new Map();

export class WatchTable {
  private readonly tables: Record<WatchKind, PathTable> = {
    data: NO_PATHS,
    exist: NO_PATHS,
    child: NO_PATHS,
    persistent: NO_PATHS,
    recursive: NO_PATHS,
  };

  add(kind: WatchKind, path: string, listener: WatchListener): void {
    if (this.tables[kind] === NO_PATHS) this.tables[kind] = new Map();
    const table = this.tables[kind];
    const listeners = table.get(path);
    if (listeners === undefined) table.set(path, new Set([listener]));
    else listeners.add(listener);
  }

  /** Takes one listener away without telling the server. */
  drop(kind: WatchKind, path: string, listener: WatchListener): void {
    const listeners = this.tables[kind].get(path);
    if (listeners?.delete(listener) && listeners.size === 0) this.tables[kind].delete(path);
  }

  has(kind: WatchKind, path: string): boolean {
    return this.tables[kind].has(path);
  }

  /** Whether any watch of the given type (as removeWatches names it) stands on the path. */
  hasOfType(path: string, type: number): boolean {
    return kindsOfType(type).some((kind) => this.tables[kind].has(path));
  }

  /** Whether a persistent watch on the very path brings all events that a one-shot watch would wait for. */
  isCovered(kind: "data" | "child" | "persistent" | "recursive", path: string): boolean {
    if (kind !== "data" && kind !== "child") return false;
    return this.tables.persistent.has(path) || (kind === "data" && this.tables.recursive.has(path));
  }

  paths(kind: WatchKind): Iterable<string> {
    return this.tables[kind].keys();
  }

  /**
   * The listeners of an event, each once however it is registered; one-shot registrations are used up.
   * An event that nobody here waits for is nothing unusual: the server may still have a watch that the
   * client has dropped.
   */
  take(kind: NodeEvent["kind"], path: string): Set<WatchListener> {
    const listeners = new Set<WatchListener>();
    if (kind !== "childrenChanged") {
      this.consume("data", path, listeners);
      this.consume("exist", path, listeners);
      this.collectRecursive(path, listeners);
    }
    if (kind === "childrenChanged" || kind === "deleted") this.consume("child", path, listeners);
    collect(this.tables.persistent.get(path), listeners);
    return listeners;
  }

  /** Drops what a removeWatches request of the given type removed at the server; returns whom it concerns. */
  remove(path: string, type: number): Set<WatchListener> {
    const listeners = new Set<WatchListener>();
    for (const kind of kindsOfType(type)) this.consume(kind, path, listeners);
    return listeners;
  }

  all(): Set<WatchListener> {
    const listeners = new Set<WatchListener>();
    for (const kind of WATCH_KINDS) for (const some of this.tables[kind].values()) collect(some, listeners);
    return listeners;
  }

  clear(): void {
    for (const kind of WATCH_KINDS) this.tables[kind].clear();
  }

  private consume(kind: WatchKind, path: string, into: Set<WatchListener>): void {
    const listeners = this.tables[kind].get(path);
    if (listeners === undefined) return;
    collect(listeners, into);
    this.tables[kind].delete(path);
  }

  private collectRecursive(path: string, into: Set<WatchListener>): void {
    const table = this.tables.recursive;
    if (table.size === 0) return;
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      collect(table.get(path.slice(0, end)), into);
    }
    collect(table.get("/"), into);
  }
}

function collect(listeners: Set<WatchListener> | undefined, into: Set<WatchListener>): void {
  if (listeners !== undefined) for (const listener of listeners) into.add(listener);
}

function kindsOfType(type: number): readonly WatchKind[] {
  switch (type) {
    case WATCH_TYPE.children:
      return ["child"];
    case WATCH_TYPE.data:
      return ["data", "exist"];
    case WATCH_TYPE.persistent:
      return ["persistent"];
    case WATCH_TYPE.persistentRecursive:
      return ["recursive"];
    case DROPPED:
      return [];
    default:
      return WATCH_KINDS;
  }
}
