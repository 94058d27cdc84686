import type { QuorumVerifier } from "./quorum-verifier.js";

/** More than half of the voters (`QuorumMaj`). */
export class MajorityQuorum implements QuorumVerifier {
  readonly voters: ReadonlySet<number>;

  constructor(voters: ReadonlySet<number>) {
    this.voters = voters;
  }

  containsQuorum(sids: ReadonlySet<number>): boolean {
    let count = 0;
    for (const sid of sids) if (this.voters.has(sid)) count++;
    return count > Math.floor(this.voters.size / 2);
  }

  weightOf(_sid: number): number {
    return 1;
  }
}
