import type { Client } from "../client.js";
import type { BlockerOf } from "./line.js";
import { type LineLayout, LineLock, type LockOptions } from "./line-lock.js";
import type { FairLock } from "./lock.js";
import { curatorMark, kazooMark } from "./owned-node.js";

const NAMES = {
  curator: { mark: curatorMark, read: "__READ__", write: "__WRIT__", pattern: /(__READ__|__WRIT__)(-?\d{10,})$/ },
  kazoo: { mark: kazooMark, read: "__rlock__", write: "__lock__", pattern: /(__rlock__|__lock__)(-?\d{10,})$/ },
} as const satisfies Record<LineLayout, unknown>;

/**
 * A lock that many readers share, or one writer has alone. Whoever came first goes first: readers behind a
 * waiting writer wait too, so no writer waits for ever.
 *
 * Contends with Curator's `InterProcessReadWriteLock`, and with kazoo's `ReadLock` and `WriteLock` by
 * `layout: "kazoo"`. Not re-entrant: a writer that asks for the read lock too waits for itself.
 */
export class ReadWriteLock {
  /** Shared with other readers. */
  readonly read: FairLock;
  /** Held alone. */
  readonly write: FairLock;

  constructor(client: Client, path: string, options: LockOptions = {}) {
    const { mark, read, write, pattern } = NAMES[options.layout ?? "curator"];
    const nearest: BlockerOf = (line, own) => line[own - 1];
    const nearestWriter: BlockerOf = (line, own) => line.slice(0, own).findLast(({ kind }) => kind === write);
    this.read = new LineLock(client, path, { mark, name: read, pattern, blockerOf: nearestWriter }, options);
    this.write = new LineLock(client, path, { mark, name: write, pattern, blockerOf: nearest }, options);
  }
}
