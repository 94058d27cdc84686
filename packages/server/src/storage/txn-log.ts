import type { Clock, Disk, Logger } from "../ports/index.js";
import type { LogBatch } from "./log-batch.js";
import { LogFile, type LogFileOptions } from "./log-file.js";

/**
 * The txn log as it is written: one durable write for all that gathered while the last one was under
 * way, and nothing is acknowledged before that write has resolved. After a start or a roll the next
 * append makes a new file, so old files, with whatever tail a crash left them, are never written again.
 *
 * After a failed write nothing about the disk can be believed: bytes that seemed to fail may stand in
 * the file, bytes that seemed to arrive may be gone with the kernel's dirty pages. So the first failure
 * is final, every later append is refused with it, and the server must end.
 */
export interface TxnLogOptions {
  /** `preAllocSize`: how much to fill with zeros ahead; none or less turns it off. @default 64 MiB */
  readonly preAllocBytes?: number;
  /** A file that has grown beyond this is followed by a new one; 0 or less for no limit. @default 0 */
  readonly txnLogSizeLimitBytes?: number;
  /** `forceSync`: appends wait for the disk. Without it a power cut loses acknowledged writes. @default true */
  readonly forceSync?: boolean;
  /** Slower appends than this are warned of. @default 1000 */
  readonly fsyncWarningThresholdMs?: number;
}

/** More ahead than this gains nothing: it is refilled in the background long before it is used up. */
const FILL_AHEAD_BYTES_MAX = 4 << 20;
const PRE_ALLOC_BYTES_DEFAULT = 64 << 20;
const FSYNC_WARNING_THRESHOLD_MS_DEFAULT = 1000;

export class TxnLog {
  /** Appends slower than `fsyncWarningThresholdMs`. */
  fsyncThresholdExceedCount = 0;
  /** How long the last append waited for the disk. */
  lastAppendMs = 0;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly fileOptions: LogFileOptions;
  private readonly sizeLimitBytes: number;
  private readonly warningThresholdMs: number;
  private file: LogFile | undefined;
  private closings: Promise<void> = Promise.resolve();
  private appending = false;
  private failure: unknown;

  constructor(
    world: { readonly disk: Disk; readonly directory: string; readonly clock: Clock; readonly logger: Logger },
    options: TxnLogOptions = {},
  ) {
    this.clock = world.clock;
    this.logger = world.logger;
    const preAllocBytes = options.preAllocBytes ?? PRE_ALLOC_BYTES_DEFAULT;
    this.fileOptions = {
      disk: world.disk,
      directory: world.directory,
      logger: world.logger,
      durable: options.forceSync ?? true,
      fillAheadBytes: Math.max(0, Math.min(preAllocBytes, FILL_AHEAD_BYTES_MAX)),
    };
    this.sizeLimitBytes = options.txnLogSizeLimitBytes ?? 0;
    this.warningThresholdMs = options.fsyncWarningThresholdMs ?? FSYNC_WARNING_THRESHOLD_MS_DEFAULT;
  }

  /**
   * Writes the batch; resolves when it is on the disk. One append at a time; the batch must not change
   * until it resolves.
   */
  async append(batch: LogBatch): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.appending) throw new Error("an append to the txn log is under way already");
    if (batch.count === 0) return;
    this.appending = true;
    const startedAtMs = this.clock.monotonicMs();
    try {
      if (this.file === undefined) this.file = await LogFile.create(this.fileOptions, batch);
      else await this.file.append(batch.entries());
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.appending = false;
    }
    this.noteDuration(this.clock.monotonicMs() - startedAtMs, this.file.path);
    if (this.sizeLimitBytes > 0 && this.file.entriesEnd > this.sizeLimitBytes) this.roll();
  }

  /** Leaves the current file: the next append opens a new one. Not while an append is under way. */
  roll(): void {
    if (this.appending) throw new Error("the txn log cannot roll while an append is under way");
    const file = this.file;
    if (file === undefined) return;
    this.file = undefined;
    this.closings = this.closings.then(() => this.closeQuietly(file));
  }

  /** The current file's size, padding included; 0 between a roll and the next append. */
  get sizeBytes(): number {
    return this.file?.sizeBytes ?? 0;
  }

  /** Closes all files, after any append under way has ended. */
  async close(): Promise<void> {
    this.roll();
    await this.closings;
  }

  private noteDuration(ms: number, path: string): void {
    this.lastAppendMs = ms;
    if (ms <= this.warningThresholdMs) return;
    this.fsyncThresholdExceedCount++;
    this.logger.warn(
      { file: path, ms, sizeBytes: this.sizeBytes },
      `fsync-ing the write ahead log in ${path} took ${Math.round(ms)}ms which will adversely effect operation latency. ` +
        `The file has ${this.sizeBytes} bytes; look at what else uses this disk, or give dataLogDir one of its own`,
    );
  }

  /** All appends to it have resolved, so that nothing depends on how the closing ends. */
  private async closeQuietly(file: LogFile): Promise<void> {
    try {
      await file.close();
    } catch (error) {
      this.logger.warn({ file: file.path, error: String(error) }, `closing ${file.path} failed`);
    }
  }
}
