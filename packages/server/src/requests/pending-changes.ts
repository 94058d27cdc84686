import { HashIndex, sameBytes } from "../memory/index.js";
import { NO_NODE, type NodeStat, nodeDigest, type Tree, TreeDigest } from "../tree/index.js";
import type { AclReference } from "./access-control.js";

/**
 * The tree as it will be when everything that was accepted has been applied (Apache's
 * `outstandingChanges`): writes are validated against it, so that requests in a pipeline see each
 * other before any of them is on disk.
 *
 * Every change makes a new record and keeps the one it replaces, so that a failed multi can put back
 * what it touched, parents included: else a later sequence number would be wrong. A record goes when
 * the txn of its zxid has been applied, unless a later one has taken its place.
 *
 * Invariant: `digest` is the tree's digest after the last accepted txn.
 */
export class PendingNode implements NodeStat {
  /** Where its path lies: in the bytes of the request until it is put, then in those of its own txn. */
  path: Uint8Array;
  pathStart: number;
  pathEnd: number;
  readonly hash: number;
  czxid = 0;
  mzxid = 0;
  pzxid = 0;
  ctime = 0;
  mtime = 0;
  version = 0;
  creations = 0;
  aversion = 0;
  ownerHigh = 0;
  ownerLow = 0;
  exists = true;
  zxid = 0;
  childCount = 0;
  dataLength = 0;
  acl: AclReference = 0;
  prefixCrc = 0;
  digest = 0;
  digested = true;
  /** The record this one replaced, while the txn that made it may still be taken back. */
  replaced: PendingNode | undefined = undefined;
  /** Its row in the index, 0 while it is not in it. */
  row = 0;

  constructor(path: Uint8Array, pathStart: number, pathEnd: number, hash: number) {
    this.path = path;
    this.pathStart = pathStart;
    this.pathEnd = pathEnd;
    this.hash = hash;
  }
}

export class PendingChanges {
  readonly digest = new TreeDigest();
  private readonly tree: Tree;
  private readonly digestEnabled: boolean;
  private readonly index = new HashIndex();
  /** By row of the index. */
  private readonly nodes: (PendingNode | undefined)[] = [undefined];
  private readonly freeRows: number[] = [];
  /** In order of zxid. */
  private readonly queue: PendingNode[] = [];
  private queueHead = 0;
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
    const hash = this.tree.hash(bytes, start, end);
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

  /** A node that is being created; its path lies in the txn. */
  add(
    path: Uint8Array,
    pathStart: number,
    pathEnd: number,
    zxid: number,
    owner: { high: number; low: number },
  ): PendingNode {
    const hash = this.tree.hash(path, pathStart, pathEnd);
    const record = new PendingNode(path, pathStart, pathEnd, hash);
    record.ownerHigh = owner.high;
    record.ownerLow = owner.low;
    this.put(record, zxid, this.findPending(hash, path, pathStart, pathEnd)); // one that is being deleted
    return record;
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
      this.unlink(record);
      if (record.replaced !== undefined) this.link(record.replaced);
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

  onApplied(zxid: number): void {
    while (this.queueHead < this.queue.length && this.queue[this.queueHead]!.zxid <= zxid) {
      const record = this.queue[this.queueHead]!;
      this.queueHead += 1;
      if (isOwned(record)) this.owned -= 1;
      if (record.row !== 0) this.unlink(record);
    }
    if (this.queueHead === this.queue.length) {
      this.queue.length = 0;
      this.queueHead = 0;
    } else if (this.queueHead > 4096) {
      this.queue.splice(0, this.queueHead);
      this.queueHead = 0;
    }
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
    const record = new PendingNode(bytes, start, end - start <= 1 ? start : end, hash);
    tree.readStat(node, record);
    record.childCount = tree.childCount(node);
    record.dataLength = tree.dataLength(node);
    record.acl = tree.aclOf(node);
    record.prefixCrc = tree.prefixCrcOf(node);
    record.digest = tree.digestOf(node);
    record.digested = tree.isDigested(node);
    return record;
  }

  private copy(node: PendingNode): PendingNode {
    const record = new PendingNode(node.path, node.pathStart, node.pathEnd, node.hash);
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

  /** `before` is the record that this one takes the place of, if there is one. */
  private put(record: PendingNode, zxid: number, before: PendingNode | undefined): void {
    record.zxid = zxid;
    if (before !== undefined) this.unlink(before);
    record.replaced = before;
    this.link(record);
    this.queue.push(record);
    if (isOwned(record)) this.owned += 1;
  }

  private link(record: PendingNode): void {
    const row = this.freeRows.pop() ?? this.nodes.length;
    this.nodes[row] = record;
    record.row = row;
    this.index.insert(record.hash, row);
  }

  private unlink(record: PendingNode): void {
    this.index.remove(record.row);
    this.nodes[record.row] = undefined;
    this.freeRows.push(record.row);
    record.row = 0;
  }
}

const SLASH = 0x2f;

function isOwned(record: PendingNode): boolean {
  return record.ownerHigh !== 0 || record.ownerLow !== 0;
}

/** The digest covers a node unless it lies below /zookeeper. */
export function isDigestedPath(path: Uint8Array, start: number, end: number): boolean {
  if (end - start < SYSTEM_PREFIX.length) return true;
  for (let i = 0; i < SYSTEM_PREFIX.length; i++) if (path[start + i] !== SYSTEM_PREFIX[i]) return true;
  return false;
}

const SYSTEM_PREFIX = [0x2f, 0x7a, 0x6f, 0x6f, 0x6b, 0x65, 0x65, 0x70, 0x65, 0x72, 0x2f];
