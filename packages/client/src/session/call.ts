import type { ByteReader, ByteWriter, ErrorName } from "@watchkeeper/wire";
import type { WatchListener } from "./watch-event.js";
import type { WatchKind } from "./watch-table.js";

/** Whether a failed request took effect: the question a caller has after any error. */
export type Outcome = "applied" | "not-applied" | "unknown";

/** Why a request failed, as plain facts; the public API makes an error of it. */
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
  /** What the server is told to forget; the client's table follows when it has. */
  readonly removesWatches: { readonly path: string; readonly type: number } | undefined;
  xid: number;
  result: unknown;
  failure: Failure | undefined;
  encodeBody(writer: ByteWriter): void;
  decodeBody(reader: ByteReader): unknown;
  /** Hands the outcome to the application. Only the listener half calls it. */
  settle(): void;
}

export function connectionLoss(call: Call, details: string): Failure {
  return { code: "CONNECTION_LOSS", outcome: call.changesTree ? "unknown" : "not-applied", details };
}
