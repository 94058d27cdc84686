import {
  ackEpoch as ackEpochRecord,
  ByteReader,
  ByteWriter,
  beginQuorumPacket,
  counterOf,
  decodeAuthInfo,
  decodeLearnerInfo,
  encodeText,
  endQuorumPacket,
  epochOf,
  forEachSessionTimeout,
  formatZxid,
  type Id,
  LEARNER_PROTOCOL_VERSION,
  leaderInfo,
  makeZxid,
  OP,
  PACKET,
  packetName,
  readInt,
  writeQuorumPacket,
  writeQuorumPacketData,
} from "@watchkeeper/wire";
import type { PeerSocket } from "../ports/index.js";
import { emptyWriteRequest, type Replica, type WriteRequest } from "../replica/index.js";
import type { AcceptedEpochOnDisk } from "../storage/index.js";
import { sessionKey } from "../tree/index.js";
import { type Proposals, ProtocolViolation } from "../zab/index.js";
import { sendHistory, writeCommitted } from "./history-sender.js";
import type { Leader } from "./leader.js";
import { LinkError, PacketLink, type PacketView } from "./packet-link.js";
import { initLimitMs, syncLimitMs } from "./peer-settings.js";
import { reasonOf } from "./role-end.js";

/**
 * One learner, as its leader sees it (Apache's `LearnerHandler`): it agrees on the epoch, is brought to the
 * leader's history, and is then told every proposal and commit, or, as an observer, every committed txn.
 *
 * From the moment at which its history joins the leader's, everything new is sent to it, so that nothing is
 * left out and nothing sent twice. Commits of what was outstanding at that moment are held back until
 * UPTODATE has been sent: releases before 3.9.3 fall over a COMMIT before it (ZOOKEEPER-4394).
 */
export class LearnerHandler {
  readonly link: PacketLink;
  sid: number | undefined;
  isObserver = false;
  /** New proposals and commits are for it too. */
  isForwarded = false;
  /** It has the same bytes coming as every other that is. */
  isUpToDate = false;
  /** How it was synchronized: for the operator. */
  syncKind: "DIFF" | "TRUNC" | "SNAP" | undefined;
  /** The last tick until which it counts as alive. */
  deadlineTick: number;
  private readonly leader: Leader;
  private readonly replica: Replica;
  /** Of the sessions of its clients; one that does not say who it is has them by this connection. */
  private owner: object = this;
  private pingable = false;
  private hasAckedNewLeader = false;
  /** It is no longer one of those that are being brought up to date. */
  private endSync: () => void = () => {};
  /** What it has on its disk, by its own word. */
  private ackedZxid = 0;
  /** While a snapshot is on its way, packets must not get between its bytes. */
  private streaming: ByteWriter | undefined;
  /** Commits, for after UPTODATE. */
  private readonly held = new ByteWriter(64);
  private readonly request: WriteRequest = emptyWriteRequest();
  /** What was proposed last at some ticks, oldest first, as long as it is not acknowledged. */
  private readonly unacked: { readonly zxid: number; readonly tick: number }[] = [];

  constructor(leader: Leader, replica: Replica, socket: PeerSocket) {
    const { settings, scheduler } = leader.parts;
    this.leader = leader;
    this.replica = replica;
    this.link = new PacketLink(socket, scheduler, {
      dataBytesMax: settings.packetBytesMax,
      unsentBytesMax: settings.learnerBytesMax,
    });
    this.deadlineTick = leader.tick + settings.initLimitTicks + settings.syncLimitTicks;
  }

  /** For how many ticks nothing has been heard of it, once it is up to date. */
  get quietTicks(): number {
    return this.leader.tick + this.leader.parts.settings.syncLimitTicks - this.deadlineTick;
  }

  /**
   * As which voter it counts: who comes as an observer counts as none, even if this server's configuration has its id as
   * a voter's. Its own has it as an observer's, and an observer may have nothing on its disk.
   */
  get countedSid(): number {
    return this.isObserver ? NO_VOTER : this.sid!;
  }

  get name(): string {
    return `${this.isObserver ? "observer" : "follower"} ${this.sid ?? "?"} (${this.link.remote})`;
  }

  /** Serves the learner until its connection ends; never rejects. */
  async run(): Promise<void> {
    const { logger } = this.leader.parts;
    try {
      await this.discover();
      await this.synchronize();
      await this.broadcast();
    } catch (error) {
      const reason = reasonOf(error) ?? String(error);
      if (this.sid === undefined) logger.info({ remote: this.link.remote, reason }, "Closing a quorum connection");
      else logger.warn({ sid: this.sid, remote: this.link.remote, reason }, `Lost ${this.name}: ${reason}`);
      this.close(reason);
    } finally {
      this.endSync();
      this.isForwarded = false;
      this.isUpToDate = false;
    }
  }

