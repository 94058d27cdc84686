/**
 * Which sets of servers may decide. Whatever the system, any two quorums share a voter: what one quorum
 * has on disk, a server of every other quorum knows.
 */
export interface QuorumVerifier {
  /** The only servers that count. */
  readonly voters: ReadonlySet<number>;
  /** Whether the voters among these servers are a quorum. */
  containsQuorum(sids: ReadonlySet<number>): boolean;
  /** A server that weighs 0 is never elected. */
  weightOf(sid: number): number;
}
