import type { EnsembleConfig } from "../membership/index.js";

/**
 * The configurations an election goes by: the committed one, and while a change of it is under way the
 * proposed one too, which may have been committed without this server's knowing. Then quorums of both
 * are needed, and voters of either have a say.
 */
export class ElectionConfigs {
  readonly committed: EnsembleConfig;
  /** Those a quorum is needed of. */
  readonly active: readonly EnsembleConfig[];
  readonly voters: ReadonlySet<number>;

  /** @param lastSeen the committed one where nothing is under way */
  constructor(committed: EnsembleConfig, lastSeen: EnsembleConfig) {
    this.committed = committed;
    this.active = lastSeen.version > committed.version ? [committed, lastSeen] : [committed];
    this.voters = new Set([...committed.voters, ...lastSeen.voters]);
  }

  isVoter(sid: number): boolean {
    return this.voters.has(sid);
  }
}
