import { STAT_OFFSETS, writeInt, writeLongFromNumber } from "@watchkeeper/wire";
import { HashIndex, hashBytes, sameBytes } from "../memory/index.js";
import { AclTable, OPEN_ACL } from "./acl-table.js";
import { CRC32_START, crc32Continue } from "./crc32.js";
import type { NodeForecast } from "./forecast.js";
import { NODE_KIND, ownerKind } from "./node-owner.js";
import { emptyStat, FIELD, NO_NODE, type NodeStat, NodeStore, ROOT, SLASH } from "./node-store.js";
import { lastSlash } from "./path-rules.js";
import { nodeDigest, TreeDigest } from "./tree-digest.js";

/** Where a new node's parts are: the path's last component is its name, `dataLength` -1 is null data. */
export interface NodeSource {
  readonly path: Uint8Array;
  readonly pathStart: number;
  readonly pathEnd: number;
  readonly data: Uint8Array;
  readonly dataStart: number;
  readonly dataLength: number;
}

/** Somebody who is walking the tree while it changes. */
export interface TreeWalker {
  /** `node` is about to be removed; it has no children. */
  onRemove(node: number): void;
}

/**
 * The znodes: Apache's `DataTree` as tables of integers and cells of bytes. A node is a row number.
 *
 * Nodes are found by the hash of their whole path and confirmed by walking up the names: a path is
 * stored once, piece by piece, and never decoded to text.
 *
 * Invariant: `digest` is the sum over all nodes of their DIGEST field, and each DIGEST is that of the
 * node as it stands; every method leaves both true.
 */
export class Tree extends NodeStore {
  readonly acls = new AclTable();
  readonly digest = new TreeDigest();
  /** Ephemeral nodes by session, containers and TTL nodes: what must be found without walking. */
  readonly ephemerals = new Map<bigint, Set<number>>();
  readonly containers = new Set<number>();
  readonly ttlNodes = new Set<number>();
  readonly hashSeed: number;
  /** Data and path bytes of all nodes: what `zk_approximate_data_size` reports. */
  approximateBytes = 0;
  private ephemeralNodes = 0;
  private readonly index = new HashIndex();
  private readonly walkers = new Set<TreeWalker>();
  private readonly stat: NodeStat = emptyStat();
  private systemNode = NO_NODE;
  /** Whether `digest` says anything. */
  readonly digestEnabled: boolean;

  /** A tree with only an empty root, as a snapshot is read into. */
  constructor(hashSeed: number, digestEnabled = true) {
    super();
    this.hashSeed = hashSeed;
    this.digestEnabled = digestEnabled;
    const root = this.rows.allocate();
    this.rows.set(root, FIELD.acl, OPEN_ACL);
    this.rows.set(root, FIELD.digested, 1);
    this.fillCell(root, EMPTY, 0, 0, EMPTY, 0, 0);
    this.writeStat(root, this.stat);
    this.afterDataChange(root, EMPTY, 0, 0);
  }

  // Finding and reading.

  get count(): number {
    return this.rows.count;
  }

  get ephemeralCount(): number {
    return this.ephemeralNodes;
  }

  /** Bytes of the cells, for memory figures. */
  get cellBytes(): number {
    return this.cells.liveBytes;
  }

  hash(bytes: Uint8Array, start: number, end: number): number {
    return end - start <= 1 ? this.hashSeed : hashBytes(this.hashSeed, bytes, start, end);
  }

