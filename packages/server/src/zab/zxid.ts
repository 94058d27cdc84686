import { counterOf, epochOf } from "@watchkeeper/wire";

export { counterOf, epochOf, formatZxid, makeZxid } from "@watchkeeper/wire";

/** The last counter that a txn may have; a leader that has used it gives way to a new epoch. */
export const COUNTER_MAX = 2 ** 32 - 2;

/**
 * Whether `zxid` is the txn that comes next in a history which ends with `before`: counters count by
 * one within an epoch, and an epoch's first txn has counter 1. Anything else leaves txns out.
 *
 * Apache's learners (3.9.4+) let a later epoch begin anywhere. A history that skips the end of one epoch
 * and the beginning of the next has lost both, so here it does not pass.
 */
export function continuesHistory(before: number, zxid: number): boolean {
  if (zxid === before + 1) return counterOf(zxid) !== 0;
  return counterOf(zxid) === 1 && epochOf(zxid) > epochOf(before);
}
