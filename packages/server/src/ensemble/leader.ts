import { ByteWriter, ERR, PACKET, writeQuorumPacket, writeQuorumPacketData } from "@watchkeeper/wire";
import type { Metrics } from "../metrics/index.js";
import type { Clock, Logger, PeerListener, PeerNetwork, PeerSocket, Scheduler, Timer } from "../ports/index.js";
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
import { sessionKey } from "../tree/index.js";
import { EpochAcks, EpochProposal, makeZxid, NewLeaderAcks, Proposals, type StateSummary } from "../zab/index.js";
import { ConcurrentSyncs } from "./concurrent-syncs.js";
import { Gate } from "./deadline.js";
import { LaterPromises } from "./later-promises.js";
import { LearnerHandler } from "./learner-handler.js";
import { LinkError } from "./packet-link.js";
import { initLimitMs, type PeerSettings } from "./peer-settings.js";
import { ProposalTimes } from "./proposal-times.js";
import { reasonOf } from "./role-end.js";
import type { ServerState } from "./server-state.js";

/**
 * A server that was elected (Apache's `Leader`): it opens a new epoch with a quorum of followers (discovery), brings
 * them to its own history (synchronization), and then gives every write of the ensemble its zxid, proposes it,
 * and commits it when a quorum has it on disk (broadcast). Section 6.1 and 8 of the protocol.
 *
 * What it says about durability it cannot say early: the epochs it announces are tokens of completed disk
 * operations, and its own ack of a proposal comes from the pipeline's `onLogged`.
 */
export interface LeaderParts {
  readonly settings: PeerSettings;
  readonly state: ServerState;
  readonly network: PeerNetwork;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The new epoch is established: votes that are given from now on name it. */
  readonly onEstablished: (epoch: number) => void;
}

export class Leader implements Role {
  readonly keepsSessions = true;
  readonly isReadOnly = false;
  readonly parts: LeaderParts;
  readonly epochFixed = new Gate<AcceptedEpochOnDisk>();
  readonly historyAccepted = new Gate<CurrentEpochOnDisk>();
  readonly established = new Gate<void>();
  /** Everybody who has connected, in whatever phase. */
  readonly handlers = new Set<LearnerHandler>();
  readonly snapSyncs: ConcurrentSyncs;
  readonly diffSyncs: ConcurrentSyncs;
  startedMs = 0;
  /** Since when a quorum is waited for that promises an epoch. */
  private waitingSinceMs = Number.POSITIVE_INFINITY;
  private readonly settings: PeerSettings;
  private readonly epochProposal: EpochProposal;
  private epochAcks: EpochAcks | undefined;
  private newLeaderAcks: NewLeaderAcks | undefined;
  private proposals: Proposals | undefined;
  private readonly laterPromises: LaterPromises;
  private readonly ended = new Gate<string>();
  private readonly summary: StateSummary;
  private readonly replica: Replica;
  private readonly listeners: PeerListener[] = [];
  private timer: Timer | undefined;
  private halfTick = 0;
  /** What goes to every follower that is up to date, and to every observer: encoded once, gathered for a turn. */
  private toFollowers = new ByteWriter(OUTPUT_BYTES_FIRST);
  private toObservers = new ByteWriter(OUTPUT_BYTES_FIRST);
  private flushScheduled = false;
  private entering = false;
  private committedZxid = 0;
  /** How far this epoch's proposals are on this server's own disk. */
  private loggedZxid = 0;
  private readonly proposalTimes = new ProposalTimes();
  private readonly syncs: { readonly afterZxid: number; readonly handler: LearnerHandler }[] = [];
  /** For each learner what the sessions of its clients have as their owner. */
  private readonly owners = new Map<number, object>();
  /** Sessions whose creation was proposed for a learner and is not applied yet. */
  private readonly opening = new Map<bigint, object>();

