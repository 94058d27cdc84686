import type { Hold } from "./hold.js";
import type { Lock } from "./lock.js";
import { type WaitOptions, withinDeadline } from "./patience.js";

/** Several locks held together. */
export interface MultiHold extends AsyncDisposable {
  /** In the order of their paths; each has the token for what its own lock guards. */
  readonly holds: readonly Hold[];
  /** Aborted as soon as one of them has ended. */
  readonly signal: AbortSignal;
  readonly isHeld: boolean;
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
    const twice = this.locks.find((lock, i) => lock.path === this.locks[i + 1]?.path);
    if (twice !== undefined) throw new RangeError(`each lock once expected, ${twice.path} found twice`);
  }

  /** @throws what `Lock.acquire` does; none of the locks is held then */
  async acquire(options: WaitOptions = {}): Promise<MultiHold> {
    const left = withinDeadline(options);
    const holds = await this.all((lock) => lock.acquire(left()));
    return multiHold(holds ?? []);
  }

  async tryAcquire(): Promise<MultiHold | undefined> {
    const holds = await this.all((lock) => lock.tryAcquire());
    return holds && multiHold(holds);
  }

  private async all(take: (lock: Lock) => Promise<Hold | undefined>): Promise<Hold[] | undefined> {
    const holds: Hold[] = [];
    let isComplete = false;
    try {
      for (const lock of this.locks) {
        const hold = await take(lock);
        if (hold === undefined) return undefined;
        holds.push(hold);
      }
      isComplete = true;
      return holds;
    } finally {
      if (!isComplete) await releaseAll(holds);
    }
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
