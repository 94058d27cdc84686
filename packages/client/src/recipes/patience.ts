import type { Client } from "../client.js";
import { badArguments, hasCode, ZkError } from "../errors.js";
import type { NodeContent } from "../operations/create-options.js";
import { whenAborted } from "../operations/when-aborted.js";
import { retryPolicies } from "../retry/retry-policy.js";

/**
 * For requests that can be repeated: they wait for a connection as long as there is a session. A deadline that
 * the client has for all its requests does not end them: it would leave nodes behind that nobody knows of.
 */
export const PATIENT = {
  whenSuspended: "wait",
  retry: retryPolicies.untilDeadline,
  timeoutMs: Number.POSITIVE_INFINITY,
} as const;

/** How long somebody is willing to wait for something others have to give. */
export interface WaitOptions {
  /** Gives up waiting: ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which waiting is given up: REQUEST_TIMEOUT. @default waits as long as the session lives */
  readonly timeoutMs?: number | undefined;
}

/**
 * For a wait of several steps: the options of each, which has what is left of the time for the whole. 0 is no time
 * here, which ends the step, and no limit with requests.
 */
export function remainingOf(options: WaitOptions): () => WaitOptions {
  const { timeoutMs } = options;
  if (timeoutMs === undefined) return () => options;
  const deadlineMs = performance.now() + timeoutMs;
  return () => ({ ...options, timeoutMs: Math.max(0, deadlineMs - performance.now()) });
}

/** Runs a wait within its bounds. Whatever of it still waits when it has ended is given up. */
export async function patiently<T>(
  operation: string,
  path: string,
  options: WaitOptions,
  wait: (patience: Patience) => Promise<T>,
): Promise<T> {
  const patience = new Patience(operation, path, options);
  try {
    return await wait(patience);
  } catch (error) {
    throw patience.errorOf(error);
  } finally {
    patience.end();
  }
}

/**
 * The bound on one wait, and the sentence that is said at its end.
 *
 * It has a timer of its own, and is not made of `AbortSignal.timeout` and `AbortSignal.any`: with Node 20 what these
 * are made of can be collected while somebody waits, who then waits for ever.
 */
export class Patience {
  readonly signal: AbortSignal;
  private readonly over = new AbortController();
  private readonly given: AbortSignal | undefined;
  private readonly timeoutMs: number | undefined;
  private readonly unheed: () => void;
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly operation: string;
  private readonly path: string;

  constructor(operation: string, path: string, { signal, timeoutMs }: WaitOptions) {
    this.operation = operation;
    this.path = path;
    this.given = signal;
    this.timeoutMs = timeoutMs;
    this.signal = this.over.signal;
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw badArguments(operation, path, `timeoutMs above 0 expected, ${timeoutMs} found`);
    }
    this.unheed = whenAborted(signal, this.stop);
    // What Node's timers cannot count to is as good as no bound.
    if (timeoutMs !== undefined && timeoutMs <= TIMER_MS_MAX) this.timer = setTimeout(this.stop, Math.ceil(timeoutMs));
  }

  end(): void {
    this.unheed();
    clearTimeout(this.timer);
    this.stop();
  }

  /** So that nothing is begun that would only be given up. */
  throwIfOver(): void {
    if (this.signal.aborted) throw this.givenUp();
  }

  /** What a wait that failed by `error` rejects with; what may have happened by then is not denied. */
  errorOf(error: unknown): unknown {
    if (!this.signal.aborted) return error;
    return this.givenUp(error instanceof ZkError ? error.outcome : "not-applied");
  }

  /** Resolves as `work` does, or rejects when the patience ends; `onLate` is then given what comes all the same. */
  async bound<T>(work: Promise<T>, onLate: (result: T) => unknown = () => undefined): Promise<T> {
    let unheed: () => void = () => undefined;
    const ended = new Promise<never>((_, reject) => {
      unheed = whenAborted(this.signal, () => {
        work.then(onLate).catch(() => undefined);
        reject(this.givenUp());
      });
    });
    try {
      return await Promise.race([work, ended]);
    } finally {
      unheed();
    }
  }

  /** Waits until `work` has ended, however it does, or until the patience ends. */
  async settled(work: Promise<unknown>): Promise<void> {
    await this.bound(work).catch(() => undefined);
  }

  private readonly stop = (): void => this.over.abort();

  private givenUp(outcome: ZkError["outcome"] = "not-applied"): ZkError {
    const { operation, path, given, timeoutMs } = this;
    const facts = { outcome, operation, path };
    if (given?.aborted) return new ZkError({ ...facts, code: "ABORTED", cause: given.reason });
    return new ZkError({ ...facts, code: "REQUEST_TIMEOUT", details: `${timeoutMs} ms` });
  }
}

/** Whether an error says that the session, and with it all that was held by it, is gone. */
export function isSessionEnd(error: unknown): error is ZkError {
  return hasCode(error, "SESSION_EXPIRED", "CLOSING", "AUTH_FAILED");
}

/**
 * Whether an error ends whatever lives with the client: all but the loss of a session that the client
 * renews. A closing client refuses everything before its state says "closed".
 */
export function isLastError(client: Client, error: unknown): boolean {
  return !hasCode(error, "SESSION_EXPIRED") || client.state === "lost";
}

const TIMER_MS_MAX = 2 ** 31 - 1;

/** Creates a persistent node, and what is missing above it, if it is not there. */
export async function ensureNode(
  client: Client,
  path: string,
  { data = null, signal }: { readonly data?: NodeContent; readonly signal?: AbortSignal } = {},
): Promise<void> {
  for (;;) {
    try {
      await client.create(path, data, { ...PATIENT, signal, parents: true });
      return;
    } catch (error) {
      if (hasCode(error, "NODE_EXISTS")) return;
      if (!hasCode(error, "CONNECTION_LOSS")) throw error; // repeated, it can only find the node there
    }
  }
}
