import { OP, readInt, TXN_HEADER_BYTES } from "@watchkeeper/wire";
import { type Counter, elapsedMs, type Metrics, type Summary } from "../metrics/index.js";
import type { Clock, Logger, Scheduler } from "../ports/index.js";
import type { SessionTable } from "../sessions/index.js";
import type { LogBatch } from "../storage/index.js";
import { sessionKey, type Tree, type TxnApplier } from "../tree/index.js";
import type { CommittedLog, LoggedTxn } from "./committed-log.js";
import type { Connection } from "./connection.js";
import { DigestHistory } from "./digest-history.js";
import type { EventDelivery } from "./event-delivery.js";

/**
 * The way of every txn on every server: encoded into the open batch; the batch appended to the log in
 * one durable write; committed; applied in zxid order; whoever asked for it answered. While one batch is
 * on its way to the disk the next one gathers.
 *
 * A txn is applied when it is durable here *and* committed, so that no client of this server can see what
 * this server might lose. On a single server what is durable is committed; in an ensemble the role says
 * when (`commitThrough`). Txns that are logged and not committed stay here when a role ends: the next
 * leader's history decides about them.
 *
 * A failed append ends the pipeline for good, with everything in it unanswered.
 */
export type PipelineItemKind = "write" | "createSession" | "closeSession" | "internal";

/** Somebody of this server waits for a txn. */
export interface PipelineItem {
  readonly kind: PipelineItemKind;
  readonly connection: Connection | undefined;
  readonly sessionHigh: number;
  readonly sessionLow: number;
  readonly xid: number;
  readonly opcode: number;
  readonly receivedMs: number;
}

/** The log as the pipeline needs it. */
export interface DurableLog {
  /** Resolves when the batch's entries are on the disk; the batch stays as it is until then. */
  append(batch: LogBatch): Promise<void>;
}

/** What the server's role has to do with its txns. */
export interface TxnObserver {
  /** The txn at `entry` has been encoded into the batch: it may be proposed, it is not durable. */
  onAdded(batch: LogBatch, entry: number): void;
  /** Everything up to `zxid` is on this server's disk: it may be acknowledged. */
  onLogged(zxid: number): void;
  /** Who on this server asked for the txn that was applied just now, where nobody was named when it was added. */
  claim(applier: TxnApplier): PipelineItem | undefined;
}

export interface PipelineHooks {
  /** A txn was applied just now; `applier` holds its results. `item` is who waits for it. */
  onApplied(item: PipelineItem | undefined, applier: TxnApplier, bytes: Uint8Array): void;
  /** A batch is on disk, none of it applied yet; the next append starts after this. */
  onDurable(txns: number, bytes: number): void;
  /** A batch is wholly applied: its bytes will be used again. */
  onBatchApplied(): void;
  /** Txns have been applied and answered, as many as could be by now. */
  onRoundEnd(): void;
  /** The log failed: the server must stop, saying so. */
  onFatal(error: unknown): void;
}

/** A batch, who waits for each of its txns, and how many have been applied. */
interface Group {
  readonly batch: LogBatch;
  readonly items: (PipelineItem | undefined)[];
  applied: number;
}

interface IdleWaiter {
  resolve(): void;
  reject(error: unknown): void;
}

interface Waiter {
  readonly afterZxid: number;
  readonly task: () => void;
}

export interface PipelineParts {
  readonly tree: Tree;
  readonly sessions: SessionTable;
  readonly applier: TxnApplier;
  readonly events: EventDelivery;
  readonly log: DurableLog;
  readonly committedLog: CommittedLog;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly makeBatch: () => LogBatch;
}

export class TxnPipeline {
  /** The zxid applied last: what replies carry. */
  lastZxid: number;
  /** The end of the history on this server's disk. */
  loggedZxid: number;
  /** The zxid of the last txn that was added. */
  addedZxid: number;
  digestMismatches = 0;
  /**
   * Txns up to here say nothing about the tree by their digests: it came from a leader's snapshot, which is ahead of its
   * zxid by some of them.
   */
  digestsCountAfterZxid = 0;
  readonly digests = new DigestHistory();
  observer: TxnObserver | undefined;
  /** Everything up to here is applied, though no txn may have this zxid: an epoch begins with a counter of 0. */
  private reachedZxid: number;
  private committedZxid: number;
  private readonly parts: PipelineParts;
  private readonly txns: Counter;
  private readonly propagation: Summary;
  private readonly hooks: PipelineHooks;
  private open: Group;
  /** Groups that are full and wait for the disk: a write has a bound, so that recovery knows what a torn one can look like. */
  private readonly full: Group[] = [];
  /** Durable, in order, and not wholly applied. */
  private readonly landed: Group[] = [];
  private readonly spares: Group[] = [];
  private readonly waiters: Waiter[] = [];
  private flying: Group | undefined;
  private landedBytes = 0;
  private startScheduled = false;
  private applying = false;
  /** When the round of applying began: one reading of the clock for all its txns. */
  private roundWallMs = 0;
  private failure: { readonly error: unknown } | undefined;
  private idle: IdleWaiter[] = [];

