import { ByteReader } from "../bytes/reader.js";
import { WireError } from "../bytes/wire-error.js";
import { type ByteWriter, readInt, writeInt } from "../bytes/writer.js";
import { type Id, id } from "../records/shared.js";

/**
 * The packets between a leader and its learners: `int type, long zxid, buffer data, vector<Id> authinfo`,
 * back to back, with no length around them. Where one ends is known only by reading its fields, so
 * `scanQuorumPacket` does that on the bytes in place, allocates nothing, and says whether all have come.
 * A SNAP packet is followed by a stream that is no packet.
 */

/** What a scan notes, as indices into its slots. */
export const PACKET_SLOT = {
  type: 0,
  zxidHigh: 1,
  zxidLow: 2,
  /** Where the data starts. */
  dataStart: 3,
  /** Its length, -1 for null. */
  dataLength: 4,
  /** Where the first id of the authinfo starts. */
  authStart: 5,
  /** How many ids there are, -1 for null. */
  authCount: 6,
} as const;
export const PACKET_SLOTS = 7;

/** Type, zxid and the two lengths: no packet is shorter. */
export const PACKET_BYTES_MIN = 20;

/** The longest data by default: twice `jute.maxbuffer`, since a txn is larger than the request it came from. */
export const PACKET_DATA_BYTES_MAX_DEFAULT = 2 * 0xfffff;

/** The ids of one client together. A client may add as many as it likes, so the bound is far above what is of use. */
export const AUTH_INFO_BYTES_MAX = 0xfffff;

const DATA_LENGTH_AT = 12;
const DATA_AT = 16;
const NULL = -1;
const ID_BYTES_MIN = id.bytesMin;

/**
 * Scans the packet at `start` of what has come so far, which ends at `end`. Returns the offset just
 * behind it, or 0 if it is not complete; the slots are then of no use.
 *
 * @throws WireError on a length that cannot be, as soon as the length itself has come: nobody has to
 * wait, or make room, for bytes that would be refused
 */
export function scanQuorumPacket(
  bytes: Uint8Array,
  start: number,
  end: number,
  slots: Int32Array,
  dataBytesMax: number,
): number {
  if (end - start < DATA_AT) return 0;
  const dataLength = readInt(bytes, start + DATA_LENGTH_AT);
  if (dataLength < NULL || dataLength > dataBytesMax) {
    throw new WireError(`packet data of ${dataLength} bytes, ${dataBytesMax} allowed`);
  }
  const dataStart = start + DATA_AT;
  const authStart = dataStart + Math.max(dataLength, 0) + 4;
  if (authStart > end) return 0;
  const authCount = readInt(bytes, authStart - 4);
  const packetEnd = authInfoEnd(bytes, authStart, end, authCount);
  if (packetEnd === 0) return 0;

  slots[PACKET_SLOT.type] = readInt(bytes, start);
  slots[PACKET_SLOT.zxidHigh] = readInt(bytes, start + 4);
  slots[PACKET_SLOT.zxidLow] = readInt(bytes, start + 8);
  slots[PACKET_SLOT.dataStart] = dataStart;
  slots[PACKET_SLOT.dataLength] = dataLength;
  slots[PACKET_SLOT.authStart] = authStart;
  slots[PACKET_SLOT.authCount] = authCount;
  return packetEnd;
}

/** The offset behind `count` ids, 0 if they have not all come. */
function authInfoEnd(bytes: Uint8Array, start: number, end: number, count: number): number {
  const bytesMax = AUTH_INFO_BYTES_MAX;
  if (count < NULL || count > bytesMax / ID_BYTES_MIN) throw new WireError(`packet with ${count} ids`);
  let at = start;
  // Two strings an id, scheme and id.
  for (let left = count * 2; left > 0; left--) {
    if (at + 4 > end) return 0;
    const length = readInt(bytes, at);
    if (length < 0 || at + 4 + length - start > bytesMax) {
      throw new WireError(`packet with an id of ${length} bytes, ${bytesMax} allowed for all`);
    }
    at += 4 + length;
  }
  return at <= end ? at : 0;
}

/** @throws WireError if a double cannot hold the zxid */
export function readPacketZxid(slots: Int32Array): number {
  const zxid = slots[PACKET_SLOT.zxidHigh]! * 2 ** 32 + (slots[PACKET_SLOT.zxidLow]! >>> 0);
  if (!Number.isSafeInteger(zxid)) throw new WireError("packet with a zxid beyond 2^53");
  return zxid;
}

/** The `count` ids that start at `at`, as a scan found them. */
export function decodeAuthInfo(bytes: Uint8Array, at: number, count: number): Id[] {
  const reader = new ByteReader(bytes, at);
  const ids: Id[] = [];
  for (let i = 0; i < count; i++) ids.push(id.decode(reader));
  return ids;
}

/** A packet with null for data. */
export function writeQuorumPacket(writer: ByteWriter, type: number, zxid: number): void {
  writer.int(type);
  writer.longFromNumber(zxid);
  writer.int(NULL);
  writer.int(NULL);
}

/** A packet whose data are bytes that lie ready; they may be empty, which is not null. */
export function writeQuorumPacketData(
  writer: ByteWriter,
  type: number,
  zxid: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const at = beginQuorumPacket(writer, type, zxid);
  writer.copy(bytes, start, end);
  endQuorumPacket(writer, at);
}

/** Begins a packet; what is written until `endQuorumPacket`, which takes what this returns, is its data. */
export function beginQuorumPacket(writer: ByteWriter, type: number, zxid: number): number {
  writer.int(type);
  writer.longFromNumber(zxid);
  return writer.reserve(4);
}

/** Ends a packet, with the ids of the client it speaks for: those of a REQUEST, null in all others. */
export function endQuorumPacket(writer: ByteWriter, at: number, authInfo: readonly Id[] | null = null): void {
  writeInt(writer.bytes, at, writer.length - at - 4);
  writer.int(authInfo === null ? NULL : authInfo.length);
  for (const one of authInfo ?? []) id.encode(writer, one);
}
