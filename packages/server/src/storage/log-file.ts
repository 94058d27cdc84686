import { type Disk, DiskError, type DiskFile, type Logger } from "../ports/index.js";
import { logFileName, unfinishedName } from "./file-names.js";
import type { LogBatch } from "./log-batch.js";

/**
 * One log file being written. It appears under its name whole or not at all: header and first entries
 * go in one write to a file of another name, which is then renamed. Apache before 3.9.3 does not start
 * where the newest log is empty, and no version where it is shorter than its header.
 *
 * Ahead of the entries the file is filled with zeros, in the background: a synced write into blocks that
 * already hold data needs no change of the file system's metadata and takes two thirds of the time.
 * (Apache extends the file sparsely, which readers cannot tell apart, and which gains nothing.)
 *
 * Invariant: no zero is ever written over an entry. Fill and append run at the same time, and the
 * disk may carry them out in either order:
 *
 *     fill of [1000, 2000) is issued; append of [900, 1100) is issued, done, acknowledged; the fill is
 *     carried out: bytes 1000 to 1100 of an acknowledged entry are gone.
 *
 * So `end`, which counts every byte given to an append from before its write is issued, separates them:
 * a piece of fill starts at or behind `end`, and an append that would reach into the piece under way
 * waits for that piece. While it waits, its bytes are within `end` already, so the next piece cannot
 * start below them either.
 */
export interface LogFileOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly logger: Logger;
  /** Every append waits until it is on the disk. */
  readonly durable: boolean;
  /** How far the zeros reach ahead of the entries; 0 for no zeros. */
  readonly fillAheadBytes: number;
}

/**
 * Zeros are written and synced in pieces, so that an append that comes meanwhile waits for little.
 * Never written to.
 */
const ZEROS = new Uint8Array(256 << 10);

const NO_PIECE = Number.POSITIVE_INFINITY;

export class LogFile {
  readonly path: string;
  private readonly file: DiskFile;
  private readonly logger: Logger;
  private readonly disk: Disk;
  private readonly fillAheadBytes: number;
  /** Behind the last byte that an append was given. */
  private end: number;
  /** Zeros reach up to here; below `end` where appends have overtaken them. */
  private zeroedEnd: number;
  /** Where the piece of zeros under way starts. */
  private pieceStart = NO_PIECE;
  private pieceDone: Promise<void> = Promise.resolve();
  private filling: Promise<void> | undefined;
  private fillable: boolean;

  private constructor(options: LogFileOptions, path: string, file: DiskFile, end: number, zeroedEnd: number) {
    this.disk = options.disk;
    this.logger = options.logger;
    this.fillAheadBytes = options.fillAheadBytes;
    this.path = path;
    this.file = file;
    this.end = end;
    this.zeroedEnd = zeroedEnd;
    this.fillable = options.fillAheadBytes > 0;
  }

  /** Makes the file named for the batch's first zxid, with the batch in it, in place of any that was there. */
  static async create(options: LogFileOptions, batch: LogBatch): Promise<LogFile> {
    const { disk, directory, durable } = options;
    const name = logFileName(batch.firstZxid);
    const path = disk.join(directory, name);
    const unfinishedPath = disk.join(directory, unfinishedName(name));

    const bytes = batch.entriesWithFileHeader();
    const unfinished = await disk.open(unfinishedPath, { mode: "create", durable });
    let zeroedEnd = 0;
    try {
      if (options.fillAheadBytes > 0) zeroedEnd = await fillBeginning(options, unfinishedPath);
      await unfinished.write(bytes, 0);
    } finally {
      await unfinished.close();
    }
    await disk.rename(unfinishedPath, path);
    if (durable) await disk.syncDirectory(directory);

    const file = await disk.open(path, { mode: "write", durable });
    const created = new LogFile(options, path, file, bytes.length, zeroedEnd);
    created.fillAhead();
    return created;
  }

  /** Entries and padding: what the file takes on the disk. */
  get sizeBytes(): number {
    return Math.max(this.end, this.zeroedEnd);
  }

  /** Behind the last entry. */
  get entriesEnd(): number {
    return this.end;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const position = this.end;
    this.end = position + bytes.length;
    if (this.pieceStart < this.end) await this.pieceDone;
    await this.file.write(bytes, position);
    this.fillAhead();
  }

  /** The padding stays: readers expect it, and a file that is closed may as well have crashed. */
  async close(): Promise<void> {
    this.fillable = false;
    await this.filling;
    await this.file.close();
  }

  private fillAhead(): void {
    if (!this.fillable || this.filling !== undefined || this.zeroedEnd - this.end >= this.fillAheadBytes / 2) return;
    this.filling = this.fill().finally(() => {
      this.filling = undefined;
    });
  }

  /** A failure is no more than a warning: without zeros appends are slower, and whether the disk is full the next append decides. */
  private async fill(): Promise<void> {
    try {
      const zeroFile = await this.disk.open(this.path, { mode: "write" });
      try {
        await this.fillPieces(zeroFile);
      } finally {
        await zeroFile.close();
      }
    } catch (error) {
      this.fillable = false;
      warnOfFailedFill(this.logger, this.path, error);
    }
  }

  private async fillPieces(zeroFile: DiskFile): Promise<void> {
    while (this.fillable && this.zeroedEnd - this.end < this.fillAheadBytes) {
      const start = Math.max(this.zeroedEnd, this.end);
      const piece = this.writeZeros(zeroFile, start);
      this.pieceStart = start;
      this.pieceDone = piece.catch(() => {});
      try {
        await piece;
      } finally {
        this.pieceStart = NO_PIECE;
      }
      this.zeroedEnd = start + ZEROS.length;
    }
  }

  private async writeZeros(zeroFile: DiskFile, start: number): Promise<void> {
    await zeroFile.write(ZEROS, start);
    await zeroFile.sync();
  }
}

/** Zeros the first piece of a file that has no entries yet, so that appends have room while the rest is filled. */
async function fillBeginning(options: LogFileOptions, path: string): Promise<number> {
  const zeros = ZEROS.subarray(0, Math.min(ZEROS.length, options.fillAheadBytes));
  try {
    const zeroFile = await options.disk.open(path, { mode: "write" });
    try {
      await zeroFile.write(zeros, 0);
      await zeroFile.sync();
    } finally {
      await zeroFile.close();
    }
    return zeros.length;
  } catch (error) {
    warnOfFailedFill(options.logger, path, error);
    return 0;
  }
}

function warnOfFailedFill(logger: Logger, path: string, error: unknown): void {
  if (!(error instanceof DiskError)) throw error;
  logger.warn(
    { file: path, code: error.code },
    `preallocating ${path} failed (${error.message}); appends go on without it`,
  );
}
