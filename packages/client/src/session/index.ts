/**
 * The client's session as a pure machine: servers, handshake, pings, calls in flight, watches,
 * reconnection. It knows no socket, timer or clock, and nothing of the public API.
 */
export {
  type Call,
  type DeadlinePlace,
  type Failure,
  type Outcome,
  outcomeWithoutAnswer,
  type PersistentWatchRequest,
  unwritable,
  type WatchRequest,
  type WhenSuspended,
} from "./call.js";
export { Chroot, CONFIG_PATH } from "./chroot.js";
export { type ClientCounters, newCounters } from "./counters.js";
export type { Delivery, EventDelivery } from "./delivery.js";
export { type ErrorCode, type ErrorName, errorCodes } from "./error-codes.js";
export { pathProblem, sequentialPathProblem } from "./paths.js";
export type { Random } from "./random.js";
export { type ConnectTarget, formatAddress, parseConnectString, type ServerAddress } from "./server-list.js";
export {
  type SaslTurn,
  type SessionIdentity,
  SessionMachine,
  type SessionOptions,
  type SessionOutput,
} from "./session-machine.js";
export { isFinal, isServed, type SessionState } from "./session-state.js";
export {
  isLastEvent,
  type NodeEvent,
  type SessionEvent,
  type WatchEvent,
  type WatchListener,
  type WatchRemovedEvent,
} from "./watch-event.js";
export { DROPPED, WATCH_KINDS, type WatchKind, WatchTable } from "./watch-table.js";
