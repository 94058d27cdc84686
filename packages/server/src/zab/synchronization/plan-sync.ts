import { counterOf } from "../zxid.js";

/**
 * How a leader brings a learner to its own history (`LearnerHandler.syncFollower`, reference 7.1 and
 * 7.2): a function of how far the learner's log goes and what is at hand to send it. All is to be read,
 * the plan made and the learner registered for what comes next in one turn, or txns would be lost or
 * sent twice between the two.
 */
export interface SyncInputs {
  /** The learner's last logged zxid (ACKEPOCH); -1 where it has no database. */
  readonly peerLastZxid: number;
  /** The last zxid applied to the tree, or the epoch's first, with counter 0, where the leader has just begun. */
  readonly lastProcessed: number;
  /** The committed txns kept in memory: first and last. Undefined where there are none. */
  readonly committed: { readonly min: number; readonly max: number } | undefined;
  /**
   * The log on disk has a file whose first txn is at or below `peerLastZxid`, reaches up to
   * `committed.min` without a gap, and is small enough beside a snapshot (`snapshotSizeFactor`).
   */
  readonly logReachesPeer: boolean;
}

export type SyncPlan =
  /** Then the txns behind `peerLastZxid`: none, those in memory, or those in the log and then those in memory. */
  | { readonly kind: "diff"; readonly zxid: number; readonly from: "nothing" | "memory" | "log" }
  | { readonly kind: "trunc"; readonly zxid: number }
  | { readonly kind: "snap"; readonly zxid: number };

export function planSync({ peerLastZxid, lastProcessed, committed, logReachesPeer }: SyncInputs): SyncPlan {
  const min = committed?.min ?? lastProcessed;
  const max = committed?.max ?? lastProcessed;
  const snap = { kind: "snap", zxid: lastProcessed } as const;
  if (peerLastZxid < 0) return snap;
  if (peerLastZxid === lastProcessed) return { kind: "diff", zxid: peerLastZxid, from: "nothing" };
  // A counter of 0 names no txn: the learner holds the beginning of an epoch that began elsewhere, and has nothing to cut.
  if (peerLastZxid > max) return counterOf(peerLastZxid) === 0 ? snap : { kind: "trunc", zxid: max };
  if (peerLastZxid >= min) return { kind: "diff", zxid: max, from: "memory" };
  return logReachesPeer ? { kind: "diff", zxid: max, from: "log" } : snap;
}