  constructor(parts: LeaderParts) {
    const { settings, state } = parts;
    this.parts = parts;
    this.settings = settings;
    this.laterPromises = new LaterPromises(settings.initLimitTicks);
    this.replica = state.replica;
    const { accepted, current } = state.epochs;
    this.summary = { currentEpoch: current.epoch, lastZxid: state.lastLoggedZxid };
    this.epochProposal = new EpochProposal(settings.myid, accepted.epoch, settings.config.verifier);
    this.snapSyncs = new ConcurrentSyncs(
      settings.maxConcurrentSnapSyncs,
      "a snapshot",
      "leader.maxConcurrentSnapSyncs",
      parts.metrics.inflight_snap_count,
    );
    this.diffSyncs = new ConcurrentSyncs(
      settings.maxConcurrentDiffSyncs,
      "missing txns",
      "leader.maxConcurrentDiffSyncs",
      parts.metrics.inflight_diff_count,
    );
  }

  get epoch(): number {
    return this.epochProposal.epoch ?? -1;
  }

  get tick(): number {
    return Math.floor(this.halfTick / 2);
  }

  get lastProposed(): number {
    return this.proposals?.lastProposed ?? makeZxid(this.epoch, 0);
  }

  get lastCommitted(): number {
    return this.committedZxid;
  }

  get servesClients(): boolean {
    return this.settings.leaderServes;
  }

  get historyZxid(): number {
    return makeZxid(this.epoch, 0);
  }

  get pendingSyncs(): number {
    return this.syncs.length;
  }

  /** Leads until it cannot. @returns why it ended @throws where this server itself failed: its disk, or a bug */
  async lead(): Promise<string> {
    try {
      await this.listen();
      await this.discover();
      await this.synchronize();
      return await this.ended.wait();
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      return reason;
    } finally {
      await this.stop();
    }
  }

  /** Gives up leading. */
  resign(reason: string): void {
    this.ended.open(reason);
    const error = new LinkError(reason);
    for (const gate of [this.epochFixed, this.historyAccepted, this.established]) if (!gate.isOpen) gate.fail(error);
  }

  // Discovery.

  private async listen(): Promise<void> {
    const { config, myid, quorumListensOnAllAddresses } = this.settings;
    const { addresses } = config.members.get(myid)!;
    const ports = new Set(addresses.map(({ quorumPort }) => quorumPort));
    const endpoints = quorumListensOnAllAddresses
      ? [...ports].map((port) => ({ host: "0.0.0.0", port }))
      : addresses.map(({ host, quorumPort }) => ({ host, port: quorumPort }));
    for (const endpoint of endpoints)
      this.listeners.push(await this.parts.network.listen(endpoint, (socket) => this.onSocket(socket)));
    this.schedulePing();
  }

  private onSocket(socket: PeerSocket): void {
    const handler = new LearnerHandler(this, this.replica, socket);
    this.handlers.add(handler);
    void handler.run().finally(() => this.handlers.delete(handler));
  }

  /** L5-L7: an epoch that is higher than any a quorum has promised, on this server's disk before it is told. */
  private async discover(): Promise<void> {
    const { scheduler, clock } = this.parts;
    this.waitingSinceMs = clock.monotonicMs();
    await this.fixEpoch();
    const { epoch } = await this.epochFixed.within(
      scheduler,
      initLimitMs(this.settings),
      `no quorum of voters connected to this leader within initLimit (${initLimitMs(this.settings)} ms)`,
    );
    this.parts.logger.info({ epoch }, `Proposing epoch ${epoch}`);
    if (this.epochAcks!.finished) await this.enterEpoch();
    await this.historyAccepted.within(
      scheduler,
      initLimitMs(this.settings),
      `no quorum of voters accepted the epoch within initLimit (${initLimitMs(this.settings)} ms)`,
    );
  }

  /**
   * A learner has said who it is. One of the same id that is up to date and answers stays, and the newcomer goes:
   * a second server with its myid, or a stranger, must not drive it out. One that has fallen silent, or is only
   * being brought up to date, is the newcomer's own past. One of this leader's own id is somebody else in any case.
   * @returns why it must go
   */
  welcome(handler: LearnerHandler): string | undefined {
    if (handler.sid === this.settings.myid)
      return `it says that it is server ${handler.sid}, which this leader is; give each server its own myid and restart the one that is wrong`;
    for (const other of this.handlers) {
      if (other === handler || other.sid !== handler.sid) continue;
      if (other.isUpToDate && other.quietTicks <= QUIET_TICKS_MAX) {
        return `server ${handler.sid} is connected from ${other.link.remote} and answers; if two servers have this myid, give each its own and restart them`;
      }
      other.close(`server ${handler.sid} has connected anew, from ${handler.link.remote}`);
    }
    return undefined;
  }