  /** @param lastZxid the end of the history that the tree was loaded from: logged, and all of it applied */
  constructor(parts: PipelineParts, hooks: PipelineHooks, lastZxid: number) {
    this.parts = parts;
    this.txns = parts.metrics.sync_processor_request_queued;
    this.propagation = parts.metrics.propagation_latency;
    this.hooks = hooks;
    this.lastZxid = lastZxid;
    this.loggedZxid = lastZxid;
    this.addedZxid = lastZxid;
    this.committedZxid = lastZxid;
    this.reachedZxid = lastZxid;
    this.open = this.newGroup();
  }

  /** Bytes of the txns that were added and are not applied. */
  get unappliedBytes(): number {
    let bytes = this.open.batch.byteLength + this.landedBytes + (this.flying?.batch.byteLength ?? 0);
    for (const { batch } of this.full) bytes += batch.byteLength;
    return bytes;
  }

  private get hasUnlogged(): boolean {
    return this.flying !== undefined || this.full.length > 0 || this.open.batch.count > 0;
  }

  /** The batch that the next txn is to be encoded into. */
  roomyBatch(): LogBatch {
    if (this.open.batch.isFull) {
      this.full.push(this.open);
      this.open = this.spares.pop() ?? this.newGroup();
    }
    return this.open.batch;
  }

  /** A txn has been encoded into `roomyBatch()`. @param item who waits for it, where that is known by now */
  added(item: PipelineItem | undefined): void {
    this.txns.add(1);
    const { open } = this;
    open.items.push(item);
    this.addedZxid = open.batch.lastZxid;
    item?.connection?.onWriteSubmitted();
    this.observer?.onAdded(open.batch, open.batch.count - 1);
    if (this.flying !== undefined || this.startScheduled) return;
    this.startScheduled = true;
    // At the end of the turn, so that what arrived together shares one write.
    this.parts.scheduler.soon(() => {
      this.startScheduled = false;
      if (this.flying === undefined) this.start();
    });
  }

  /** Txns up to `zxid` are committed; those that are durable here are applied at once. */
  commitThrough(zxid: number): void {
    if (zxid <= this.committedZxid) return;
    this.committedZxid = zxid;
    this.applyCommitted();
  }

  /** Nothing more is committed until it is said anew: what an ended role had said counts no longer than what is applied. */
  holdCommits(): void {
    this.committedZxid = this.lastZxid;
  }

  /** All that was ever proposed before `zxid`, the beginning of an epoch, is applied or will never be. */
  beginEpoch(zxid: number): void {
    this.reachedZxid = Math.max(this.lastZxid, zxid);
  }

  /** Calls, in order, when everything up to `zxid` has been applied: at once where it has. */
  afterApplied(zxid: number, task: () => void): void {
    if (this.reachedZxid >= zxid && this.waiters.length === 0) task();
    else this.waiters.push({ afterZxid: zxid, task });
  }

  /** Forgets who waits for a zxid to be applied: their role has ended, and the zxid may never come. */
  dropWaiters(): void {
    this.waiters.length = 0;
  }

  /** Resolves when all that was added is on the disk. @throws what the log failed with: it never will be */
  async logged(): Promise<void> {
    if (this.failure !== undefined) throw this.failure.error;
    if (this.hasUnlogged) await new Promise<void>((resolve, reject) => this.idle.push({ resolve, reject }));
  }

  /**
   * Forgets the txns after `zxid`, which no leader has: they have been cut off the log, and must not be
   * applied. Nothing may be on its way to the disk, and nothing after `zxid` may have been applied.
   */
  truncate(zxid: number): void {
    if (this.hasUnlogged) throw new Error("the pipeline cannot be cut while txns are on their way to the disk");
    if (zxid < this.lastZxid) throw new Error("txns that were applied cannot be taken back");
    while (this.landed.length > 0 && this.landed.at(-1)!.batch.lastZxid > zxid) {
      const group = this.landed.at(-1)!;
      const bytes = group.batch.byteLength;
      group.batch.dropAfter(zxid);
      group.items.length = group.batch.count;
      this.landedBytes -= bytes - group.batch.byteLength;
      if (group.batch.count > group.applied) break;
      this.landed.pop();
      this.retire(group);
    }
    this.loggedZxid = zxid;
    this.addedZxid = zxid;
    this.committedZxid = Math.min(this.committedZxid, zxid);
  }

  /**
   * Hands out the txns after `zxid` that the committed log does not have yet, in order: those that are not applied,
   * whether or not they are on the disk, and those that are, in one batch with others that are not.
   */
  *unkept(zxid: number): Generator<LoggedTxn, void> {
    const groups = [...this.landed, ...(this.flying === undefined ? [] : [this.flying]), ...this.full, this.open];
    for (const { batch } of groups) {
      for (let entry = 0; entry < batch.count; entry++) {
        const next = batch.zxid(entry);
        if (next <= zxid) continue;
        yield {
          zxid: next,
          bytes: batch.writer.bytes,
          start: batch.payloadStart(entry),
          end: batch.payloadEnd(entry),
        };
      }
    }
  }

