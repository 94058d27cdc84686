import type { Hold } from "./hold.js";
import type { WaitOptions } from "./patience.js";

/** Who waits for something or has it. */
export interface Participant {
  /** The node by which it waits or holds. */
  readonly path: string;
  /** The text it came with, such as the name of its host. */
  readonly id: string;
}

/** Whatever one process, or so many, can hold at a time. */
export interface Lock {
  /** The node below which those who want it stand. */
  readonly path: string;
  /**
   * Waits until it is held.
   *
   * @throws REQUEST_TIMEOUT, ABORTED given up, and out of the line again; SESSION_EXPIRED
   */
  acquire(options?: WaitOptions): Promise<Hold>;
  /** Undefined if it is not to be had now. What is waited for is a connection, if there is none. */
  tryAcquire(options?: WaitOptions): Promise<Hold | undefined>;
}

/** A lock that is given in the order of asking, and shows who has asked. */
export interface FairLock extends Lock {
  /** Those who hold it first, then those who wait, in the order in which they will hold it. */
  participants(): Promise<Participant[]>;
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
