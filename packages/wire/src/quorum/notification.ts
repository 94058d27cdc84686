import { decodeText } from "../bytes/text.js";
import { type ByteWriter, readInt, readLongAsNumber, writeInt } from "../bytes/writer.js";
import { epochOf } from "../zxid.js";

/**
 * What servers tell one another during an election (`FastLeaderElection.Notification`): the sender's
 * state and vote, and since 3.5 the configuration it goes by. The message has grown twice, and its length
 * is all that tells the forms apart. One that cannot be read is ignored, never a reason to disconnect.
 */

/** A server's state, as notifications name it. */
export const SERVER_STATE = { looking: 0, following: 1, leading: 2, observing: 3 } as const;
export type ServerState = (typeof SERVER_STATE)[keyof typeof SERVER_STATE];

/** The leader, zxid and epoch in the vote of a server that is no participant: Java's least long. */
export const CANNOT_LEAD = -(2 ** 63);

/** The longest message on an election connection, and the bound of `FrameSplitter` there; the shortest is 1. */
export const ELECTION_FRAME_BYTES_MAX = 524288;

export interface VoteReport {
  readonly state: ServerState;
  /** The server voted for, or CANNOT_LEAD. */
  readonly leader: number;
  /** The last zxid of the server voted for, or CANNOT_LEAD. */
  readonly zxid: number;
  /** The sender's election round. */
  readonly electionEpoch: number;
  /** The Zab epoch of the server voted for, or CANNOT_LEAD. */
  readonly peerEpoch: number;
}

export interface Notification extends VoteReport {
  /** 0 where the form has none; 1 is without configuration; all releases since 3.5 send 2. */
  readonly version: number;
  /** The text of the sender's committed configuration, as it came. */
  readonly config: string | undefined;
}

const NOTIFICATION_VERSION = 2;
const OLDEST_BYTES = 28;
const WITHOUT_CONFIG_BYTES = 40;
const VERSION_AT = 36;
const CONFIG_LENGTH_AT = 40;
const CONFIG_AT = 44;

/**
 * Writes a notification with its frame's length. The configuration must be valid and have a voter:
 * Apache's receiver parses it first of all, and one that fails there can end its thread for elections.
 */
export function writeNotificationFrame(writer: ByteWriter, report: VoteReport, config: string): void {
  const at = writer.reserve(4);
  writer.int(report.state);
  writer.longFromNumber(report.leader);
  writer.longFromNumber(report.zxid);
  writer.longFromNumber(report.electionEpoch);
  writer.longFromNumber(report.peerEpoch);
  writer.int(NOTIFICATION_VERSION);
  writer.ustring(config);
  writeInt(writer.bytes, at, writer.length - at - 4);
}

/** Reads the notification in a frame's payload; undefined for one that is to be ignored. */
export function decodeNotification(bytes: Uint8Array, start: number, length: number): Notification | undefined {
  if (length < OLDEST_BYTES || (length > OLDEST_BYTES && length < WITHOUT_CONFIG_BYTES)) return undefined;
  const state = readInt(bytes, start);
  const leader = readLongAsNumber(bytes, start + 4);
  const zxid = readLongAsNumber(bytes, start + 12);
  const electionEpoch = readLongAsNumber(bytes, start + 20);
  const peerEpoch = length === OLDEST_BYTES ? epochOfVote(zxid) : readLongAsNumber(bytes, start + 28);
  if (!isServerState(state) || !isVoted(leader) || !isVoted(zxid) || !isVoted(peerEpoch)) return undefined;
  if (!Number.isSafeInteger(electionEpoch)) return undefined;

  // At exactly 40 bytes the version is not looked at, whatever it says.
  const version = length > WITHOUT_CONFIG_BYTES ? readInt(bytes, start + VERSION_AT) : 0;
  const report = { state, leader, zxid, electionEpoch, peerEpoch, version };
  if (version < NOTIFICATION_VERSION) return { ...report, config: undefined };
  if (length < CONFIG_AT) return undefined;
  const configLength = readInt(bytes, start + CONFIG_LENGTH_AT);
  if (configLength < 0 || configLength > length - CONFIG_AT) return undefined;
  return { ...report, config: decodeText(bytes, start + CONFIG_AT, start + CONFIG_AT + configLength) };
}

function isServerState(value: number): value is ServerState {
  return value >= SERVER_STATE.looking && value <= SERVER_STATE.observing;
}

function isVoted(value: number): boolean {
  return value === CANNOT_LEAD || Number.isSafeInteger(value);
}

function epochOfVote(zxid: number): number {
  return zxid === CANNOT_LEAD ? CANNOT_LEAD : epochOf(zxid);
}
