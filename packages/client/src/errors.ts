import { type ErrorName, errorCodes, type Failure, type Outcome } from "./session/index.js";

/** What an error is made of. */
export interface ZkErrorFacts extends Failure {
  readonly operation: string;
  readonly path?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Every error this client rejects with.
 *
 * ```ts
 * try {
 *   await client.setData("/config", "new");
 * } catch (error) {
 *   if (!(error instanceof ZkError)) throw error;
 *   if (error.outcome === "unknown") await verifyByReading("/config"); // the write may have landed
 *   else if (error.code !== "NO_NODE") throw error;
 * }
 * ```
 */
export class ZkError extends Error {
  override readonly name = "ZkError";
  /** What happened, for programs: a name of the table of error codes, such as "NO_NODE". */
  readonly code: ErrorName;
  /**
   * Did it happen? "unknown" only for a write that was sent and whose answer never came: the connection
   * was lost, its deadline passed, or it was given up; and for a call of many writes of which some have happened.
   */
  readonly outcome: Outcome;
  /** Whether the same request may succeed later. With outcome "unknown", find out first what became of this one. */
  readonly retryable: boolean;
  /** The method that was called. */
  readonly operation: string;
  /** As the application gave it; the connect string for `connect`. */
  readonly path: string | undefined;

  /** For tests of an application: errors that it is to meet. */
  constructor(facts: ZkErrorFacts) {
    const { retryable } = errorCodes[facts.code];
    const sentence = sentenceOf(facts);
    const subject = facts.path === undefined ? facts.operation : `${facts.operation} ${facts.path || '""'}`;
    const message = `${subject}: ${sentence}${facts.details === undefined ? "" : ` (${facts.details})`}`;
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.outcome = facts.outcome;
    this.retryable = retryable;
    this.operation = facts.operation;
    this.path = facts.path;
  }
}

/** The table's sentence for a lost connection leaves open what became of the request; here it may be known. */
function sentenceOf({ code, outcome }: Failure): string {
  if (code === "CONNECTION_LOSS" && outcome === "not-applied") return "there is no connection to a server";
  return errorCodes[code].sentence;
}

/** Arguments that no server needs to see. */
export function badArguments(operation: string, path: string | undefined, details: string): ZkError {
  return new ZkError({ code: "BAD_ARGUMENTS", outcome: "not-applied", operation, path, details });
}

export function hasCode(error: unknown, ...codes: ErrorName[]): error is ZkError {
  return error instanceof ZkError && codes.includes(error.code);
}
