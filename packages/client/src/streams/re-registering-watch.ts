import { hasCode, ZkError } from "../errors.js";
import type { CallOptions } from "../operations/call-options.js";
import { childPath } from "../operations/paths.js";
import type { NodeChildren } from "../operations/requests.js";
import type { Stat } from "../operations/stat.js";
import { isServed, type NodeEvent, type WatchEvent, type WatchListener } from "../session/index.js";

/** What is needed of a client: the reads that register one-shot watches. */
export interface WatchedReads {
  exists(path: string, options: CallOptions & { watch: WatchListener }): Promise<Stat | null>;
  getChildrenWithStat(path: string, options: CallOptions & { watch: WatchListener }): Promise<NodeChildren>;
  unwatch(path: string, listener: WatchListener): void;
}

interface KnownNode {
  stat: Stat;
  children: ReadonlySet<string>;
}

/**
 * A persistent watch for servers that have none (before 3.6), made of one-shot watches that are
 * registered again after each event. The gap between an event and the new registration (M6) is closed by
 * comparing what is read with what was known: its zxids tell that there was a change, though of several
 * changes in the gap only the last is seen. A recursive one watches every node of the subtree.
 */
export class ReRegisteringWatch {
  private readonly reads: WatchedReads;
  private readonly root: string;
  private readonly recursive: boolean;
  private readonly tell: (event: NodeEvent) => void;
  private readonly known = new Map<string, KnownNode>();
  /** Nodes being looked at; true: there was an event meanwhile, so once more. */
  private readonly looking = new Map<string, boolean>();
  /** Looks that ended with their session, and whether they tell: for the next one, if there is one. */
  private readonly setAside = new Map<string, boolean>();
  private closed = false;

  constructor(reads: WatchedReads, root: string, recursive: boolean, tell: (event: NodeEvent) => void) {
    this.reads = reads;
    this.root = root;
    this.recursive = recursive;
    this.tell = tell;
  }

  /** Resolves when everything is watched; what is there already is not told. */
  open(): Promise<void> {
    return this.look(this.root, false);
  }

  close(): void {
    this.closed = true;
    for (const path of [this.root, ...this.known.keys()]) this.reads.unwatch(path, this.listener);
  }

  /**
   * To be told of the session's changes of state: where the client renews a lost session, what was to be
   * looked at is looked at in the next one, since its watch was used up.
   */
  readonly onSessionEvent = (event: WatchEvent): void => {
    if (event.kind !== "session" || !isServed(event.state)) return;
    const paths = [...this.setAside];
    this.setAside.clear();
    for (const [path, tells] of paths) void this.look(path, tells);
  };

  /** One for all nodes, so that registering again before an event adds nothing. */
  private readonly listener: WatchListener = (event) => {
    if (event.kind !== "session") void this.look(event.path, true);
  };

  private async look(path: string, tells: boolean): Promise<void> {
    if (this.looking.has(path)) {
      this.looking.set(path, true);
      return;
    }
    do {
      this.looking.set(path, false);
      await this.lookOnce(path, tells);
    } while (!this.closed && this.looking.get(path) === true);
    this.looking.delete(path);
  }

  private async lookOnce(path: string, tells: boolean): Promise<void> {
    while (!this.closed) {
      try {
        const found = await this.read(path);
        if (this.closed) break;
        if (found === undefined) this.forget(path, tells);
        else await this.compare(path, found, tells);
        return;
      } catch (error) {
        if (!(error instanceof ZkError)) throw error;
        if (error.retryable) continue; // a change must not be missed for a connection that was lost
        if (path === this.root && !tells) throw error; // opening: the caller is told
        if (hasCode(error, "SESSION_EXPIRED")) this.setAside.set(path, tells);
        return; // not permitted, or the session has ended, of which the stream tells
      }
    }
    this.reads.unwatch(path, this.listener); // which its reads have left
  }

  private async read(path: string): Promise<KnownNode | undefined> {
    // Without the deadline that the client may have for all its requests: a change would be missed for it.
    const timeoutMs = Number.POSITIVE_INFINITY;
    const options = { watch: this.listener, whenSuspended: "wait", timeoutMs } as const;
    // The children first: where the node is gone, that leaves no watch behind. Only of the root it is
    // wanted, to see it come back; below, the parent's child watch sees that.
    let children: readonly string[] = [];
    try {
      ({ children } = await this.reads.getChildrenWithStat(path, options));
    } catch (error) {
      if (!(error instanceof ZkError) || error.code !== "NO_NODE") throw error;
      if (path !== this.root) return undefined;
    }
    const stat = await this.reads.exists(path, options);
    return stat === null ? undefined : { stat, children: new Set(children) };
  }

  private async compare(path: string, found: KnownNode, tells: boolean): Promise<void> {
    let before = this.known.get(path);
    if (before !== undefined && before.stat.czxid !== found.stat.czxid) {
      this.forget(path, tells);
      before = undefined;
    }
    this.known.set(path, found);
    if (tells) this.tellChanges(path, before?.stat, found.stat);
    if (!this.recursive) return;
    for (const name of before?.children ?? []) {
      if (!found.children.has(name)) this.forget(childPath(path, name), tells);
    }
    // Also one of the list before: it may have gone and come since its last look.
    const below = [...found.children].map((name) => childPath(path, name));
    await Promise.all(below.filter((one) => !this.known.has(one)).map((one) => this.look(one, tells)));
  }

  private tellChanges(path: string, before: Stat | undefined, { czxid, mzxid, pzxid }: Stat): void {
    if (before === undefined) {
      this.tell({ kind: "created", path, zxid: czxid });
      return;
    }
    if (before.mzxid !== mzxid) this.tell({ kind: "dataChanged", path, zxid: mzxid });
    if (!this.recursive && before.pzxid !== pzxid) this.tell({ kind: "childrenChanged", path, zxid: pzxid });
  }

  /** The node is gone, and all below it before it. */
  private forget(path: string, tells: boolean): void {
    const known = this.known.get(path);
    if (known === undefined) return;
    this.known.delete(path);
    for (const name of known.children) this.forget(childPath(path, name), tells);
    if (tells) this.tell({ kind: "deleted", path, zxid: undefined });
  }
}
