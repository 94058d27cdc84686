/**
 * CRC-32 (the zlib polynomial), eight bytes a step, over state that can be kept and continued: a
 * node's path and data seldom change while its Stat does, so their state is stored with the node.
 * The state is the complement form; `crc32Finish` gives the checksum itself.
 */
const tables = ((): Int32Array[] => {
  const made: Int32Array[] = [];
  const first = new Int32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    first[n] = c;
  }
  made.push(first);
  for (let t = 1; t < 8; t++) {
    const before = made[t - 1]!;
    made.push(before.map((c) => first[c & 0xff]! ^ (c >>> 8)));
  }
  return made;
})();
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

export const CRC32_START = -1;

export function crc32Continue(state: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = state;
  let i = from;
  for (const last = to - 8; i <= last; i += 8) {
    const low = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!;
  }
  for (; i < to; i++) crc = t0[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return crc;
}

/** The same over whole numbers of 32 bits, as their four bytes in network order would be. */
export function crc32ContinueInts(state: number, ints: Int32Array): number {
  let crc = state;
  let i = 0;
  for (const last = ints.length - 2; i <= last; i += 2) {
    const first = ints[i]!;
    const second = ints[i + 1]!;
    crc =
      t7[(crc ^ (first >>> 24)) & 0xff]! ^
      t6[((crc >>> 8) ^ (first >>> 16)) & 0xff]! ^
      t5[((crc >>> 16) ^ (first >>> 8)) & 0xff]! ^
      t4[((crc >>> 24) ^ first) & 0xff]! ^
      t3[second >>> 24]! ^
      t2[(second >>> 16) & 0xff]! ^
      t1[(second >>> 8) & 0xff]! ^
      t0[second & 0xff]!;
  }
  if (i === ints.length) return crc;
  const last = ints[i]!;
  return (
    t3[(crc ^ (last >>> 24)) & 0xff]! ^
    t2[((crc >>> 8) ^ (last >>> 16)) & 0xff]! ^
    t1[((crc >>> 16) ^ (last >>> 8)) & 0xff]! ^
    t0[((crc >>> 24) ^ last) & 0xff]!
  );
}

export function crc32Finish(state: number): number {
  return ~state >>> 0;
}
