import type { Hold } from "./hold.js";
import type { Lock } from "./lock.js";
import { patiently, remainingOf, type WaitOptions } from "./patience.js";

/** Several locks held together. */
export interface MultiHold extends AsyncDisposable {
  /** In the order of their paths; each has the token for what its own lock guards. */
  readonly holds: readonly Hold[];
  /** Aborted as soon as one of them has ended. */
  readonly signal: AbortSignal;
  /** Whether all of them are held at this very moment, also by the clock. */
  readonly isHeld: boolean;
  /** Gives all of them back; resolves when the servers know. Can be called again. */
  release(): Promise<void>;
}

/**
 * Several locks as one: all of them or none. They are taken in the order of their paths, so that two
 * processes that want some of the same locks never wait for each other.
 */
export class MultiLock {
  private readonly locks: readonly Lock[];

  constructor(locks: readonly Lock[]) {
    this.locks = [...locks].sort((a, b) => (a.path < b.path ? -1 : 1));
    if (locks.length === 0) throw new RangeError("at least one lock expected, none found");
    const twice = this.locks.find((lock, i) => lock.path === this.locks[i + 1]?.path);
    if (twice !== undefined) throw new RangeError(`each lock once expected, ${twice.path} found twice`);
  }

  /** @throws what `Lock.acquire` does; none of the locks is held then, or all are on their way back */
  async acquire(options: WaitOptions = {}): Promise<MultiHold> {
    const left = remainingOf(options);
    for (;;) {
      const held = await this.all(left, (lock) => lock.acquire(left()));
      if (held !== undefined) return held;
    }
  }

  /** Undefined if one of them is not to be had now. */
  tryAcquire(options: WaitOptions = {}): Promise<MultiHold | undefined> {
    const left = remainingOf(options);
    return this.all(left, (lock) => lock.tryAcquire(left()));
  }

  /** Undefined also if the first ones were lost while the last one was waited for. */
  private async all(
    left: () => WaitOptions,
    take: (lock: Lock) => Promise<Hold | undefined>,
  ): Promise<MultiHold | undefined> {
    const holds: Hold[] = [];
    try {
      for (const lock of this.locks) {
        const hold = await take(lock);
        if (hold === undefined) break;
        holds.push(hold);
      }
    } catch (error) {
      await this.giveBack(holds, left);
      throw error;
    }
    const held = multiHold(holds);
    if (holds.length === this.locks.length && held.isHeld) return held;
    await this.giveBack(holds, left);
    return undefined;
  }

  /** Waits no longer than whoever asked for them would have. */
  private async giveBack(holds: readonly Hold[], left: () => WaitOptions): Promise<void> {
    const { path } = this.locks[0]!;
    await patiently("release", path, left(), (patience) => patience.settled(releaseAll(holds)));
  }
}

function multiHold(holds: readonly Hold[]): MultiHold {
  const release = (): Promise<void> => releaseAll(holds);
  return {
    holds,
    signal: AbortSignal.any(holds.map(({ signal }) => signal)),
    get isHeld() {
      return holds.every(({ isHeld }) => isHeld);
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}

async function releaseAll(holds: readonly Hold[]): Promise<void> {
  await Promise.all(holds.map((hold) => hold.release()));
}
