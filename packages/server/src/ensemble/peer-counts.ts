/** What a member has done among its peers since its process started, over all its roles: for `mntr`. */
export class PeerCounts {
  /** Elections taken part in. */
  lookings = 0;
  /** Times this server gave up leading because a voter of its own was looking for a leader again. */
  quitsForDisloyalVoters = 0;
  /** Learners brought up to date by txns, or by cutting off what they had too much. */
  diffs = 0;
  /** Learners brought up to date by a snapshot. */
  snapshots = 0;
  proposals = 0;
  commits = 0;
  proposalsReceived = 0;
  commitsReceived = 0;
  /** Sessions that another server asked this leader about. */
  revalidations = 0;
  /** Sessions that this learner asked its leader about. */
  connectionRevalidations = 0;
}
