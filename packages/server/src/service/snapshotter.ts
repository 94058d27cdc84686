import { setTimeout } from "node:timers/promises";
import type { Summary } from "../metrics/index.js";
import type { Disk, Logger, Random } from "../ports/index.js";
import type { Replica } from "../replica/index.js";
import {
  type Compression,
  type CompressionMethod,
  type DataDirectory,
  purge,
  SnapshotSchedule,
  type TxnLog,
  writeSnapshot,
} from "../storage/index.js";

/**
 * A snapshot takes at most a third of the time, of the processor's and the disk's both: it is in no
 * hurry, and every millisecond of it is one that requests and the log wait.
 */
const REST_PER_WORK = 2;
const REST_MS_MAX = 50;

export interface SnapshotterParts {
  readonly disk: Disk;
  readonly directory: DataDirectory;
  readonly compression: Compression;
  readonly method: CompressionMethod | undefined;
  readonly log: TxnLog;
  readonly random: Random;
  readonly logger: Logger;
  readonly snapCount: number;
  readonly snapLogBytesMax: number;
  readonly purgeRetainCount: number;
  readonly times: Summary;
}

/**
 * Takes snapshots in the background when the log has grown enough, and purges what they make needless.
 *
 * A snapshot that fails loses nothing, for the log has everything: the server goes on and tries again
 * when the next is due. (Apache exits with 10.) A disk that is full will stop the log soon enough.
 */
export class Snapshotter {
  private readonly parts: SnapshotterParts;
  private readonly schedule: SnapshotSchedule;
  private due = false;
  private closing = false;
  /** While the whole history is changed: until that is over. */
  private suspension: Promise<void> | undefined;
  private sliceBeganMs = 0;
  private lastSnapshotBytes = 0;
  /** Until every snapshot that was begun has ended: a start's may still be written when the next falls due. */
  private running: Promise<unknown> = Promise.resolve();

  constructor(parts: SnapshotterParts) {
    this.parts = parts;
    this.schedule = new SnapshotSchedule(parts.random, parts.logger, {
      snapCount: parts.snapCount,
      snapSizeLimitBytes: parts.snapLogBytesMax,
    });
  }

  /** The log rolls first, so that what triggered the snapshot stays in the old file. */
  onDurable(txns: number, bytes: number): void {
    const due = this.schedule.appended(txns, bytes);
    if (due === "nothing") return;
    this.parts.log.roll();
    if (due === "roll-and-snapshot") this.due = true;
  }

  onRoundEnd(replica: Replica): void {
    if (!this.due) return;
    this.due = false;
    void this.take(replica).finally(() => this.schedule.ended(this.lastSnapshotBytes));
  }

  /** One snapshot of what is applied now; resolves when it is written or has failed, never rejects. */
  take(replica: Replica): Promise<void> {
    const taken = this.tryToWrite(replica);
    this.running = Promise.all([this.running, taken]);
    return taken;
  }

  /**
   * Runs a change of the whole history, as by a leader's order: what is being written is given up, as of a tree that
   * will not be served any more, and nothing is written or purged until the change is over. A purge that went on beside
   * it would remove by names what has another content by then.
   */
  async suspendedDuring(change: () => Promise<void>): Promise<void> {
    const changed = this.running.then(change);
    this.suspension = changed.catch(() => {});
    try {
      await changed;
    } finally {
      this.suspension = undefined;
    }
  }

  /** Gives up what is being written, and resolves when nothing is left of it. */
  async close(): Promise<void> {
    this.closing = true;
    await this.running;
  }

  /** Resolves when it is over; never rejects. */
  async purge(): Promise<void> {
    while (this.suspension !== undefined) await this.suspension;
    const purged = this.tryToPurge();
    this.running = Promise.all([this.running, purged]);
    await purged;
  }

  private async tryToPurge(): Promise<void> {
    const { disk, directory, purgeRetainCount, logger } = this.parts;
    try {
      await purge(disk, directory, purgeRetainCount, logger);
    } catch (error) {
      logger.error(
        { error: messageOf(error) },
        "Purging old snapshots and logs failed; it is tried again at the next interval",
      );
    }
  }

  /** The snapshot that an empty directory begins with. @throws where it cannot be written: no server would start on a log alone */
  async takeFirst(replica: Replica): Promise<void> {
    await this.write(replica, () => Promise.resolve());
  }

  private async tryToWrite(replica: Replica): Promise<void> {
    if (this.suspension !== undefined) return;
    try {
      await this.write(replica, () => this.rest(replica));
    } catch (error) {
      if (this.closing || this.suspension !== undefined) return;
      this.parts.logger.error(
        { error: messageOf(error) },
        "A snapshot could not be written; nothing is lost, the log has everything, but it grows. Make space or mend the disk: the next snapshot is tried when it is due",
      );
    }
  }

  /**
   * Between two slices: requests have their turn, and twice the time the slice took. Where the history that is applied may
   * be cut off again, the next slice waits until it is known.
   */
  private async rest(replica: Replica): Promise<void> {
    const tookMs = performance.now() - this.sliceBeganMs;
    let restMs = Math.min(tookMs * REST_PER_WORK, REST_MS_MAX);
    do {
      if (this.closing) throw new Error("the server is closing");
      if (this.suspension !== undefined) throw new Error("the tree is not this server's any more");
      await setTimeout(restMs);
      restMs = REST_MS_MAX;
    } while (!replica.isHistorySettled);
    this.sliceBeganMs = performance.now();
  }

  private async write(replica: Replica, pause: () => Promise<void>): Promise<void> {
    const { disk, directory, compression, method, logger } = this.parts;
    const startedMs = performance.now();
    this.sliceBeganMs = startedMs;
    const written = await writeSnapshot({
      disk,
      directory: directory.snapDirectory,
      source: replica.snapshot(),
      logger,
      pause,
      compression: method === undefined ? undefined : { method, codec: compression },
    });
    this.lastSnapshotBytes = written.fileBytes;
    const tookMs = Math.floor(performance.now() - startedMs);
    this.parts.times.add(tookMs);
    logger.info({ file: written.path, bytes: written.fileBytes, tookMs }, `Snapshot taken in ${tookMs} ms`);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
