import type { Summary } from "../metrics/index.js";
import { LinkError } from "./packet-link.js";

/**
 * How many learners are being brought up to date at the same time in one way (`LearnerSyncThrottler`). Voters are
 * counted and never turned away: the quorum waits for them. An observer that is one too many is, and comes again.
 */
export class ConcurrentSyncs {
  private readonly max: number;
  private readonly what: string;
  private readonly key: string;
  /** How many there are when one begins or ends. */
  private readonly inFlight: Summary;
  private running = 0;

  constructor(max: number, what: string, key: string, inFlight: Summary) {
    this.max = max;
    this.what = what;
    this.key = key;
    this.inFlight = inFlight;
  }

  /** @returns what ends it, once @throws LinkError where an observer has to come again */
  begin(isObserver: boolean): () => void {
    if (isObserver && this.running >= this.max)
      throw new LinkError(
        `${this.running} servers are being sent ${this.what}, and an observer may not be one more (${this.key}=${this.max}): it comes again`,
      );
    this.change(1);
    let isOver = false;
    return () => {
      if (!isOver) this.change(-1);
      isOver = true;
    };
  }

  private change(by: 1 | -1): void {
    this.running += by;
    this.inFlight.add(this.running);
  }
}
