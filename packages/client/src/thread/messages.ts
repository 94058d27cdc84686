import type { DigestMd5Credentials } from "../sasl/digest-md5.js";
import type { ServerAddress, SessionIdentity, SessionOptions, SessionState } from "../session/index.js";
import type { TlsOptions } from "../transport/tls.js";

/**
 * What passes between the two halves of a client that live in different threads. All that was asked for in
 * one turn, or that one chunk from the server brought, is one message: memory that is handed over, not
 * copied, with the bodies of requests and replies as they are on the wire (`commands.ts`, `reports.ts`). A
 * message costs what it takes to wake a sleeping thread, some ten microseconds; a call in it hardly anything.
 */

/** What the connection's thread is started with. */
export interface ThreadData {
  readonly session: Omit<SessionOptions, "random">;
  readonly tls: TlsOptions | undefined;
  readonly digestMd5: DigestMd5Credentials | undefined;
  /** The memory of `SharedFigures`. */
  readonly figures: SharedArrayBuffer;
}

/** From the connection's thread: a batch of reports, and how the session stands where that has changed. */
export type ReportMessage = ArrayBuffer | { readonly batch: ArrayBuffer; readonly session: SessionSnapshot };

export interface SessionSnapshot {
  readonly state: SessionState;
  readonly identity: SessionIdentity;
  readonly timeoutMs: number;
  readonly server: ServerAddress | undefined;
  readonly lastProblem: string | undefined;
}
