import { OP, WireError } from "@watchkeeper/wire";
import type { Metrics } from "../metrics/index.js";
import type { Logger } from "../ports/index.js";
import { emptyWriteRequest, type WriteRequest } from "../requests/index.js";
import { isPasswordOf, newSession, type Session, SessionIds, type SessionTable } from "../sessions/index.js";
import { sessionKey, type TxnApplier } from "../tree/index.js";
import type { Connection } from "./connection.js";
import { type ConnectAttempt, readConnectRequest, writeConnectResponse, writeSessionRefused } from "./handshake.js";
import type { Role } from "./role.js";
import { sessionName } from "./session-name.js";
import type { PipelineItem } from "./txn-pipeline.js";

export interface SessionGateSettings {
  /** The top byte of session ids; 1 on a standalone server, as with Apache. */
  readonly serverId: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
}

/** What the gate asks of the replica. */
export interface SessionGateHooks {
  close(connection: Connection, reason: string): void;
  markDirty(connection: Connection): void;
  /** The zxid applied last. */
  lastZxid(): number;
  nowMs(): number;
}

/**
 * How connections come by sessions and lose them: the handshake, new sessions and resumed ones,
 * expiry, and which connection speaks for a session. A session begins and ends by a txn, so what is
 * said here is said when that txn has been applied.
 */
export class SessionGate {
  private readonly settings: SessionGateSettings;
  private readonly sessions: SessionTable;
  private readonly metrics: Metrics;
  private readonly logger: Logger;
  private readonly hooks: SessionGateHooks;
  private readonly ids: SessionIds;
  private readonly bySession = new Map<bigint, Connection>();
  private readonly request: WriteRequest = emptyWriteRequest();
  private role: Role | undefined;
  /** Who waits for a session that the leader has and whose creation has not come here yet. */
  private readonly arriving = new Map<bigint, Connection>();

  constructor(
    settings: SessionGateSettings,
    sessions: SessionTable,
    metrics: Metrics,
    logger: Logger,
    startWallMs: number,
    hooks: SessionGateHooks,
  ) {
    this.settings = settings;
    this.sessions = sessions;
    this.metrics = metrics;
    this.logger = logger;
    this.hooks = hooks;
    this.ids = new SessionIds(settings.serverId, Math.floor(startWallMs));
  }

  /**
   * Sessions are opened, resumed and closed by way of `role` from now on. What the last one began and did not
   * bring to an end is open again: every session has its full time, and a close that was asked for may be
   * asked for anew.
   */
  begin(role: Role | undefined, nowMs: number): void {
    this.role = role;
    this.arriving.clear();
    this.sessions.renewAll(nowMs);
  }

  /** A connection's first frame. */
  onFirstFrame(connection: Connection, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    let attempt: ConnectAttempt;
    try {
      attempt = readConnectRequest(bytes, start, end);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.hooks.close(connection, "the first frame is no connect request");
      return;
    }
    this.metrics.connection_request_count.add(1);
    const { role } = this;
    if (role === undefined || !role.servesClients) {
      this.metrics.cnxn_closed_without_zk_server_running.add(1);
      this.hooks.close(connection, "this server is not serving clients now");
      return;
    }
    if (role.isReadOnly && attempt.readOnly !== true) {
      this.logger.info({ remote: connection.address }, "Refusing a client that does not take a read-only server");
      this.hooks.close(connection, "the client does not take a read-only server");
      return;
    }
    const lastZxid = Math.max(this.hooks.lastZxid(), role.historyZxid);
    if (attempt.lastZxidSeen > lastZxid) {
      this.logger.info(
        {
          remote: connection.address,
          clientZxid: `0x${attempt.lastZxidSeen.toString(16)}`,
          serverZxid: `0x${lastZxid.toString(16)}`,
        },
        "Refusing a client that has seen a later zxid than this server has; it must try another server",
      );
      this.hooks.close(connection, "the client has seen a later zxid");
      return;
    }
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.settings;
    connection.sendsReadOnlyFlag = attempt.readOnly !== undefined;
    connection.timeoutMs = Math.min(Math.max(attempt.timeoutMs, minSessionTimeoutMs), maxSessionTimeoutMs);
    if (attempt.sessionHigh === 0 && attempt.sessionLow === 0) this.create(connection, role, nowMs);
    else this.resume(connection, attempt, role);
  }

  /** The client's own closing of its session. Nothing of the session is accepted from here on. */
  closeSession(connection: Connection, xid: number, role: Role, nowMs: number): void {
    const session = connection.session!;
    this.sessions.markClosing(session);
    role.submitCloseSession(this.requestFor(session, OP.closeSession, xid), connection, nowMs);
  }

  expireDue(role: Role, nowMs: number): void {
    for (const session of this.sessions.expire(nowMs)) {
      this.metrics.stale_sessions_expired.add(1);
      this.expire(role, session, nowMs);
    }
  }

  expire(role: Role, session: Session, nowMs: number): void {
    const name = sessionName(session);
    this.logger.info(
      { session: name, timeoutMs: session.timeoutMs },
      `Expiring session ${name}, timeout of ${session.timeoutMs}ms exceeded`,
    );
    this.sessions.markClosing(session);
    role.submitCloseSession(this.requestFor(session, OP.closeSession, 0), undefined, nowMs);
  }

