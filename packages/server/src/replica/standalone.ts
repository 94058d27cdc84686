import type { WriteRequest } from "../requests/index.js";
import type { Session, SessionTable } from "../sessions/index.js";
import type { LogBatch } from "../storage/index.js";
import type { Connection } from "./connection.js";
import type { Proposer } from "./proposer.js";
import type { Role } from "./role.js";
import type { PipelineItem, PipelineItemKind, TxnPipeline } from "./txn-pipeline.js";

/** A server without peers: it proposes, and what is on its own disk is committed. */
export class Standalone implements Role {
  readonly keepsSessions = true;
  readonly isReadOnly = false;
  readonly servesClients = true;
  readonly historyZxid = 0;
  private readonly proposer: Proposer;
  private readonly pipeline: TxnPipeline;
  private readonly sessions: SessionTable;

  constructor(proposer: Proposer, pipeline: TxnPipeline, sessions: SessionTable) {
    this.proposer = proposer;
    this.pipeline = pipeline;
    this.sessions = sessions;
    pipeline.commitThrough(Number.POSITIVE_INFINITY);
    proposer.beginAfter(pipeline.addedZxid);
  }

  submitWrite(request: WriteRequest, connection: Connection, receivedMs: number): void {
    this.proposer.write(request, itemOf("write", request, connection, receivedMs));
  }

  submitCreateSession(request: WriteRequest, connection: Connection, timeoutMs: number, receivedMs: number): void {
    this.proposer.createSession(request, timeoutMs, itemOf("createSession", request, connection, receivedMs));
  }

  submitCloseSession(request: WriteRequest, connection: Connection | undefined, receivedMs: number): void {
    this.proposer.closeSession(request, itemOf("closeSession", request, connection, receivedMs));
  }

  submitDeleteContainer(request: WriteRequest, path: Uint8Array, receivedMs: number): void {
    this.proposer.deleteContainer(request, path, itemOf("internal", request, undefined, receivedMs));
  }

  submitSync(_request: WriteRequest, done: () => void): void {
    this.pipeline.afterApplied(this.proposer.lastZxid, done);
  }

  revalidate(_session: Session, _connection: Connection, done: (isValid: boolean) => void): void {
    done(true);
  }

  onHeard(session: Session, nowMs: number): void {
    this.sessions.touch(session, nowMs);
  }

  onAdded(_batch: LogBatch, _entry: number): void {}

  onLogged(_zxid: number): void {}

  claim(): undefined {
    return undefined;
  }
}

export function itemOf(
  kind: PipelineItemKind,
  request: WriteRequest,
  connection: Connection | undefined,
  receivedMs: number,
): PipelineItem {
  const { sessionHigh, sessionLow, xid, opcode } = request;
  return { kind, connection, sessionHigh, sessionLow, xid, opcode, receivedMs };
}
