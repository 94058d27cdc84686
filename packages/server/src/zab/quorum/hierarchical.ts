import type { QuorumVerifier } from "./quorum-verifier.js";

/**
 * Servers in groups (`QuorumHierarchical`): a group agrees when more than half of its weight does, and a
 * quorum is more than half of the groups. Groups that weigh nothing are not counted among the groups.
 *
 * Two quorums share a group that agreed in both, and there more than half of the weight stood behind
 * each: so they share a server. That needs every voter in one group at most.
 */
export class HierarchicalQuorum implements QuorumVerifier {
  readonly voters: ReadonlySet<number>;
  private readonly groups: ReadonlyMap<number, readonly number[]>;
  private readonly weights: ReadonlyMap<number, number>;

  /** @param groups each server in one of them at most; what has no weight weighs 1 */
  constructor(
    voters: ReadonlySet<number>,
    groups: ReadonlyMap<number, readonly number[]>,
    weights: ReadonlyMap<number, number>,
  ) {
    this.voters = voters;
    this.groups = groups;
    this.weights = weights;
  }

  containsQuorum(sids: ReadonlySet<number>): boolean {
    let counted = 0;
    let agreeing = 0;
    for (const members of this.groups.values()) {
      const whole = this.weigh(members);
      if (whole === 0) continue;
      counted++;
      if (this.weigh(members.filter((sid) => sids.has(sid) && this.voters.has(sid))) > Math.floor(whole / 2))
        agreeing++;
    }
    return agreeing > Math.floor(counted / 2);
  }

  weightOf(sid: number): number {
    return this.weights.get(sid) ?? 1;
  }

  private weigh(sids: readonly number[]): number {
    return sids.reduce((sum, sid) => sum + this.weightOf(sid), 0);
  }
}
