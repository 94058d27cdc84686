import { ByteWriter, ERR, encodeText, OP, readInt, setDataTxn, txnHeader } from "@watchkeeper/wire";
import type { Summary } from "../metrics/index.js";
import type { Clock, Digester, Logger, Scheduler } from "../ports/index.js";
import {
  AccessControl,
  emptyWriteRequest,
  PendingChanges,
  QuotaCheck,
  WritePreparer,
  type WriteRequest,
} from "../requests/index.js";
import type { SessionTable } from "../sessions/index.js";
import { LogBatch, type SnapshotSource } from "../storage/index.js";
import { type Quotas, type Tree, TxnApplier } from "../tree/index.js";
import { WatchTable } from "../watches/index.js";
import { Authenticator, IDENTITIES_MAX } from "./authenticator.js";
import { CommittedLog, type CommittedLogLimits } from "./committed-log.js";
import { Connection, type ConnectionPort } from "./connection.js";
import { ContainerSweeper } from "./container-sweeper.js";
import type { DigestEntry } from "./digest-history.js";
import { EventDelivery } from "./event-delivery.js";
import { HeldConnections } from "./held-connections.js";
import { Outputs } from "./outputs.js";
import { Proposer } from "./proposer.js";
import { ReadRequests } from "./read-requests.js";
import { beginReply, endFrame, HEADER_REPLY_BYTES, writeHeaderReply } from "./replies.js";
import { RequestBacklog } from "./request-backlog.js";
import { Kind, kindOf } from "./request-kind.js";
import type { Role } from "./role.js";
import { ServerStats } from "./server-stats.js";
import { SessionGate } from "./session-gate.js";
import { sessionName } from "./session-name.js";
import type { ReplicaSettings } from "./settings.js";
import { readSyncedPath } from "./sync-request.js";
import { snapshotSource } from "./tree-snapshot.js";
import { type DurableLog, type PipelineItem, TxnPipeline } from "./txn-pipeline.js";
import { writeReply } from "./write-replies.js";

/**
 * One whole server without its sockets and files (Apache's `ZooKeeperServer` and its chain of request
 * processors): connections bring frames in, replies and events gather in their outputs, and the log
 * decides when a write has happened. All of it runs in one thread of control; nothing here waits.
 *
 * After every call the host makes, `flushOutputs` hands the gathered output to the connections, or
 * `flushSoon` at the end of the turn.
 */
export interface ReplicaParts {
  readonly settings: ReplicaSettings;
  readonly tree: Tree;
  readonly quotas: Quotas;
  readonly sessions: SessionTable;
  readonly lastZxid: number;
  readonly log: DurableLog;
  /** How much of the committed history is kept in memory for peers that were away; none on a single server. */
  readonly committedLog: CommittedLogLimits;
  /** Those of the replica whose place this one takes. */
  readonly stats?: ServerStats;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly digester: Digester;
  readonly logger: Logger;
}

export interface ReplicaHooks {
  /** A batch is on the disk: the moment to roll the log. */
  onDurable(txns: number, bytes: number): void;
  /** Txns have been applied, and are committed: the moment to begin a snapshot. */
  onRoundEnd(): void;
  /** The server must stop: its log has failed, or it has found a bug of its own. */
  onFatal(error: unknown): void;
}

export class Replica {
  readonly stats: ServerStats;
  readonly watches: WatchTable;
  readonly sessions: SessionTable;
  readonly tree: Tree;
  readonly pipeline: TxnPipeline;
  readonly committedLog: CommittedLog;
  readonly proposer: Proposer;
  private readonly parts: ReplicaParts;
  private readonly settings: ReplicaSettings;
  private readonly authenticator: Authenticator;
  private readonly preparer: WritePreparer;
  private readonly reads: ReadRequests;
  private readonly events: EventDelivery;
  private readonly sweeper: ContainerSweeper;
  private readonly gate: SessionGate;
  private readonly open = new Set<Connection>();
  private readonly outputs: Outputs;
  private readonly backlog: RequestBacklog;
  private readonly held: HeldConnections;
  private nowMs: number;
  private lastTickMs: number;
  private role: Role | undefined;
  private draining = false;
  private readonly request: WriteRequest = emptyWriteRequest();

