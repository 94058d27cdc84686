import { OP, readInt, TXN_HEADER_BYTES } from "@watchkeeper/wire";
import type { Clock, Logger, Scheduler } from "../ports/index.js";
import type { WritePreparer, WriteRequest } from "../requests/index.js";
import type { SessionTable } from "../sessions/index.js";
import type { LogBatch } from "../storage/index.js";
import { sessionKey, type Tree, type TxnApplier } from "../tree/index.js";
import type { Connection } from "./connection.js";
import { DigestHistory } from "./digest-history.js";
import type { EventDelivery } from "./event-delivery.js";

/**
 * The way of a write on one server: accepted and encoded into the open batch; the batch appended to
 * the log in one durable write; its txns applied in zxid order; each answered. While one batch is on
 * its way to the disk the next one gathers.
 *
 * Nothing is answered before its batch is durable: `settle` is reached only through the resolved
 * append. A failed append ends the pipeline for good, with everything in it unanswered.
 */
export type PipelineItemKind = "write" | "createSession" | "closeSession" | "sync" | "internal";

/** One place in the order of the pipeline: a txn, or a sync that only keeps its place. */
export interface PipelineItem {
  readonly kind: PipelineItemKind;
  readonly connection: Connection | undefined;
  readonly xid: number;
  readonly opcode: number;
  readonly receivedMs: number;
  /** For sync: the reply's body, undefined where the request could not be decoded. */
  readonly body: Uint8Array | undefined;
}

/** The log as the pipeline needs it. */
export interface DurableLog {
  /** Resolves when the batch's entries are on the disk; the batch stays as it is until then. */
  append(batch: LogBatch): Promise<void>;
}

export interface PipelineHooks {
  /** Answers an item whose txn, if it has one, was applied just now; `applier` holds its results. */
  onSettled(item: PipelineItem, applier: TxnApplier, bytes: Uint8Array): void;
  /** A batch is on disk, none of it applied yet; the next append starts after this. */
  onDurable(txns: number, bytes: number): void;
  /** A batch has been applied and answered. */
  onBatchEnd(): void;
  /** The log failed: the server must stop, saying so. */
  onFatal(error: unknown): void;
}

interface OpenBatch {
  readonly batch: LogBatch;
  readonly items: PipelineItem[];
}

export interface PipelineParts {
  readonly tree: Tree;
  readonly sessions: SessionTable;
  readonly preparer: WritePreparer;
  readonly applier: TxnApplier;
  readonly events: EventDelivery;
  readonly log: DurableLog;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly makeBatch: () => LogBatch;
}

export class WritePipeline {
  /** The zxid applied last: what replies carry. */
  lastZxid: number;
  digestMismatches = 0;
  readonly digests = new DigestHistory();
  /** The zxid given out last. */
  private acceptedZxid: number;
  private readonly parts: PipelineParts;
  private readonly hooks: PipelineHooks;
  private open: OpenBatch;
  /** Batches that are full and wait for the disk: a write has a bound, so that recovery knows what a torn one can look like. */
  private readonly full: OpenBatch[] = [];
  private readonly spares: OpenBatch[] = [];
  private flying = false;
  private flyingBytes = 0;
  private startScheduled = false;
  private stopped = false;
  private idle: (() => void)[] = [];

  constructor(parts: PipelineParts, hooks: PipelineHooks, lastZxid: number) {
    this.parts = parts;
    this.hooks = hooks;
    this.lastZxid = lastZxid;
    this.acceptedZxid = lastZxid;
    this.open = this.newBatch();
  }

  /** Bytes of the txns that were accepted and are not applied. */
  get unappliedBytes(): number {
    let bytes = this.open.batch.byteLength + this.flyingBytes;
    for (const { batch } of this.full) bytes += batch.byteLength;
    return bytes;
  }

  get isEmpty(): boolean {
    return !this.flying && !this.hasWaiting;
  }

  private get hasWaiting(): boolean {
    return this.full.length > 0 || this.open.items.length > 0;
  }

  /** A write: whatever becomes of it, it takes the next zxid. */
  submitWrite(request: WriteRequest, connection: Connection, receivedMs: number): void {
    this.parts.preparer.prepare(request, this.roomyBatch(), this.nextZxid(), this.parts.clock.wallMs());
    this.add({ kind: "write", connection, xid: request.xid, opcode: request.opcode, receivedMs, body: undefined });
  }

  submitCreateSession(request: WriteRequest, connection: Connection, timeoutMs: number, receivedMs: number): void {
    this.parts.preparer.prepareCreateSession(
      request,
      timeoutMs,
      this.roomyBatch(),
      this.nextZxid(),
      this.parts.clock.wallMs(),
    );
    this.add({ kind: "createSession", connection, xid: 0, opcode: OP.createSession, receivedMs, body: undefined });
  }

  /** `connection` is the one to answer, none where the session expired. */
  submitCloseSession(
    request: WriteRequest,
    connection: Connection | undefined,
    receivedMs: number,
    pathOf: (node: number) => Uint8Array,
  ): void {
    this.parts.preparer.prepareCloseSession(
      request,
      this.roomyBatch(),
      this.nextZxid(),
      this.parts.clock.wallMs(),
      pathOf,
    );
    this.add({
      kind: "closeSession",
      connection,
      xid: request.xid,
      opcode: OP.closeSession,
      receivedMs,
      body: undefined,
    });
  }

