import type { Client } from "../client.js";
import { childPath } from "../operations/paths.js";
import type { Hold } from "./hold.js";
import { roomFor } from "./line.js";
import { LineLock, type LockOptions } from "./line-lock.js";
import type { FairLock, Participant } from "./lock.js";
import { Mutex } from "./mutex.js";
import { curatorMark } from "./owned-node.js";
import { patiently, remainingOf, type WaitOptions } from "./patience.js";

const LEASE_PATTERN = /(lease-)(-?\d{10,})$/;

/**
 * So many leases, each held by one. All who use it must agree on the number.
 *
 * Contends with Curator's `InterProcessSemaphoreV2`: a mutex orders those who come, so that one at a time
 * waits for a lease. The tokens of leases that are held at the same time differ; what is guarded by one
 * lease must compare tokens of that lease's users only.
 */
export class Semaphore implements FairLock {
  readonly path: string;
  private readonly order: Mutex;
  private readonly leases: LineLock;

  constructor(client: Client, path: string, leasesMax: number, options: Omit<LockOptions, "layout"> = {}) {
    if (!Number.isInteger(leasesMax) || leasesMax < 1) {
      throw new RangeError(`the number of leases as an integer above 0 expected, ${leasesMax} found`);
    }
    this.path = path;
    this.order = new Mutex(client, childPath(path, "locks"), options);
    const rules = { mark: curatorMark, name: "lease-", pattern: LEASE_PATTERN, blockerOf: roomFor(leasesMax) };
    this.leases = new LineLock(client, childPath(path, "leases"), rules, options);
  }

  async acquire(options: WaitOptions = {}): Promise<Hold> {
    const left = remainingOf(options);
    const order = await this.order.acquire(left());
    try {
      return await this.leases.acquire(left());
    } finally {
      await this.letNextCome(order, left);
    }
  }

  /** Undefined also while another waits for a lease: it came first. */
  async tryAcquire(options: WaitOptions = {}): Promise<Hold | undefined> {
    const left = remainingOf(options);
    const order = await this.order.tryAcquire(left());
    if (order === undefined) return undefined;
    try {
      return await this.leases.tryAcquire(left());
    } finally {
      await this.letNextCome(order, left);
    }
  }

  /** Without a connection not for longer than whoever asked for a lease would wait. */
  private async letNextCome(order: Hold, left: () => WaitOptions): Promise<void> {
    await patiently("release", this.path, left(), (patience) => patience.settled(order.release()));
  }

  /** Those who have a lease first, then the one who is next; whoever stands behind that one is not shown. */
  participants(): Promise<Participant[]> {
    return this.leases.participants();
  }
}
