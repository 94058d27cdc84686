import { FILE_HEADER_BYTES, readInt, readLongAsNumber, TXN_HEADER_BYTES } from "@watchkeeper/wire";
import type { Disk, DiskFile } from "../ports/index.js";
import { adler32 } from "./adler32.js";
import { FileWindow } from "./file-window.js";
import { isWholeEntry, judgeBreak, type LogVerdict } from "./log-break.js";
import {
  ENTRY_BYTES_MAX_DEFAULT,
  ENTRY_END,
  ENTRY_FRAME_BYTES,
  ENTRY_HEAD_BYTES,
  LOG_HEADER,
  LOG_MAGIC,
  PAYLOAD_ZXID_OFFSET,
} from "./log-format.js";
import { isZxid } from "./zxid.js";

/**
 * Reads one log file from its beginning, entry by entry, in bounded memory, and says how it ended. What
 * an entry means is not its business, nor is what comes before and after the file: whether a tail may
 * be cut is decided with the next file at hand (`log-replay.ts`).
 */
/**
 * Takes an entry: its payload is `bytes[payloadStart..payloadEnd)`, valid during the call only, and the
 * entry begins at `position` in the file. It ends at `position + ENTRY_FRAME_BYTES + payload length`.
 */
export type OnEntry = (
  bytes: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  position: number,
  zxid: number,
) => void;

export interface LogReadOptions {
  /** The longest payload: jute.maxbuffer and its extra size. @default 2 097 150 */
  readonly entryBytesMax?: number;
}

export async function readTxnLog(
  disk: Disk,
  path: string,
  onEntry: OnEntry,
  options: LogReadOptions = {},
): Promise<LogVerdict> {
  const scan = await LogScan.open(disk, path, onEntry, options);
  try {
    for (;;) {
      const verdict = await scan.next();
      if (verdict !== undefined) return verdict;
    }
  } finally {
    await scan.close();
  }
}

/** The same, a stretch of the file at a time, for who must wait between two. */
export class LogScan {
  private readonly file: DiskFile;
  private readonly window: FileWindow;
  private readonly onEntry: OnEntry;
  private readonly entryBytesMax: number;
  private lastZxid = -1;
  /** Behind the last entry delivered. */
  private position = 0;

  private constructor(file: DiskFile, fileBytes: number, onEntry: OnEntry, entryBytesMax: number) {
    this.file = file;
    this.window = new FileWindow(file, fileBytes);
    this.onEntry = onEntry;
    this.entryBytesMax = entryBytesMax;
  }

