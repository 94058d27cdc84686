/**
 * The client's session as a pure machine: servers, handshake, pings, calls in flight, watches,
 * reconnection. It knows no socket, timer or clock, and nothing of the public API.
 */
export type { Call, Failure, Outcome, WatchRequest } from "./call.js";
export { Chroot } from "./chroot.js";
export type { Delivery, EventDelivery } from "./delivery.js";
export { pathProblem, sequentialPathProblem } from "./paths.js";
export type { Random } from "./random.js";
export { type ConnectTarget, formatAddress, parseConnectString, type ServerAddress } from "./server-list.js";
export { type SessionIdentity, SessionMachine, type SessionOptions, type SessionOutput } from "./session-machine.js";
export { isFinal, type SessionState } from "./session-state.js";
export type { NodeEvent, SessionEvent, WatchEvent, WatchListener, WatchRemovedEvent } from "./watch-event.js";
export type { WatchKind } from "./watch-table.js";
