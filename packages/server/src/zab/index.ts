/**
 * What the servers of an ensemble decide: who belongs to it, what a quorum is, who leads, which history is
 * the right one, what is committed. Plain state and functions: input in, output out, without a socket, a
 * timer or a promise.
 */
export * from "./broadcast/index.js";
export * from "./discovery/index.js";
export * from "./election/index.js";
export * from "./membership/index.js";
export { ProtocolViolation, type ViolationCode } from "./protocol-violation.js";
export * from "./quorum/index.js";
export * from "./synchronization/index.js";
export { COUNTER_MAX, continuesHistory, counterOf, epochOf, formatZxid, makeZxid } from "./zxid.js";
