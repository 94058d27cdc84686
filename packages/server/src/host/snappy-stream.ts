import snappy from "snappyjs";
import { CompressionError } from "../storage/index.js";

/**
 * Snappy as Java's SnappyOutputStream frames it: a header of 16 bytes, then blocks, each an int with its
 * packed length and a raw snappy block.
 *
 * Blocks are packed by `snappyjs`. They are unpacked here: files come from the world, and a decoder for
 * them must end on any input, within bounds, and say what is wrong.
 */
const HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0, 0, 0, 1, 0, 0, 0, 1);
const MAGIC_BYTES = 8;

/** What Java packs into a block. */
const BLOCK_BYTES = 32 << 10;

/** The longest block accepted, packed or unpacked: Java's block size can be configured. */
const BLOCK_BYTES_MAX = 32 << 20;

export async function* packSnappy(plain: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield HEADER;
  const block = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  for await (const piece of plain) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + BLOCK_BYTES - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < BLOCK_BYTES) continue;
      yield packBlock(block);
      filled = 0;
    }
  }
  if (filled > 0) yield packBlock(block.subarray(0, filled));
}

function packBlock(block: Uint8Array): Uint8Array {
  const packed = snappy.compress(block);
  const framed = new Uint8Array(4 + packed.length);
  new DataView(framed.buffer).setUint32(0, packed.length);
  framed.set(packed, 4);
  return framed;
}

export async function* unpackSnappy(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new PackedInput(packed);
  const header = await input.take(HEADER.length);
  if (header === undefined || HEADER.subarray(0, MAGIC_BYTES).some((byte, i) => header[i] !== byte)) {
    throw new CompressionError("the file does not begin with a snappy stream's header");
  }
  for (;;) {
    const head = await input.take(4);
    if (head === undefined) return;
    const length = new DataView(head.buffer, head.byteOffset).getInt32(0);
    if (length < 0 || length > BLOCK_BYTES_MAX)
      throw new CompressionError(`a snappy block gives its length as ${length}`);
    const block = await input.take(length);
    if (block === undefined) throw new CompressionError("the file ends within a snappy block");
    yield unpackBlock(block);
  }
}

/** Hands out the packed bytes in the lengths asked for. */
class PackedInput {
  private readonly pieces: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);

  constructor(packed: AsyncIterable<Uint8Array>) {
    this.pieces = packed[Symbol.asyncIterator]();
  }

  /** @returns undefined at the end. @throws where the input ends before `count` bytes but not at once */
  async take(count: number): Promise<Uint8Array | undefined> {
    while (this.rest.length < count) {
      const next = await this.pieces.next();
      if (next.done === true) {
        if (this.rest.length === 0) return undefined;
        throw new CompressionError("the file ends within a snappy block");
      }
      const joined = new Uint8Array(this.rest.length + next.value.length);
      joined.set(this.rest);
      joined.set(next.value, this.rest.length);
      this.rest = joined;
    }
    const taken = this.rest.subarray(0, count);
    this.rest = this.rest.subarray(count);
    return taken;
  }
}

/** One raw block: its unpacked length as a varint, then literals and copies of what is out already. */
export function unpackBlock(block: Uint8Array): Uint8Array {
  const { value: length, next } = unpackedLength(block);
  const out = new Uint8Array(length);
  let at = next;
  let filled = 0;
  while (at < block.length) {
    const tag = block[at]!;
    const kind = tag & 3;
    // How many bytes behind the tag hold the length or the offset, little-endian.
    const extra = kind === 0 ? Math.max(0, (tag >>> 2) - 59) : kind === 3 ? 4 : kind;
    at += 1;
    if (at + extra > block.length) throw new CompressionError("a snappy block ends within a tag");
    const number = littleEndian(block, at, extra);
    at += extra;
    if (kind === 0) {
      const count = (extra === 0 ? tag >>> 2 : number) + 1;
      if (count > block.length - at || count > length - filled)
        throw new CompressionError("a snappy literal is too long");
      out.set(block.subarray(at, at + count), filled);
      at += count;
      filled += count;
    } else {
      const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      const offset = kind === 1 ? ((tag >>> 5) << 8) | number : number;
      if (offset === 0 || offset > filled || count > length - filled)
        throw new CompressionError("a snappy copy is out of bounds");
      // Byte by byte: a copy may overlap what it writes.
      for (const stop = filled + count; filled < stop; filled++) out[filled] = out[filled - offset]!;
    }
  }
  if (filled !== length) throw new CompressionError(`a snappy block holds ${filled} bytes instead of ${length}`);
  return out;
}

function unpackedLength(block: Uint8Array): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    value += (block[i]! & 0x7f) * 2 ** (7 * i);
    if (block[i]! >= 0x80) continue;
    if (value > BLOCK_BYTES_MAX) break;
    return { value, next: i + 1 };
  }
  throw new CompressionError("a snappy block has no valid length");
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
