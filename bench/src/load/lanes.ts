import type { LoadSpec } from "./load-spec.js";
import type { Recorder } from "./recorder.js";
import { PING_INTERVAL_MS } from "./request-frames.js";
import type { Target } from "./server-connection.js";

/** What one worker process drives: its share of the connections, all with the same workload. */
export interface Lanes {
  /** Resolves when every session is open. */
  open(): Promise<void>;
  /** Starts the closed loop: from now on every reply makes the next request. */
  begin(): void;
  /** No new requests; resolves when nothing is in flight any more. */
  end(): Promise<void>;
}

export interface LanesParts {
  readonly target: Target;
  readonly spec: LoadSpec;
  readonly recorder: Recorder;
  /** How many of the connections are this worker's, and how many come before them. */
  readonly count: number;
  readonly first: number;
  /** A connection was lost in the middle: the run is void. */
  readonly onFailure: (error: Error) => void;
}

/** More at once would overrun the server's queue of connections not yet accepted. */
export const OPENED_AT_ONCE = 200;

/** Ten thousand sessions may take a slow server longer to open than it lets the first of them be silent. */
export async function whilePinging(ping: () => void, opening: Promise<void>): Promise<void> {
  const pinging = setInterval(ping, PING_INTERVAL_MS);
  try {
    await opening;
  } finally {
    clearInterval(pinging);
  }
}

const SETTLE_MS_MAX = 60_000;

/** Resolves when `isDone`, looked at every few milliseconds; rejects after a minute. */
export async function until(isDone: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS_MAX;
  while (!isDone()) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${SETTLE_MS_MAX / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