  /** The file is held to end where it ends now, whatever is appended while it is read. */
  static async open(disk: Disk, path: string, onEntry: OnEntry, options: LogReadOptions = {}): Promise<LogScan> {
    const file = await disk.open(path, { mode: "read" });
    try {
      return new LogScan(file, await file.size(), onEntry, options.entryBytesMax ?? ENTRY_BYTES_MAX_DEFAULT);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Reads on and delivers the entries that lie in memory then; what was delivered stays valid until the
   * next call.
   * @returns how the file ended, once it has
   */
  async next(): Promise<LogVerdict | undefined> {
    if (this.position === 0) {
      const verdict = await this.header();
      if (verdict !== undefined) return verdict;
      this.position = FILE_HEADER_BYTES;
    }
    const verdict = await this.fetchEntry(this.position);
    if (verdict === undefined) this.position = this.wholeEntries(this.position);
    return verdict;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  /** @returns a verdict where no entry can follow */
  private async header(): Promise<LogVerdict | undefined> {
    const window = this.window;
    const present = await window.ensure(0, FILE_HEADER_BYTES);
    if (present === FILE_HEADER_BYTES && readInt(window.bytes, 0) === LOG_MAGIC) return undefined;
    const start = window.bytes.slice(0, present);
    if ((await window.firstNonZero(0)) === undefined) {
      const what = window.fileBytes === 0 ? "the file is empty" : "the file holds only zeros";
      return { kind: "torn", position: 0, reason: `${what}: its first write did not arrive` };
    }
    if (present < FILE_HEADER_BYTES && start.every((byte, i) => byte === LOG_HEADER[i])) {
      return { kind: "torn", position: 0, reason: `the file ends after ${present} of its header's 16 bytes` };
    }
    const found = present < 4 ? "" : `, found 0x${(readInt(start, 0) >>> 0).toString(16)}`;
    const reason = `a txn log begins with the magic 0x${LOG_MAGIC.toString(16)}${found}`;
    return { kind: "damaged", position: 0, reason };
  }

  /** Delivers the whole entries that lie in the window from `position` on. @returns behind the last of them */
  private wholeEntries(position: number): number {
    const { bytes, base, length } = this.window;
    let at = position - base;
    while (at + ENTRY_HEAD_BYTES <= length) {
      const payloadLength = readInt(bytes, at + 8);
      if (payloadLength < TXN_HEADER_BYTES || payloadLength > this.entryBytesMax) break;
      const start = at + ENTRY_HEAD_BYTES;
      const end = start + payloadLength;
      if (end >= length || !isWholeEntry(bytes, at, end)) break;
      const zxid = readLongAsNumber(bytes, start + PAYLOAD_ZXID_OFFSET);
      if (!isZxid(zxid)) break;
      this.lastZxid = zxid;
      this.onEntry(bytes, start, end, base + at, zxid);
      at = end + 1;
    }
    return base + at;
  }

  /**
   * Brings the entry at `position` into the window.
   * @returns undefined where it is whole, otherwise how the file ends
   */
  private async fetchEntry(position: number): Promise<LogVerdict | undefined> {
    const window = this.window;
    const present = await window.ensure(position, ENTRY_HEAD_BYTES);
    const payloadLength = present < ENTRY_HEAD_BYTES ? 0 : readInt(window.bytes, window.index(position) + 8);
    if (payloadLength === 0) return await this.padding(position, present);
    if (payloadLength < TXN_HEADER_BYTES) return this.broken(position, `an entry gives its length as ${payloadLength}`);
    const entryBytes = ENTRY_FRAME_BYTES + payloadLength;
    if (position + entryBytes > window.fileBytes) {
      return this.broken(
        position,
        `the file ends ${position + entryBytes - window.fileBytes} bytes before its last entry does`,
      );
    }
    if (payloadLength > this.entryBytesMax) return await this.overlong(position, payloadLength);

    if ((await window.ensure(position, entryBytes)) < entryBytes)
      return this.broken(position, "the file shrinks while it is read");
    const at = window.index(position);
    const end = at + ENTRY_HEAD_BYTES + payloadLength;
    if (window.bytes[end] !== ENTRY_END)
      return this.broken(position, `an entry of ${payloadLength} bytes lacks its end mark 0x42`);
    if (!isWholeEntry(window.bytes, at, end)) {
      return this.broken(position, `an entry of ${payloadLength} bytes does not match its checksum`);
    }
    return refusedZxid(position, readLongAsNumber(window.bytes, at + ENTRY_HEAD_BYTES + PAYLOAD_ZXID_OFFSET));
  }

  private broken(position: number, problem: string): Promise<LogVerdict> {
    return judgeBreak(this.window, position, this.lastZxid, problem);
  }

  /** Behind the last entry there must be zeros to the end of the file. */
  private async padding(position: number, present: number): Promise<LogVerdict> {
    const nonZero = await this.window.firstNonZero(position);
    if (nonZero === undefined) return { kind: "complete", end: position };
    if (present < ENTRY_HEAD_BYTES) return this.broken(position, `the file ends after ${present} bytes of an entry`);
    if (nonZero < position + ENTRY_HEAD_BYTES) return this.broken(position, "an entry gives its length as 0");
    return this.broken(position, `zeros, as behind the last entry, are followed by other bytes at offset ${nonZero}`);
  }

  /** A whole entry above the limit must not pass for a torn one: it would be cut because a setting was lowered. */
  private async overlong(position: number, payloadLength: number): Promise<LogVerdict> {
    const window = this.window;
    const problem = `an entry gives its length as ${payloadLength}, the limit is ${this.entryBytesMax}`;
    const stated = readInt(window.bytes, window.index(position) + 4) >>> 0;
    const start = position + ENTRY_HEAD_BYTES;
    if (stated !== (await this.checksumOf(start, start + payloadLength))) return this.broken(position, problem);
    const reason = `${problem}, and the entry is whole: set jute.maxbuffer to what it was when this was written`;
    return { kind: "damaged", position, reason };
  }

  private async checksumOf(start: number, end: number): Promise<number> {
    const window = this.window;
    let checksum = 1;
    for (let at = start; at < end; ) {
      const present = await window.ensure(at, Math.min(end - at, window.bytes.length));
      if (present === 0) break;
      checksum = adler32(window.bytes, window.index(at), window.index(at) + present, checksum);
      at += present;
    }
    return checksum;
  }
}

function refusedZxid(position: number, zxid: number): LogVerdict | undefined {
  if (isZxid(zxid)) return undefined;
  return { kind: "damaged", position, reason: `an entry has the zxid ${zxid}; zxids from 0 to 2^53-1 can be held` };
}