  submitDeleteContainer(request: WriteRequest, path: Uint8Array, receivedMs: number): void {
    this.parts.preparer.prepareDeleteContainer(
      request,
      path,
      this.roomyBatch(),
      this.nextZxid(),
      this.parts.clock.wallMs(),
    );
    this.add({
      kind: "internal",
      connection: undefined,
      xid: 0,
      opcode: OP.deleteContainer,
      receivedMs,
      body: undefined,
    });
  }

  /** Answers after every write accepted before it was applied. */
  submitSync(connection: Connection, xid: number, body: Uint8Array | undefined, receivedMs: number): void {
    this.add({ kind: "sync", connection, xid, opcode: OP.sync, receivedMs, body });
  }

  /** Resolves when nothing is left in the pipeline. */
  drained(): Promise<void> {
    if (this.isEmpty || this.stopped) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private nextZxid(): number {
    this.acceptedZxid += 1;
    return this.acceptedZxid;
  }

  private roomyBatch(): LogBatch {
    if (this.open.batch.isFull) {
      this.full.push(this.open);
      this.open = this.spares.pop() ?? this.newBatch();
    }
    return this.open.batch;
  }

  private add(item: PipelineItem): void {
    this.open.items.push(item);
    item.connection?.onWriteSubmitted();
    if (this.flying || this.startScheduled) return;
    this.startScheduled = true;
    // At the end of the turn, so that what arrived together shares one write.
    this.parts.scheduler.soon(() => {
      this.startScheduled = false;
      if (!this.flying) this.start();
    });
  }

  private newBatch(): OpenBatch {
    return { batch: this.parts.makeBatch(), items: [] };
  }

  /** Sends the oldest batch to the disk; where that is the open one, another opens. */
  private start(): void {
    if (this.stopped || !this.hasWaiting) return;
    let leaving = this.full.shift();
    if (leaving === undefined) {
      leaving = this.open;
      this.open = this.spares.pop() ?? this.newBatch();
    }
    this.flying = true;
    this.flyingBytes = leaving.batch.byteLength;
    if (leaving.batch.count === 0) {
      this.settle(leaving);
      return;
    }
    this.parts.log.append(leaving.batch).then(
      () => this.settle(leaving),
      (error) => this.fail(error),
    );
  }

  /**
   * A batch is durable: the disk gets the next one before this one is applied, so that both work at
   * once. Batches still settle in order, because an append resolves in a later turn than it was
   * started in; a batch of syncs alone settles at once and must wait for this one to be applied.
   */
  private settle(landed: OpenBatch): void {
    if (this.stopped) return;
    const { batch } = landed;
    this.flying = false;
    this.flyingBytes = 0;
    if (batch.count > 0) this.hooks.onDurable(batch.count, batch.byteLength);
    if (this.full.length > 0 || this.open.batch.count > 0) this.start();
    try {
      this.applyAll(landed);
    } catch (error) {
      // Only a bug of ours can bring us here; going on could lose or invent data.
      this.fail(error);
      return;
    }
    landed.items.length = 0;
    batch.reset();
    this.spares.push(landed);
    this.hooks.onBatchEnd();
    if (!this.flying && this.hasWaiting) this.start();
    if (this.isEmpty) this.onIdle();
  }

  private applyAll(landed: OpenBatch): void {
    const { batch, items } = landed;
    const { applier, preparer } = this.parts;
    const { bytes } = batch.writer;
    let entry = 0;
    for (const item of items) {
      if (item.kind !== "sync") {
        this.applyEntry(batch, entry);
        entry += 1;
      }
      item.connection?.onWriteDone();
      this.hooks.onSettled(item, applier, bytes);
    }
    preparer.onApplied(this.lastZxid);
  }

  private applyEntry(batch: LogBatch, entry: number): void {
    const { applier, events, tree } = this.parts;
    const { bytes } = batch.writer;
    events.zxid = batch.zxid(entry);
    applier.apply(bytes, batch.payloadStart(entry), batch.payloadEnd(entry));
    this.lastZxid = applier.zxid;
    if (!applier.digestMatches(bytes)) this.onDigestMismatch(tree);
    this.digests.onApplied(this.lastZxid, tree.digest);
    this.applyToSessions(applier, bytes, batch.payloadStart(entry));
  }

  private applyToSessions(applier: TxnApplier, bytes: Uint8Array, start: number): void {
    if (applier.type === OP.createSession) {
      const key = sessionKey(applier.clientHigh, applier.clientLow);
      const timeoutMs = sessionTimeoutOf(bytes, start);
      this.parts.sessions.add(key, applier.clientHigh, applier.clientLow, timeoutMs, this.parts.clock.monotonicMs());
    } else if (applier.type === OP.closeSession) {
      this.parts.sessions.remove(sessionKey(applier.clientHigh, applier.clientLow));
    }
  }

  private onDigestMismatch(tree: Tree): void {
    this.digestMismatches += 1;
    if (this.digestMismatches > 1) return;
    const digest = `0x${tree.digest.high.toString(16)}${tree.digest.low.toString(16).padStart(8, "0")}`;
    this.parts.logger.error(
      { zxid: this.lastZxid, digest },
      "Digests are not matching: the tree is not what this transaction's author had. Compare `hash` with the other servers; if they differ, replace this server's data with another's",
    );
  }

  private onIdle(): void {
    const waiting = this.idle;
    this.idle = [];
    for (const resolve of waiting) resolve();
  }

  private fail(error: unknown): void {
    this.stopped = true;
    this.flying = false;
    this.hooks.onFatal(error);
    this.onIdle();
  }
}

/** The one field of a createSession txn, behind its header. */
function sessionTimeoutOf(bytes: Uint8Array, start: number): number {
  return readInt(bytes, start + TXN_HEADER_BYTES);
}
