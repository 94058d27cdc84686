import type { Hold } from "./hold.js";
import type { WaitOptions } from "./patience.js";

/** Who waits for something or has it. */
export interface Participant {
  readonly path: string;
  /** The text it came with, such as the name of its host. */
  readonly id: string;
}

/** Whatever one process, or so many, can hold at a time. */
export interface Lock {
  readonly path: string;
  /**
   * Waits until it is held.
   *
   * @throws REQUEST_TIMEOUT, ABORTED given up, and out of the line again; SESSION_EXPIRED
   */
  acquire(options?: WaitOptions): Promise<Hold>;
  /** Undefined if it is not to be had now. */
  tryAcquire(): Promise<Hold | undefined>;
}

/**
 * Holds a lock while `work` runs. `work` is given the hold, and must stop when its `signal` is aborted;
 * the lock is given back when it has settled.
 *
 * @throws what `acquire` does; what `work` does; `signal.reason` if the hold ended before `work` did
 */
export async function withLock<T>(lock: Lock, work: (hold: Hold) => T | Promise<T>, options?: WaitOptions): Promise<T> {
  const hold = await lock.acquire(options);
  try {
    const result = await work(hold);
    hold.throwIfEnded();
    return result;
  } finally {
    await hold.release();
  }
}
