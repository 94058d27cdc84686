/**
 * A zxid orders all changes: the epoch of the leader that made it in the high 32 bits, a counter in the
 * low ones. As a double it is exact up to 2^53 - 1, which leaves room for two million epochs. Negative
 * ones say "none": -1 is of epoch -1, and a server that has accepted no epoch yet sends `makeZxid(-1, 0)`.
 */
const TWO_32 = 2 ** 32;

export function epochOf(zxid: number): number {
  return Math.floor(zxid / TWO_32);
}

export function counterOf(zxid: number): number {
  return zxid >>> 0; // ToUint32 is modulo 2^32, exact for every such number
}

export function makeZxid(epoch: number, counter: number): number {
  return epoch * TWO_32 + counter;
}

/** As it is written everywhere: hexadecimal, with its sign where it stands for none. */
export function formatZxid(zxid: number): string {
  return zxid < 0 ? `-0x${(-zxid).toString(16)}` : `0x${zxid.toString(16)}`;
}
