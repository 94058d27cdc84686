import type { Client } from "../client.js";
import { roomFor } from "./line.js";
import { type LineLayout, LineLock, type LineRules, type LockOptions } from "./line-lock.js";
import { curatorMark, kazooMark } from "./owned-node.js";

/** Either layout's contenders are seen by both; a kazoo process must be told `extra_lock_patterns=("lock-",)` to see Curator's. */
const PATTERN = /(lock-|__lock__)(-?\d{10,})$/;

/** The rules of a line of which so many get in, with the names of mutexes. */
export function mutexRules(layout: LineLayout = "curator"): LineRules {
  const names = layout === "curator" ? { mark: curatorMark, name: "lock-" } : { mark: kazooMark, name: "__lock__" };
  return { ...names, pattern: PATTERN, blockerOf: roomFor(1) };
}

/**
 * A mutual exclusion lock: one holder at a time, in the order of asking. Not re-entrant: who holds it and
 * asks again waits for itself.
 *
 * Contends with Curator's `InterProcessMutex`, and with kazoo's `Lock` by `layout: "kazoo"`.
 *
 * ```ts
 * const mutex = new Mutex(client, "/locks/report");
 * await using hold = await mutex.acquire({ timeoutMs: 5_000 });
 * await writeReport({ fencingToken: hold.token, signal: hold.signal });
 * ```
 */
export class Mutex extends LineLock {
  constructor(client: Client, path: string, options: LockOptions = {}) {
    super(client, path, mutexRules(options.layout), options);
  }
}
