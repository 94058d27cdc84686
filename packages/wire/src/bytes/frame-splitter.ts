import { WireError } from "./wire-error.js";
import { copyBytes, readInt } from "./writer.js";

/** The default of `jute.maxbuffer`: the longest frame that is accepted. */
export const FRAME_BYTES_MAX_DEFAULT = 0xfffff;

const FIRST_CAPACITY = 256;

/**
 * Cuts a stream of bytes into frames (a 4-byte length, then that many bytes). Whole frames are handed
 * out where they lie in the chunk; only a frame torn between chunks is copied, into memory that grows
 * with the bytes that have come, not with the length that was announced: a peer that claims a
 * megabyte and stays silent costs 256 bytes.
 *
 * Usage: `push(chunk)`, then while `next()`, the frame's payload is `bytes[start..end)`.
 */
export class FrameSplitter {
  readonly frameBytesMax: number;
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  private chunk: Uint8Array = EMPTY;
  private at = 0;
  private torn: Uint8Array = EMPTY;
  private tornBytes = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Adds what was read; everything of the previous chunk must have been taken by `next`. */
  push(chunk: Uint8Array): void {
    if (this.at < this.chunk.length) {
      const joined = new Uint8Array(this.chunk.length - this.at + chunk.length);
      joined.set(this.chunk.subarray(this.at));
      joined.set(chunk, this.chunk.length - this.at);
      this.chunk = joined;
    } else {
      this.chunk = chunk;
    }
    this.at = 0;
  }

  /** Whether bytes of the last chunk have not been looked at: `next` was not called to the end. */
  get hasUnhandled(): boolean {
    return this.at < this.chunk.length;
  }

  /** The first bytes of the stream, before any frame was taken: where four-letter words are found. */
  peek(count: number): Uint8Array | undefined {
    if (this.tornBytes > 0 || this.chunk.length - this.at < count) {
      if (this.tornBytes + this.chunk.length - this.at < count) return undefined;
      const fromTorn = Math.min(count, this.tornBytes);
      const joined = new Uint8Array(count);
      joined.set(this.torn.subarray(0, fromTorn));
      joined.set(this.chunk.subarray(this.at, this.at + count - fromTorn), fromTorn);
      return joined;
    }
    return this.chunk.subarray(this.at, this.at + count);
  }

  /** Copies what has not been looked at: for a chunk whose memory is about to be used again. */
  keepUnhandled(): void {
    this.chunk = this.chunk.slice(this.at);
    this.at = 0;
  }

  /** @throws WireError on a negative length or one above the limit; the stream is then of no use. */
  next(): boolean {
    if (this.tornBytes > 0) return this.nextTorn();
    const left = this.chunk.length - this.at;
    if (left >= 4) {
      const length = this.checkedLength(readInt(this.chunk, this.at));
      if (left - 4 >= length) {
        this.bytes = this.chunk;
        this.start = this.at + 4;
        this.end = this.start + length;
        this.at = this.end;
        return true;
      }
    }
    this.keep(left);
    return false;
  }

  /** Completes the frame whose beginning came with earlier chunks. */
  private nextTorn(): boolean {
    if (this.tornBytes < 4) {
      this.keep(Math.min(4 - this.tornBytes, this.chunk.length - this.at));
      if (this.tornBytes < 4) return false;
    }
    const length = this.checkedLength(readInt(this.torn, 0));
    this.keep(Math.min(4 + length - this.tornBytes, this.chunk.length - this.at));
    if (this.tornBytes < 4 + length) return false;
    this.bytes = this.torn;
    this.start = 4;
    this.end = 4 + length;
    this.torn = EMPTY; // the frame's bytes belong to whoever handles it now
    this.tornBytes = 0;
    return true;
  }

  private keep(count: number): void {
    if (count > 0) {
      const needed = this.tornBytes + count;
      if (needed > this.torn.length) {
        const larger = new Uint8Array(Math.max(needed, this.torn.length * 2, FIRST_CAPACITY));
        larger.set(this.torn.subarray(0, this.tornBytes));
        this.torn = larger;
      }
      copyBytes(this.chunk, this.at, this.at + count, this.torn, this.tornBytes);
      this.tornBytes = needed;
      this.at += count;
    }
    if (this.at === this.chunk.length) {
      this.chunk = EMPTY; // do not hold a whole read buffer for a connection that is silent
      this.at = 0;
    }
  }

  private checkedLength(length: number): number {
    if (length < 0 || length > this.frameBytesMax) {
      throw new WireError(`frame of ${length} bytes, ${this.frameBytesMax} allowed`);
    }
    return length;
  }
}

const EMPTY = new Uint8Array(0);
