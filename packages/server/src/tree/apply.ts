import {
  ByteReader,
  checkVersionTxn,
  createContainerTxn,
  createTtlTxn,
  createTxn,
  createTxnV0,
  DIGEST_VERSION,
  deleteTxn,
  errorTxn,
  OP,
  RECORD_SLOTS_MAX,
  readInt,
  readLongAsNumber,
  STAT_BYTES,
  setAclTxn,
  setDataTxn,
  TXN_DIGEST_BYTES,
  TXN_HEADER_BYTES,
  txn,
  WireError,
} from "@watchkeeper/wire";
import type { ChangeListener } from "./change-listener.js";
import type { Forecasts } from "./forecast.js";
import { NodeChanges } from "./node-changes.js";
import { containerOwner, ttlOwner } from "./node-owner.js";
import { NO_NODE } from "./node-store.js";
import { emptyResult, type OperationResult } from "./operation-result.js";
import type { Quotas } from "./quotas.js";
import { sessionKey, type Tree } from "./tree.js";

/**
 * Applying transactions: the only way a tree changes once it is loaded (Apache's
 * `DataTree.processTxn`). It works on a txn's bytes as they stand in the log, the same for a write of
 * this server, a leader's proposal and a replayed log.
 *
 * Every txn may meet a tree that already holds it or its successors, because snapshots are taken
 * while the tree changes; each step below is safe to repeat, and what fails in such a replay is only
 * noted in the result.
 */

const slots = new Int32Array(RECORD_SLOTS_MAX);

export class TxnApplier {
  /** Of the txn applied last. */
  readonly results: OperationResult[] = [];
  resultCount = 0;
  clientHigh = 0;
  clientLow = 0;
  cxid = 0;
  zxid = 0;
  /** When the txn was made, by the clock of whoever made it. */
  timeMs = 0;
  type = 0;
  private readonly tree: Tree;
  private readonly changes: NodeChanges;
  private readonly reader = new ByteReader(new Uint8Array(0));
  private digestAt = -1;

  constructor(tree: Tree, quotas: Quotas, listener?: ChangeListener, forecasts?: Forecasts) {
    this.tree = tree;
    this.changes = new NodeChanges(tree, quotas, listener, forecasts);
  }

