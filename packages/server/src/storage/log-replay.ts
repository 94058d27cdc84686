import { readInt, WireError } from "@watchkeeper/wire";
import type { Disk, Logger } from "../ports/index.js";
import { DataDirectoryError } from "./data-directory-error.js";
import type { LogName } from "./file-names.js";
import type { LogVerdict } from "./log-break.js";
import { readTxnLog } from "./txn-log-reader.js";
import { beginsEpoch, formatZxid } from "./zxid.js";

/**
 * Replays the logs behind a snapshot, one history across files, and finds every hole in it.
 *
 * Every txn consumes a zxid, failed ones and sessions' too, so within an epoch (the high 32 bits) zxids
 * follow one another without a gap, and an epoch begins with counter 0 or 1. That is what makes a torn
 * tail of an earlier file harmless or fatal: a server that crashed, cut the tail in its mind and went on
 * began the next file with the very zxid the cut one had. Where the next file goes on with any other,
 * acknowledged txns are missing. (Apache goes on silently.)
 *
 * Files are only read. A torn tail stays where it is, to be judged in the same way at every start: what
 * is recovered must not depend on whether the disk could be written. Appends go to a new file anyway.
 */
export interface LogReplay {
  readonly disk: Disk;
  readonly logDirectory: string;
  /** Oldest first. */
  readonly logs: readonly LogName[];
  /** Txns up to here are in the snapshot: read, not applied. */
  readonly afterZxid: number;
  /** The payload is `bytes[start..end)`, valid during the call. A `WireError` it throws is told as damage of the file. */
  readonly apply: (bytes: Uint8Array, start: number, end: number, zxid: number) => void;
  readonly entryBytesMax: number | undefined;
  readonly logger: Logger;
}

export interface Replayed {
  /** The last zxid in the logs, or `afterZxid` where they end before it. */
  readonly lastZxid: number;
  readonly txnsLoaded: number;
  readonly tornTails: readonly TornTail[];
  readonly warnings: readonly string[];
}

/** Where a file was held to end although bytes follow: never acknowledged, lost in a crash. */
export interface TornTail {
  readonly file: string;
  readonly position: number;
  readonly reason: string;
}

export const REPAIR_ADVICE =
  "Restore the file from a backup. In an ensemble with healthy members, move the contents of this server's version-2 " +
  "directories away instead: it then copies everything from the leader. To give up what follows, on a single server, " +
  "use `watchkeeper log cut`";

export async function replayLogs(replay: LogReplay): Promise<Replayed> {
  const history = new History(replay);
  const files = neededLogs(replay.logs, replay.afterZxid);
  for (const [index, { name, zxid }] of files.entries()) {
    const path = replay.disk.join(replay.logDirectory, name);
    await history.readFile(path, zxid, index === files.length - 1);
  }
  return history;
}

/**
 * Makes what was read as durable as it looked. A process that was killed may have left the end of a log in the
 * system's cache alone: it is read, told to others and counted, and a power cut takes it away again. (Apache
 * does not see to that, reference 15.2, D7.)
 */
