import {
  ByteReader,
  ByteWriter,
  checkVersionTxn,
  createContainerTxn,
  createTtlTxn,
  createTxn,
  createTxnV0,
  DIGEST_VERSION,
  decodeText,
  deleteTxn,
  ERR,
  errorTxn,
  OP,
  RECORD_SLOTS_MAX,
  readInt,
  STAT_BYTES,
  setAclTxn,
  setDataTxn,
  TXN_DIGEST_BYTES,
  txn,
  txnHeader,
  WireError,
} from "@watchkeeper/wire";
import { containerOwner, ttlOwner } from "./node-owner.js";
import { NO_NODE, ROOT } from "./node-store.js";
import { lastSlash } from "./path-rules.js";
import type { Quotas } from "./quotas.js";
import { type NodeSource, sessionKey, type Tree } from "./tree.js";

/**
 * Applying transactions: the only way a tree changes once it is loaded (Apache's
 * `DataTree.processTxn`). It works on a txn's bytes as they stand in the log, the same for a write of
 * this server, a leader's proposal and a replayed log.
 *
 * Every txn may meet a tree that already holds it or its successors, because snapshots are taken
 * while the tree changes; each step below is safe to repeat, and what fails in such a replay is only
 * noted in the result.
 */

/** Hears what changed, in the order in which watches are to fire. Offsets are into `path`, valid during the call. */
export interface ChangeListener {
  onCreated(
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    parentEnd: number,
    parentAcl: number,
  ): void;
  /** Before the ACLs are released. `parentAcl` 0 with a parent that is gone does not happen: a node has a parent. */
  onDeleted(
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    parentEnd: number,
    parentAcl: number,
  ): void;
  onDataChanged(path: Uint8Array, start: number, end: number, aclNumber: number): void;
}

/** What a write's reply is made of. For a multi one result an operation. */
export interface OperationResult {
  type: number;
  err: number;
  /** The node written to, where there is one left: its Stat goes into the reply. */
  node: number;
  /** The created path, as offsets into the txn's bytes. */
  pathStart: number;
  pathEnd: number;
  /** In a multi: the node's Stat right after this operation, which later ones may change again. */
  readonly stat: Uint8Array;
}

function emptyResult(): OperationResult {
  return { type: 0, err: 0, node: NO_NODE, pathStart: 0, pathEnd: 0, stat: new Uint8Array(STAT_BYTES) };
}

const headerSlots = new Int32Array(RECORD_SLOTS_MAX);
const slots = new Int32Array(RECORD_SLOTS_MAX);
const HEADER = txnHeader.slots;

export class TxnApplier {
  /** Of the txn applied last. */
  readonly results: OperationResult[] = [];
  resultCount = 0;
  clientHigh = 0;
  clientLow = 0;
  cxid = 0;
  zxid = 0;
  type = 0;
  private timeMs = 0;
  private readonly tree: Tree;
  private readonly quotas: Quotas;
  private readonly listener: ChangeListener | undefined;
  private readonly reader = new ByteReader(new Uint8Array(0));
  private readonly source: { -readonly [K in keyof NodeSource]: NodeSource[K] } = {
    path: new Uint8Array(0),
    pathStart: 0,
    pathEnd: 0,
    data: new Uint8Array(0),
    dataStart: 0,
    dataLength: 0,
  };
  private digestAt = -1;

  constructor(tree: Tree, quotas: Quotas, listener?: ChangeListener) {
    this.tree = tree;
    this.quotas = quotas;
    this.listener = listener;
  }

  /**
   * Applies the txn in `[start, end)`. Session txns change only the tree here (ephemerals); the
   * session table is the caller's.
   * @throws WireError where the bytes are no txn: the log or the peer they came from is damaged
   */
  apply(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.reader;
    reader.reset(bytes, start, end);
    txnHeader.scan(reader, headerSlots, 0);
    this.clientHigh = headerSlots[HEADER.clientId]!;
    this.clientLow = headerSlots[HEADER.clientId + 1]!;
    this.cxid = headerSlots[HEADER.cxid]!;
    this.zxid = joined(headerSlots, HEADER.zxid);
    this.timeMs = joined(headerSlots, HEADER.time);
    this.type = headerSlots[HEADER.type]!;
    this.resultCount = 0;
    this.digestAt = -1;
    if (this.type === OP.multi) this.applyMulti(bytes);
    else this.applyOne(this.type, bytes, end);
    if (reader.remaining >= TXN_DIGEST_BYTES) this.digestAt = reader.position;
  }