  private newGroup(): Group {
    return { batch: this.parts.makeBatch(), items: [], applied: 0 };
  }

  /** Sends the oldest group to the disk; where that is the open one, another opens. */
  private start(): void {
    if (this.failure !== undefined) return;
    let leaving = this.full.shift();
    if (leaving === undefined) {
      if (this.open.batch.count === 0) return;
      leaving = this.open;
      this.open = this.spares.pop() ?? this.newGroup();
    }
    this.flying = leaving;
    this.parts.log.append(leaving.batch).then(
      () => this.land(leaving),
      (error) => this.fail(error),
    );
  }

  /**
   * A group is durable: the disk gets the next one before this one is acknowledged and applied, so that
   * both work at once. Groups still land in order, because an append resolves in a later turn than it was
   * started in.
   */
  private land(group: Group): void {
    if (this.failure !== undefined) return;
    const { batch } = group;
    this.flying = undefined;
    this.loggedZxid = batch.lastZxid;
    this.landed.push(group);
    this.landedBytes += batch.byteLength;
    this.hooks.onDurable(batch.count, batch.byteLength);
    this.start();
    this.observer?.onLogged(this.loggedZxid);
    this.applyCommitted();
    if (!this.hasUnlogged) this.onIdle();
  }

  private applyCommitted(): void {
    // An observer or a reply that leads back here finds the loop below already at it.
    if (this.applying || this.failure !== undefined) return;
    const first = this.landed[0];
    if (first === undefined || first.batch.zxid(first.applied) > this.committedZxid) return;
    this.applying = true;
    this.roundWallMs = this.parts.clock.wallMs();
    try {
      this.applyLanded();
    } catch (error) {
      // Only a bug of ours can bring us here; going on could lose or invent data.
      this.fail(error);
      return;
    } finally {
      this.applying = false;
    }
    this.hooks.onRoundEnd();
  }

  private applyLanded(): void {
    for (let group = this.landed[0]; group !== undefined; group = this.landed[0]) {
      const { batch } = group;
      while (group.applied < batch.count && batch.zxid(group.applied) <= this.committedZxid) this.applyNext(group);
      if (group.applied < batch.count) return;
      this.landed.shift();
      this.landedBytes -= batch.byteLength;
      this.hooks.onBatchApplied();
      this.retire(group);
    }
  }

  private applyNext(group: Group): void {
    const { batch } = group;
    const { applier, events, tree } = this.parts;
    const entry = group.applied;
    const { bytes } = batch.writer;
    const start = batch.payloadStart(entry);
    events.zxid = batch.zxid(entry);
    applier.apply(bytes, start, batch.payloadEnd(entry));
    group.applied = entry + 1;
    this.propagation.add(elapsedMs(applier.timeMs, this.roundWallMs));
    this.lastZxid = applier.zxid;
    this.reachedZxid = applier.zxid;
    if (!applier.digestMatches(bytes) && applier.zxid > this.digestsCountAfterZxid) this.onDigestMismatch(tree);
    this.digests.onApplied(this.lastZxid, tree.digest);
    this.applyToSessions(applier, bytes, start);
    const item = group.items[entry] ?? this.observer?.claim(applier);
    item?.connection?.onWriteDone();
    this.hooks.onApplied(item, applier, bytes);
    while (this.waiters.length > 0 && this.waiters[0]!.afterZxid <= this.lastZxid) this.waiters.shift()!.task();
  }

  private applyToSessions(applier: TxnApplier, bytes: Uint8Array, start: number): void {
    const { sessions, clock } = this.parts;
    if (applier.type === OP.createSession) {
      const key = sessionKey(applier.clientHigh, applier.clientLow);
      sessions.add(key, applier.clientHigh, applier.clientLow, sessionTimeoutOf(bytes, start), clock.monotonicMs());
    } else if (applier.type === OP.closeSession) {
      sessions.remove(sessionKey(applier.clientHigh, applier.clientLow));
    }
  }

  /** Wholly applied: the txns are kept for peers that are behind, and the batch is used again. */
  private retire(group: Group): void {
    this.parts.committedLog.keep(group.batch);
    group.items.length = 0;
    group.applied = 0;
    group.batch.reset();
    if (this.spares.length < SPARES_MAX) this.spares.push(group);
  }

  private onDigestMismatch(tree: Tree): void {
    this.digestMismatches += 1;
    this.parts.metrics.digest_mismatches_count.add(1);
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
    for (const { resolve } of waiting) resolve();
  }

  private fail(error: unknown): void {
    this.failure = { error };
    this.flying = undefined;
    this.hooks.onFatal(error);
    const waiting = this.idle;
    this.idle = [];
    for (const { reject } of waiting) reject(error);
  }
}

/** One that lands, one that flies, one that gathers; more were needed for a burst alone. */
const SPARES_MAX = 3;

/** The one field of a createSession txn, behind its header. */
function sessionTimeoutOf(bytes: Uint8Array, start: number): number {
  return readInt(bytes, start + TXN_HEADER_BYTES);
}