  /**
   * Applies the txn in `[start, end)`. Session txns change only the tree here (ephemerals); the
   * session table is the caller's.
   * @throws WireError where the bytes are no txn: the log or the peer they came from is damaged
   */
  apply(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < TXN_HEADER_BYTES) throw new WireError(`a txn of ${end - start} bytes has no header`);
    const reader = this.reader;
    reader.reset(bytes, start + TXN_HEADER_BYTES, end);
    this.clientHigh = readInt(bytes, start);
    this.clientLow = readInt(bytes, start + 4);
    this.cxid = readInt(bytes, start + 8);
    this.zxid = readLongAsNumber(bytes, start + 12);
    this.timeMs = readLongAsNumber(bytes, start + 20);
    this.changes.begin(this.zxid, this.timeMs);
    this.type = readInt(bytes, start + 28);
    this.resultCount = 0;
    this.digestAt = -1;
    if (this.type === OP.multi) this.applyMulti(bytes);
    else this.applyOne(this.type, bytes, end);
    if (reader.remaining >= TXN_DIGEST_BYTES) this.digestAt = reader.position;
  }

  /** Whether the tree's digest is what the txn says it must be; true where one of the two says nothing. */
  digestMatches(bytes: Uint8Array): boolean {
    if (!this.tree.digestEnabled || !this.saysDigest(bytes)) return true;
    return this.tree.digest.equals(readInt(bytes, this.digestAt + 4), readInt(bytes, this.digestAt + 8));
  }

  /** Error txns say nothing. */
  saysDigest(bytes: Uint8Array): boolean {
    return this.digestAt >= 0 && readInt(bytes, this.digestAt) === DIGEST_VERSION;
  }

  /** Deletes the ephemerals of a session that did not come back from disk: as its close would, without a txn. */
  removeEphemeralsOf(session: bigint, zxid: number): void {
    this.changes.begin(zxid, 0);
    for (const node of [...this.tree.ephemeralsOf(session)]) this.changes.deleteRow(node);
  }

  private result(type: number): OperationResult {
    let result = this.results[this.resultCount];
    if (result === undefined) {
      result = emptyResult();
      this.results.push(result);
    }
    this.resultCount += 1;
    result.type = type;
    result.err = 0;
    result.node = NO_NODE;
    result.pathStart = 0;
    result.pathEnd = 0;
    return result;
  }

  private applyMulti(bytes: Uint8Array): void {
    const reader = this.reader;
    const count = reader.count(txn.bytesMin);
    const first = reader.position;
    let failed = false;
    for (let i = 0; i < count; i++) {
      txn.scan(reader, slots, 0);
      if (slots[txn.slots.type] === OP.error) failed = true;
    }
    const after = reader.position;
    const outerEnd = reader.end;
    reader.position = first;
    for (let i = 0; i < count; i++) {
      txn.scan(reader, slots, 0);
      const type = slots[txn.slots.type]!;
      const dataStart = slots[txn.slots.data]!;
      const dataEnd = dataStart + slots[txn.slots.data + 1]!;
      if (failed) {
        const result = this.result(type === OP.error ? OP.error : type);
        if (type === OP.error) result.err = readInt(bytes, dataStart);
        continue;
      }
      const next = reader.position;
      reader.reset(bytes, dataStart, dataEnd);
      this.applyOne(type, bytes, dataEnd);
      this.keepStat(this.results[this.resultCount - 1]!);
      reader.reset(bytes, next, outerEnd);
    }
    reader.position = after;
  }

  private keepStat(result: OperationResult): void {
    if (result.node === NO_NODE) return;
    const start = this.tree.statStart(result.node);
    result.stat.set(this.tree.cellBytesOf(result.node).subarray(start, start + STAT_BYTES));
  }

  private applyOne(type: number, bytes: Uint8Array, end: number): void {
    switch (type) {
      case OP.create:
      case OP.create2:
        this.applyCreate(type, bytes, end);
        return;
      case OP.createContainer:
        createContainerTxn.scan(this.reader, slots, 0);
        this.changes.create(
          this.result(type),
          bytes,
          slots,
          slots[createContainerTxn.slots.parentCVersion]!,
          containerOwner(),
        );
        return;
      case OP.createTTL:
        createTtlTxn.scan(this.reader, slots, 0);
        this.changes.create(
          this.result(type),
          bytes,
          slots,
          slots[createTtlTxn.slots.parentCVersion]!,
          ttlOwner(joined(slots, createTtlTxn.slots.ttl)),
        );
        return;
      case OP.delete:
      case OP.deleteContainer:
        deleteTxn.scan(this.reader, slots, 0);
        this.changes.delete(this.result(type), bytes, slots[0]!, slots[0]! + slots[1]!);
        return;
      case OP.setData:
      case OP.reconfig:
        setDataTxn.scan(this.reader, slots, 0);
        this.changes.setData(this.result(type), bytes, slots);
        return;
      case OP.setACL:
        setAclTxn.scan(this.reader, slots, 0);
        this.changes.setAcl(this.result(type), bytes, slots);
        return;
      case OP.check:
        checkVersionTxn.scan(this.reader, slots, 0);
        this.result(type);
        return;
      case OP.error: {
        errorTxn.scan(this.reader, slots, 0);
        const result = this.result(type);
        result.err = slots[0]!;
        return;
      }
      case OP.createSession:
        this.reader.int();
        this.result(type);
        return;
      case OP.closeSession:
        this.closeSession(bytes, end);
        return;
      default:
        throw new WireError(`txn of unknown type ${type} with zxid 0x${this.zxid.toString(16)}`);
    }
  }

  /** Logs of old releases lack the parent's cversion: where the record ends too early it is read again without. */
  private applyCreate(type: number, bytes: Uint8Array, end: number): void {
    const start = this.reader.position;
    let parentCreations: number;
    try {
      createTxn.scan(this.reader, slots, 0);
      parentCreations = slots[createTxn.slots.parentCVersion]!;
    } catch (error) {
      if (type !== OP.create || !(error instanceof WireError)) throw error;
      this.reader.reset(bytes, start, end);
      createTxnV0.scan(this.reader, slots, 0);
      parentCreations = -1;
    }
    const ephemeral = slots[createTxn.slots.ephemeral] !== 0;
    this.changes.create(
      this.result(type),
      bytes,
      slots,
      parentCreations,
      ephemeral ? { high: this.clientHigh, low: this.clientLow } : NO_OWNER,
    );
  }

  /** Deletes the listed paths in order, then whatever the session still owns here. */
  private closeSession(bytes: Uint8Array, end: number): void {
    const reader = this.reader;
    const result = this.result(OP.closeSession);
    if (hasBody(bytes, reader.position, end)) {
      const count = reader.count(4);
      for (let i = 0; i < count; i++) {
        const length = reader.length();
        const start = reader.position;
        reader.skip(Math.max(0, length));
        this.changes.deleteListed(bytes, start, start + Math.max(0, length));
      }
    }
    result.pathStart = reader.position;
    const left = this.tree.ephemerals.get(sessionKey(this.clientHigh, this.clientLow));
    if (left !== undefined) for (const node of [...left]) this.changes.deleteRow(node);
  }
}

const NO_OWNER = { high: 0, low: 0 };

/** A 64-bit number of the txn as a double: zxids, times and TTLs are below 2^53. */
function joined(from: Int32Array, slot: number): number {
  return from[slot]! * 2 ** 32 + (from[slot + 1]! >>> 0);
}

/**
 * Whether a closeSession txn lists its paths. Without the list (releases before 3.6, or
 * `closeSessionTxn.enabled=false`) nothing follows the header, or only the digest, whose first int is 2
 * and whose length is exactly a digest's; Apache's own reader takes that for a list and fails.
 */
function hasBody(bytes: Uint8Array, position: number, end: number): boolean {
  const left = end - position;
  return left > 0 && !(left === TXN_DIGEST_BYTES && readInt(bytes, position) === DIGEST_VERSION);
}