  /** Ends, so that there is an election, for a member that cannot follow in this epoch; the next one will be later still. */
  giveWayTo(sid: number, acceptedEpoch: number): void {
    if (!this.established.isOpen || !this.settings.config.members.has(sid)) return;
    if (!this.laterPromises.note(sid, acceptedEpoch, this.epoch, this.tick)) return;
    this.resign(
      `server ${sid} has promised epoch ${acceptedEpoch} to another leader, and can follow none of epoch ${this.epoch}: the next epoch will be one for all`,
    );
  }

  /** FOLLOWERINFO or OBSERVERINFO of a learner. @returns the epoch, when it is fixed and on this disk */
  async followerInfo(sid: number, acceptedEpoch: number): Promise<AcceptedEpochOnDisk> {
    this.epochProposal.contribute(sid, acceptedEpoch);
    await this.fixEpoch();
    return await this.epochFixed.wait();
  }

  private async fixEpoch(): Promise<void> {
    const { epoch } = this.epochProposal;
    if (epoch === undefined || this.epochAcks !== undefined) return;
    const { myid, config } = this.settings;
    this.epochAcks = new EpochAcks(myid, this.summary, config.verifier);
    this.newLeaderAcks = new NewLeaderAcks(epoch, [config.verifier]);
    try {
      this.epochFixed.open(await this.parts.state.acceptEpoch(epoch));
    } catch (error) {
      this.epochFixed.fail(error);
    }
  }

  /**
   * A voter whose vote made this server the leader looks for one again (`reportLookingSid`): it will not come, and the
   * others look for another leader the sooner the sooner this one gives up.
   */
  supporterLooks(sid: number): void {
    const { maxTimeToWaitForEpochMs } = this.settings;
    const waitedMs = this.parts.clock.monotonicMs() - this.waitingSinceMs;
    if (maxTimeToWaitForEpochMs < 0 || this.epochProposal.epoch !== undefined || !(waitedMs > maxTimeToWaitForEpochMs))
      return;
    this.parts.metrics.quit_leading_due_to_disloyal_voter.add(1);
    this.resign(
      `server ${sid} had voted for this leader and looks for one again, and no quorum has come for ${maxTimeToWaitForEpochMs} ms (leader.maxTimeToWaitForEpoch)`,
    );
  }

  /** ACKEPOCH. @returns whether the learner may go on: not where it has more history than this server (L10) */
  async ackEpoch(sid: number, currentEpoch: number, lastZxid: number): Promise<boolean> {
    const acks = this.epochAcks!;
    if (acks.contribute(sid, currentEpoch, lastZxid) === "refused") return false;
    if (acks.finished) await this.enterEpoch();
    await this.historyAccepted.wait();
    return true;
  }

  /** L11: a quorum has promised the epoch, and nobody of it has more history: this server is in it. */
  private async enterEpoch(): Promise<void> {
    if (this.entering) return;
    this.entering = true;
    try {
      this.historyAccepted.open(await this.parts.state.enterEpoch(this.epoch));
    } catch (error) {
      this.historyAccepted.fail(error);
    }
  }

  // Synchronization.

  /** L13-L14: a quorum has this server's whole history on disk. */
  private async synchronize(): Promise<void> {
    const { epoch } = await this.historyAccepted.wait();
    this.newLeaderAck(this.settings.myid, makeZxid(epoch, 0));
    const limitMs = initLimitMs(this.settings);
    await this.established.within(
      this.parts.scheduler,
      limitMs,
      `no quorum of voters took over this leader's history within initLimit (${limitMs} ms); with a large database raise initLimit`,
    );
  }

  /** The first ACK of a learner, and this server's own. */
  newLeaderAck(sid: number, zxid: number): void {
    const acks = this.newLeaderAcks!;
    if (acks.ack(sid, zxid) === "counted" && acks.established && !this.established.isOpen) this.serve();
    const { proposals } = this;
    if (proposals !== undefined && sid !== this.settings.myid) this.onCommitted(proposals.newLeaderAcked(sid));
  }

