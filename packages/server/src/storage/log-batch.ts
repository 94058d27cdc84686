import { ByteWriter, copyBytes, writeInt } from "@watchkeeper/wire";
import { adler32 } from "./adler32.js";
import { ENTRY_BYTES_MAX_DEFAULT, ENTRY_END, ENTRY_HEAD_BYTES, LOG_HEADER } from "./log-format.js";

/** A batch this large should be written: what is unacknowledged at a power cut then has a known bound, see `log-break.ts`. */
const FULL_BYTES = 2 << 20;
/** Memory kept from one use to the next. */
const KEPT_BYTES_MAX = 4 << 20;
const KEPT_ENTRIES_MAX = 1 << 16;
const FIRST_BYTES = 64 << 10;

/**
 * The txns that one write will bring to the log, encoded where they will be written from. Between
 * `begin` and `end` the caller encodes header, record and digest into `writer`; checksum, length and
 * end mark are put around it. The payloads lie in `writer.bytes` at `[payloadStart(i), payloadEnd(i))`
 * until `reset`: the same bytes that are logged are proposed and applied.
 *
 * The memory begins with a file header, so that a batch which opens a new file is still one write.
 */
export class LogBatch {
  readonly writer: ByteWriter = new ByteWriter(FIRST_BYTES);
  count = 0;
  private readonly entryBytesMax: number;
  private open = -1;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly zxids: number[] = [];

  constructor(entryBytesMax: number = ENTRY_BYTES_MAX_DEFAULT) {
    this.entryBytesMax = entryBytesMax;
    this.putHeader();
  }

  /** Opens an entry. @returns where its payload starts in `writer` */
  begin(): number {
    if (this.open >= 0) throw new Error("an entry of the batch is open already");
    this.writer.reserve(ENTRY_HEAD_BYTES);
    this.open = this.writer.length;
    return this.open;
  }

  /**
   * Closes the open entry.
   * @throws if the payload is longer than a reader accepts: the caller checks `openEntryBytes` where
   * that can happen, for such an entry, once written, would keep the server from ever starting again
   */
  end(zxid: number): void {
    const start = this.open;
    const end = this.writer.length;
    if (start < 0) throw new Error("no entry of the batch is open");
    if (end - start > this.entryBytesMax) {
      throw new Error(`a txn of ${end - start} bytes is longer than the ${this.entryBytesMax} that a log can hold`);
    }
    const bytes = this.writer.bytes;
    writeInt(bytes, start - ENTRY_HEAD_BYTES, 0);
    writeInt(bytes, start - 8, adler32(bytes, start, end));
    writeInt(bytes, start - 4, end - start);
    this.writer.byte(ENTRY_END);
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.zxids[this.count] = zxid;
    this.count++;
    this.open = -1;
  }

  /** Takes the open entry back, as if it had never begun. */
  abandonEntry(): void {
    if (this.open < 0) throw new Error("no entry of the batch is open");
    this.writer.length = this.open - ENTRY_HEAD_BYTES;
    this.open = -1;
  }

  /** Takes back the entries after `zxid`. */
  dropAfter(zxid: number): void {
    while (this.count > 0 && this.zxids[this.count - 1]! > zxid) this.count--;
    this.writer.length = LOG_HEADER.length + this.byteLength;
  }

  /** The bytes written so far to the open entry's payload. */
  get openEntryBytes(): number {
    return this.open < 0 ? 0 : this.writer.length - this.open;
  }

  payloadStart(index: number): number {
    return this.starts[index]!;
  }

  payloadEnd(index: number): number {
    return this.ends[index]!;
  }

  zxid(index: number): number {
    return this.zxids[index]!;
  }

  get firstZxid(): number {
    return this.zxids[0]!;
  }

  get lastZxid(): number {
    return this.zxids[this.count - 1]!;
  }

  /** What the entries take in a log file. */
  get byteLength(): number {
    const end = this.count === 0 ? LOG_HEADER.length : this.ends[this.count - 1]! + 1;
    return end - LOG_HEADER.length;
  }

  /** Whether no more should be added before this is written. */
  get isFull(): boolean {
    return this.writer.length >= FULL_BYTES;
  }

  /** The whole entries, as a view. */
  entries(): Uint8Array {
    return this.writer.bytes.subarray(LOG_HEADER.length, LOG_HEADER.length + this.byteLength);
  }

  /** The same as the beginning of a new file, its header in front. */
  entriesWithFileHeader(): Uint8Array {
    return this.writer.bytes.subarray(0, LOG_HEADER.length + this.byteLength);
  }

  /** Empties the batch and keeps its memory, unless an unusual batch made it large. */
  reset(): void {
    if (this.writer.bytes.length > KEPT_BYTES_MAX) this.writer.bytes = new Uint8Array(FIRST_BYTES);
    if (this.starts.length > KEPT_ENTRIES_MAX) {
      this.starts.length = 0;
      this.ends.length = 0;
      this.zxids.length = 0;
    }
    this.count = 0;
    this.open = -1;
    this.putHeader();
  }

  private putHeader(): void {
    this.writer.reset();
    copyBytes(LOG_HEADER, 0, LOG_HEADER.length, this.writer.bytes, this.writer.reserve(LOG_HEADER.length));
  }
}
