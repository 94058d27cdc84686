import { encodeTextInto, textBytesMax } from "./text.js";

const TWO_32 = 2 ** 32;

/** Up to this many bytes a loop copies faster than a call with a temporary view, which takes about 50 ns. */
const LOOP_COPY_BYTES_MAX = 24;

const CAPACITY_MIN = 256;

/** Bytes being written, growing as needed; `reset` keeps the memory for the next use. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = CAPACITY_MIN) {
    this.bytes = new Uint8Array(capacity);
  }

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `count` more bytes and returns where they start; the caller fills them. */
  reserve(count: number): number {
    const at = this.length;
    if (at + count > this.bytes.length) this.grow(at + count);
    this.length = at + count;
    return at;
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2, CAPACITY_MIN));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  byte(value: number): void {
    const at = this.reserve(1); // first: it may put other memory in the place of `bytes`
    this.bytes[at] = value;
  }

  bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  int(value: number): void {
    const at = this.reserve(4);
    writeInt(this.bytes, at, value);
  }

  long(value: bigint): void {
    this.longParts(Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
  }

  longParts(high: number, low: number): void {
    const at = this.reserve(8);
    writeInt(this.bytes, at, high);
    writeInt(this.bytes, at + 4, low);
  }

  /** A whole number of at most 53 bits, sign included. */
  longFromNumber(value: number): void {
    const at = this.reserve(8);
    writeLongFromNumber(this.bytes, at, value);
  }

  ustring(value: string | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    const at = this.reserve(4 + textBytesMax(value));
    const written = encodeTextInto(value, this.bytes, at + 4);
    writeInt(this.bytes, at, written);
    this.length = at + 4 + written;
  }

  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    this.int(value.length);
    this.copy(value, 0, value.length);
  }

  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    const at = this.reserve(count);
    copyBytes(source, start, end, this.bytes, at);
  }

  /** The bytes written so far, as a view: valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

export function writeInt(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function readInt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Writes a whole number of at most 53 bits, sign included, as a 64-bit integer. */
export function writeLongFromNumber(bytes: Uint8Array, at: number, value: number): void {
  writeInt(bytes, at, Math.floor(value / TWO_32));
  writeInt(bytes, at + 4, value | 0); // ToInt32 is modulo 2^32, exact for every such value
}

/** Reads a 64-bit integer as a double: exact below 2^53, rounded above. */
export function readLongAsNumber(bytes: Uint8Array, at: number): number {
  return readInt(bytes, at) * TWO_32 + (readInt(bytes, at + 4) >>> 0);
}

export function readLong(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readInt(bytes, at)) << 32n) | BigInt(readInt(bytes, at + 4) >>> 0);
}

export function writeLong(bytes: Uint8Array, at: number, value: bigint): void {
  writeInt(bytes, at, Number(BigInt.asIntN(32, value >> 32n)));
  writeInt(bytes, at + 4, Number(BigInt.asIntN(32, value)));
}

export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start <= LOOP_COPY_BYTES_MAX) {
    for (let i = start, j = at; i < end; i++, j++) target[j] = source[i]!;
  } else {
    target.set(source.subarray(start, end), at);
  }
}