  /** `asking` opened the session here, if anybody did. */
  onSessionCreated(asking: Connection | undefined, applier: TxnApplier, nowMs: number): void {
    const key = sessionKey(applier.clientHigh, applier.clientLow);
    const connection = asking?.phase === "opening" ? asking : this.arriving.get(key);
    this.arriving.delete(key);
    if (connection?.phase !== "opening") return;
    this.attach(connection, this.sessions.get(key)!, nowMs);
    connection.port.resume();
  }

  /** An expired session's connection is closed without a packet: its client learns it by connecting again. */
  onSessionClosed(item: PipelineItem | undefined, applier: TxnApplier): void {
    const key = sessionKey(applier.clientHigh, applier.clientLow);
    const connection = this.bySession.get(key);
    this.bySession.delete(key);
    if (connection !== undefined && connection !== item?.connection) {
      this.hooks.close(connection, applier.cxid === 0 ? "its session expired" : "its session was closed");
    }
  }

  onDisconnect(connection: Connection): void {
    for (const [key, waiting] of this.arriving) if (waiting === connection) this.arriving.delete(key);
    const { session } = connection;
    if (session !== undefined && this.bySession.get(session.key) === connection) this.bySession.delete(session.key);
  }

  private create(connection: Connection, role: Role, nowMs: number): void {
    const [idHigh, idLow] = this.ids.next();
    if (role.isReadOnly) {
      this.attach(connection, localSession(idHigh, idLow, connection.timeoutMs), nowMs);
      return;
    }
    connection.phase = "opening";
    role.submitCreateSession(
      this.requestFor({ idHigh, idLow }, OP.createSession, 0),
      connection,
      connection.timeoutMs,
      nowMs,
    );
  }

  /** The password is checked before anything of the session is touched: a stranger's attempt must not disturb it. */
  private resume(connection: Connection, attempt: ConnectAttempt, role: Role): void {
    const key = sessionKey(attempt.sessionHigh, attempt.sessionLow);
    if (role.isReadOnly) {
      // Only the ensemble can say that a session of its own has ended: a refusal would end it at the client.
      this.hooks.close(connection, "the session is the ensemble's, which this server is cut off from");
      return;
    }
    const { sessionHigh, sessionLow } = attempt;
    const known = this.sessions.get(key);
    // Who follows may not have heard yet of a session that was opened elsewhere: the leader knows.
    const session = known ?? (role.keepsSessions ? undefined : newSession(key, sessionHigh, sessionLow, 0));
    if (session === undefined || session.closing || !isPasswordOf(key, attempt.password)) {
      this.refuse(connection, key);
      return;
    }
    connection.phase = "opening";
    role.revalidate(session, connection, (isValid) => this.onRevalidated(connection, session, known, isValid));
  }

  private onRevalidated(
    connection: Connection,
    { key }: Session,
    knownBefore: Session | undefined,
    isValid: boolean,
  ): void {
    if (connection.phase !== "opening") return;
    const session = this.sessions.get(key);
    if (!isValid || (knownBefore !== undefined && session !== knownBefore)) {
      this.refuse(connection, key);
      return;
    }
    if (session === undefined) {
      this.arriving.set(key, connection);
      return;
    }
    const previous = this.bySession.get(session.key);
    if (previous !== undefined) this.hooks.close(previous, "the session has connected anew");
    this.attach(connection, session, this.hooks.nowMs());
    connection.port.resume();
  }

  private refuse(connection: Connection, key: bigint): void {
    this.logger.info(
      { remote: connection.address, session: `0x${BigInt.asUintN(64, key).toString(16)}` },
      "Invalid session for a client, probably expired",
    );
    writeSessionRefused(connection.writer(), connection.sendsReadOnlyFlag);
    this.hooks.markDirty(connection);
    this.hooks.close(connection, "the session is not known or its password is wrong");
  }

  private attach(connection: Connection, session: Session, nowMs: number): void {
    session.timeoutMs = connection.timeoutMs;
    this.role!.onHeard(session, nowMs);
    connection.session = session;
    connection.phase = "open";
    this.bySession.set(session.key, connection);
    writeConnectResponse(
      connection.writer(),
      session,
      connection.timeoutMs,
      connection.sendsReadOnlyFlag,
      this.role!.isReadOnly,
    );
    connection.stats.lastOperation = OP.createSession;
    this.hooks.markDirty(connection);
  }

  private requestFor(
    session: { readonly idHigh: number; readonly idLow: number },
    opcode: number,
    xid: number,
  ): WriteRequest {
    const { request } = this;
    request.opcode = opcode;
    request.xid = xid;
    request.sessionHigh = session.idHigh;
    request.sessionLow = session.idLow;
    return request;
  }
}

/** A session of this server alone, while it is cut off from its peers: it ends with its connection. */
function localSession(idHigh: number, idLow: number, timeoutMs: number): Session {
  return newSession(sessionKey(idHigh, idLow), idHigh, idLow, timeoutMs);
}
