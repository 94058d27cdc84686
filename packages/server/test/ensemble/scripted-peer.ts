import {
  ByteWriter,
  beginQuorumPacket,
  encodeLearnerInfo,
  encodeText,
  endQuorumPacket,
  type Id,
  leaderInfo,
  makeZxid,
  PACKET,
  PACKET_SLOT,
  PACKET_SLOTS,
  packetName,
  readPacketZxid,
  scanQuorumPacket,
} from "@watchkeeper/wire";
import type { PeerSocket } from "../../src/ports/index.js";
import { QUORUM_PORT } from "./ensemble-server.js";
import type { EnsembleWorld } from "./ensemble-world.js";

export interface ScriptedPacket {
  readonly type: number;
  readonly zxid: number;
  /** Undefined for null. */
  readonly data: Uint8Array | undefined;
}

/** What a learner says of itself. */
export interface Learning {
  readonly lastZxid?: number;
  readonly currentEpoch?: number;
  readonly acceptedEpoch?: number;
  /** FOLLOWERINFO or OBSERVERINFO. */
  readonly type?: number;
}

/** One end of a quorum connection that the test plays, word by word. */
export class ScriptedPeer {
  /** What has come and was not taken yet; PINGs are counted only. */
  readonly packets: ScriptedPacket[] = [];
  pings = 0;
  lastPing: ScriptedPacket | undefined;
  isClosed = false;
  private readonly world: EnsembleWorld;
  private readonly socket: PeerSocket;
  private readonly slots = new Int32Array(PACKET_SLOTS);
  private unread = Buffer.alloc(0);
  private isStreaming = false;

  constructor(world: EnsembleWorld, socket: PeerSocket) {
    this.world = world;
    this.socket = socket;
    socket.start({
      onBytes: (bytes) => this.onBytes(bytes),
      onDrained() {},
      onClosed: () => {
        this.isClosed = true;
      },
    });
  }

  /** Connects, as the host of this server, to another one's quorum port. */
  static async dial(world: EnsembleWorld, fromSid: number, toSid: number): Promise<ScriptedPeer> {
    let peer: ScriptedPeer | undefined;
    const network = world.network.of(`host${fromSid}`);
    network.dial({ host: `host${toSid}`, port: QUORUM_PORT }, 1000).then(
      (socket) => {
        peer = new ScriptedPeer(world, socket);
      },
      () => {},
    );
    await world.until(() => peer !== undefined, `a connection to server ${toSid}`);
    return peer!;
  }

  /** Listens as this server's leader would; gives the next connection that comes. */
  static async accepting(world: EnsembleWorld, sid: number): Promise<() => Promise<ScriptedPeer>> {
    const accepted: ScriptedPeer[] = [];
    const endpoint = { host: `host${sid}`, port: QUORUM_PORT };
    await world.network.of(endpoint.host).listen(endpoint, (socket) => accepted.push(new ScriptedPeer(world, socket)));
    return async () => {
      await world.until(() => accepted.length > 0, `a connection to server ${sid}`);
      return accepted.shift()!;
    };
  }

  send(type: number, zxid: number, data?: Uint8Array, authInfo: readonly Id[] | null = null): void {
    const writer = new ByteWriter();
    const at = beginQuorumPacket(writer, type, zxid);
    if (data !== undefined) writer.copy(data, 0, data.length);
    endQuorumPacket(writer, at, authInfo);
    const bytes = writer.view().slice();
    if (data === undefined) new DataView(bytes.buffer).setInt32(DATA_LENGTH_AT, -1);
    this.socket.send(bytes);
  }

  sendBytes(bytes: Uint8Array): void {
    this.socket.send(bytes);
  }

  /** What the other side has not taken. */
  get unsentBytes(): number {
    return this.socket.unsentBytes;
  }

  stopReading(): void {
    this.socket.pause();
  }

  close(): void {
    this.socket.close();
  }

  /** The next packet that is no PING. @throws where none comes, or another one than is expected */
  async next(type: number): Promise<ScriptedPacket> {
    const { world } = this;
    await world.until(() => this.packets.length > 0 || this.isClosed, packetName(type), 10_000);
    const packet = this.packets.shift();
    if (packet === undefined) throw new Error(`the connection was closed where ${packetName(type)} was to come`);
    if (packet.type !== type) throw new Error(`${packetName(packet.type)} came where ${packetName(type)} was to come`);
    return packet;
  }