  close(reason: string): void {
    this.isForwarded = false;
    this.isUpToDate = false;
    this.link.close(reason);
  }

  // Discovery: L4-L10.

  private async discover(): Promise<void> {
    const { settings } = this.leader.parts;
    const first = await this.link.next(initLimitMs(settings));
    if (first.type !== PACKET.followerInfo && first.type !== PACKET.observerInfo)
      throw new ProtocolViolation(
        "UNEXPECTED_PACKET",
        `its first packet is ${packetName(first.type)}, not FOLLOWERINFO or OBSERVERINFO`,
      );
    this.isObserver = first.type === PACKET.observerInfo;
    const info = decodeLearnerInfo(first.bytes, first.dataStart, first.dataLength);
    const acceptedEpoch = epochOf(first.zxid);
    if (info.protocolVersion < LEARNER_PROTOCOL_VERSION)
      throw new ProtocolViolation("UNEXPECTED_PACKET", "it speaks a protocol from before ZooKeeper 3.4; upgrade it");
    if ((info.configVersion ?? 0) > settings.config.version)
      throw new ProtocolViolation(
        "UNEXPECTED_PACKET",
        `its configuration has version ${formatZxid(info.configVersion!)}, which is newer than this leader's ${formatZxid(settings.config.version)}`,
      );
    this.sid = info.sid ?? -1;
    const refusal = this.leader.welcome(this);
    if (refusal !== undefined) throw new LinkError(refusal);
    this.leader.giveWayTo(this.sid, acceptedEpoch);
    if (info.sid !== undefined) this.owner = this.leader.ownerOf(info.sid);
    this.sendLeaderInfo(await this.leader.followerInfo(this.countedSid, acceptedEpoch));
  }

  /** LEADERINFO: the epoch is on the leader's disk, so that it will never be proposed twice. */
  private sendLeaderInfo({ epoch }: AcceptedEpochOnDisk): void {
    const writer = this.link.writer();
    const at = beginQuorumPacket(writer, PACKET.leaderInfo, makeZxid(epoch, 0));
    leaderInfo.encode(writer, { protocolVersion: LEARNER_PROTOCOL_VERSION });
    endQuorumPacket(writer, at);
  }

  // Synchronization: L10-L15.

  private async synchronize(): Promise<void> {
    const { settings, logger, state } = this.leader.parts;
    const packet = await this.link.next(initLimitMs(settings));
    if (packet.type !== PACKET.ackEpoch)
      throw new ProtocolViolation("UNEXPECTED_PACKET", `it sent ${packetName(packet.type)} in place of ACKEPOCH`);
    const peerLastZxid = packet.zxid;
    const reader = new ByteReader(packet.bytes, packet.dataStart, packet.dataStart + Math.max(0, packet.dataLength));
    const { currentEpoch } = ackEpochRecord.decode(reader);
    if (!(await this.leader.ackEpoch(this.countedSid, currentEpoch, peerLastZxid)))
      throw new ProtocolViolation(
        "FOREIGN_EPOCH",
        `it has history that this leader lacks (epoch ${currentEpoch}, ${formatZxid(peerLastZxid)}): it must not be led by this server`,
      );
    this.syncKind = await sendHistory(this, this.leader, this.replica, state.history, peerLastZxid);
    const { metrics } = this.leader.parts;
    (this.syncKind === "SNAP" ? metrics.snap_count : metrics.diff_count).add(1);
    logger.info(
      { sid: this.sid, peerZxid: formatZxid(peerLastZxid) },
      `Synchronizing ${this.name} by ${this.syncKind}: it has ${formatZxid(peerLastZxid)}`,
    );
    this.sendNewLeader(settings.config.text);
    this.pingable = true;
    await this.awaitNewLeaderAck();
    this.endSync();
    await this.leader.established.wait();
    this.becomeUpToDate();
  }

  private sendNewLeader(configText: string): void {
    const text = encodeText(configText);
    writeQuorumPacketData(this.link.writer(), PACKET.newLeader, makeZxid(this.leader.epoch, 0), text, 0, text.length);
  }

