import { decodeText } from "./text.js";
import { WireError } from "./wire-error.js";
import { readInt } from "./writer.js";

const TWO_32 = 2 ** 32;

/** Where the halves of a 64-bit value meet: half the time of shifting bigints. */
const halves = new DataView(new ArrayBuffer(8));

/**
 * A cursor over bytes that came from somebody else. Every read is checked against `end`, lengths
 * before anything is allocated for them, so that no input can make it read outside or ask for more
 * memory than the input itself takes.
 */
export class ByteReader {
  bytes: Uint8Array;
  position: number;
  end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  /** Points the same reader at other bytes: the server keeps one for all requests. */
  reset(bytes: Uint8Array, position: number, end: number): void {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  private take(count: number): number {
    const at = this.position;
    if (count > this.end - at) throw new WireError(`${count} bytes expected at ${at}, ${this.end - at} left`);
    this.position = at + count;
    return at;
  }

  byte(): number {
    return this.bytes[this.take(1)]!;
  }

  bool(): boolean {
    return this.byte() !== 0;
  }

  int(): number {
    const at = this.take(4);
    const b = this.bytes;
    return (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
  }

  long(): bigint {
    const at = this.take(8);
    halves.setInt32(0, readInt(this.bytes, at));
    halves.setInt32(4, readInt(this.bytes, at + 4));
    return halves.getBigInt64(0);
  }

  /** A 64-bit value as a double: exact below 2^53 (zxids, times), rounded above; never for ids. */
  longAsNumber(): number {
    const high = this.int();
    return high * TWO_32 + (this.int() >>> 0);
  }

  /** The length of a string or buffer: -1 for null, else what is left suffices for it. */
  length(): number {
    const length = this.int();
    if (length < -1 || length > this.end - this.position) {
      throw new WireError(`length ${length} at ${this.position - 4}, ${this.end - this.position} bytes left`);
    }
    return length;
  }

  /** The count of a vector whose elements take at least `elementBytesMin`: -1 for null, other negative counts are empty. */
  count(elementBytesMin: number): number {
    const count = this.int();
    if (count < 0) return count === -1 ? -1 : 0;
    if (count * elementBytesMin > this.end - this.position) {
      throw new WireError(`count ${count} at ${this.position - 4}, ${this.end - this.position} bytes left`);
    }
    return count;
  }

  ustring(): string | null {
    const length = this.length();
    if (length < 0) return null;
    const at = this.take(length);
    return decodeText(this.bytes, at, at + length);
  }

  /** A view of the input, not a copy: it lives as long as the input does. */
  buffer(): Uint8Array | null {
    const length = this.length();
    if (length < 0) return null;
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  skip(count: number): void {
    this.take(count);
  }
}
