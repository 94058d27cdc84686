import type { Logger, Random } from "../ports/index.js";

/**
 * When to begin a new log file and take a snapshot: after `snapCount` txns or `snapSizeLimitBytes` of
 * log, whichever comes first, but at a random point of the second half, so that the servers of an
 * ensemble do not all write their snapshots at once (ZooKeeper's SyncRequestProcessor).
 */
export interface SnapshotScheduleOptions {
  /** @default 100 000, at least 2 */
  readonly snapCount?: number;
  /** 0 or less for no limit. Entries count, padding does not. @default 4 GiB */
  readonly snapSizeLimitBytes?: number;
}

/** What is due after an append: nothing; a new log file and a snapshot; or the file alone, where a snapshot still runs. */
export type SnapshotDue = "nothing" | "roll-and-snapshot" | "roll";

const SNAP_COUNT_DEFAULT = 100_000;
const SNAP_COUNT_MIN = 2;
const SNAP_SIZE_LIMIT_BYTES_DEFAULT = 4 * 2 ** 30;

export class SnapshotSchedule {
  private readonly snapCount: number;
  private readonly sizeLimitBytes: number;
  private readonly random: Random;
  private readonly logger: Logger;
  private txnCount = 0;
  private byteCount = 0;
  private txnCountDue = 0;
  private byteCountDue = 0;
  private running = false;
  private lastSnapshotBytes = 0;

  constructor(random: Random, logger: Logger, options: SnapshotScheduleOptions = {}) {
    this.random = random;
    this.logger = logger;
    this.snapCount = Math.max(SNAP_COUNT_MIN, options.snapCount ?? SNAP_COUNT_DEFAULT);
    this.sizeLimitBytes = options.snapSizeLimitBytes ?? SNAP_SIZE_LIMIT_BYTES_DEFAULT;
    this.draw();
  }

  /**
   * Counts what was appended. Where something is due the log rolls first, with these txns still in the
   * old file; "roll-and-snapshot" must be answered by `ended` when the snapshot is written or has failed.
   */
  appended(txnCount: number, bytes: number): SnapshotDue {
    this.txnCount += txnCount;
    this.byteCount += bytes;
    if (this.txnCount <= this.txnCountDue && this.byteCount <= this.byteCountDue) return "nothing";
    if (this.isCheapToReplay) return "nothing";
    this.draw();
    if (this.running) {
      this.logger.warn({}, "Too busy to snap, skipping: the previous snapshot is still being written");
      return "roll";
    }
    this.running = true;
    return "roll-and-snapshot";
  }

  /** @param snapshotBytes what was written, where it was */
  ended(snapshotBytes?: number): void {
    this.running = false;
    this.lastSnapshotBytes = snapshotBytes ?? this.lastSnapshotBytes;
  }

  /**
   * A large tree is not written again for a little log: that would cost the disk several times what the
   * writes themselves do, to save a start a fraction of a second. So the log may first grow to half of
   * the last snapshot, but never to more than ten times `snapCount` txns.
   */
  private get isCheapToReplay(): boolean {
    return this.byteCount < this.lastSnapshotBytes / 2 && this.txnCount <= this.txnCountDue * 10;
  }

  private draw(): void {
    this.txnCount = 0;
    this.byteCount = 0;
    this.txnCountDue = this.inSecondHalf(this.snapCount);
    this.byteCountDue = this.sizeLimitBytes > 0 ? this.inSecondHalf(this.sizeLimitBytes) : Number.POSITIVE_INFINITY;
  }

  private inSecondHalf(limit: number): number {
    const half = Math.floor(limit / 2);
    return half + Math.floor((this.random.below(2 ** 32) / 2 ** 32) * half);
  }
}
