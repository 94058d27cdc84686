import {
  type ByteWriter,
  DIGEST_VERSION,
  ERR,
  OP,
  TXN_DIGEST_BYTES,
  TXN_HEADER_BYTES,
  writeInt,
  writeLongFromNumber,
} from "@watchkeeper/wire";
import { NODE_KIND, ownerKind, sessionKey } from "../tree/index.js";
import type { AccessControl } from "./access-control.js";
import { ChangePreparer } from "./change-preparer.js";
import { OperationPreparer } from "./operation-preparer.js";
import type { PendingChanges } from "./pending-changes.js";
import type { PendingNode } from "./pending-node.js";
import type { PreparerSettings } from "./preparer-parts.js";
import type { QuotaCheck } from "./quota-check.js";
import { TxnDraft } from "./txn-draft.js";
import type { WriteRequest } from "./write-request.js";

/**
 * From a request to a transaction (Apache's `PrepRequestProcessor`): checks it, in the order that
 * decides which error a client sees, against the tree and everything accepted before, and encodes the
 * txn where it will be logged. Whatever the outcome, the write takes its zxid: a refused one becomes
 * an error txn.
 *
 * What reaches the log must be appliable on every server, for ever: every combination of opcode,
 * flags and ttl is settled here.
 */
export interface TxnSink {
  readonly writer: ByteWriter;
  begin(): number;
  end(zxid: number): void;
  abandonEntry(): void;
  readonly openEntryBytes: number;
}

export class WritePreparer {
  private readonly pending: PendingChanges;
  private readonly quotas: QuotaCheck;
  private readonly txnBytesMax: number;
  private readonly draft = new TxnDraft();
  private readonly changes: ChangePreparer;
  private readonly operations: OperationPreparer;

  constructor(pending: PendingChanges, access: AccessControl, quotas: QuotaCheck, settings: PreparerSettings) {
    const parts = { pending, access, quotas, settings };
    this.pending = pending;
    this.quotas = quotas;
    this.txnBytesMax = settings.txnBytesMax;
    this.changes = new ChangePreparer(parts, this.draft);
    this.operations = new OperationPreparer(parts, this.draft, this.changes);
  }

  /** Makes the request's txn. @returns its error code, 0 for a txn that does what was asked */
  prepare(request: WriteRequest, sink: TxnSink, zxid: number, timeMs: number): number {
    this.draft.begin(request, zxid, timeMs);
    this.beginTxn();
    sink.begin();
    this.writeHeader(sink.writer, request.opcode);
    let err = this.operations.prepare(sink.writer);
    if (err === 0 && sink.openEntryBytes + TXN_DIGEST_BYTES > this.txnBytesMax) err = ERR.BAD_ARGUMENTS;
    if (err !== 0) {
      this.rollBack();
      sink.abandonEntry();
      sink.begin();
      this.writeHeader(sink.writer, OP.error);
      sink.writer.int(err);
    } else {
      this.pending.endTxn();
      this.writeDigest(sink.writer);
    }
    sink.end(zxid);
    return err;
  }

  /** A write that is refused before anything of its body is looked at. */
  prepareError(request: WriteRequest, err: number, sink: TxnSink, zxid: number, timeMs: number): void {
    this.draft.begin(request, zxid, timeMs);
    sink.begin();
    this.writeHeader(sink.writer, OP.error);
    sink.writer.int(err);
    sink.end(zxid);
  }

  /** Nothing is in flight: what was thought to come is forgotten, and the tree alone is what counts. */
  restart(): void {
    this.pending.restart();
    this.quotas.restart();
  }

  /** A session that opens. */
  prepareCreateSession(request: WriteRequest, timeoutMs: number, sink: TxnSink, zxid: number, timeMs: number): void {
    this.beginInternal(request, sink, zxid, timeMs);
    sink.writer.int(timeoutMs);
    this.endInternal(sink);
  }