  /** Releases up to 3.8.4 may acknowledge proposals before NEWLEADER: their acks are remembered (ZOOKEEPER-4685). */
  private async awaitNewLeaderAck(): Promise<void> {
    const newLeaderZxid = makeZxid(this.leader.epoch, 0);
    for (;;) {
      const packet = await this.link.next(initLimitMs(this.leader.parts.settings));
      if (packet.type !== PACKET.ack)
        throw new ProtocolViolation(
          "UNEXPECTED_PACKET",
          `it sent ${packetName(packet.type)} in place of an ACK of NEWLEADER`,
        );
      if (packet.zxid === newLeaderZxid) break;
      this.onAck(packet.zxid);
      this.leader.ack(this.sid!, packet.zxid);
    }
    this.hasAckedNewLeader = true;
    this.leader.newLeaderAck(this.countedSid, newLeaderZxid);
  }

  /**
   * Its acks count from now on; see `Proposals.startForwarding`. An observer's never do, nor what it acknowledged when it
   * was a follower: it may have been told to cut that off.
   */
  joinProposals(proposals: Proposals): void {
    if (this.sid === undefined || !this.isForwarded) return;
    if (this.isObserver) {
      proposals.forget(this.sid);
      return;
    }
    proposals.startForwarding(this.sid);
    // What is committed is part of the history that it acknowledges with NEWLEADER, and not by itself.
    this.ackedZxid = Math.max(this.ackedZxid, proposals.lastCommitted);
    if (this.hasAckedNewLeader) proposals.newLeaderAcked(this.sid);
  }

  /** UPTODATE, and what was held back behind it. From here on it gets the bytes that all get. */
  private becomeUpToDate(): void {
    this.leader.flush();
    const writer = this.link.writer();
    writeQuorumPacket(writer, PACKET.upToDate, -1);
    writer.copy(this.held.bytes, 0, this.held.length);
    this.held.reset();
    this.link.flush();
    this.isUpToDate = true;
    this.leader.parts.logger.info({ sid: this.sid }, `${this.name} is up to date`);
  }

  /** @throws LinkError where it is an observer too many */
  beginSync(kind: "snap" | "diff"): void {
    const { snapSyncs, diffSyncs } = this.leader;
    this.endSync = (kind === "snap" ? snapSyncs : diffSyncs).begin(this.isObserver);
  }

  // What is new while it is being synchronized.

  /** Where packets of the history and of what follows it go: into the link, or behind a snapshot that is on its way. */
  out(): ByteWriter {
    return this.bounded(this.streaming ?? this.link.writer());
  }

  private bounded(writer: ByteWriter): ByteWriter {
    if (writer.length > this.leader.parts.settings.learnerBytesMax)
      throw new LinkError(`${writer.length} bytes wait for it while it is synchronized, more than are allowed`);
    return writer;
  }

  beginStream(): void {
    this.streaming = new ByteWriter(OUTPUT_BYTES_FIRST);
  }

  endStream(): void {
    const behind = this.streaming!;
    this.streaming = undefined;
    this.link.writer().copy(behind.bytes, 0, behind.length);
  }

  propose(zxid: number, bytes: Uint8Array, start: number, end: number): void {
    this.trying(() => writeQuorumPacketData(this.out(), PACKET.proposal, zxid, bytes, start, end));
  }

  /**
   * COMMIT of everything after `before` up to `zxid`. What is committed while a snapshot is on its way may be in it, and so
   * belongs to the history, ahead of NEWLEADER: a learner that served without it would show its clients a
   * node's end first and then how it came to it. Between NEWLEADER and UPTODATE there must be none (ZOOKEEPER-4394).
   */
  commit(before: number, zxid: number): void {
    this.trying(() => {
      const writer = this.bounded(this.streaming ?? this.held);
      for (let next = before + 1; next <= zxid; next++) writeQuorumPacket(writer, PACKET.commit, next);
    });
  }

  /** The same for an observer, which takes a history's txns as PROPOSAL and COMMIT. */
  inform(zxid: number, bytes: Uint8Array, start: number, end: number): void {
    const { streaming, held } = this;
    this.trying(() => {
      if (streaming !== undefined) writeCommitted(this.bounded(streaming), zxid, bytes, start, end);
      else writeQuorumPacketData(this.bounded(held), PACKET.inform, zxid, bytes, start, end);
    });
  }

