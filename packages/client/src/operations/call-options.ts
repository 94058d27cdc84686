import type { RetryPolicy } from "../retry/retry-policy.js";
import type { WhenSuspended } from "../session/index.js";

/** What every call takes. The defaults are the client's own options of the same names. */
export interface CallOptions {
  /**
   * Gives the call up: it rejects with ABORTED. A request that was sent is carried out all the same;
   * `outcome` says so.
   */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call, waiting and repeating included, after which it rejects with REQUEST_TIMEOUT. @default the client's `requestTimeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Fail at once, or wait, while there is no connection. @default the client's, which is "try-all" */
  readonly whenSuspended?: WhenSuspended | undefined;
  /** Whether and how to try again what certainly did not happen. @default the client's, which is not at all */
  readonly retry?: RetryPolicy | undefined;
}

export const NO_OPTIONS: CallOptions = Object.freeze({});

/** What is wrong with the options, or undefined. */
export function optionsProblem({ timeoutMs }: CallOptions): string | undefined {
  if (timeoutMs === undefined || timeoutMs > 0) return undefined;
  return `timeoutMs above 0 expected, ${timeoutMs} found`;
}
