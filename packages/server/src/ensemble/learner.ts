import {
  ByteReader,
  beginQuorumPacket,
  encodeLearnerInfo,
  endQuorumPacket,
  epochOf,
  leaderInfo,
  makeZxid,
  OP,
  PACKET,
  packetName,
  readInt,
  TXN_HEADER_BYTES,
  writeQuorumPacket,
  writeRequestHead,
  writeSessionTimeout,
} from "@watchkeeper/wire";
import { elapsedMs, type Metrics } from "../metrics/index.js";
import type { Clock, Logger, PeerNetwork, Random, Scheduler } from "../ports/index.js";
import {
  type Connection,
  itemOf,
  type PipelineItem,
  type Replica,
  type Role,
  type WriteRequest,
} from "../replica/index.js";
import type { Session } from "../sessions/index.js";
import type { AcceptedEpochOnDisk, CurrentEpochOnDisk, LogBatch } from "../storage/index.js";
import type { TxnApplier } from "../tree/index.js";
import { acceptEpoch, EPOCH_ALREADY_ACCEPTED, type PendingProposals, ProtocolViolation } from "../zab/index.js";
import { Gate } from "./deadline.js";
import { takeHistory } from "./history-receiver.js";
import { connectToLeader } from "./leader-connection.js";
import { LinkError, type PacketHandler, type PacketLink, type PacketView } from "./packet-link.js";
import { initLimitMs, type PeerSettings, syncLimitMs } from "./peer-settings.js";
import { ProposalTimes } from "./proposal-times.js";
import { reasonOf } from "./role-end.js";
import type { ServerState } from "./server-state.js";

/**
 * A server that is led (Apache's `Follower` and `Observer`): it promises the leader's epoch, takes over the
 * leader's history, and from then on logs what is proposed, acknowledges what is on its disk, and applies what
 * is committed. Its clients' reads are answered here; their writes go to the leader and are answered when they
 * come back committed (sections 6.2, 8.2-8.4).
 *
 * An ACK is written only with proof that a disk operation has ended: a token for the epochs, and for a proposal
 * the pipeline's `onLogged`.
 */
export interface LearnerParts {
  readonly settings: PeerSettings;
  readonly state: ServerState;
  readonly network: PeerNetwork;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether it is an observer: it takes part in nothing that is decided. */
  readonly isObserver: boolean;
  /** The leader serves, and so may this server: votes that are given from now on name its epoch. */
  readonly onEstablished: (epoch: number) => void;
}

interface PendingRevalidation {
  readonly idHigh: number;
  readonly idLow: number;
  readonly done: (isValid: boolean) => void;
}

export class Learner implements Role, PacketHandler {
  readonly keepsSessions = false;
  readonly isReadOnly = false;
  readonly servesClients = true;
  readonly parts: LearnerParts;
  readonly leaderSid: number;
  epoch = -1;
  link: PacketLink | undefined;
  private readonly settings: PeerSettings;
  private pending: PendingProposals | undefined;
  private readonly ended = new Gate<string>();
  /** The last zxid that was acknowledged to this leader. */
  private ackedZxid = 0;
  /** What this server's clients wait for, in the order in which it was forwarded: so it comes back. */
  private readonly forwarded: PipelineItem[] = [];
  private forwardedHead = 0;
  private readonly proposalTimes = new ProposalTimes();
  /** When the packets at hand were read, where that was asked: one reading of the clock for all of a chunk. */
  private chunkWallMs: number | undefined;
  private readonly syncs: (() => void)[] = [];
  private readonly revalidations: PendingRevalidation[] = [];
  /** Sessions that were heard of since the last PING. */
  private readonly touched = new Set<Session>();

  constructor(parts: LearnerParts, leaderSid: number) {
    this.parts = parts;
    this.settings = parts.settings;
    this.leaderSid = leaderSid;
  }

  get historyZxid(): number {
    return makeZxid(this.epoch, 0);
  }

  get isUpToDate(): boolean {
    return this.pending !== undefined;
  }

  private get replica(): Replica {
    return this.parts.state.replica;
  }