  constructor(parts: ReplicaParts, hooks: ReplicaHooks) {
    const { settings, tree, clock, logger } = parts;
    this.parts = parts;
    this.settings = settings;
    this.tree = tree;
    this.sessions = parts.sessions;
    this.nowMs = clock.monotonicMs();
    this.lastTickMs = this.nowMs;
    this.stats = parts.stats ?? new ServerStats(this.nowMs);
    this.watches = new WatchTable(tree.hashSeed);
    this.outputs = new Outputs(parts.scheduler);
    this.held = new HeldConnections(parts.scheduler);
    const access = new AccessControl(tree.acls, settings, parts.digester);
    this.authenticator = new Authenticator(access, logger);
    const { metrics } = this.stats;
    this.events = new EventDelivery(this.watches, access, metrics, (connection) => this.onEvent(connection));
    const pending = new PendingChanges(tree, settings.treeDigestEnabled);
    this.preparer = new WritePreparer(
      pending,
      access,
      new QuotaCheck(parts.quotas, settings.enforceQuota, logger),
      settings,
    );
    this.reads = new ReadRequests(tree, this.watches, access, settings, metrics.throttled_ops, logger);
    this.sweeper = new ContainerSweeper(tree, settings.sweep, this.nowMs, (node) => this.sweep(node));
    this.committedLog = new CommittedLog(parts.committedLog);
    this.pipeline = new TxnPipeline(
      {
        ...parts,
        committedLog: this.committedLog,
        metrics,
        applier: new TxnApplier(tree, parts.quotas, this.events, pending),
        events: this.events,
        makeBatch: () => new LogBatch(settings.txnBytesMax),
      },
      {
        onApplied: (item, applier, bytes) => this.onApplied(item, applier, bytes),
        onDurable: (txns, bytes) => {
          this.nowMs = clock.monotonicMs();
          hooks.onDurable(txns, bytes);
        },
        onBatchApplied: () => this.preparer.onApplied(this.pipeline.lastZxid),
        onRoundEnd: () => {
          this.backlog.release();
          this.flushOutputs();
          if (this.isHistorySettled) hooks.onRoundEnd();
        },
        onFatal: hooks.onFatal,
      },
      parts.lastZxid,
    );
    this.proposer = new Proposer(this.preparer, this.pipeline, clock, this.pathOf);
    this.backlog = new RequestBacklog(
      settings,
      metrics.request_throttle_wait_count,
      () => this.pipeline.unappliedBytes,
    );
    this.gate = new SessionGate(settings, parts.sessions, metrics, logger, clock.wallMs(), {
      close: (connection, reason) => this.close(connection, reason),
      markDirty: (connection) => this.outputs.mark(connection),
      lastZxid: () => this.pipeline.lastZxid,
      nowMs: () => this.nowMs,
    });
  }

  // Its place among its peers.

  /**
   * The ensemble's configuration as clients read it: the data of `/zookeeper/config`, which no txn has made
   * (`ZKDatabase.initConfigInZKDatabase`). Everybody has the same, since it comes from the configuration file.
   */
  setConfig(text: string, version: number): void {
    const writer = new ByteWriter(256 + text.length);
    txnHeader.encode(writer, {
      clientId: 0n,
      cxid: 0,
      zxid: BigInt(version),
      time: BigInt(Math.floor(this.parts.clock.wallMs())),
      type: OP.setData,
    });
    setDataTxn.encode(writer, { path: CONFIG_PATH, data: encodeText(text), version: CONFIG_DATA_VERSION });
    new TxnApplier(this.tree, this.parts.quotas).apply(writer.bytes, 0, writer.length);
  }

  /** Clients are served from now on, their writes and sessions by way of `role`. */
  serve(role: Role): void {
    this.nowMs = this.parts.clock.monotonicMs();
    this.lastTickMs = this.nowMs;
    this.role = role;
    this.pipeline.observer = role;
    this.pipeline.beginEpoch(role.historyZxid);
    this.gate.begin(role, this.nowMs);
    for (const connection of this.held.release()) {
      if (role.servesClients && !role.isReadOnly) this.goOn(connection);
      else this.close(connection, "this server serves other clients now");
    }
    this.flushOutputs();
  }

