/**
 * A zxid orders all changes: the epoch of the leader that made it in the high 32 bits, a counter in the
 * low ones. It is kept as a double, exact up to 2^53-1, which leaves room for two million epochs.
 */
const TWO_32 = 2 ** 32;

export function isZxid(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function formatZxid(zxid: number): string {
  return zxid < 0 ? `-0x${(-zxid).toString(16)}` : `0x${zxid.toString(16)}`;
}

/** Whether a history that had reached `before` may go on with this zxid as the first of a later epoch. */
export function beginsEpoch(before: number, zxid: number): boolean {
  return Math.floor(zxid / TWO_32) > Math.floor(before / TWO_32) && zxid % TWO_32 <= 1;
}

/** Counter 0 stands for the beginning of an epoch; no txn has it, except where a counter ran over. */
export function namesTxn(zxid: number): boolean {
  return zxid % TWO_32 !== 0;
}
