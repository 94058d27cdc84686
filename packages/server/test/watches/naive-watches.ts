import { EVENT_TYPE, WATCH_TYPE } from "@watchkeeper/wire";

export type WatchKind = "data" | "children" | "persistent" | "recursive";

/** Watches as one would write them down: a set of "watcher, path, kind", looked through for every event. */
export class NaiveWatches {
  private watches: { watcher: number; path: string; kind: WatchKind }[] = [];

  add(watcher: number, path: string, kind: WatchKind): void {
    const known = this.watches.some((one) => one.watcher === watcher && one.path === path && one.kind === kind);
    if (!known) this.watches.push({ watcher, path, kind });
  }

  remove(watcher: number, path: string, type: number): boolean {
    const kinds = KINDS_OF_TYPE[type]!;
    const left = this.watches.filter(
      (one) => !(one.watcher === watcher && one.path === path && kinds.includes(one.kind)),
    );
    const found = left.length < this.watches.length;
    this.watches = left;
    return found;
  }

  leave(watcher: number): void {
    this.watches = this.watches.filter((one) => one.watcher !== watcher);
  }

  /** The table of triggers in server-semantics 11.2. */
  change(kind: "created" | "deleted" | "changed", path: string): string[] {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    if (kind === "changed") return this.trigger(EVENT_TYPE.nodeDataChanged, path, "data", 1);
    if (kind === "created") {
      return [
        ...this.trigger(EVENT_TYPE.nodeCreated, path, "data", 1),
        ...this.trigger(EVENT_TYPE.nodeChildrenChanged, parent, "children", 2),
      ];
    }
    const byData = this.trigger(EVENT_TYPE.nodeDeleted, path, "data", 1);
    const byChildren = this.trigger(EVENT_TYPE.nodeDeleted, path, "children", 1);
    return [
      ...byData,
      ...byChildren.filter((one) => !byData.includes(one)),
      ...this.trigger(EVENT_TYPE.nodeChildrenChanged, parent, "children", 2),
    ];
  }

  private trigger(type: number, path: string, table: "data" | "children", acl: number): string[] {
    const woken = new Set<number>();
    for (const one of this.watches) {
      if (one.path === path && (one.kind === table || one.kind === "persistent")) woken.add(one.watcher);
      if (table === "data" && one.kind === "recursive" && isAtOrBelow(path, one.path)) woken.add(one.watcher);
    }
    this.watches = this.watches.filter((one) => !(one.path === path && one.kind === table));
    return [...woken].map((watcher) => `${watcher}: ${type} ${path} acl ${acl}`);
  }

  get watchCount(): number {
    return new Set(this.watches.map(({ watcher, path }) => `${watcher} ${path}`)).size;
  }

  get pathCount(): number {
    return new Set(this.watches.map(({ path }) => path)).size;
  }

  countOf(watcher: number): number {
    return new Set(this.watches.filter((one) => one.watcher === watcher).map(({ path }) => path)).size;
  }

  all(): string[] {
    return this.watches.map(({ watcher, path, kind }) => `${watcher} ${path} ${kind}`).sort();
  }
}

const KINDS_OF_TYPE: Readonly<Record<number, readonly WatchKind[]>> = {
  [WATCH_TYPE.children]: ["children"],
  [WATCH_TYPE.data]: ["data"],
  [WATCH_TYPE.any]: ["data", "children", "persistent", "recursive"],
  [WATCH_TYPE.persistent]: ["persistent"],
  [WATCH_TYPE.persistentRecursive]: ["recursive"],
};

function isAtOrBelow(path: string, top: string): boolean {
  return path === top || top === "/" || path.startsWith(`${top}/`);
}