  /** What goes wrong with one learner is its own end, and not its leader's. */
  private trying(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.close(error.message);
    }
  }

  // Broadcast.

  private broadcast(): Promise<never> {
    const { settings } = this.leader.parts;
    this.deadlineTick = this.leader.tick + settings.syncLimitTicks;
    return new Promise((_resolve, reject) => {
      this.link.handOn(
        { onPacket: (packet) => this.onPacket(packet), onPause: () => this.onPause(), onEnd: reject },
        syncLimitMs(settings),
      );
    });
  }

  private onPacket(packet: PacketView): void {
    this.deadlineTick = this.leader.tick + this.leader.parts.settings.syncLimitTicks;
    switch (packet.type) {
      case PACKET.ack:
        this.onAck(packet.zxid);
        return;
      case PACKET.request:
        this.onRequest(packet);
        return;
      case PACKET.ping:
        forEachSessionTimeout(packet.bytes, packet.dataStart, packet.dataLength, (high, low, timeoutMs) =>
          this.leader.touch(sessionKey(high, low), timeoutMs),
        );
        return;
      case PACKET.revalidate:
        this.onRevalidate(packet);
        return;
      default:
        this.leader.parts.logger.warn({ sid: this.sid }, `Ignoring ${packetName(packet.type)} from ${this.name}`);
    }
  }

  /** An ack of a zxid is one of everything before it; one of what was never proposed says nothing, now or later. */
  private onAck(zxid: number): void {
    if (zxid > this.ackedZxid && zxid <= this.leader.lastProposed) this.ackedZxid = zxid;
  }

  /** Acks that came together count together: one commit point, one round of answers. */
  private onPause(): void {
    this.leader.ack(this.sid!, this.ackedZxid);
  }

  private onRequest(packet: PacketView): void {
    const { bytes, dataStart, dataLength } = packet;
    if (dataLength < REQUEST_HEAD_BYTES) throw new LinkError("it sent a REQUEST that is too short for one");
    const { request } = this;
    request.sessionHigh = readInt(bytes, dataStart);
    request.sessionLow = readInt(bytes, dataStart + 4);
    request.xid = readInt(bytes, dataStart + 8);
    request.opcode = readInt(bytes, dataStart + 12);
    request.bytes = bytes;
    request.start = dataStart + REQUEST_HEAD_BYTES;
    request.end = dataStart + dataLength;
    request.identities = this.identitiesOf(packet);
    switch (request.opcode) {
      case OP.sync:
        this.leader.syncRequested(this);
        return;
      case OP.createSession: {
        if (request.end - request.start < 4) throw new LinkError("it sent a createSession without a timeout");
        const key = sessionKey(request.sessionHigh, request.sessionLow);
        this.leader.createSession(request, key, readInt(bytes, request.start), this.owner);
        return;
      }
      case OP.closeSession:
        this.leader.closeSession(request, sessionKey(request.sessionHigh, request.sessionLow));
        return;
      default:
        this.leader.request(request, this.owner);
    }
  }

  private identitiesOf({ bytes, authStart, authCount }: PacketView): readonly Id[] {
    return authCount <= 0 ? NOBODY : decodeAuthInfo(bytes, authStart, authCount);
  }

  private onRevalidate({ bytes, dataStart, dataLength }: PacketView): void {
    if (dataLength !== 12) throw new LinkError("it sent a REVALIDATE of another length than one has");
    const high = readInt(bytes, dataStart);
    const low = readInt(bytes, dataStart + 4);
    const isValid = this.leader.revalidateRemote(sessionKey(high, low), readInt(bytes, dataStart + 8), this.owner);
    const writer = this.link.writer();
    const at = beginQuorumPacket(writer, PACKET.revalidate, -1);
    writer.longParts(high, low);
    writer.bool(isValid);
    endQuorumPacket(writer, at);
  }

  // Liveness.

  ping(): void {
    if (!this.pingable || this.streaming !== undefined || !this.link.isOpen) return;
    writeQuorumPacket(this.link.writer(), PACKET.ping, this.leader.lastProposed);
  }

  /**
   * A learner that acknowledges nothing for syncLimit, though there is something, has stopped. Its own word counts, not
   * how far `Proposals` has it: there the ack of what a quorum had committed before it came is passed over, so that
   * the slower follower of an ensemble that falls idle would never be seen to have the last txn.
   */
  closeIfBehind(): void {
    const { tick, lastProposed } = this.leader;
    if (!this.isUpToDate || this.isObserver || counterOf(lastProposed) === 0) return;
    while (this.unacked.length > 0 && this.unacked[0]!.zxid <= this.ackedZxid) this.unacked.shift();
    if (this.ackedZxid < lastProposed && this.unacked.at(-1)?.zxid !== lastProposed)
      this.unacked.push({ zxid: lastProposed, tick });
    const { syncLimitTicks } = this.leader.parts.settings;
    const [oldest] = this.unacked;
    if (oldest !== undefined && tick - oldest.tick > syncLimitTicks)
      this.link.close(
        `it has not acknowledged ${formatZxid(oldest.zxid)} for syncLimit (${syncLimitTicks} ticks): its disk may be too slow`,
      );
  }
}

const NOBODY: readonly Id[] = [];
const NO_VOTER = -1;
const REQUEST_HEAD_BYTES = 16;
const OUTPUT_BYTES_FIRST = 4 << 10;
