import { SERVER_STATE, type ServerState } from "@watchkeeper/wire";
import type { EnsembleConfig } from "../membership/index.js";
import type { Vote } from "./vote.js";

/** A vote with the state of the server it came from. */
export interface CastVote extends Vote {
  readonly state: ServerState;
  /** Of the notification; 0 for a vote of the present round, where it plays no part. */
  readonly version: number;
}

/** The last vote of each server (Apache's `recvset` and `outofelection`). */
export class VoteTable {
  private readonly votes = new Map<number, CastVote>();

  /** Returns whether the server has changed its vote. */
  cast(sid: number, vote: CastVote): boolean {
    const before = this.votes.get(sid);
    this.votes.set(sid, vote);
    return before === undefined || !isSame(before, vote);
  }

  clear(): void {
    this.votes.clear();
  }

  /** Whether those who agree with `vote` are a quorum of every one of the configurations. */
  hasAllQuorums(vote: CastVote, configs: readonly EnsembleConfig[]): boolean {
    const agreeing = new Set<number>();
    for (const [sid, cast] of this.votes) if (agree(cast, vote)) agreeing.add(sid);
    return configs.every(({ verifier }) => verifier.containsQuorum(agreeing));
  }

  /** Those whose last vote is for this leader. */
  votersFor(leader: number): number[] {
    return [...this.votes].filter(([, vote]) => vote.leader === leader).map(([sid]) => sid);
  }

  /** Whether the server says of itself that it leads: followers may not have noticed yet that it does no more. */
  isLeading(sid: number): boolean {
    return this.votes.get(sid)?.state === SERVER_STATE.leading;
  }
}

function isSame(one: CastVote, other: CastVote): boolean {
  const isSameMoment = one.state === other.state && one.round === other.round;
  return isSameMoment && one.leader === other.leader && isSameHistory(one, other);
}

function isSameHistory(one: CastVote, other: CastVote): boolean {
  return one.zxid === other.zxid && one.peerEpoch === other.peerEpoch;
}

/**
 * Outside an election zxid and round are not compared: a member that joined later has others than its
 * leader for one and the same leadership. Where only one vote has a version, epochs cannot be compared
 * either.
 */
function agree(one: CastVote, other: CastVote): boolean {
  if (one.leader !== other.leader) return false;
  if (one.state === SERVER_STATE.looking || other.state === SERVER_STATE.looking) {
    return one.round === other.round && isSameHistory(one, other);
  }
  return (one.version === 0) !== (other.version === 0) || one.peerEpoch === other.peerEpoch;
}
