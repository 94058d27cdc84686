import type { QuorumVerifier } from "../quorum/index.js";
import { makeZxid } from "../zxid.js";

/**
 * Which servers have the leader's whole history on their disks and its epoch as their own (`Leader`'s
 * newLeaderProposal, reference L13 and L14). With a quorum in every configuration that counts, the
 * history is committed and the leader may serve.
 */
export class NewLeaderAcks {
  private readonly zxid: number;
  private readonly verifiers: readonly QuorumVerifier[];
  private readonly counted: readonly Set<number>[];
  private complete = false;

  /** @param verifiers the committed configuration, and the last seen one where it is newer */
  constructor(epoch: number, verifiers: readonly QuorumVerifier[]) {
    this.zxid = makeZxid(epoch, 0);
    this.verifiers = verifiers;
    this.counted = verifiers.map(() => new Set<number>());
  }

  get established(): boolean {
    return this.complete;
  }

  /**
   * The first ACK of a learner, or my own when log and currentEpoch are durable.
   * @param zxid must be the epoch's with counter 0: an ack of anything else is none of NEWLEADER
   */
  ack(sid: number, zxid: number): "counted" | "not-counted" {
    if (zxid !== this.zxid) return "not-counted";
    let outcome: "counted" | "not-counted" = "not-counted";
    for (const [index, verifier] of this.verifiers.entries()) {
      if (!verifier.voters.has(sid)) continue;
      this.counted[index]!.add(sid);
      outcome = "counted";
    }
    this.complete ||= this.verifiers.every((verifier, index) => verifier.containsQuorum(this.counted[index]!));
    return outcome;
  }
}
