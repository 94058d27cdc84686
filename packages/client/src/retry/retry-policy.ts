import type { ZkError } from "../errors.js";

/**
 * When to try a call again, as a value. It never covers what may have happened: only errors that are
 * `retryable` with outcome "not-applied" are repeated, so reads always, and writes that were refused for
 * the moment or never sent. A write whose reply was lost is the application's to decide; `create` with
 * `protection` decides it by looking.
 */
export interface RetryPolicy {
  /** Tries in all, the first one included. 1: none is repeated. */
  readonly attemptsMax: number;
  /** Bound of the first random pause; it doubles with every further try. @default 50 */
  readonly delayMs?: number | undefined;
  /** Where the doubling ends. @default 2000 */
  readonly delayMsMax?: number | undefined;
  /** Narrows what is tried again. @default all that the policy may cover */
  readonly when?: ((error: ZkError) => boolean) | undefined;
}

const DELAY_MS_DEFAULT = 50;
const DELAY_MS_MAX_DEFAULT = 2000;

/** Ready-made policies. */
export const retryPolicies = {
  none: { attemptsMax: 1 },
  /** A few tries within about two seconds: a server restarts, a leader is elected. */
  brief: { attemptsMax: 6, delayMs: 50, delayMsMax: 1000 },
  /** Until the call's deadline. */
  untilDeadline: { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 50, delayMsMax: 2000 },
} as const satisfies Record<string, RetryPolicy>;

/** The pause before the next try, of `attempt` tries made; undefined to give up. */
export function pauseMs(
  policy: RetryPolicy,
  error: ZkError,
  attempt: number,
  random: () => number = Math.random,
): number | undefined {
  if (!error.retryable || error.outcome !== "not-applied") return undefined;
  if (attempt >= policy.attemptsMax || policy.when?.(error) === false) return undefined;
  const first = policy.delayMs ?? DELAY_MS_DEFAULT;
  const bound = Math.min(first * 2 ** Math.min(attempt - 1, 30), policy.delayMsMax ?? DELAY_MS_MAX_DEFAULT);
  return random() * bound;
}