  private goOn(connection: Connection): void {
    connection.isHeld = false;
    this.outputs.mark(connection);
    connection.port.resume();
  }

  /**
   * No client is served until there is a role again: every connection is closed, and what was asked and not
   * answered has an outcome that its client cannot know. Txns that are logged and not committed stay in the
   * pipeline.
   */
  stopServing(reason: string): void {
    this.leaveRole();
    for (const connection of [...this.open]) this.close(connection, reason);
  }

  /** The same, but clients that are owed nothing stay connected for a while: there may soon be a role again. */
  pauseServing(reason: string): void {
    const { role } = this;
    this.leaveRole();
    if (role === undefined) return; // the role before has ended the same way: who is connected is held already
    const kept: Connection[] = [];
    for (const connection of [...this.open]) {
      if (!role.isReadOnly && isOwedNothing(connection)) kept.push(connection);
      else this.close(connection, reason);
    }
    this.held.hold(kept, Math.min(HOLD_MS_MAX, this.settings.tickTimeMs), (late) => {
      for (const connection of late) this.close(connection, reason);
    });
  }

  private leaveRole(): void {
    this.flushOutputs();
    this.role = undefined;
    this.pipeline.observer = undefined;
    this.pipeline.holdCommits();
    this.pipeline.dropWaiters();
    this.gate.begin(undefined, this.parts.clock.monotonicMs());
  }

  get isServing(): boolean {
    return this.role !== undefined;
  }

  get isReadOnly(): boolean {
    return this.role?.isReadOnly === true;
  }

  /**
   * Whether all that is applied is committed for good. While a history is taken over it is not: no quorum may have it, and
   * the next leader may have it cut off. Nothing of it may stand in a snapshot, for a log that ends before what
   * its snapshot holds cannot be loaded.
   */
  get isHistorySettled(): boolean {
    return this.isServing && !this.isReadOnly;
  }

  // What the host asks and tells.

  get lastZxid(): number {
    return this.pipeline.lastZxid;
  }

  get outstandingRequests(): number {
    return this.backlog.count;
  }

  get digestMismatches(): number {
    return this.pipeline.digestMismatches;
  }

  get digests(): readonly DigestEntry[] {
    return this.pipeline.digests.entries();
  }

  get connections(): ReadonlySet<Connection> {
    return this.open;
  }

  connectionOfWatcher(watcher: number): Connection | undefined {
    return this.events.connections[watcher];
  }

  /** A socket was accepted. */
  connect(address: string, remotePort: number, port: ConnectionPort): Connection {
    const watcher = this.watches.addWatcher();
    this.nowMs = this.parts.clock.monotonicMs();
    const connection = new Connection(watcher, address, remotePort, port, this.parts.clock.wallMs(), this.nowMs);
    this.events.connections[watcher] = connection;
    this.open.add(connection);
    return connection;
  }

  /** The socket is gone, from whichever side; idempotent. The session lives on until it expires. */
  disconnect(connection: Connection): void {
    if (!this.open.delete(connection)) return;
    if (connection.phase === "open") this.stats.metrics.connection_drop_count.add(1);
    connection.phase = "closed";
    this.watches.removeWatcher(connection.watcher);
    this.events.connections[connection.watcher] = undefined;
    this.gate.onDisconnect(connection);
    this.held.onDisconnect(connection);
    this.backlog.onDisconnect(connection);
    this.backlog.release();
  }

  /** Input has arrived: to be called once a chunk, before its frames. */
  beginInput(connection: Connection): void {
    this.nowMs = this.parts.clock.monotonicMs();
    connection.heardMs = this.nowMs;
    const { session } = connection;
    if (session !== undefined) this.role?.onHeard(session, this.nowMs);
  }

  /** Whether the connection's next frame may be handed in now; if not, its port's `resume` will say when. */
  mayReceive(connection: Connection): boolean {
    if (this.role === undefined && connection.phase === "open") return false; // held: `serve` resumes it
    return connection.accepts && !this.draining && this.backlog.admits(connection);
  }

