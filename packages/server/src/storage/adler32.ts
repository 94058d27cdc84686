/**
 * Adler-32 as ZooKeeper's log and snapshot files use it. Incremental: the checksum of what came so far
 * is the seed for what follows, 1 at the start.
 */
const BASE = 65521;

/** So many bytes fit before the sums must be reduced: both then still lie below 2^31, where V8 keeps integers as integers. */
const BLOCK_BYTES = 3792;

export function adler32(bytes: Uint8Array, start: number, end: number, seed = 1): number {
  let a = seed & 0xffff;
  let b = seed >>> 16;
  let i = start;
  while (i < end) {
    const blockEnd = Math.min(i + BLOCK_BYTES, end);
    // Eight bytes at once: the second sum takes each byte as often as it will be added, so the additions do not wait for one another.
    for (const unrolledEnd = blockEnd - 7; i < unrolledEnd; i += 8) {
      const b0 = bytes[i]!;
      const b1 = bytes[i + 1]!;
      const b2 = bytes[i + 2]!;
      const b3 = bytes[i + 3]!;
      const b4 = bytes[i + 4]!;
      const b5 = bytes[i + 5]!;
      const b6 = bytes[i + 6]!;
      const b7 = bytes[i + 7]!;
      b = (b + (a << 3) + (b0 << 3) + b1 * 7 + b2 * 6 + b3 * 5 + (b4 << 2) + b5 * 3 + (b6 << 1) + b7) | 0;
      a = (a + b0 + b1 + b2 + b3 + b4 + b5 + b6 + b7) | 0;
    }
    for (; i < blockEnd; i++) {
      a = (a + bytes[i]!) | 0;
      b = (b + a) | 0;
    }
    a %= BASE;
    b %= BASE;
  }
  return ((b << 16) | a) >>> 0;
}