  /** L15: the history is committed, whatever of it was not before; the epoch's own txns follow. */
  private serve(): void {
    const { replica, settings } = this;
    const { logger } = this.parts;
    const { pipeline } = replica;
    pipeline.commitThrough(pipeline.loggedZxid);
    this.proposals = new Proposals(settings.myid, this.epoch, [settings.config.verifier]);
    for (const handler of this.handlers) handler.joinProposals(this.proposals);
    this.committedZxid = makeZxid(this.epoch, 0);
    this.loggedZxid = this.committedZxid;
    replica.proposer.beginAfter(this.committedZxid);
    replica.stats.proposalBytes.reset();
    replica.setConfig(settings.config.text, settings.config.version);
    this.startedMs = this.parts.clock.monotonicMs();
    replica.serve(this);
    this.parts.onEstablished(this.epoch);
    logger.info({ epoch: this.epoch, sid: settings.myid }, `Leading epoch ${this.epoch}`);
    this.established.open();
  }

  /** Where everything up to it is committed, as far as a learner that is being synchronized goes. */
  get committedThrough(): number {
    return this.established.isOpen ? this.committedZxid : this.replica.pipeline.loggedZxid;
  }

  /** From the call on, a learner is sent every proposal (a follower) or every commit (an observer); what was gathered before is not for it. */
  startForwarding(handler: LearnerHandler): void {
    this.flush();
    if (this.proposals !== undefined) handler.joinProposals(this.proposals);
  }

  // Broadcast.

  onAdded(batch: LogBatch, entry: number): void {
    const zxid = batch.zxid(entry);
    this.proposals!.propose(zxid);
    this.parts.metrics.proposal_count.add(1);
    const { bytes } = batch.writer;
    const start = batch.payloadStart(entry);
    const end = batch.payloadEnd(entry);
    this.replica.stats.proposalBytes.add(end - start);
    this.proposalTimes.note(zxid, bytes, start);
    writeQuorumPacketData(this.toFollowers, PACKET.proposal, zxid, bytes, start, end);
    for (const handler of this.handlers) {
      if (handler.isForwarded && !handler.isUpToDate && !handler.isObserver) handler.propose(zxid, bytes, start, end);
    }
    this.scheduleFlush();
    if (this.toFollowers.length > FLUSH_BYTES) this.flush();
  }

  onLogged(zxid: number): void {
    const { clock, metrics } = this.parts;
    const first = this.loggedZxid + 1;
    this.loggedZxid = zxid;
    this.proposalTimes.measure(metrics.proposal_ack_creation_latency, first, zxid, clock.wallMs());
    this.onCommitted(this.proposals!.ack(this.settings.myid, zxid));
  }

  /** ACK of a proposal. */
  ack(sid: number, zxid: number): void {
    if (this.proposals !== undefined) this.onCommitted(this.proposals.ack(sid, zxid));
  }

  /** A quorum has everything up to `zxid` on disk: that is the point at which a write has happened. */
  private onCommitted(zxid: number): void {
    let told = this.committedZxid;
    if (zxid <= told) return;
    this.committedZxid = zxid;
    const { clock, metrics } = this.parts;
    metrics.commit_count.add(zxid - told);
    metrics.request_commit_queued.add(zxid - told);
    this.proposalTimes.measure(metrics.quorum_ack_latency, told + 1, zxid, clock.wallMs());
    // An answer to SYNC stands behind the commits that it waited for and ahead of all later ones: the client that
    // asked for it may have written since, and is answered in its order.
    while (this.syncs.length > 0 && this.syncs[0]!.afterZxid <= zxid) {
      const { afterZxid, handler } = this.syncs.shift()!;
      this.tellCommitted(told, afterZxid);
      told = afterZxid;
      this.sync(handler);
    }
    this.tellCommitted(told, zxid);
    this.replica.pipeline.commitThrough(zxid);
  }

  private tellCommitted(before: number, zxid: number): void {
    if (zxid <= before) return;
    this.commitToFollowers(before, zxid);
    this.informObservers(before, zxid);
    this.scheduleFlush();
  }

  private commitToFollowers(before: number, zxid: number): void {
    for (let next = before + 1; next <= zxid; next++) writeQuorumPacket(this.toFollowers, PACKET.commit, next);
    for (const handler of this.handlers) {
      if (handler.isForwarded && !handler.isUpToDate && !handler.isObserver) handler.commit(before, zxid);
    }
  }