export async function syncLogs(
  disk: Disk,
  logDirectory: string,
  logs: readonly LogName[],
  afterZxid: number,
): Promise<void> {
  for (const { name } of neededLogs(logs, afterZxid)) {
    const file = await disk.open(disk.join(logDirectory, name), { mode: "read" });
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await disk.syncDirectory(logDirectory);
}

/** From the newest log whose name is not beyond the first zxid needed: it may hold older txns too. */
function neededLogs(logs: readonly LogName[], afterZxid: number): readonly LogName[] {
  const first = logs.findLastIndex(({ zxid }) => zxid <= afterZxid + 1);
  return logs.slice(Math.max(0, first));
}

interface OpenBreak {
  readonly path: string;
  readonly verdict: Exclude<LogVerdict, { kind: "complete" }>;
}

class History implements Replayed {
  lastZxid: number;
  txnsLoaded = 0;
  readonly tornTails: TornTail[] = [];
  readonly warnings: string[] = [];
  private readonly replay: LogReplay;
  private readonly recent = new RecentChecksums();
  /** How the file before ended, until what follows it has told whether that is harmless. */
  private open: OpenBreak | undefined;
  private duplicates = 0;

  constructor(replay: LogReplay) {
    this.replay = replay;
    this.lastZxid = replay.afterZxid;
  }

  async readFile(path: string, nameZxid: number, isLast: boolean): Promise<void> {
    const { disk, entryBytesMax } = this.replay;
    this.duplicates = 0;
    let entries = 0;
    const verdict = await readTxnLog(
      disk,
      path,
      (bytes, start, end, position, zxid) => {
        entries++;
        this.entry(path, position, bytes, start, end, zxid);
      },
      entryBytesMax === undefined ? {} : { entryBytesMax },
    );
    if (this.duplicates > 0) {
      this.warn(path, `${path} repeats ${this.duplicates} txns that came before; they were passed over`);
    }
    // A file without an entry still tells by its name what it was to go on with.
    if (entries === 0 && nameZxid > this.lastZxid) this.goOn(path, 0, nameZxid);
    if (verdict.kind !== "complete") {
      if (this.open !== undefined) throw unsettled(this.open, `the next log, ${path}, does not go on from there`);
      this.open = { path, verdict };
    }
    if (isLast) this.endOfHistory();
  }

  private entry(path: string, position: number, bytes: Uint8Array, start: number, end: number, zxid: number): void {
    if (zxid <= this.replay.afterZxid) return;
    const checksum = readInt(bytes, start - 8);
    if (zxid <= this.lastZxid) {
      this.repeated(path, position, zxid, checksum);
      return;
    }
    this.goOn(path, position, zxid);
    this.applyEntry(path, position, bytes, start, end, zxid);
    this.recent.add(zxid, checksum);
    this.lastZxid = zxid;
    this.txnsLoaded++;
  }

  private applyEntry(
    path: string,
    position: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: number,
  ): void {
    try {
      this.replay.apply(bytes, start, end, zxid);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const found = `the txn ${formatZxid(zxid)} matches its checksum but cannot be decoded: ${error.message}`;
      throw damage(path, position, found, error);
    }
  }

  /** Whether the history may go on with this zxid; settles how the file before ended. */
  private goOn(path: string, position: number, zxid: number): void {
    const { open, lastZxid } = this;
    // After damage a new epoch proves nothing: any number of txns of the old one may be missing.
    if (zxid === lastZxid + 1 || (open?.verdict.kind !== "damaged" && beginsEpoch(lastZxid, zxid))) {
      if (open !== undefined) this.cut(open);
      this.open = undefined;
      return;
    }
    const gap = `goes on with zxid ${formatZxid(zxid)} where ${formatZxid(lastZxid + 1)} was to follow`;
    if (open !== undefined) throw unsettled(open, `the next log, ${path}, ${gap}`);
    throw damage(path, position, `the log ${gap}`);
  }

  /** A txn that came before may come again, as in a copy of a file; another txn under its zxid is another history. */
  private repeated(path: string, position: number, zxid: number, checksum: number): void {
    if (this.recent.has(zxid, checksum)) {
      this.duplicates++;
      return;
    }
    const found = `the log goes back to zxid ${formatZxid(zxid)} after ${formatZxid(this.lastZxid)}, with another txn than before`;
    throw damage(path, position, found);
  }

  private endOfHistory(): void {
    if (this.open === undefined) return;
    const { path, verdict } = this.open;
    if (verdict.kind === "damaged") throw damage(path, verdict.position, verdict.reason);
    this.cut(this.open);
    this.warn(
      path,
      `the last log, ${path}, is held to end at offset ${verdict.position}, after zxid ${formatZxid(this.lastZxid)}: ` +
        `${verdict.reason}. A crash leaves such a tail; what it held was never acknowledged`,
    );
  }

  private cut({ path, verdict }: OpenBreak): void {
    this.tornTails.push({ file: path, position: verdict.position, reason: verdict.reason });
  }

  private warn(file: string, sentence: string): void {
    this.warnings.push(sentence);
    this.replay.logger.warn({ file }, sentence);
  }
}

function damage(file: string, offset: number, found: string, cause?: unknown): DataDirectoryError {
  return new DataDirectoryError({ file, offset, found, advice: REPAIR_ADVICE }, { cause });
}

function unsettled({ path, verdict }: OpenBreak, next: string): DataDirectoryError {
  return damage(path, verdict.position, `${verdict.reason}, and ${next}`);
}

/** The checksums of the txns applied last, by zxid: enough to know a repeated one. */
class RecentChecksums {
  private readonly zxids = new Float64Array(1 << 17).fill(-1);
  private readonly checksums = new Int32Array(1 << 17);

  add(zxid: number, checksum: number): void {
    const slot = zxid % this.zxids.length;
    this.zxids[slot] = zxid;
    this.checksums[slot] = checksum;
  }

  has(zxid: number, checksum: number): boolean {
    const slot = zxid % this.zxids.length;
    return this.zxids[slot] === zxid && this.checksums[slot] === checksum;
  }
}