  /** One frame's payload. */
  receive(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    if (connection.phase === "handshake") {
      this.gate.onFirstFrame(connection, bytes, start, end, this.nowMs);
      return;
    }
    if (end - start < 8) {
      this.close(connection, "a frame too short for a request header");
      return;
    }
    this.stats.packetsReceived += 1;
    this.stats.bytesReceived.add(end - start + FRAME_LENGTH_BYTES);
    connection.stats.received += 1;
    const xid = readInt(bytes, start);
    const opcode = readInt(bytes, start + 4);
    if (connection.session!.closing) return; // its closeSession is on its way: nothing after it counts
    this.backlog.onReceived(connection);
    this.dispatch(connection, xid, opcode, bytes, start, end);
  }

  /** Hands all gathered output to its connections. */
  flushOutputs(): void {
    this.outputs.flush();
  }

  /** The same when everything that has arrived by now was handled. */
  flushSoon(): void {
    this.outputs.flushSoon();
  }

  /** Time passes: expiry, clean-up, silent connections. */
  tick(): void {
    const nowMs = this.parts.clock.monotonicMs();
    const stalledMs = nowMs - this.lastTickMs;
    this.nowMs = nowMs;
    this.lastTickMs = nowMs;
    // After a pause of the whole process pings are waiting in the sockets: they are heard first.
    if (stalledMs < this.settings.tickTimeMs) {
      if (this.role?.keepsSessions === true) this.gate.expireDue(this.role, nowMs);
      this.closeSilent(nowMs);
    }
    if (this.role?.keepsSessions === true) this.sweeper.step(nowMs, this.parts.clock.wallMs());
    this.flushOutputs();
  }

  /** Ends a session as if its time were up. @returns whether there is one to end, and this server the one to end it */
  expireSession(key: bigint): boolean {
    const session = this.sessions.get(key);
    if (session === undefined || session.closing || this.role?.keepsSessions !== true) return false;
    this.gate.expire(this.role, session, this.parts.clock.monotonicMs());
    return true;
  }

  /** No connection is read from any more; resolves when every accepted write has been answered, or never will be. */
  async drain(): Promise<void> {
    this.draining = true;
    await this.pipeline.logged().catch(() => {}); // a log that has failed has told so by `onFatal`
    this.flushOutputs();
  }

  /** What a snapshot taken now holds. */
  snapshot(): SnapshotSource {
    return snapshotSource(this.tree, this.sessions, this.pipeline.lastZxid, () => this.pipeline.lastZxid);
  }

  /** Closes a connection from this side; what was flushed before still leaves. */
  close(connection: Connection, reason: string): void {
    if (this.beginClosing(connection, reason)) connection.port.close();
  }

  /** Who is held takes nothing, and a long history may have any number of events for it: it comes back and looks. */
  private onEvent(connection: Connection): void {
    this.outputs.mark(connection);
    if (connection.heldBytes <= this.settings.outputBytesMax) return;
    this.beginClosing(connection, "too many events wait for it while this server has no leader");
    this.parts.scheduler.soon(() => connection.port.close()); // the watches are being gone through now
  }

  private beginClosing(connection: Connection, reason: string): boolean {
    if (connection.phase === "closed" || connection.phase === "closing") return false;
    connection.phase = "closing";
    this.parts.logger.debug(
      { remote: `${connection.address}:${connection.remotePort}`, session: sessionName(connection.session), reason },
      "Closing a connection",
    );
    connection.dropHeldOutput();
    connection.port.flush();
    return true;
  }

  // Requests.