  /** The node at a path, or NO_NODE. "" and "/" are the root; a malformed path is no node's. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (end - start <= 1) return end === start || bytes[start] === SLASH ? ROOT : NO_NODE;
    return this.findHashed(hashBytes(this.hashSeed, bytes, start, end), bytes, start, end);
  }

  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    if (end - start <= 1) return end === start || bytes[start] === SLASH ? ROOT : NO_NODE;
    for (let node = this.index.first(hash); node !== 0; node = this.index.next(node, hash)) {
      if (this.hasPath(node, bytes, start, end)) return node;
    }
    return NO_NODE;
  }

  private hasPath(node: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = end;
    for (let walk = node; walk !== ROOT; walk = this.rows.get(walk, FIELD.parent)) {
      const length = this.rows.get(walk, FIELD.nameLength);
      at -= length + 1;
      if (at < start || bytes[at] !== SLASH) return false;
      const cell = this.rows.get(walk, FIELD.cell) >>> 0;
      if (!sameBytes(this.cells.bytesOf(cell), this.cells.offsetOf(cell), bytes, at + 1, length)) return false;
    }
    return at === start;
  }

  digestOf(node: number): number {
    return this.rows.get(node, FIELD.digest);
  }

  prefixCrcOf(node: number): number {
    return this.rows.get(node, FIELD.prefixCrc);
  }

  isDigested(node: number): boolean {
    return this.rows.get(node, FIELD.digested) !== 0;
  }

  ephemeralsOf(session: bigint): ReadonlySet<number> {
    return this.ephemerals.get(session) ?? NO_NODES;
  }

  // Changing. Callers have checked that the change makes sense; nothing here can fail.

  /** Adds a node below `parent` with a fresh Stat. The ACL's use has been counted. The parent's Stat is the caller's. */
  create(
    parent: number,
    source: NodeSource,
    aclNumber: number,
    zxid: number,
    timeMs: number,
    ownerHigh: number,
    ownerLow: number,
    forecast?: NodeForecast,
  ): number {
    const stat = this.stat;
    stat.czxid = stat.mzxid = stat.pzxid = zxid;
    stat.ctime = stat.mtime = timeMs;
    stat.version = stat.creations = stat.aversion = 0;
    stat.ownerHigh = ownerHigh;
    stat.ownerLow = ownerLow;
    return this.restore(parent, source, aclNumber, stat, forecast);
  }

  /** Adds a node with the Stat given: from a snapshot. */
  restore(parent: number, source: NodeSource, aclNumber: number, stat: NodeStat, forecast?: NodeForecast): number {
    const { path, pathStart, pathEnd } = source;
    const node = this.rows.allocate();
    const nameStart = lastSlash(path, pathStart, pathEnd) + 1;
    const system = parent === this.systemNode || this.rows.get(parent, FIELD.digested) === 0;
    this.rows.set(node, FIELD.parent, parent);
    this.rows.set(node, FIELD.acl, aclNumber);
    this.rows.set(node, FIELD.digested, system ? 0 : 1);
    this.fillCell(node, path, nameStart, pathEnd, source.data, source.dataStart, source.dataLength);
    this.writeStat(node, stat);
    this.link(parent, node);
    this.index.insert(forecast?.hash ?? hashBytes(this.hashSeed, path, pathStart, pathEnd), node);
    this.afterDataChange(node, path, pathStart, pathEnd, forecast);
    this.approximateBytes += pathEnd - pathStart + Math.max(0, source.dataLength);
    this.own(node, stat.ownerHigh, stat.ownerLow);
    if (pathEnd - pathStart === SYSTEM_PATH.length && sameBytes(path, pathStart, SYSTEM_PATH, 0, SYSTEM_PATH.length))
      this.systemNode = node;
    return node;
  }

  /** Gives the root the data, ACL and Stat a snapshot has for it. */
  restoreRoot(data: Uint8Array, dataStart: number, dataLength: number, aclNumber: number, stat: NodeStat): void {
    this.rows.set(ROOT, FIELD.acl, aclNumber);
    this.replaceCell(ROOT, data, dataStart, dataLength);
    this.writeStat(ROOT, stat);
    this.afterDataChange(ROOT, EMPTY, 0, 0);
  }

  /** Removes a node without children; its ACL's use is given back. The parent's pzxid is the caller's. */
  remove(node: number): void {
    for (const walker of this.walkers) walker.onRemove(node);
    this.digest.subtract(this.rows.get(node, FIELD.digest));
    this.approximateBytes -= this.pathLength(node) + Math.max(0, this.dataLength(node));
    this.disown(node);
    this.acls.release(this.rows.get(node, FIELD.acl));
    this.index.remove(node);
    this.unlink(node);
    this.cells.release(this.rows.get(node, FIELD.cell) >>> 0);
    this.rows.release(node);
    if (node === this.systemNode) this.systemNode = NO_NODE;
  }