  /** Follows until it cannot. @returns why it ended @throws where this server itself failed: its disk, or a bug */
  async follow(): Promise<string> {
    try {
      const link = await this.connect();
      if (link === undefined) return await this.ended.wait();
      this.link = link;
      await this.discover(link);
      const pending = await this.synchronize(link);
      this.broadcast(link, pending);
      return await this.ended.wait();
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      return reason;
    } finally {
      this.link?.close("this server no longer follows");
    }
  }

  /** @returns undefined where this server has no wish to follow any more: it is stopped while it tries to connect */
  private async connect(): Promise<PacketLink | undefined> {
    const connecting = connectToLeader(this.parts, this.leaderSid);
    const link = await Promise.race([connecting, this.ended.wait().then(() => undefined)]);
    if (link !== undefined) return link;
    connecting.then(
      (late) => late.close("this server no longer follows"),
      () => {},
    );
    return undefined;
  }

  resign(reason: string): void {
    this.link?.close(reason);
    if (!this.ended.isOpen) this.ended.open(reason);
  }

  // Discovery: F2-F4.

  private async discover(link: PacketLink): Promise<void> {
    const { state, isObserver, settings } = this.parts;
    const writer = link.writer();
    const type = isObserver ? PACKET.observerInfo : PACKET.followerInfo;
    const at = beginQuorumPacket(writer, type, makeZxid(state.epochs.accepted.epoch, 0));
    encodeLearnerInfo(writer, settings.myid, settings.config.version);
    endQuorumPacket(writer, at);

    const packet = await link.next(initLimitMs(settings));
    if (packet.type !== PACKET.leaderInfo)
      throw new ProtocolViolation(
        "UNEXPECTED_PACKET",
        `the leader sent ${packetName(packet.type)} in place of LEADERINFO`,
      );
    leaderInfo.decode(
      new ByteReader(packet.bytes, packet.dataStart, packet.dataStart + Math.max(0, packet.dataLength)),
    );
    const epoch = epochOf(packet.zxid);
    const { accepted, current } = state.epochs;
    const verdict = acceptEpoch(accepted.epoch, epoch);
    if (verdict === "refuse")
      throw new ProtocolViolation(
        "FOREIGN_EPOCH",
        `server ${this.leaderSid} leads epoch ${epoch}, and this server has promised epoch ${accepted.epoch} to another`,
      );
    this.epoch = epoch;
    if (verdict === "accept") this.ackEpoch(link, await state.acceptEpoch(epoch), current.epoch);
    else this.ackEpoch(link, accepted, EPOCH_ALREADY_ACCEPTED);
  }

  /** ACKEPOCH: the promise is on the disk. */
  private ackEpoch(link: PacketLink, _proof: AcceptedEpochOnDisk, currentEpoch: number): void {
    const writer = link.writer();
    const at = beginQuorumPacket(writer, PACKET.ackEpoch, this.parts.state.syncFromZxid);
    writer.int(currentEpoch);
    endQuorumPacket(writer, at);
  }

  /** ACK of NEWLEADER, and again of UPTODATE: the leader's history and its epoch are on the disk. */
  ackNewLeader(link: PacketLink, _proof: CurrentEpochOnDisk): void {
    writeQuorumPacket(link.writer(), PACKET.ack, makeZxid(this.epoch, 0));
  }

  private async synchronize(link: PacketLink): Promise<PendingProposals> {
    const { clock, isObserver, metrics } = this.parts;
    const sinceMs = clock.monotonicMs();
    const pending = await takeHistory(this, link);
    const times = isObserver ? metrics.observer_sync_time : metrics.follower_sync_time;
    times.add(elapsedMs(sinceMs, clock.monotonicMs()));
    return pending;
  }

  // Broadcast.

  private broadcast(link: PacketLink, pending: PendingProposals): void {
    const { logger, onEstablished, isObserver } = this.parts;
    const { pipeline } = this.replica;
    this.pending = pending;
    this.ackedZxid = pipeline.loggedZxid;
    pipeline.observer = this;
    this.replica.setConfig(this.settings.config.text, this.settings.config.version);
    this.replica.serve(this);
    pipeline.commitThrough(pending.lastCommitted);
    onEstablished(this.epoch);
    const role = isObserver ? "Observing" : "Following";
    logger.info(
      { epoch: this.epoch, leader: this.leaderSid },
      `${role} server ${this.leaderSid} in epoch ${this.epoch}`,
    );

    link.handOn(this, syncLimitMs(this.settings));
  }

