/** More than failed elections lead to: such a promise comes from a damaged file, or is a lie. */
const EPOCHS_AHEAD_MAX = 16;

/**
 * Members that have promised a later epoch than that of the leader there is, to one that came to nothing: they may not
 * follow this leader, now or ever, and would stay away until there happens to be an election.
 *
 * No single packet may cost the ensemble its leader. So a promise counts when it has been repeated, unchanged, for as long
 * as a server may take to come in; and one far ahead never does: the next epoch would have to lie above it, and epochs
 * can be used up. That is for an operator to look at.
 */
export class LaterPromises {
  private readonly patienceTicks: number;
  private readonly heard = new Map<number, { readonly acceptedEpoch: number; readonly sinceTick: number }>();

  constructor(patienceTicks: number) {
    this.patienceTicks = patienceTicks;
  }

  /** A member tells of its promise. @returns whether it has waited long enough for an election to be due */
  note(sid: number, acceptedEpoch: number, leaderEpoch: number, tick: number): boolean {
    if (acceptedEpoch <= leaderEpoch || acceptedEpoch - leaderEpoch > EPOCHS_AHEAD_MAX) {
      this.heard.delete(sid);
      return false;
    }
    const earlier = this.heard.get(sid);
    if (earlier?.acceptedEpoch === acceptedEpoch) return tick - earlier.sinceTick >= this.patienceTicks;
    this.heard.set(sid, { acceptedEpoch, sinceTick: tick });
    return false;
  }
}
