import { HashIndex, hashBytes, sameBytes } from "../memory/index.js";
import {
  CRC32_START,
  crc32Continue,
  type Forecasts,
  NO_NODE,
  type NodeForecast,
  nodeDigest,
  type Tree,
  TreeDigest,
} from "../tree/index.js";
import { isOwned, NO_BYTES, PendingNode } from "./pending-node.js";

/**
 * The tree as it will be when everything that was accepted has been applied (Apache's
 * `outstandingChanges`): writes are validated against it, so that requests in a pipeline see each
 * other before any of them is on disk.
 *
 * Every change makes a new record and keeps the one it replaces, so that a failed multi can put back
 * what it touched, parents included: else a later sequence number would be wrong. A record goes when
 * the txn of its zxid has been applied, unless a later one has taken its place; its memory is used
 * again, so nobody may keep one beyond the request it was found for.
 *
 * Invariants: `digest` is the tree's digest after the last accepted txn. A record's `node` is the row of
 * its path until the record's txn is applied: only a txn removes a node, a removal accepted earlier is a
 * record of its own, and what is created anew behind it starts without a row.
 */
export class PendingChanges implements Forecasts {
  readonly digest = new TreeDigest();
  /** Whether `digest` says anything. */
  readonly digestEnabled: boolean;
  private readonly tree: Tree;
  private readonly index = new HashIndex();
  /** By row of the index. */
  private readonly nodes: (PendingNode | undefined)[] = [undefined];
  private readonly freeRows: number[] = [];
  /** In order of zxid. */
  private readonly queue: PendingNode[] = [];
  private queueHead = 0;
  /** The record that `next` looks at next. */
  private forecastHead = 0;
  private readonly spare: PendingNode[] = [];
  /** Records of owned nodes in the queue: closing a session looks for its own only where there are any. */
  private owned = 0;
  private readonly digestBeforeTxn = new TreeDigest();
  private txnStart = 0;

  constructor(tree: Tree, digestEnabled: boolean) {
    this.tree = tree;
    this.digestEnabled = digestEnabled;
    this.digest.copyFrom(tree.digest);
  }

  get count(): number {
    return this.queue.length - this.queueHead;
  }

  /**
   * The node as it will be, or undefined where there will be none. The record may be the pending one
   * itself: to change it, call `change`.
   */
  find(bytes: Uint8Array, start: number, end: number): PendingNode | undefined {
    return this.findHashed(this.tree.hash(bytes, start, end), bytes, start, end);
  }

  /** The same where the path's hash is known. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): PendingNode | undefined {
    const pending = this.findPending(hash, bytes, start, end);
    if (pending !== undefined) return pending.exists ? pending : undefined;
    const node = this.tree.findHashed(hash, bytes, start, end);
    return node === NO_NODE ? undefined : this.load(node, hash, bytes, start, end);
  }

  /**
   * A record that may be altered and will be what later requests see, from `zxid` on. Its path from then
   * on is the one in the txn, `[pathStart, pathEnd)` of `path`: those bytes stay until the txn is
   * applied, and then the record goes.
   */
  change(node: PendingNode, zxid: number, path: Uint8Array, pathStart: number, pathEnd: number): PendingNode {
    const known = node.row !== 0;
    const record = known ? this.copy(node) : node;
    record.path = path;
    record.pathStart = pathStart;
    record.pathEnd = pathEnd - pathStart <= 1 ? pathStart : pathEnd;
    this.put(record, zxid, known ? node : undefined);
    return record;
  }

  /** The hash of a child's path, `[slash, end)` being the slash and the name behind the parent's path. */
  childHash(parent: PendingNode, bytes: Uint8Array, slash: number, end: number): number {
    return hashBytes(parent.hash, bytes, slash, end);
  }