  private dispatch(
    connection: Connection,
    xid: number,
    opcode: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const role = this.role!; // without one nothing is received on an open connection
    const kind = kindOf(opcode);
    switch (kind) {
      case Kind.write:
        if (role.isReadOnly) {
          this.refuse(connection, xid, opcode);
          return;
        }
        this.fillRequest(connection, xid, opcode, bytes, start + 8, end);
        role.submitWrite(this.request, connection, this.nowMs);
        return;
      case Kind.sync:
        if (role.isReadOnly) this.refuse(connection, xid, opcode);
        else this.sync(connection, role, xid, bytes, start, end);
        return;
      case Kind.closeSession:
        if (role.isReadOnly) this.close(connection, "the client closed its session");
        else this.gate.closeSession(connection, xid, role, this.nowMs);
        return;
      case Kind.auth:
        this.authenticate(connection, bytes, start, end);
        return;
      default:
        if (connection.hasWritesInFlight) this.defer(connection, bytes, start, end);
        else this.read(connection, bytes, start, end, this.nowMs);
    }
  }

  private defer(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    connection.defer(bytes, start, end, this.nowMs);
    this.backlog.onDeferred(end - start);
  }

  private fillRequest(
    connection: Connection,
    xid: number,
    opcode: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { request } = this;
    const session = connection.session!;
    request.opcode = opcode;
    request.xid = xid;
    request.sessionHigh = session.idHigh;
    request.sessionLow = session.idLow;
    request.identities = connection.identities;
    request.bytes = bytes;
    request.start = start;
    request.end = end;
  }

  /** Reads, watch operations, pings, and opcodes nobody knows: all answered in their place. */
  private read(connection: Connection, bytes: Uint8Array, start: number, end: number, receivedMs: number): void {
    const xid = readInt(bytes, start);
    const opcode = readInt(bytes, start + 4);
    const replyBytes = this.reads.answer(connection, xid, opcode, bytes, start + 8, end, this.pipeline.lastZxid);
    this.onAnswered(connection, opcode, xid, receivedMs, replyBytes);
  }

  private sync(connection: Connection, role: Role, xid: number, bytes: Uint8Array, start: number, end: number): void {
    const path = readSyncedPath(bytes, start + 8, end);
    const receivedMs = this.nowMs;
    this.fillRequest(connection, xid, OP.sync, bytes, start + 8, end);
    connection.onWriteSubmitted();
    role.submitSync(this.request, () => {
      connection.onWriteDone();
      if (connection.phase !== "open") return;
      const before = connection.outputBytes;
      this.answerSync(connection, xid, path);
      this.onAnswered(connection, OP.sync, xid, receivedMs, replyBytesSince(before, connection));
      this.answerDeferred(connection);
      this.backlog.release(); // without a write there is no end of a round that would
    });
  }

  /** A server without a leader changes nothing. */
  private refuse(connection: Connection, xid: number, opcode: number): void {
    writeHeaderReply(connection.writer(), xid, this.pipeline.lastZxid, ERR.NOT_READ_ONLY);
    this.onAnswered(connection, opcode, xid, this.nowMs, HEADER_REPLY_BYTES);
  }

  /**
   * Credentials that are taken are taken at once, ahead of requests that wait; what comes after them has the new
   * identities. A refusal is the last that the connection says, so it waits for the replies to what was asked
   * before it: a client hangs up when it reads it, and Apache, which does not wait, loses those that are not
   * written yet.
   */
  private authenticate(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    const xid = readInt(bytes, start);
    const opcode = readInt(bytes, start + 4);
    const identities = this.authenticator.identities(connection, bytes, start, end);
    if (identities === undefined && connection.hasWritesInFlight) {
      connection.isRefused = true;
      this.defer(connection, bytes, start, end);
    } else if (identities === undefined) {
      this.authenticator.refuse(connection, bytes, start, end);
      this.onAnswered(connection, opcode, xid, this.nowMs, HEADER_REPLY_BYTES);
      this.close(connection, "authentication failed");
    } else if (this.authenticator.take(connection, identities, xid)) {
      this.onAnswered(connection, opcode, xid, this.nowMs, HEADER_REPLY_BYTES);
    } else {
      this.close(connection, `more than ${IDENTITIES_MAX} identities`);
    }
  }

  private onAnswered(
    connection: Connection,
    opcode: number,
    xid: number,
    receivedMs: number,
    replyBytes: number,
    latencies: Summary = this.stats.reads,
  ): void {
    const { lastZxid } = this.pipeline;
    this.stats.onAnswered(connection, opcode, xid, lastZxid, receivedMs, this.nowMs, replyBytes, latencies);
    this.backlog.onAnswered(connection);
    this.outputs.mark(connection);
  }

