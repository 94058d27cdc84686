import { LinkError } from "./packet-link.js";

/**
 * How many learners are being brought up to date at the same time in one way (`LearnerSyncThrottler`). Voters are
 * counted and never turned away: the quorum waits for them. An observer that is one too many is, and comes again.
 */
export class ConcurrentSyncs {
  private readonly max: number;
  private readonly what: string;
  private readonly key: string;
  private running = 0;

  constructor(max: number, what: string, key: string) {
    this.max = max;
    this.what = what;
    this.key = key;
  }

  /** @returns what ends it, once @throws LinkError where an observer has to come again */
  begin(isObserver: boolean): () => void {
    if (isObserver && this.running >= this.max)
      throw new LinkError(
        `${this.running} servers are being sent ${this.what}, and an observer may not be one more (${this.key}=${this.max}): it comes again`,
      );
    this.running += 1;
    let isOver = false;
    return () => {
      if (!isOver) this.running -= 1;
      isOver = true;
    };
  }
}
