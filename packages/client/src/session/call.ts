import type { ByteReader, ByteWriter } from "@watchkeeper/wire";
import type { ErrorName } from "./error-codes.js";
import type { WatchListener } from "./watch-event.js";
import type { WatchKind } from "./watch-table.js";

/** Whether a failed request took effect: the question a caller has after any error. */
export type Outcome = "applied" | "not-applied" | "unknown";

/**
 * What becomes of a request that is made while there is no connection.
 *
 * | value | the request |
 * | --- | --- |
 * | fail | is refused at once with CONNECTION_LOSS, outcome "not-applied" |
 * | try-all | waits until a connection stands, or every server was tried once in vain |
 * | wait | waits until a connection stands, its own deadline passes or the session ends |
 */
export type WhenSuspended = "fail" | "try-all" | "wait";

/** Why a request failed, as plain facts. */
export interface Failure {
  readonly code: ErrorName;
  readonly outcome: Outcome;
  readonly details?: string | undefined;
}

/** The watch a request asks for, registered in the client's table when the reply says the server has it. */
export interface WatchRequest {
  readonly kind: Exclude<WatchKind, "exist">;
  /** The server's path, chroot included. */
  readonly path: string;
  readonly listener: WatchListener;
}

export interface PersistentWatchRequest {
  readonly kind: "persistent" | "recursive";
  readonly path: string;
  readonly listener: WatchListener;
}

/**
 * One request on its way. The machine encodes it when it is sent, gives it its xid, and completes it
 * by setting either `result` or `failure`, once; the listener half then calls `settle`.
 */
export interface Call {
  readonly kind: "call";
  readonly opcode: number;
  /** A lost reply leaves the outcome of such a request unknown; of others there is nothing to apply. */
  readonly changesTree: boolean;
  /** A reply of NO_NODE is an answer (`exists`), not an error. */
  readonly absentIsResult: boolean;
  readonly watch: WatchRequest | undefined;
  /** The persistent watch it registers: in the client's table from its submission on, out of it when refused. */
  readonly addsWatch: PersistentWatchRequest | undefined;
  /** What the server is told to forget; the client's table follows when it has. */
  readonly removesWatches: { readonly path: string; readonly type: number } | undefined;
  /** Milliseconds from its submission after which it fails; 0 for no deadline. */
  readonly timeoutMs: number;
  readonly whenSuspended: WhenSuspended;
  /** 0 until it is sent, which it is at most once. */
  xid: number;
  result: unknown;
  failure: Failure | undefined;
  /**
   * It was completed or its caller gave up. Such a call may still stand in a queue: its reply is still
   * to come and must be matched with it, but is then for nobody.
   */
  isOver: boolean;
  /** Its place in the deadline wheel, kept by the wheel; undefined for a call without a deadline. */
  readonly deadline: DeadlinePlace | undefined;
  encodeBody(writer: ByteWriter): void;
  decodeBody(reader: ByteReader): unknown;
  /** Hands the outcome to the application. Only the listener half calls it. */
  settle(): void;
}

/** A link in the list of one slot of the deadline wheel. */
export interface DeadlinePlace {
  /** The slot's number; 0 while it stands in none. */
  slot: number;
  earlier: Call | undefined;
  later: Call | undefined;
}

/** For a request that cannot be put into bytes: something in it is not what its type says. */
export function unwritable(error: unknown): Failure {
  const details = `it cannot be written: ${error instanceof Error ? error.message : String(error)}`;
  return { code: "BAD_ARGUMENTS", outcome: "not-applied", details };
}

/** Whether it took effect, for a call that ends without an answer: only a write that was sent is in doubt. */
export function outcomeWithoutAnswer(call: Pick<Call, "changesTree" | "xid">): Outcome {
  return call.changesTree && call.xid !== 0 ? "unknown" : "not-applied";
}
