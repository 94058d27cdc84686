import type { WriteRequest } from "../requests/index.js";
import type { Session } from "../sessions/index.js";
import type { Connection } from "./connection.js";
import type { TxnObserver } from "./txn-pipeline.js";

/**
 * What a server is among its peers, as far as its clients' requests go: alone or leading it gives writes
 * their zxids itself and decides when a session has expired; following or observing it asks the leader for
 * both. A replica serves clients as long as it has a role.
 *
 * Requests are handed over in the order in which they came, and whoever waits for one is answered in that
 * order, connection by connection (W8).
 */
export interface Role extends TxnObserver {
  /** Whether sessions expire here, and containers and TTL nodes are cleaned up from here. */
  readonly keepsSessions: boolean;
  /** Whether clients may connect at all: a leader can be told to do nothing but lead. */
  readonly servesClients: boolean;
  /**
   * What is served holds everything up to this zxid, though no txn may have it: an epoch begins with a counter
   * of 0, and a client may have been told of that by another server.
   */
  readonly historyZxid: number;
  /** No write is taken, and new sessions live on this server alone, until it is back among its peers. */
  readonly isReadOnly: boolean;
  /** A client's write. The request's bytes and the request itself are good during the call only. */
  submitWrite(request: WriteRequest, connection: Connection, receivedMs: number): void;
  submitCreateSession(request: WriteRequest, connection: Connection, timeoutMs: number, receivedMs: number): void;
  /** `connection` is the one to answer, none where the session expired. */
  submitCloseSession(request: WriteRequest, connection: Connection | undefined, receivedMs: number): void;
  /** A container or TTL node that seems to be due. Only where `keepsSessions`. */
  submitDeleteContainer(request: WriteRequest, path: Uint8Array, receivedMs: number): void;
  /** `done` is called when all that was committed at the leader, when it heard of the sync, is applied here. */
  submitSync(request: WriteRequest, done: () => void): void;
  /**
   * A client has come with the id and the password of a session: is it still alive, and has it not moved on?
   * `done` is called at once or later; never, where the role ends before.
   */
  revalidate(session: Session, connection: Connection, done: (isValid: boolean) => void): void;
  /** Something was heard of the session: it lives on. */
  onHeard(session: Session, nowMs: number): void;
}