  /** Whether the tree's digest is what the txn says it must be; true where it says nothing. */
  digestMatches(bytes: Uint8Array): boolean {
    if (this.digestAt < 0 || readInt(bytes, this.digestAt) !== DIGEST_VERSION) return true;
    return this.tree.digest.equals(readInt(bytes, this.digestAt + 4), readInt(bytes, this.digestAt + 8));
  }

  /** Deletes the ephemerals of a session that did not come back from disk: as its close would, without a txn. */
  removeEphemeralsOf(session: bigint, zxid: number): void {
    this.zxid = zxid;
    for (const node of [...this.tree.ephemeralsOf(session)]) this.deleteOwned(node);
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
        this.createNode(type, bytes, slots[createContainerTxn.slots.parentCVersion]!, containerOwner());
        return;
      case OP.createTTL:
        createTtlTxn.scan(this.reader, slots, 0);
        this.createNode(
          type,
          bytes,
          slots[createTtlTxn.slots.parentCVersion]!,
          ttlOwner(joined(slots, createTtlTxn.slots.ttl)),
        );
        return;
      case OP.delete:
      case OP.deleteContainer:
        deleteTxn.scan(this.reader, slots, 0);
        this.deleteNode(this.result(type), bytes, slots[0]!, slots[0]! + slots[1]!);
        return;
      case OP.setData:
      case OP.reconfig:
        setDataTxn.scan(this.reader, slots, 0);
        this.setData(this.result(type), bytes);
        return;
      case OP.setACL:
        setAclTxn.scan(this.reader, slots, 0);
        this.setAcl(this.result(type), bytes);
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
    this.createNode(
      type,
      bytes,
      parentCreations,
      ephemeral ? { high: this.clientHigh, low: this.clientLow } : NO_OWNER,
    );
  }

  private createNode(
    type: number,
    bytes: Uint8Array,
    parentCreations: number,
    owner: { high: number; low: number },
  ): void {
    const tree = this.tree;
    const pathStart = slots[createTxn.slots.path]!;
    const pathEnd = pathStart + slots[createTxn.slots.path + 1]!;
    const dataLength = slots[createTxn.slots.data + 1]!;
    const aclStart = slots[createTxn.slots.acl]! - 4;
    const aclEnd = aclEndOf(bytes, aclStart);
    const parentEnd = lastSlash(bytes, pathStart, pathEnd);
    const result = this.result(type);
    result.pathStart = pathStart;
    result.pathEnd = pathEnd;
    const parent = tree.find(bytes, pathStart, parentEnd);
    if (parent === NO_NODE) {
      result.err = ERR.NO_NODE;
      return;
    }
    const creations = parentCreations === -1 ? tree.creations(parent) + 1 : parentCreations;
    const existing = tree.find(bytes, pathStart, pathEnd);
    const aclNumber = tree.acls.use(bytes, aclStart, aclEnd);
    if (existing !== NO_NODE) {
      tree.replaceAcl(existing, aclNumber);
      // Only the plain create: the other kinds return before they touch the parent (DataTree.createNode).
      if (type === OP.create) tree.raiseCreations(parent, creations, this.zxid);
      result.err = ERR.NODE_EXISTS;
      return;
    }
    this.setSource(bytes, pathStart, pathEnd, slots[createTxn.slots.data]!, dataLength);
    result.node = tree.create(parent, this.source, aclNumber, this.zxid, this.timeMs, owner.high, owner.low);
    tree.raiseCreations(parent, creations, this.zxid);
    if (!this.quotas.isEmpty || isSystemPath(bytes, pathStart, pathEnd)) {
      this.quotas.onCreate(decodeText(bytes, pathStart, pathEnd), result.node, Math.max(0, dataLength));
    }
    this.listener?.onCreated(bytes, pathStart, pathEnd, aclNumber, parentEnd, tree.aclOf(parent));
  }