  /** A node that is being created; its path lies in the txn. */
  add(
    hash: number,
    path: Uint8Array,
    pathStart: number,
    pathEnd: number,
    zxid: number,
    timeMs: number,
    owner: { high: number; low: number },
  ): PendingNode {
    const record = this.record(path, pathStart, pathEnd, hash, NO_NODE);
    record.czxid = record.mzxid = record.pzxid = zxid;
    record.ctime = record.mtime = timeMs;
    record.version = record.creations = record.aversion = 0;
    record.ownerHigh = owner.high;
    record.ownerLow = owner.low;
    record.exists = true;
    record.childCount = 0;
    record.prefixCrc = 0;
    record.digest = 0;
    this.put(record, zxid, this.findPending(hash, path, pathStart, pathEnd)); // one that is being deleted
    return record;
  }

  /** After a node got its data: the CRC over its path and them. */
  setPrefix(record: PendingNode, data: Uint8Array, dataStart: number, dataLength: number): void {
    if (!record.digested) return;
    const afterPath = crc32Continue(CRC32_START, record.path, record.pathStart, record.pathEnd);
    record.prefixCrc = crc32Continue(afterPath, data, dataStart, dataStart + Math.max(0, dataLength));
  }

  /** After a record was altered: the digest follows. */
  refreshDigest(record: PendingNode): void {
    if (!this.digestEnabled || !record.digested) return;
    this.digest.subtract(record.digest);
    record.digest = record.exists ? nodeDigest(record.prefixCrc, record) : 0;
    this.digest.add(record.digest);
  }

  /** From here on `rollBack` undoes. */
  beginTxn(): void {
    this.txnStart = this.queue.length;
    this.digestBeforeTxn.copyFrom(this.digest);
  }

  rollBack(): void {
    while (this.queue.length > this.txnStart) {
      const record = this.queue.pop()!;
      if (isOwned(record)) this.owned -= 1;
      if (record.replaced === undefined) this.unlink(record);
      else this.takePlace(record.replaced, record);
      this.recycle(record);
    }
    this.digest.copyFrom(this.digestBeforeTxn);
  }

  /** The txn stands. */
  endTxn(): void {
    for (let i = this.txnStart; i < this.queue.length; i++) this.queue[i]!.replaced = undefined;
  }

  /** Forgets everything in flight: the tree is as it will be. */
  restart(): void {
    this.onApplied(Number.POSITIVE_INFINITY);
    this.digest.copyFrom(this.tree.digest);
  }

  next(zxid: number): NodeForecast | undefined {
    const { queue } = this;
    while (this.forecastHead < queue.length && queue[this.forecastHead]!.zxid < zxid) this.forecastHead += 1;
    const record = queue[this.forecastHead];
    if (record === undefined || record.zxid !== zxid) return undefined;
    this.forecastHead += 1;
    return record;
  }

  onApplied(zxid: number): void {
    while (this.queueHead < this.queue.length && this.queue[this.queueHead]!.zxid <= zxid) {
      const record = this.queue[this.queueHead]!;
      this.queueHead += 1;
      if (isOwned(record)) this.owned -= 1;
      if (record.row !== 0) this.unlink(record);
      this.recycle(record);
    }
    if (this.queueHead === this.queue.length) {
      this.queue.length = 0;
      this.queueHead = 0;
    } else if (this.queueHead > 4096) {
      this.queue.splice(0, this.queueHead);
      this.queueHead = 0;
    }
    this.forecastHead = this.queueHead;
  }

  /** Paths of the ephemerals the session will have: the tree's and the pending ones, less what is being deleted. */
  ephemeralPaths(
    session: bigint,
    sessionHigh: number,
    sessionLow: number,
    pathOf: (node: number) => Uint8Array,
  ): Uint8Array[] {
    const paths: Uint8Array[] = [];
    for (const node of this.tree.ephemeralsOf(session)) {
      const path = pathOf(node);
      if (this.findPending(this.tree.hash(path, 0, path.length), path, 0, path.length) === undefined) paths.push(path);
    }
    if (this.owned === 0) return paths;
    for (let i = this.queueHead; i < this.queue.length; i++) {
      const record = this.queue[i]!;
      const current = record.row !== 0 && record.exists;
      if (current && record.ownerHigh === sessionHigh && record.ownerLow === sessionLow) {
        paths.push(record.path.slice(record.pathStart, record.pathEnd));
      }
    }
    return paths;
  }

