import type { DigestMd5Credentials } from "../sasl/digest-md5.js";
import type {
  ClientCounters,
  Failure,
  NodeEvent,
  ServerAddress,
  SessionEvent,
  SessionIdentity,
  SessionOptions,
  SessionState,
  WatchKind,
  WhenSuspended,
} from "../session/index.js";
import type { TlsOptions } from "../transport/tls.js";

/** What passes between the two halves of a client that live in different threads: plain data, in batches. */

/** What the connection's thread is started with. */
export interface ThreadData {
  readonly session: Omit<SessionOptions, "random">;
  readonly tls: TlsOptions | undefined;
  readonly digestMd5: DigestMd5Credentials | undefined;
  /** One number of 64 bits: until when the session is certain to live, in milliseconds since 1970. */
  readonly aliveUntil: SharedArrayBuffer;
}

/** A request without its body, which lies in the batch's bytes from `start` to `end`. */
export interface CallMessage {
  readonly kind: "call";
  readonly id: number;
  readonly opcode: number;
  readonly changesTree: boolean;
  readonly absentIsResult: boolean;
  readonly watch: { readonly kind: Exclude<WatchKind, "exist">; readonly path: string } | undefined;
  readonly addsWatch: { readonly kind: "persistent" | "recursive"; readonly path: string } | undefined;
  readonly removesWatches: { readonly path: string; readonly type: number } | undefined;
  readonly timeoutMs: number;
  readonly whenSuspended: WhenSuspended;
  readonly start: number;
  readonly end: number;
  /** With `auth`, it is a credential and has no body. */
  readonly auth: { readonly scheme: string; readonly bytes: Uint8Array } | undefined;
}

export type Command =
  | CallMessage
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "dropWatch"; readonly watchKind: WatchKind; readonly path: string }
  | { readonly kind: "updateServers"; readonly servers: readonly ServerAddress[] }
  | { readonly kind: "close" };

export interface CommandBatch {
  /** How many batches of reports had come when this left. */
  readonly reportsSeen: number;
  readonly commands: readonly Command[];
  readonly bytes: Uint8Array;
}

export type Report =
  | { readonly kind: "answer"; readonly id: number; readonly start: number; readonly end: number }
  /** The node of an `exists` is not there. */
  | { readonly kind: "absent"; readonly id: number }
  | { readonly kind: "failure"; readonly id: number; readonly failure: Failure }
  | { readonly kind: "event"; readonly event: NodeEvent | SessionEvent };

export interface ReportBatch {
  readonly reports: readonly Report[];
  readonly bytes: Uint8Array;
  readonly session: SessionSnapshot;
}

export interface SessionSnapshot {
  readonly state: SessionState;
  readonly identity: SessionIdentity;
  readonly timeoutMs: number;
  readonly server: ServerAddress | undefined;
  readonly lastProblem: string | undefined;
  readonly lastZxidSeen: bigint;
  readonly counters: ClientCounters;
}
