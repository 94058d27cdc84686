import { ZkError } from "../errors.js";
import type { CallOptions } from "./call-options.js";

/**
 * The options of each single request of a call that makes several: each has what is left of the time for
 * the whole.
 *
 * @throws REQUEST_TIMEOUT nothing is left
 */
export function withinDeadline<O extends CallOptions>(operation: string, path: string, options: O): () => O {
  const { timeoutMs = 0 } = options;
  if (!(timeoutMs > 0)) return () => options; // none, or one that the first request refuses
  const deadlineMs = performance.now() + timeoutMs;
  return () => {
    const leftMs = deadlineMs - performance.now();
    if (leftMs > 0) return { ...options, timeoutMs: leftMs };
    const details = `${timeoutMs} ms`;
    throw new ZkError({ code: "REQUEST_TIMEOUT", outcome: "not-applied", operation, path, details });
  };
}

/** The error of a call of which some writes have happened when another failed: nobody may take it for none. */
export function partlyApplied(error: unknown, operation: string, path: string): unknown {
  if (!(error instanceof ZkError) || error.outcome !== "not-applied") return error;
  return new ZkError({ code: error.code, outcome: "unknown", operation, path, details: error.message, cause: error });
}