  private informObservers(before: number, zxid: number): void {
    let some = false;
    for (const handler of this.handlers) some ||= handler.isForwarded && handler.isObserver;
    if (!some) return;
    for (const { zxid: next, bytes, start, end } of this.replica.pipeline.unkept(before)) {
      if (next > zxid) break;
      writeQuorumPacketData(this.toObservers, PACKET.inform, next, bytes, start, end);
      for (const handler of this.handlers) {
        if (handler.isForwarded && !handler.isUpToDate && handler.isObserver) handler.inform(next, bytes, start, end);
      }
    }
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    this.parts.scheduler.soon(() => {
      this.flushScheduled = false;
      this.flush();
    });
  }

  /** Sends what was gathered to everybody who is up to date: the same bytes to each. */
  flush(): void {
    if (this.toFollowers.length > 0) this.toFollowers = this.share(this.toFollowers, false);
    if (this.toObservers.length > 0) this.toObservers = this.share(this.toObservers, true);
  }

  private share(writer: ByteWriter, observers: boolean): ByteWriter {
    let sent = false;
    for (const handler of this.handlers) {
      if (!handler.isUpToDate || handler.isObserver !== observers) continue;
      handler.link.sendShared(writer.view());
      sent = true;
    }
    if (sent) return new ByteWriter(Math.max(OUTPUT_BYTES_FIRST, writer.length));
    writer.reset();
    return writer;
  }

  // Liveness (11.3).

  private schedulePing(): void {
    this.timer = this.parts.scheduler.after(this.settings.tickTimeMs / 2, () => {
      this.halfTick += 1;
      if (this.halfTick % 2 === 0 && this.established.isOpen) this.checkQuorum();
      for (const handler of this.handlers) handler.ping();
      this.schedulePing();
    });
  }

  private checkQuorum(): void {
    const { config, myid, syncLimitTicks } = this.settings;
    const heard = new Set([myid]);
    for (const handler of this.handlers) {
      handler.closeIfBehind();
      if (handler.sid !== undefined && handler.deadlineTick >= this.tick) heard.add(handler.countedSid);
    }
    if (config.verifier.containsQuorum(heard)) return;
    this.resign(
      `only ${[...heard].join(", ")} of the voters ${[...config.voters].join(", ")} could be heard for syncLimit (${syncLimitTicks} ticks): no quorum follows this leader any more`,
    );
  }

  // Writes of this server's clients.

  submitWrite(request: WriteRequest, connection: Connection, receivedMs: number): void {
    if (!this.hasRoom()) {
      connection.onWriteSubmitted(); // which is never done: nothing that came behind it may be answered
      return;
    }
    const item = itemOf("write", request, connection, receivedMs);
    this.proposeChecked(request, connection.session, OWN, item);
  }

  submitCreateSession(request: WriteRequest, connection: Connection, timeoutMs: number, receivedMs: number): void {
    if (this.hasRoom()) {
      const item = itemOf("createSession", request, connection, receivedMs);
      this.replica.proposer.createSession(request, timeoutMs, item);
    }
  }

  submitCloseSession(request: WriteRequest, connection: Connection | undefined, receivedMs: number): void {
    if (this.hasRoom())
      this.replica.proposer.closeSession(request, itemOf("closeSession", request, connection, receivedMs));
  }

  submitDeleteContainer(request: WriteRequest, path: Uint8Array, receivedMs: number): void {
    if (this.hasRoom())
      this.replica.proposer.deleteContainer(request, path, itemOf("internal", request, undefined, receivedMs));
  }

  submitSync(_request: WriteRequest, done: () => void): void {
    if (this.ended.isOpen) return; // it may stand behind a write that was not taken any more
    this.replica.pipeline.afterApplied(this.lastProposed, done);
  }

  revalidate(session: Session, _connection: Connection, done: (isValid: boolean) => void): void {
    session.owner = OWN;
    done(true);
  }

  onHeard(session: Session, nowMs: number): void {
    this.replica.sessions.touch(session, nowMs);
  }

  claim(): undefined {
    return undefined;
  }

  // Requests that learners forward.

