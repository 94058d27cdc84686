import { hasCode } from "../../errors.js";
import type { Mirror } from "./mirror.js";

/** When a cache is compared with the servers, and what that may cost them. */
export interface ReconcileOptions {
  /** Milliseconds from the end of one reconciliation to the start of the next. */
  readonly everyMs: number;
  /** How much of that is left to chance, 0 to 1. @default 0.5 */
  readonly jitter?: number | undefined;
  /** Bound on what a reconciliation costs the servers. @default 500 */
  readonly readsPerSecondMax?: number | undefined;
}

/** What one reconciliation found. */
export interface Reconciliation {
  /** Nodes whose Stat was compared. */
  readonly checked: number;
  /** Differences found, and repaired by the time this is told. */
  readonly repaired: number;
  readonly durationMs: number;
}

/** So that many processes do not come at once. */
const JITTER_DEFAULT = 0.5;
const READS_PER_SECOND_DEFAULT = 500;
/** Node takes a longer timer for none at all. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Reads leave in groups, so many a second. */
const GROUPS_PER_SECOND = 20;

/**
 * Pulls the truth in full, at intervals and within a budget, and compares it with the mirror (M16). Only
 * Stats are read; zxids tell whether anything must be read in full. It compares what the connected server
 * knows, after a `sync`, so that a server that lags behind does not pass for the truth.
 */
export class Reconciler {
  private readonly mirror: Mirror;
  private readonly sync: () => Promise<void>;
  private readonly options: ReconcileOptions | undefined;
  private timer: NodeJS.Timeout | undefined;
  private endPause: (() => void) | undefined;
  private isClosed = false;
  private running: Promise<Reconciliation> | undefined;

  constructor(mirror: Mirror, sync: () => Promise<void>, options: ReconcileOptions | undefined) {
    this.mirror = mirror;
    this.sync = sync;
    this.options = options;
    if (options !== undefined) this.schedule(options);
  }

  /** One at a time: who asks while one runs gets that one's result. */
  reconcile(): Promise<Reconciliation> {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.endPause?.();
  }

  private schedule(options: ReconcileOptions): void {
    if (this.isClosed) return;
    const { everyMs, jitter = JITTER_DEFAULT } = options;
    const delayMs = everyMs * (1 - jitter * Math.random());
    this.timer = setTimeout(
      () => {
        const again = (): void => this.schedule(options);
        this.reconcile().then(again, again); // a session that ended is told by the mirror
      },
      Math.min(delayMs, TIMER_MS_MAX),
    ).unref();
  }

  private async run(): Promise<Reconciliation> {
    const startMs = performance.now();
    const { mirror } = this;
    await mirror.ready;
    await this.sync();
    const repairedBefore = mirror.counters.repaired;
    const paths = mirror.paths();
    const perSecond = this.options?.readsPerSecondMax ?? READS_PER_SECOND_DEFAULT;
    const groupSize = Math.max(1, Math.floor(perSecond / GROUPS_PER_SECOND));
    let checked = 0;
    while (checked < paths.length && !this.isClosed) {
      const group = paths.slice(checked, checked + groupSize);
      checked += group.length;
      await Promise.all(group.map((path) => this.check(path)));
      const aheadMs = (checked / perSecond) * 1000 - (performance.now() - startMs);
      if (aheadMs > 0 && checked < paths.length) await this.pause(aheadMs);
    }
    await mirror.idle();
    mirror.counters.reconciliations++;
    const repaired = mirror.counters.repaired - repairedBefore;
    return { checked, repaired, durationMs: performance.now() - startMs };
  }

  private async check(path: string): Promise<void> {
    try {
      await this.mirror.check(path);
    } catch (error) {
      if (!hasCode(error, "NO_AUTH")) throw error; // it was permitted once; the mirror keeps what it read
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.endPause = resolve;
      this.timer = setTimeout(resolve, ms).unref();
    });
  }
}
