import type { Client } from "../client.js";
import { hasCode, ZkError } from "../errors.js";
import { retryPolicies } from "../retry/retry-policy.js";

/** For requests that can be repeated: they wait for a connection as long as there is a session. */
export const PATIENT = { whenSuspended: "wait", retry: retryPolicies.untilDeadline } as const;

/** How long somebody is willing to wait for something others have to give. */
export interface WaitOptions {
  /** Gives up waiting: ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which waiting is given up: REQUEST_TIMEOUT. @default waits as long as the session lives */
  readonly timeoutMs?: number | undefined;
}

/** For a wait of several steps: the options of each, which has what is left of the time for the whole. */
export function withinDeadline(options: WaitOptions): () => WaitOptions {
  const { timeoutMs } = options;
  if (timeoutMs === undefined) return () => options;
  const deadlineMs = performance.now() + timeoutMs;
  return () => ({ ...options, timeoutMs: Math.max(0, deadlineMs - performance.now()) });
}

/** The bound on one wait, and the sentence that is said at its end. */
export class Patience {
  readonly signal: AbortSignal;
  private readonly given: AbortSignal | undefined;
  private readonly timeoutMs: number | undefined;
  private readonly operation: string;
  private readonly path: string;

  constructor(operation: string, path: string, { signal, timeoutMs }: WaitOptions) {
    this.operation = operation;
    this.path = path;
    this.given = signal;
    this.timeoutMs = timeoutMs;
    const signals = signal === undefined ? [] : [signal];
    if (timeoutMs !== undefined) signals.push(AbortSignal.timeout(Math.ceil(timeoutMs)));
    this.signal = AbortSignal.any(signals);
  }

  /** What a wait that failed by `error` rejects with. */
  errorOf(error: unknown): unknown {
    return this.signal.aborted ? this.givenUp() : error;
  }

  /** Resolves as `work` does, or rejects when the patience ends; `onLate` is then given what comes all the same. */
  async bound<T>(work: Promise<T>, onLate: (result: T) => unknown = () => undefined): Promise<T> {
    const { signal } = this;
    let stop: () => void = () => undefined;
    const ended = new Promise<never>((_, reject) => {
      stop = () => {
        work.then(onLate).catch(() => undefined);
        reject(this.givenUp());
      };
    });
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([work, ended]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  private givenUp(): ZkError {
    const { operation, path, given, timeoutMs } = this;
    const facts = { outcome: "not-applied", operation, path } as const;
    if (given?.aborted) return new ZkError({ ...facts, code: "ABORTED", cause: given.reason });
    return new ZkError({ ...facts, code: "REQUEST_TIMEOUT", details: `${timeoutMs} ms` });
  }
}

/** Whether an error says that the session, and with it all that was held by it, is gone. */
export function isSessionEnd(error: unknown): error is ZkError {
  return hasCode(error, "SESSION_EXPIRED", "CLOSING", "AUTH_FAILED");
}

/** Creates a persistent node, and what is missing above it, if it is not there. */
export async function ensureNode(client: Client, path: string, data: Uint8Array | string | null = null): Promise<void> {
  for (;;) {
    try {
      await client.create(path, data, { ...PATIENT, parents: true });
      return;
    } catch (error) {
      if (hasCode(error, "NODE_EXISTS")) return;
      if (!hasCode(error, "CONNECTION_LOSS")) throw error; // repeated, it can only find the node there
    }
  }
}
