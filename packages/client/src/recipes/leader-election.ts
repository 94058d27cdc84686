import type { Client } from "../client.js";
import type { Hold } from "./hold.js";
import type { LockOptions } from "./line-lock.js";
import { type Participant, withLock } from "./lock.js";
import { Mutex } from "./mutex.js";
import type { WaitOptions } from "./patience.js";

/**
 * Leadership for the length of a task: candidates lead in turn, each while its task runs.
 *
 * Compatible with Curator's `LeaderSelector`, and with kazoo's `Election` by `layout: "kazoo"`. For leadership
 * that lasts until it is given up, see `LeaderLatch`.
 *
 * ```ts
 * const election = new LeaderElection(client, "/scheduler/leader", { id: hostname() });
 * await election.lead(async (term) => runScheduler({ signal: term.signal, fencingToken: term.token }));
 * ```
 */
export class LeaderElection {
  private readonly mutex: Mutex;

  constructor(client: Client, path: string, options: LockOptions = {}) {
    this.mutex = new Mutex(client, path, options);
  }

  /** Stands as a candidate, leads once while `task` runs, and steps down; see `withLock`. */
  lead<T>(task: (term: Hold) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return withLock(this.mutex, task, options);
  }

  /** The leader first, then the candidates in the order in which they will lead. */
  participants(): Promise<Participant[]> {
    return this.mutex.participants();
  }
}
