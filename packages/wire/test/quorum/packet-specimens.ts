import fc from "fast-check";
import {
  ByteWriter,
  beginQuorumPacket,
  decodeAuthInfo,
  endQuorumPacket,
  type Id,
  PACKET_SLOT,
  PACKET_SLOTS,
  readPacketZxid,
  scanQuorumPacket,
  writeQuorumPacket,
} from "../../src/index.js";

/** A packet as a value: what tests compare, where the package itself works on bytes in place. */
export interface PacketValue {
  readonly type: number;
  readonly zxid: number;
  readonly data: Uint8Array | null;
  readonly authInfo: Id[] | null;
}

const text = fc.string({ unit: "binary", maxLength: 20 });

export const packets: fc.Arbitrary<PacketValue> = fc
  .record({
    type: fc.integer(),
    zxid: fc.maxSafeInteger(),
    data: fc.option(fc.uint8Array({ maxLength: 100 })),
    authInfo: fc.option(fc.array(fc.record({ scheme: text, id: text }), { maxLength: 4 })),
  })
  // The writers have no packet with ids and no data, since there is none.
  .map((packet) => (packet.data === null ? { ...packet, authInfo: null } : packet));

export function encodePacket(writer: ByteWriter, { type, zxid, data, authInfo }: PacketValue): void {
  if (data === null) {
    writeQuorumPacket(writer, type, zxid);
    return;
  }
  const at = beginQuorumPacket(writer, type, zxid);
  writer.copy(data, 0, data.length);
  endQuorumPacket(writer, at, authInfo);
}

export function packetBytes(packet: PacketValue): Uint8Array {
  const writer = new ByteWriter(1);
  encodePacket(writer, packet);
  return writer.view().slice();
}

/** The packet at `start` and the offset behind it; undefined while it is not complete. */
export function decodePacket(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  dataBytesMax = 0xfffff,
): { packet: PacketValue; end: number } | undefined {
  const slots = new Int32Array(PACKET_SLOTS).fill(-99);
  const behind = scanQuorumPacket(bytes, start, end, slots, dataBytesMax);
  if (behind === 0) return undefined;
  const dataStart = slots[PACKET_SLOT.dataStart]!;
  const dataLength = slots[PACKET_SLOT.dataLength]!;
  const authCount = slots[PACKET_SLOT.authCount]!;
  const packet = {
    type: slots[PACKET_SLOT.type]!,
    zxid: readPacketZxid(slots),
    data: dataLength < 0 ? null : bytes.slice(dataStart, dataStart + dataLength),
    authInfo: authCount < 0 ? null : decodeAuthInfo(bytes, slots[PACKET_SLOT.authStart]!, authCount),
  };
  return { packet, end: behind };
}
