import type {
  Call,
  Chroot,
  ClientCounters,
  ServerAddress,
  SessionIdentity,
  SessionState,
  WatchKind,
  WatchListener,
  WatchTable,
} from "../session/index.js";

/** How the session stands. */
export interface SessionView {
  readonly state: SessionState;
  readonly identity: SessionIdentity;
  readonly timeoutMs: number;
  readonly server: ServerAddress | undefined;
  readonly lastProblem: string | undefined;
  readonly lastZxidSeen: bigint;
  readonly aliveUntilMs: number;
  readonly counters: ClientCounters;
}

/**
 * The connection half of a client as its other half sees it, wherever it runs: in the same thread
 * (`Connection`) or in one of its own (`ThreadConnection`). What it is given is done in that order.
 */
export interface ConnectionHalf {
  readonly chroot: Chroot;
  readonly session: SessionView;
  /** Who watches what. Only to be looked at; `dropWatch` changes it. */
  readonly watches: WatchTable;
  submit(call: Call): void;
  /** Its caller has given the call up. */
  cancel(call: Call): void;
  addCredential(scheme: string, auth: Uint8Array, call: Call): void;
  dropWatch(kind: WatchKind, serverPath: string, listener: WatchListener): void;
  updateServers(servers: readonly ServerAddress[]): void;
  close(): void;
}
