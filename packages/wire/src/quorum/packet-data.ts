import { readExactLong } from "../bytes/exact-long.js";
import { WireError } from "../bytes/wire-error.js";
import { type ByteWriter, readInt } from "../bytes/writer.js";
import { bool, int, long, record } from "../records/kit.js";

/** What the data of packets between leader and learner hold, where it is not a txn or the text of a configuration. */

/** The protocol since Zab 1.0: with LEADERINFO and ACKEPOCH. Older learners name 1, or none. */
export const LEARNER_PROTOCOL_VERSION = 0x10000;
const LEARNER_PROTOCOL_BEFORE_ZAB_1 = 1;

/** FOLLOWERINFO and OBSERVERINFO: who the learner is. */
export interface LearnerInfo {
  /** Undefined where the learner did not say: the leader then gives it an id of its own. */
  readonly sid: number | undefined;
  readonly protocolVersion: number;
  /** Version of the committed configuration the learner knows. Undefined before 3.5. */
  readonly configVersion: number | undefined;
}

export function encodeLearnerInfo(writer: ByteWriter, sid: number, configVersion: number): void {
  writer.longFromNumber(sid);
  writer.int(LEARNER_PROTOCOL_VERSION);
  writer.longFromNumber(configVersion);
}

/** The record grew over time, so its length says which fields are there. `length` -1 is null, as a scan finds it. */
export function decodeLearnerInfo(bytes: Uint8Array, start: number, length: number): LearnerInfo {
  return {
    sid: length >= 8 ? readExactLong(bytes, start) : undefined,
    protocolVersion: length >= 12 ? readInt(bytes, start + 8) : LEARNER_PROTOCOL_BEFORE_ZAB_1,
    configVersion: length >= 20 ? readExactLong(bytes, start + 12) : undefined,
  };
}

/** LEADERINFO. */
export const leaderInfo = record("LeaderInfo", { protocolVersion: int });

/** ACKEPOCH: the learner's current epoch, or -1 if it had accepted the leader's epoch before. */
export const ackEpoch = record("AckEpoch", { currentEpoch: int });

/** REQUEST: what stands before the client's request body. */
export const requestHead = record("LearnerRequestHead", { sessionId: long, cxid: int, opcode: int });

export function writeRequestHead(
  writer: ByteWriter,
  sessionIdHigh: number,
  sessionIdLow: number,
  cxid: number,
  opcode: number,
): void {
  writer.longParts(sessionIdHigh, sessionIdLow);
  writer.int(cxid);
  writer.int(opcode);
}

/** A session with its timeout: REVALIDATE from a learner is one, its answer to PING is any number of them. */
export const sessionTimeout = record("SessionTimeout", { sessionId: long, timeoutMs: int });
const SESSION_TIMEOUT_BYTES = 12;

export function writeSessionTimeout(
  writer: ByteWriter,
  sessionIdHigh: number,
  sessionIdLow: number,
  timeoutMs: number,
): void {
  writer.longParts(sessionIdHigh, sessionIdLow);
  writer.int(timeoutMs);
}

/**
 * Visits the sessions of a learner's answer to PING. Null is taken for none; to be sent it is not, since
 * an Apache leader drops the learner for it: an answer without sessions has empty data.
 */
export function forEachSessionTimeout(
  bytes: Uint8Array,
  start: number,
  length: number,
  visit: (sessionIdHigh: number, sessionIdLow: number, timeoutMs: number) => void,
): void {
  if (length > 0 && length % SESSION_TIMEOUT_BYTES !== 0) {
    throw new WireError(`sessions of ${SESSION_TIMEOUT_BYTES} bytes each expected in PING, ${length} bytes found`);
  }
  for (let at = start; at < start + length; at += SESSION_TIMEOUT_BYTES) {
    visit(readInt(bytes, at), readInt(bytes, at + 4), readInt(bytes, at + 8));
  }
}

/** REVALIDATE from the leader. */
export const revalidateReply = record("RevalidateReply", { sessionId: long, valid: bool });

export const DESIGNATED_LEADER_BYTES = 8;

/** COMMITANDACTIVATE, and INFORMANDACTIVATE before its txn: the sid that should lead under the new configuration. */
export function readDesignatedLeader(bytes: Uint8Array, start: number, length: number): number {
  if (length < DESIGNATED_LEADER_BYTES) {
    throw new WireError(`the sid of a designated leader expected at ${start}, ${length} bytes found`);
  }
  return readExactLong(bytes, start);
}
