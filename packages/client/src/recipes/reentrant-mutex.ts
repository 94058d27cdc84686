import { AsyncLocalStorage } from "node:async_hooks";
import type { Client } from "../client.js";
import type { Hold } from "./hold.js";
import type { LockOptions } from "./line-lock.js";
import { withLock } from "./lock.js";
import { Mutex } from "./mutex.js";
import type { WaitOptions } from "./patience.js";

/**
 * A mutex that whoever holds it can take again. Who that is, Node tells by the asynchronous context: all
 * that `work` calls and awaits has the lock; what runs beside it has not, in the same process or another.
 */
export class ReentrantMutex {
  readonly mutex: Mutex;
  private readonly held = new AsyncLocalStorage<Hold>();

  constructor(client: Client, path: string, options: LockOptions = {}) {
    this.mutex = new Mutex(client, path, options);
  }

  /**
   * Runs `work` with the lock held, waiting for it unless the caller has it already; see `withLock`. A
   * hold that has ended is not taken again: what runs under it must stop.
   */
  async run<T>(work: (hold: Hold) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    const hold = this.held.getStore();
    // What was started under a hold and not awaited may go on when it was given back; it waits like others.
    if (hold === undefined || hold.ended === "released") {
      return await withLock(this.mutex, (fresh) => this.held.run(fresh, () => work(fresh)), options);
    }
    hold.throwIfEnded();
    return await work(hold);
  }
}