  /** New data, version and times; `path` is the node's, for its digest. */
  setData(
    node: number,
    source: NodeSource,
    version: number,
    zxid: number,
    timeMs: number,
    forecast?: NodeForecast,
  ): void {
    this.approximateBytes += Math.max(0, source.dataLength) - Math.max(0, this.dataLength(node));
    this.replaceCell(node, source.data, source.dataStart, source.dataLength);
    const bytes = this.cellBytesOf(node);
    const at = this.statStart(node);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.mzxid, zxid);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.mtime, timeMs);
    writeInt(bytes, at + STAT_OFFSETS.version, version);
    this.afterDataChange(node, source.path, source.pathStart, source.pathEnd, forecast);
  }

  /** New data under an unchanged Stat: a quota's statistics, which no digest covers. */
  replaceDataOnly(node: number, data: Uint8Array): void {
    this.approximateBytes += data.length - Math.max(0, this.dataLength(node));
    this.replaceCell(node, data, 0, data.length);
  }

  /** A new ACL, whose use has been counted; the old one's is given back. */
  setAcl(node: number, aclNumber: number, aversion: number, forecast?: NodeForecast): void {
    this.acls.release(this.rows.get(node, FIELD.acl));
    this.rows.set(node, FIELD.acl, aclNumber);
    writeInt(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.aversion, aversion);
    this.refreshDigest(node, forecast);
  }

  /** Only the list, as re-applying a create to a node that is there does. */
  replaceAcl(node: number, aclNumber: number): void {
    this.acls.release(this.rows.get(node, FIELD.acl));
    this.rows.set(node, FIELD.acl, aclNumber);
  }

  /** A child was created: both numbers rise together, and only upward, so that replay may repeat it. */
  raiseCreations(node: number, creations: number, zxid: number, forecast?: NodeForecast): void {
    if (creations <= this.rows.get(node, FIELD.creations)) return;
    this.rows.set(node, FIELD.creations, creations);
    this.showCversion(node);
    this.setPzxid(node, zxid, forecast);
  }

  /** A child was removed. */
  raisePzxid(node: number, zxid: number, forecast?: NodeForecast): void {
    if (zxid > this.pzxid(node)) this.setPzxid(node, zxid, forecast);
  }

  private setPzxid(node: number, zxid: number, forecast: NodeForecast | undefined): void {
    writeLongFromNumber(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.pzxid, zxid);
    this.refreshDigest(node, forecast);
  }

  // Walking while changing.

  addWalker(walker: TreeWalker): void {
    this.walkers.add(walker);
  }

  removeWalker(walker: TreeWalker): void {
    this.walkers.delete(walker);
  }

  /** The node after `node` and everything below it, parents first; NO_NODE at the end. */
  nodeAfterSubtree(node: number, top: number = ROOT): number {
    for (let walk = node; walk !== top; walk = this.rows.get(walk, FIELD.parent)) {
      const sibling = this.rows.get(walk, FIELD.nextSibling);
      if (sibling !== NO_NODE) return sibling;
    }
    return NO_NODE;
  }

  /** The next node, parents before children. */
  nodeAfter(node: number, top: number = ROOT): number {
    return this.rows.get(node, FIELD.firstChild) || this.nodeAfterSubtree(node, top);
  }

  // Inside.

  private link(parent: number, node: number): void {
    const first = this.rows.get(parent, FIELD.firstChild);
    this.rows.set(node, FIELD.nextSibling, first);
    if (first !== NO_NODE) this.rows.set(first, FIELD.previousSibling, node);
    this.rows.set(parent, FIELD.firstChild, node);
    this.countChild(parent, 1);
  }

  private unlink(node: number): void {
    const parent = this.rows.get(node, FIELD.parent);
    const next = this.rows.get(node, FIELD.nextSibling);
    const previous = this.rows.get(node, FIELD.previousSibling);
    if (previous === NO_NODE) this.rows.set(parent, FIELD.firstChild, next);
    else this.rows.set(previous, FIELD.nextSibling, next);
    if (next !== NO_NODE) this.rows.set(next, FIELD.previousSibling, previous);
    this.countChild(parent, -1);
  }

  private countChild(parent: number, change: number): void {
    const children = this.rows.get(parent, FIELD.children) + change;
    this.rows.set(parent, FIELD.children, children);
    writeInt(this.cellBytesOf(parent), this.statStart(parent) + STAT_OFFSETS.numChildren, children);
    this.showCversion(parent);
    for (let walk = parent; walk !== NO_NODE; walk = this.rows.get(walk, FIELD.parent)) {
      this.rows.set(walk, FIELD.descendants, this.rows.get(walk, FIELD.descendants) + change);
    }
  }

  private afterDataChange(
    node: number,
    path: Uint8Array,
    pathStart: number,
    pathEnd: number,
    forecast?: NodeForecast,
  ): void {
    if (!this.digestEnabled) return;
    this.rows.set(node, FIELD.prefixCrc, forecast?.prefixCrc ?? this.computePrefixCrc(node, path, pathStart, pathEnd));
    this.refreshDigest(node, forecast);
  }

  private computePrefixCrc(node: number, path: Uint8Array, pathStart: number, pathEnd: number): number {
    const data = this.replyStart(node) + 4;
    const afterPath = node === ROOT ? CRC32_START : crc32Continue(CRC32_START, path, pathStart, pathEnd);
    return crc32Continue(afterPath, this.cellBytesOf(node), data, data + Math.max(0, this.dataLength(node)));
  }

  private refreshDigest(node: number, forecast: NodeForecast | undefined): void {
    if (!this.digestEnabled || this.rows.get(node, FIELD.digested) === 0) return;
    const digest = forecast?.digest ?? this.computeDigest(node);
    this.digest.subtract(this.rows.get(node, FIELD.digest));
    this.digest.add(digest);
    this.rows.set(node, FIELD.digest, digest);
  }

  private computeDigest(node: number): number {
    this.readStat(node, this.stat);
    return nodeDigest(this.rows.get(node, FIELD.prefixCrc), this.stat);
  }

  private own(node: number, high: number, low: number): void {
    const kind = ownerKind(high, low);
    if (kind === NODE_KIND.container) this.containers.add(node);
    else if (kind === NODE_KIND.ttl) this.ttlNodes.add(node);
    else if (kind === NODE_KIND.ephemeral) {
      const session = sessionKey(high, low);
      const nodes = this.ephemerals.get(session);
      if (nodes === undefined) this.ephemerals.set(session, new Set([node]));
      else nodes.add(node);
      this.ephemeralNodes += 1;
    }
  }

  private disown(node: number): void {
    const high = this.ownerHigh(node);
    const low = this.ownerLow(node);
    const kind = ownerKind(high, low);
    if (kind === NODE_KIND.container) this.containers.delete(node);
    else if (kind === NODE_KIND.ttl) this.ttlNodes.delete(node);
    else if (kind === NODE_KIND.ephemeral) {
      const session = sessionKey(high, low);
      const nodes = this.ephemerals.get(session)!;
      nodes.delete(node);
      if (nodes.size === 0) this.ephemerals.delete(session);
      this.ephemeralNodes -= 1;
    }
  }
}

const EMPTY = new Uint8Array(0);
const NO_NODES: ReadonlySet<number> = new Set();

const keyHalves = new Int32Array(2);
const keyWhole = new BigInt64Array(keyHalves.buffer);
const LITTLE_ENDIAN = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/** A session id as a key of maps: one bigint, without arithmetic. */
export function sessionKey(high: number, low: number): bigint {
  keyHalves[0] = LITTLE_ENDIAN ? low : high;
  keyHalves[1] = LITTLE_ENDIAN ? high : low;
  return keyWhole[0]!;
}

const SYSTEM_PATH = new Uint8Array([0x2f, 0x7a, 0x6f, 0x6f, 0x6b, 0x65, 0x65, 0x70, 0x65, 0x72]);