  async untilClosed(limitMs?: number): Promise<void> {
    await this.world.until(() => this.isClosed, "the connection being closed", limitMs);
  }

  /** What has come by now, as "NAME zxid". */
  get words(): string[] {
    return this.packets.splice(0).map(({ type, zxid }) => `${packetName(type)} 0x${zxid.toString(16)}`);
  }

  // What learners say.

  followerInfo(sid: number, acceptedEpoch = 0, saying: { type?: number; configVersion?: number } = {}): void {
    const { type = PACKET.followerInfo, configVersion = 0 } = saying;
    const writer = new ByteWriter();
    encodeLearnerInfo(writer, sid, configVersion);
    this.send(type, makeZxid(acceptedEpoch, 0), writer.view());
  }

  ackEpoch(lastZxid: number, currentEpoch: number): void {
    this.send(PACKET.ackEpoch, lastZxid, intBytes(currentEpoch));
  }

  ack(zxid: number): void {
    this.send(PACKET.ack, zxid);
  }

  /** A learner like any other, up to the leader's DIFF, TRUNC or SNAP. @returns the epoch */
  async discover(sid: number, saying: Learning = {}): Promise<number> {
    const { lastZxid = 0, currentEpoch = 0, acceptedEpoch = 0, type = PACKET.followerInfo } = saying;
    this.followerInfo(sid, acceptedEpoch, { type });
    const { zxid } = await this.next(PACKET.leaderInfo);
    this.ackEpoch(lastZxid, currentEpoch);
    return Math.floor(zxid / 2 ** 32);
  }

  /** The whole way, from the first word to UPTODATE and its acknowledgement. @returns the epoch */
  async follow(sid: number, saying: Learning = {}): Promise<number> {
    const epoch = await this.discover(sid, saying);
    await this.until(PACKET.newLeader);
    this.ack(makeZxid(epoch, 0));
    await this.until(PACKET.upToDate);
    this.ack(makeZxid(epoch, 0));
    return epoch;
  }

  /** Takes packets up to one of this type. */
  async until(type: number): Promise<ScriptedPacket> {
    for (;;) {
      await this.world.until(() => this.packets.length > 0 || this.isClosed, packetName(type), 10_000);
      const packet = this.packets.shift();
      if (packet === undefined) throw new Error(`the connection was closed where ${packetName(type)} was to come`);
      if (packet.type === type) return packet;
    }
  }

  // What leaders say.

  leaderInfo(epoch: number): void {
    const writer = new ByteWriter();
    leaderInfo.encode(writer, { protocolVersion: 0x10000 });
    this.send(PACKET.leaderInfo, makeZxid(epoch, 0), writer.view());
  }

  newLeader(epoch: number, config: string): void {
    this.send(PACKET.newLeader, makeZxid(epoch, 0), encodeText(config));
  }

  private onBytes(bytes: Uint8Array): void {
    this.unread = Buffer.concat([this.unread, bytes]);
    for (;;) {
      if (this.isStreaming && !this.endStream()) return;
      const end = scanQuorumPacket(this.unread, 0, this.unread.length, this.slots, 1 << 26);
      if (end === 0) return;
      const start = this.slots[PACKET_SLOT.dataStart]!;
      const length = this.slots[PACKET_SLOT.dataLength]!;
      const type = this.slots[PACKET_SLOT.type]!;
      const data = length < 0 ? undefined : this.unread.subarray(start, start + length);
      this.received({ type, zxid: readPacketZxid(this.slots), data: data && Uint8Array.from(data) });
      this.isStreaming = type === PACKET.snap;
      this.unread = this.unread.subarray(end);
    }
  }

  private received(packet: ScriptedPacket): void {
    if (packet.type !== PACKET.ping) {
      this.packets.push(packet);
      return;
    }
    this.pings += 1;
    this.lastPing = packet;
  }

  private endStream(): boolean {
    const at = this.unread.indexOf("BenWasHere");
    if (at < 0) return false;
    this.isStreaming = false;
    this.unread = this.unread.subarray(at + "BenWasHere".length);
    return true;
  }
}

const DATA_LENGTH_AT = 12;

export function intBytes(value: number): Uint8Array {
  const writer = new ByteWriter();
  writer.int(value);
  return writer.view();
}
