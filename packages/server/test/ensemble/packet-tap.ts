import { PACKET, PACKET_SLOT, PACKET_SLOTS, readPacketZxid, scanQuorumPacket } from "@watchkeeper/wire";

/** What was sent on a quorum connection, packet by packet. */
export class PacketTap {
  private readonly onPacket: (type: number, zxid: number) => void;
  private readonly slots = new Int32Array(PACKET_SLOTS);
  private unread: Uint8Array = new Uint8Array(0);
  /** Behind SNAP there is a stream without packets, up to its signature. */
  private isStreaming = false;

  constructor(onPacket: (type: number, zxid: number) => void) {
    this.onPacket = onPacket;
  }

  push(bytes: Uint8Array): void {
    const all = new Uint8Array(this.unread.length + bytes.length);
    all.set(this.unread);
    all.set(bytes, this.unread.length);
    let at = 0;
    for (let next = this.scan(all, at); next > at; next = this.scan(all, at)) at = next;
    this.unread = all.subarray(at);
  }

  /** @returns where what comes next begins; `at` where not all has come */
  private scan(bytes: Uint8Array, at: number): number {
    if (this.isStreaming) {
      const signature = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("BenWasHere", at);
      if (signature < 0) return at;
      this.isStreaming = false;
      return signature + "BenWasHere".length;
    }
    const end = scanQuorumPacket(bytes, at, bytes.length, this.slots, 1 << 26);
    if (end === 0) return at;
    const type = this.slots[PACKET_SLOT.type]!;
    this.isStreaming = type === PACKET.snap;
    this.onPacket(type, readPacketZxid(this.slots));
    return end;
  }
}