  /** A write of a learner's client: checked here, whatever the learner thought of it. */
  request(request: WriteRequest, owner: object): void {
    if (!this.hasRoom()) return;
    const key = sessionKey(request.sessionHigh, request.sessionLow);
    const session = this.replica.sessions.get(key);
    if (session === undefined && this.opening.has(key)) this.replica.proposer.write(request, undefined);
    else this.proposeChecked(request, session, owner, undefined);
  }

  createSession(request: WriteRequest, key: bigint, timeoutMs: number, owner: object): void {
    if (!this.hasRoom()) return;
    this.opening.set(key, owner);
    this.replica.proposer.createSession(request, timeoutMs, undefined);
    this.replica.pipeline.afterApplied(this.lastProposed, () => {
      const session = this.replica.sessions.get(key);
      if (session !== undefined) session.owner ??= owner;
      this.opening.delete(key);
    });
  }

  closeSession(request: WriteRequest, key: bigint): void {
    if (!this.hasRoom()) return;
    const session = this.replica.sessions.get(key);
    if (session !== undefined) this.replica.sessions.markClosing(session);
    this.replica.proposer.closeSession(request, undefined);
  }

  /**
   * A session's owner is the server that its client is connected to, and not that server's connection: whoever loses
   * the connection and follows again in a moment has kept its clients, and asks about none of them.
   */
  ownerOf(sid: number): object {
    let owner = this.owners.get(sid);
    if (owner === undefined) {
      owner = { sid };
      this.owners.set(sid, owner);
    }
    return owner;
  }

  /** SYNC: answered when all that was proposed by now is committed, behind those commits. */
  syncRequested(handler: LearnerHandler): void {
    if (this.ended.isOpen) return;
    if (this.lastProposed <= this.committedZxid) this.sync(handler);
    else this.syncs.push({ afterZxid: this.lastProposed, handler });
  }

  private sync(handler: LearnerHandler): void {
    this.flush();
    handler.link.send(PACKET.sync, 0);
  }

  /** REVALIDATE: is the session alive? Then it is the asking learner's from now on, with its full time. */
  revalidateRemote(key: bigint, timeoutMs: number, owner: object): boolean {
    this.parts.metrics.revalidate_count.add(1);
    const session = this.replica.sessions.get(key);
    if (session === undefined) return this.opening.has(key);
    if (session.closing) return false;
    session.owner = owner;
    session.timeoutMs = timeoutMs;
    this.replica.sessions.touch(session, this.parts.clock.monotonicMs());
    return true;
  }

  /** A learner has heard of the session. */
  touch(key: bigint, timeoutMs: number): void {
    const session = this.replica.sessions.get(key);
    if (session === undefined) return;
    session.timeoutMs = timeoutMs;
    this.replica.sessions.touch(session, this.parts.clock.monotonicMs());
  }

  private proposeChecked(
    request: WriteRequest,
    session: Session | undefined,
    owner: object,
    item: PipelineItem | undefined,
  ): void {
    const { proposer } = this.replica;
    const err = sessionError(session, owner);
    if (err === 0) proposer.write(request, item);
    else proposer.refuse(request, err, item);
  }

  /** The counter must not run over: the epoch ends, and the next one counts from 1 again. */
  private hasRoom(): boolean {
    if (this.proposals?.isExhausted === false) return true;
    this.resign(`epoch ${this.epoch} has used up its zxids; the next epoch goes on`);
    return false;
  }

  private async stop(): Promise<void> {
    this.timer?.cancel();
    this.resign("this server no longer leads");
    for (const handler of [...this.handlers]) handler.close("this server no longer leads");
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }
}

/** The owner of sessions whose clients are connected to the leader itself. */
const OWN = { name: "leader" };
const OUTPUT_BYTES_FIRST = 8 << 10;
/** PINGs leave every half tick: a learner that answers is heard in every tick. */
const QUIET_TICKS_MAX = 1;
/** Beyond this, what was gathered leaves before the turn ends. */
const FLUSH_BYTES = 1 << 20;

/** `SessionTracker.checkSession`: a session's writes come by way of the server that it is connected to, and of no other. */
function sessionError(session: Session | undefined, owner: object): number {
  if (session === undefined || session.closing) return ERR.SESSION_EXPIRED;
  session.owner ??= owner;
  return session.owner === owner ? 0 : ERR.SESSION_MOVED;
}
