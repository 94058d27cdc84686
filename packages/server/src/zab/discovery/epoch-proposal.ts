import type { QuorumVerifier } from "../quorum/index.js";

/**
 * Which epoch a new leader opens (`Leader.getEpochToPropose`, reference L5 and L6): one more than any
 * epoch that a quorum of voters has promised to accept, so that nobody of that quorum will follow an
 * older leader any more, and no two leaders open the same one.
 *
 * Every learner raises the candidate, observers too, since none of them could follow a lower one; only
 * voters of the committed configuration complete the quorum.
 */
export class EpochProposal {
  private readonly me: number;
  private readonly verifier: QuorumVerifier;
  private readonly counted = new Set<number>();
  private candidate = 0;
  private fixed: number | undefined;

  /** @param verifier of the committed configuration */
  constructor(me: number, acceptedEpoch: number, verifier: QuorumVerifier) {
    this.me = me;
    this.verifier = verifier;
    this.contribute(me, acceptedEpoch);
  }

  /**
   * The new epoch, once a quorum with me in it has contributed; it never changes then. It may be told to
   * learners only when it is on the disk as this server's own acceptedEpoch.
   */
  get epoch(): number | undefined {
    return this.fixed;
  }

  /**
   * Takes the acceptedEpoch of a learner (FOLLOWERINFO, OBSERVERINFO), or my own. One that comes when the
   * epoch is fixed changes nothing: a learner that has accepted a higher one will refuse, and must wait
   * for the next election.
   * @returns `epoch`
   */
  contribute(sid: number, acceptedEpoch: number): number | undefined {
    if (this.fixed !== undefined) return this.fixed;
    this.candidate = Math.max(this.candidate, acceptedEpoch + 1);
    if (this.verifier.voters.has(sid)) this.counted.add(sid);
    if (this.counted.has(this.me) && this.verifier.containsQuorum(this.counted)) this.fixed = this.candidate;
    return this.fixed;
  }
}