  // What the pipeline has done.

  private onApplied(item: PipelineItem | undefined, applier: TxnApplier, bytes: Uint8Array): void {
    if (applier.type === OP.closeSession) this.gate.onSessionClosed(item, applier);
    const connection = item?.connection;
    if (applier.type === OP.createSession) this.gate.onSessionCreated(connection, applier, this.nowMs);
    if (item === undefined || connection === undefined || connection.phase === "closed") return;
    const { xid, opcode } = item;
    if (item.kind !== "createSession" && (connection.phase === "open" || item.kind === "closeSession")) {
      const before = connection.outputBytes;
      if (item.kind === "write")
        writeReply(connection.writer(), xid, this.pipeline.lastZxid, applier, this.tree, bytes);
      else writeHeaderReply(connection.writer(), xid, this.pipeline.lastZxid, 0);
      const replyBytes = replyBytesSince(before, connection);
      this.onAnswered(connection, opcode, xid, item.receivedMs, replyBytes, this.stats.updates);
    }
    if (item.kind === "closeSession") {
      if (this.beginClosing(connection, "the client closed its session")) connection.port.finish();
    } else this.answerDeferred(connection);
  }

  /** What came behind a write of its connection that is done now. */
  private answerDeferred(connection: Connection): void {
    for (let next = connection.nextDeferred(); next !== undefined; next = connection.nextDeferred()) {
      const { frame, receivedMs } = next;
      this.backlog.onDeferredTaken(frame.length);
      if (kindOf(readInt(frame, 4)) === Kind.auth) this.authenticate(connection, frame, 0, frame.length);
      else this.read(connection, frame, 0, frame.length, receivedMs);
    }
  }

  private answerSync(connection: Connection, xid: number, path: Uint8Array | undefined): void {
    const writer = connection.writer();
    const at = beginReply(writer, xid, this.pipeline.lastZxid, path === undefined ? ERR.MARSHALLING_ERROR : 0);
    if (path !== undefined) writer.copy(path, 0, path.length);
    endFrame(writer, at);
  }

  private closeSilent(nowMs: number): void {
    for (const connection of this.open) {
      const limitMs = connection.session === undefined ? this.settings.sessionlessTimeoutMs : connection.timeoutMs;
      if (nowMs - connection.heardMs <= limitMs + this.settings.tickTimeMs) continue;
      if (connection.session === undefined) this.stats.metrics.sessionless_connections_expired.add(1);
      this.close(
        connection,
        connection.session === undefined
          ? "no session was opened in time"
          : "nothing was heard for the session's timeout",
      );
    }
  }

  // Containers and TTL nodes.

  private sweep(node: number): void {
    const { request } = this;
    request.opcode = OP.deleteContainer;
    request.xid = 0;
    request.sessionHigh = 0;
    request.sessionLow = 0;
    this.role!.submitDeleteContainer(request, this.pathOf(node), this.nowMs);
  }

  private readonly pathOf = (node: number): Uint8Array => {
    const writer = new ByteWriter(this.tree.pathLength(node) + 1);
    this.tree.writePath(node, writer);
    return writer.view();
  };
}

/**
 * An election among servers that are up takes a quarter of this. Longer would keep clients of a server that was cut off from
 * those who go on.
 */
const HOLD_MS_MAX = 1000;
const CONFIG_PATH = "/zookeeper/config";
/** What Apache writes the node with: any version. */
const CONFIG_DATA_VERSION = -1;

/** In front of every request and reply. */
const FRAME_LENGTH_BYTES = 4;

/** Of one reply that was written since the output had `before` bytes. */
function replyBytesSince(before: number, connection: Connection): number {
  return connection.outputBytes - before - FRAME_LENGTH_BYTES;
}

/** It has a session and waits for no answer: a role's end leaves it in no doubt about anything. */
function isOwedNothing({ phase, session, outstanding }: Connection): boolean {
  return phase === "open" && session?.closing === false && outstanding === 0;
}
