import type { Stat } from "../../operations/stat.js";

/** A node as the cache last saw it. Never changed: a newer state is another object. */
export interface CachedNode {
  readonly path: string;
  /** What it holds; null also with `data: false`. */
  readonly data: Buffer | null;
  /** Its `mzxid`, `czxid` and `version` belong to `data`; children of it may have come or gone since. */
  readonly stat: Stat;
}

/**
 * Why the cache looked: it was filled, a watch fired, or a reconciliation found what no watch had told.
 */
export type ChangeCause = "load" | "watch" | "reconcile";

/** A difference between what the cache held and what it holds now. */
export type CacheChange =
  | {
      readonly kind: "added";
      readonly path: string;
      readonly old: undefined;
      readonly new: CachedNode;
      readonly cause: ChangeCause;
    }
  | {
      readonly kind: "changed";
      readonly path: string;
      readonly old: CachedNode;
      readonly new: CachedNode;
      readonly cause: ChangeCause;
    }
  | {
      readonly kind: "removed";
      readonly path: string;
      readonly old: CachedNode;
      readonly new: undefined;
      readonly cause: ChangeCause;
    };

/** Something that a reconciliation found and no watch had told of (M16); it is repaired by reading again. */
export interface Drift {
  readonly path: string;
  /** What was wrong in the cache: the node's data, the list of its children, or that it was there at all. */
  readonly of: "data" | "children" | "existence";
  readonly known: Stat | null;
  readonly found: Stat | null;
}

/** What the cache has done so far: numbers that only grow. */
export interface CacheCounters {
  /** Reads of data, and of lists of children. */
  readonly reads: number;
  /** Reads of a Stat alone, by reconciliations. */
  readonly checks: number;
  readonly events: number;
  readonly changes: number;
  readonly reconciliations: number;
  /** Differences that reconciliations found and repaired. */
  readonly repaired: number;
}
