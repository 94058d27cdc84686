import { CANNOT_LEAD } from "@watchkeeper/wire";
import type { EnsembleConfig } from "../membership/index.js";
import type { QuorumVerifier } from "../quorum/index.js";

/** Whom a server wants to lead, and why: the leader with the most complete history wins. */
export interface Proposal {
  /** CANNOT_LEAD from a server that proposes nobody. */
  readonly leader: number;
  /** The end of that leader's history. */
  readonly zxid: number;
  /** The last epoch which that leader accepted a leader of. */
  readonly peerEpoch: number;
}

/** A proposal as it was made in one round of the election. */
export interface Vote extends Proposal {
  readonly round: number;
}

/** The zxid of a server whose data was lost: it may be given a history, and must not elect by its own. */
export const UNINITIALIZED = -1;

/** What a server starts an election with: itself, unless it does not vote. */
export function initialProposal(
  myid: number,
  committed: EnsembleConfig,
  lastLoggedZxid: number,
  currentEpoch: number,
): Proposal {
  const role = committed.roleOf(myid);
  if (role === "observer") return { leader: CANNOT_LEAD, zxid: CANNOT_LEAD, peerEpoch: CANNOT_LEAD };
  return { leader: role === undefined ? CANNOT_LEAD : myid, zxid: lastLoggedZxid, peerEpoch: currentEpoch };
}

/**
 * The order of votes: by epoch, then by zxid, then by server id. The epoch comes first because a longer
 * history of an older epoch may hold what a later leader has thrown away.
 */
export function beats(candidate: Proposal, current: Proposal, verifier: QuorumVerifier): boolean {
  if (verifier.weightOf(candidate.leader) === 0) return false;
  if (candidate.peerEpoch !== current.peerEpoch) return candidate.peerEpoch > current.peerEpoch;
  if (candidate.zxid !== current.zxid) return candidate.zxid > current.zxid;
  return candidate.leader > current.leader;
}