  /**
   * Commits are carried out together: a client that has written ten times is answered in one piece, and the disk and
   * the tree are not turned to for each.
   */
  onPause(): void {
    this.chunkWallMs = undefined;
    this.replica.pipeline.commitThrough(this.pending!.lastCommitted);
  }

  onEnd(error: LinkError): void {
    if (!this.ended.isOpen) this.ended.open(error.message);
  }

  onPacket(packet: PacketView): void {
    try {
      this.handle(packet);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      throw new LinkError(error.message);
    }
  }

  private handle(packet: PacketView): void {
    const { type, zxid } = packet;
    const { metrics } = this.parts;
    switch (type) {
      case PACKET.proposal:
        metrics.learner_proposal_received_count.add(1);
        this.measureProposal(packet);
        this.pending!.proposal(zxid);
        this.log(packet);
        return;
      case PACKET.commit:
        metrics.learner_commit_received_count.add(1);
        metrics.request_commit_queued.add(1);
        this.proposalTimes.measure(metrics.commit_propagation_latency, zxid, zxid, this.wallMs());
        this.pending!.commit(zxid);
        return;
      case PACKET.inform:
        metrics.request_commit_queued.add(1);
        this.pending!.proposal(zxid);
        this.pending!.commit(zxid);
        this.log(packet);
        return;
      case PACKET.ping:
        this.pong(zxid);
        return;
      case PACKET.revalidate:
        this.onPause(); // a session that has been closed ahead of the answer is gone when it comes
        this.onRevalidated(packet);
        return;
      case PACKET.sync:
        this.onSync();
        return;
      case PACKET.commitAndActivate:
      case PACKET.informAndActivate:
        throw new ProtocolViolation(
          "UNEXPECTED_PACKET",
          "the leader changes the ensemble while it runs, which this release cannot follow: set reconfigEnabled=false on every server",
        );
      default:
        this.parts.logger.warn({ leader: this.leaderSid }, `Ignoring ${packetName(type)} from the leader`);
    }
  }

  private measureProposal({ zxid, bytes, dataStart, dataLength }: PacketView): void {
    if (dataLength < TXN_HEADER_BYTES) return; // no txn: it will be found out when it is applied
    const madeMs = this.proposalTimes.note(zxid, bytes, dataStart);
    this.parts.metrics.proposal_latency.add(elapsedMs(madeMs, this.wallMs()));
  }

  private wallMs(): number {
    this.chunkWallMs ??= this.parts.clock.wallMs();
    return this.chunkWallMs;
  }

  /** Into the log, as it came: the very bytes that the leader logs. */
  log({ zxid, bytes, dataStart, dataLength }: PacketView): void {
    const { pipeline } = this.replica;
    const batch = pipeline.roomyBatch();
    batch.begin();
    batch.writer.copy(bytes, dataStart, dataStart + Math.max(0, dataLength));
    batch.end(zxid);
    pipeline.added(undefined);
  }

  onAdded(_batch: LogBatch, _entry: number): void {}

  /** ACK of every proposal that is on the disk now, in order. */
  onLogged(zxid: number): void {
    const { link } = this;
    const before = this.ackedZxid;
    if (this.parts.isObserver || link === undefined || !link.isOpen || zxid <= before) return;
    this.ackedZxid = zxid;
    const writer = link.writer();
    const { clock, metrics } = this.parts;
    const first = epochOf(before) === epochOf(zxid) ? before + 1 : makeZxid(epochOf(zxid), 1);
    this.proposalTimes.measure(metrics.proposal_ack_creation_latency, first, zxid, clock.wallMs());
    for (let next = first; next <= zxid; next++) writeQuorumPacket(writer, PACKET.ack, next);
  }

  /** What was heard of sessions goes back with the answer; none is an empty buffer, never null, or Apache drops the connection. */
  private pong(zxid: number): void {
    const writer = this.link!.writer();
    const at = beginQuorumPacket(writer, PACKET.ping, zxid);
    for (const { idHigh, idLow, timeoutMs } of this.touched) writeSessionTimeout(writer, idHigh, idLow, timeoutMs);
    endQuorumPacket(writer, at);
    this.touched.clear();
  }

  // Requests of this server's clients.

