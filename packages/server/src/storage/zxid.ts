import { counterOf, epochOf } from "@watchkeeper/wire";

export { formatZxid } from "@watchkeeper/wire";

/** Whether a number read from a file or a name can be a zxid that a double holds. */
export function isZxid(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Whether a history that had reached `before` may go on with this zxid as the first of a later epoch. */
export function beginsEpoch(before: number, zxid: number): boolean {
  return epochOf(zxid) > epochOf(before) && counterOf(zxid) <= 1;
}

/** Counter 0 stands for the beginning of an epoch; no txn has it, except where a counter ran over. */
export function namesTxn(zxid: number): boolean {
  return counterOf(zxid) !== 0;
}