  /** A session that closes, by its client or by expiry: the txn names the ephemerals that go with it. */
  prepareCloseSession(
    request: WriteRequest,
    sink: TxnSink,
    zxid: number,
    timeMs: number,
    pathOf: (node: number) => Uint8Array,
  ): void {
    this.beginInternal(request, sink, zxid, timeMs);
    const key = sessionKey(request.sessionHigh, request.sessionLow);
    const paths = this.pending.ephemeralPaths(key, request.sessionHigh, request.sessionLow, pathOf);
    // Too many to name: an empty list, for applying deletes whatever the session still owns anyway.
    const named = listBytes(paths) <= this.txnBytesMax - TXN_FRAME_BYTES ? paths : [];
    sink.writer.int(named.length);
    for (const path of named) sink.writer.buffer(path);
    for (const path of paths) this.changes.remove(path);
    this.endInternal(sink);
  }

  /** A container without children, or a TTL node whose time is up; re-checked here, since it was found earlier. */
  prepareDeleteContainer(request: WriteRequest, path: Uint8Array, sink: TxnSink, zxid: number, timeMs: number): void {
    this.beginInternal(request, sink, zxid, timeMs);
    const node = this.pending.find(path, 0, path.length);
    let err = 0;
    if (node === undefined) err = ERR.NO_NODE;
    else if (node.childCount > 0) err = ERR.NOT_EMPTY;
    else if (!isSweepable(node)) err = ERR.BAD_VERSION;
    if (err !== 0) {
      sink.abandonEntry();
      sink.begin();
      this.writeHeader(sink.writer, OP.error);
      sink.writer.int(err);
      sink.end(zxid);
      return;
    }
    sink.writer.buffer(path);
    this.changes.remove(path);
    this.endInternal(sink);
  }

  onApplied(zxid: number): void {
    this.pending.onApplied(zxid);
    this.quotas.onApplied(zxid);
  }

  private beginInternal(request: WriteRequest, sink: TxnSink, zxid: number, timeMs: number): void {
    this.draft.begin(request, zxid, timeMs);
    this.beginTxn();
    sink.begin();
    this.writeHeader(sink.writer, request.opcode);
  }

  private endInternal(sink: TxnSink): void {
    this.pending.endTxn();
    this.writeDigest(sink.writer);
    sink.end(this.draft.zxid);
  }

  private beginTxn(): void {
    this.pending.beginTxn();
    this.quotas.beginTxn();
  }

  private rollBack(): void {
    this.pending.rollBack();
    this.quotas.rollBack();
  }

  private writeHeader(writer: ByteWriter, type: number): void {
    const { request, zxid, timeMs } = this.draft;
    const at = writer.reserve(TXN_HEADER_BYTES);
    const { bytes } = writer;
    writeInt(bytes, at, request.sessionHigh);
    writeInt(bytes, at + 4, request.sessionLow);
    writeInt(bytes, at + 8, request.xid);
    writeLongFromNumber(bytes, at + 12, zxid);
    writeLongFromNumber(bytes, at + 20, timeMs);
    writeInt(bytes, at + 28, type);
  }

  private writeDigest(writer: ByteWriter): void {
    const { digest, digestEnabled } = this.pending;
    if (!digestEnabled) return;
    const at = writer.reserve(TXN_DIGEST_BYTES);
    writeInt(writer.bytes, at, DIGEST_VERSION);
    writeInt(writer.bytes, at + 4, digest.high);
    writeInt(writer.bytes, at + 8, digest.low);
  }
}

/** Header, count and digest: what a txn has besides a list of paths. */
const TXN_FRAME_BYTES = TXN_HEADER_BYTES + 4 + TXN_DIGEST_BYTES;

function listBytes(paths: readonly Uint8Array[]): number {
  return paths.reduce((sum, path) => sum + 4 + path.length, 0);
}

/** Only nodes that never belong to a session may be swept away by the server. */
function isSweepable(node: PendingNode): boolean {
  const kind = ownerKind(node.ownerHigh, node.ownerLow);
  return kind === NODE_KIND.container || kind === NODE_KIND.ttl;
}