  private deleteNode(result: OperationResult, bytes: Uint8Array, pathStart: number, pathEnd: number): void {
    const tree = this.tree;
    const parentEnd = lastSlash(bytes, pathStart, pathEnd);
    const parent = tree.find(bytes, pathStart, parentEnd);
    const node = tree.find(bytes, pathStart, pathEnd);
    if (parent !== NO_NODE) tree.raisePzxid(parent, this.zxid);
    if (node === NO_NODE || node === ROOT || tree.childCount(node) > 0) {
      result.err = ERR.NO_NODE;
      return;
    }
    const dataBytes = Math.max(0, tree.dataLength(node));
    this.listener?.onDeleted(bytes, pathStart, pathEnd, tree.aclOf(node), parentEnd, tree.aclOf(parent));
    tree.remove(node);
    if (!this.quotas.isEmpty) this.quotas.onDelete(decodeText(bytes, pathStart, pathEnd), dataBytes);
  }

  private setData(result: OperationResult, bytes: Uint8Array): void {
    const tree = this.tree;
    const pathStart = slots[setDataTxn.slots.path]!;
    const pathEnd = pathStart + slots[setDataTxn.slots.path + 1]!;
    const dataLength = slots[setDataTxn.slots.data + 1]!;
    const node = tree.find(bytes, pathStart, pathEnd);
    if (node === NO_NODE) {
      result.err = ERR.NO_NODE;
      return;
    }
    const difference = Math.max(0, dataLength) - Math.max(0, tree.dataLength(node));
    this.setSource(bytes, pathStart, pathEnd, slots[setDataTxn.slots.data]!, dataLength);
    tree.setData(node, this.source, slots[setDataTxn.slots.version]!, this.zxid, this.timeMs);
    result.node = node;
    if (!this.quotas.isEmpty) this.quotas.onSetData(decodeText(bytes, pathStart, pathEnd), node, difference);
    this.listener?.onDataChanged(bytes, pathStart, pathEnd, tree.aclOf(node));
  }

  private setAcl(result: OperationResult, bytes: Uint8Array): void {
    const pathStart = slots[setAclTxn.slots.path]!;
    const node = this.tree.find(bytes, pathStart, pathStart + slots[setAclTxn.slots.path + 1]!);
    if (node === NO_NODE) {
      result.err = ERR.NO_NODE;
      return;
    }
    const aclStart = slots[setAclTxn.slots.acl]! - 4;
    const aclNumber = this.tree.acls.use(bytes, aclStart, aclEndOf(bytes, aclStart));
    this.tree.setAcl(node, aclNumber, slots[setAclTxn.slots.version]!);
    result.node = node;
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
        this.deleteNode(this.scratchResult, bytes, start, start + Math.max(0, length));
      }
    }
    result.pathStart = reader.position;
    const left = this.tree.ephemerals.get(sessionKey(this.clientHigh, this.clientLow));
    if (left !== undefined) for (const node of [...left]) this.deleteOwned(node);
  }

  private readonly scratchResult: OperationResult = emptyResult();

  private deleteOwned(node: number): void {
    const path = new ByteWriter();
    this.tree.writePath(node, path);
    this.deleteNode(this.scratchResult, path.bytes, 0, path.length);
  }

  private setSource(
    bytes: Uint8Array,
    pathStart: number,
    pathEnd: number,
    dataStart: number,
    dataLength: number,
  ): void {
    const source = this.source;
    source.path = bytes;
    source.pathStart = pathStart;
    source.pathEnd = pathEnd;
    source.data = bytes;
    source.dataStart = dataStart;
    source.dataLength = dataLength;
  }
}

const NO_OWNER = { high: 0, low: 0 };

const SYSTEM_PREFIX = [0x2f, 0x7a, 0x6f, 0x6f, 0x6b, 0x65, 0x65, 0x70, 0x65, 0x72, 0x2f];

function isSystemPath(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < SYSTEM_PREFIX.length) return false;
  for (let i = 0; i < SYSTEM_PREFIX.length; i++) if (bytes[start + i] !== SYSTEM_PREFIX[i]) return false;
  return true;
}

/** A 64-bit number of the txn as a double: zxids, times and TTLs are below 2^53. */
function joined(from: Int32Array, slot: number): number {
  return from[slot]! * 2 ** 32 + (from[slot + 1]! >>> 0);
}

/** Where the `vector<ACL>` that starts at `start` ends; it has been scanned, so its lengths are sound. */
function aclEndOf(bytes: Uint8Array, start: number): number {
  const count = readInt(bytes, start);
  let at = start + 4;
  for (let i = 0; i < count; i++) {
    at += 4;
    at += 4 + Math.max(0, readInt(bytes, at));
    at += 4 + Math.max(0, readInt(bytes, at));
  }
  return at;
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