  private findPending(hash: number, bytes: Uint8Array, start: number, end: number): PendingNode | undefined {
    if (end - start === 1 && bytes[start] !== SLASH) return undefined;
    const length = end - start <= 1 ? 0 : end - start;
    for (let row = this.index.first(hash); row !== 0; row = this.index.next(row, hash)) {
      const record = this.nodes[row]!;
      if (record.pathEnd - record.pathStart !== length) continue;
      if (sameBytes(record.path, record.pathStart, bytes, start, length)) return record;
    }
    return undefined;
  }

  private load(node: number, hash: number, bytes: Uint8Array, start: number, end: number): PendingNode {
    const tree = this.tree;
    const record = this.record(bytes, start, end - start <= 1 ? start : end, hash, node);
    tree.readStat(node, record);
    record.exists = true;
    record.childCount = tree.childCount(node);
    record.dataLength = tree.dataLength(node);
    record.acl = tree.aclOf(node);
    record.prefixCrc = tree.prefixCrcOf(node);
    record.digest = tree.digestOf(node);
    record.digested = tree.isDigested(node);
    return record;
  }

  private copy(node: PendingNode): PendingNode {
    const record = this.record(node.path, node.pathStart, node.pathEnd, node.hash, node.node);
    record.czxid = node.czxid;
    record.mzxid = node.mzxid;
    record.pzxid = node.pzxid;
    record.ctime = node.ctime;
    record.mtime = node.mtime;
    record.version = node.version;
    record.creations = node.creations;
    record.aversion = node.aversion;
    record.ownerHigh = node.ownerHigh;
    record.ownerLow = node.ownerLow;
    record.exists = node.exists;
    record.childCount = node.childCount;
    record.dataLength = node.dataLength;
    record.acl = node.acl;
    record.prefixCrc = node.prefixCrc;
    record.digest = node.digest;
    record.digested = node.digested;
    return record;
  }

  /** One that is in use by nobody; what is not given here is the caller's to fill in. */
  private record(path: Uint8Array, pathStart: number, pathEnd: number, hash: number, node: number): PendingNode {
    const record = this.spare.pop() ?? new PendingNode();
    record.path = path;
    record.pathStart = pathStart;
    record.pathEnd = pathEnd;
    record.hash = hash;
    record.node = node;
    return record;
  }

  private recycle(record: PendingNode): void {
    if (this.spare.length === SPARE_RECORDS_MAX) return;
    record.path = NO_BYTES;
    record.acl = 0;
    record.replaced = undefined;
    this.spare.push(record);
  }

  /** `before` is the record that this one takes the place of, if there is one. */
  private put(record: PendingNode, zxid: number, before: PendingNode | undefined): void {
    record.zxid = zxid;
    record.replaced = before;
    if (before === undefined) this.link(record);
    else this.takePlace(record, before);
    this.queue.push(record);
    if (isOwned(record)) this.owned += 1;
  }

  private link(record: PendingNode): void {
    const row = this.freeRows.pop() ?? this.nodes.length;
    this.nodes[row] = record;
    record.row = row;
    this.index.insert(record.hash, row);
  }

  /** Both are of the same path: the row in the index stays as it is. */
  private takePlace(record: PendingNode, before: PendingNode): void {
    record.row = before.row;
    this.nodes[record.row] = record;
    before.row = 0;
  }

  private unlink(record: PendingNode): void {
    this.index.remove(record.row);
    this.nodes[record.row] = undefined;
    this.freeRows.push(record.row);
    record.row = 0;
  }
}

const SLASH = 0x2f;

/** Records kept for the next use: as many as a full pipeline of creates takes. */
const SPARE_RECORDS_MAX = 4096;