  submitWrite(request: WriteRequest, connection: Connection, receivedMs: number): void {
    this.forward(request, request.identities);
    this.await(itemOf("write", request, connection, receivedMs));
  }

  submitCreateSession(request: WriteRequest, connection: Connection, timeoutMs: number, receivedMs: number): void {
    const writer = this.link!.writer();
    const at = beginQuorumPacket(writer, PACKET.request, -1);
    writeRequestHead(writer, request.sessionHigh, request.sessionLow, request.xid, OP.createSession);
    writer.int(timeoutMs);
    endQuorumPacket(writer, at);
    this.await(itemOf("createSession", request, connection, receivedMs));
  }

  submitCloseSession(request: WriteRequest, connection: Connection | undefined, receivedMs: number): void {
    const writer = this.link!.writer();
    const at = beginQuorumPacket(writer, PACKET.request, -1);
    writeRequestHead(writer, request.sessionHigh, request.sessionLow, request.xid, OP.closeSession);
    endQuorumPacket(writer, at);
    this.await(itemOf("closeSession", request, connection, receivedMs));
  }

  /** Only a leader sweeps. */
  submitDeleteContainer(): void {}

  submitSync(request: WriteRequest, done: () => void): void {
    this.forward(request, request.identities);
    this.syncs.push(done);
  }

  private forward(request: WriteRequest, identities: WriteRequest["identities"]): void {
    const writer = this.link!.writer();
    const at = beginQuorumPacket(writer, PACKET.request, -1);
    writeRequestHead(writer, request.sessionHigh, request.sessionLow, request.xid, request.opcode);
    writer.copy(request.bytes, request.start, request.end);
    endQuorumPacket(writer, at, identities);
  }

  private await(item: PipelineItem): void {
    this.forwarded.push(item);
    item.connection?.onWriteSubmitted();
  }

  /**
   * Whether the txn that was applied just now is the oldest one that this server's clients wait for. The leader
   * makes one txn of each forwarded request, in the order in which they came on this connection.
   */
  claim(applier: TxnApplier): PipelineItem | undefined {
    const item = this.forwarded[this.forwardedHead];
    if (item === undefined || item.xid !== applier.cxid) return undefined;
    if (item.sessionLow !== applier.clientLow || item.sessionHigh !== applier.clientHigh) return undefined;
    // A session that expires is closed by a txn of the leader's own, which nobody asked for.
    if (applier.type === OP.closeSession && item.kind !== "closeSession") return undefined;
    this.forwardedHead += 1;
    if (this.forwardedHead === this.forwarded.length) {
      this.forwarded.length = 0;
      this.forwardedHead = 0;
    } else if (this.forwardedHead > FORWARDED_KEPT) {
      this.forwarded.splice(0, this.forwardedHead);
      this.forwardedHead = 0;
    }
    return item;
  }

  /** All that the leader had proposed when it heard of the sync is committed: it is applied here in a moment. */
  private onSync(): void {
    const done = this.syncs.shift();
    if (done !== undefined) this.replica.pipeline.afterApplied(this.pending!.lastCommitted, done);
  }

  // Sessions.

  revalidate(session: Session, connection: Connection, done: (isValid: boolean) => void): void {
    const { idHigh, idLow } = session;
    this.parts.metrics.connection_revalidate_count.add(1);
    this.revalidations.push({ idHigh, idLow, done });
    const writer = this.link!.writer();
    const at = beginQuorumPacket(writer, PACKET.revalidate, -1);
    writeSessionTimeout(writer, idHigh, idLow, connection.timeoutMs);
    endQuorumPacket(writer, at);
  }

  private onRevalidated({ bytes, dataStart, dataLength }: PacketView): void {
    if (dataLength !== 9) throw new LinkError("the leader answered a REVALIDATE in another form than one has");
    const high = readInt(bytes, dataStart);
    const low = readInt(bytes, dataStart + 4);
    const index = this.revalidations.findIndex(({ idHigh, idLow }) => idHigh === high && idLow === low);
    if (index < 0) return;
    const [revalidation] = this.revalidations.splice(index, 1);
    revalidation!.done(bytes[dataStart + 8] === 1);
    this.replica.flushOutputs();
  }

  onHeard(session: Session): void {
    this.touched.add(session);
  }
}

const FORWARDED_KEPT = 1 << 12;
