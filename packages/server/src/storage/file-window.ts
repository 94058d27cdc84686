import type { DiskFile } from "../ports/index.js";

/**
 * A stretch of a file in memory, moved on as a scan goes: the scan itself is plain synchronous code over
 * `bytes`, and the file is read in large pieces. Memory is a piece and the longest stretch that was ever
 * asked for at once.
 */
const PIECE_BYTES = 1 << 20;

export class FileWindow {
  bytes: Uint8Array = new Uint8Array(PIECE_BYTES);
  /** The file position of `bytes[0]`. */
  base = 0;
  /** How many of `bytes` are the file's. */
  length = 0;
  readonly fileBytes: number;
  private readonly file: DiskFile;

  /** @param fileBytes where the file is held to end, whatever is appended meanwhile */
  constructor(file: DiskFile, fileBytes: number) {
    this.file = file;
    this.fileBytes = fileBytes;
  }

  /** Index in `bytes` of a file position that was ensured. */
  index(position: number): number {
    return position - this.base;
  }

  /** The file position behind the window. */
  get end(): number {
    return this.base + this.length;
  }

  /**
   * Brings `[position, position + count)` into the window, as far as the file goes.
   * @returns how many of them are there
   */
  async ensure(position: number, count: number): Promise<number> {
    const wanted = Math.max(0, Math.min(count, this.fileBytes - position));
    if (position < this.base || position + wanted > this.end) await this.moveTo(position, wanted);
    return Math.min(count, this.end - position);
  }

  private async moveTo(position: number, wanted: number): Promise<void> {
    // What the window holds of the new stretch; nothing when it goes back.
    const kept = position < this.base ? 0 : Math.max(0, this.end - position);
    const target = wanted > this.bytes.length ? new Uint8Array(wanted + PIECE_BYTES) : this.bytes;
    target.set(this.bytes.subarray(this.length - kept, this.length));
    this.bytes = target;
    this.base = position;
    this.length = kept;
    const room = Math.min(target.length - kept, this.fileBytes - position - kept);
    this.length += await this.file.read(target.subarray(kept, kept + room), position + kept);
  }

  /** The position of the first byte at or behind `position` that is not zero; undefined where only zeros follow. */
  async firstNonZero(position: number): Promise<number | undefined> {
    for (let at = position; at < this.fileBytes; at = this.end) {
      if ((await this.ensure(at, PIECE_BYTES)) === 0) return undefined;
      const found = indexOfNonZero(this.bytes, this.index(at), this.length);
      if (found < this.length) return this.base + found;
    }
    return undefined;
  }
}

/** @returns `end` where all are zero */
export function indexOfNonZero(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && (bytes.byteOffset + i) % 4 !== 0) {
    if (bytes[i] !== 0) return i;
    i++;
  }
  if (i === end) return end; // not aligned, perhaps: no words can be laid over nothing there
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, (end - i) >>> 2);
  let word = 0;
  while (word < words.length && words[word] === 0) word++;
  i += word * 4;
  while (i < end && bytes[i] === 0) i++;
  return i;
}
