import {
  type ByteWriter,
  copyBytes,
  readInt,
  readLongAsNumber,
  STAT_BYTES,
  STAT_OFFSETS,
  writeInt,
  writeLongFromNumber,
} from "@watchkeeper/wire";
import { CellStore, HashIndex, hashBytes, PagedInts, sameBytes } from "../memory/index.js";
import { AclTable, OPEN_ACL } from "./acl-table.js";
import { CRC32_START, crc32Continue } from "./crc32.js";
import { NODE_KIND, ownerKind } from "./node-owner.js";
import { lastSlash } from "./path-rules.js";
import { nodeDigest, TreeDigest } from "./tree-digest.js";

/**
 * The znodes: Apache's `DataTree` as tables of integers and cells of bytes. A node is a row number.
 *
 * A node's cell holds its name, then its data and its Stat exactly as a getData reply carries them
 * (length, data, 68 bytes), so that a read is one copy. What the Stat does not say, or says in the
 * clients' way instead of the files', stands in the row.
 *
 * Nodes are found by the hash of their whole path and confirmed by walking up the names: a path is
 * stored once, piece by piece, and never decoded to text.
 *
 * Invariant: `digest` is the sum over all nodes of their DIGEST field, and each DIGEST is that of the
 * node as it stands; every method leaves both true.
 */
const CELL = 0;
const PARENT = 1;
const FIRST_CHILD = 2;
const NEXT_SIBLING = 3;
const PREVIOUS_SIBLING = 4;
const CHILDREN = 5;
const DESCENDANTS = 6;
/** Children ever created: the persisted cversion, and the number of the next sequential child. */
const CREATIONS = 7;
const ACL = 8;
const DIGEST = 9;
/** CRC state after path and data: a change of the Stat alone need not go over them again. */
const PREFIX_CRC = 10;
const NAME_LENGTH = 11;
const OWNER_HIGH = 12;
const OWNER_LOW = 13;
/** 0 for what lies below /zookeeper: it differs between servers and counts for no digest. */
const DIGESTED = 14;
const FIELDS = 15;

export const NO_NODE = 0;
export const ROOT = 1;

const SLASH = 0x2f;
const SYSTEM_PATH = new Uint8Array([0x2f, 0x7a, 0x6f, 0x6f, 0x6b, 0x65, 0x65, 0x70, 0x65, 0x72]);

/** A node's persisted numbers, as validation and digests use them. */
export interface NodeStat {
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  creations: number;
  aversion: number;
  ownerHigh: number;
  ownerLow: number;
}

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

export class Tree {
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
  private readonly rows = new PagedInts(FIELDS);
  private readonly cells = new CellStore();
  private readonly index = new HashIndex();
  private readonly walkers = new Set<TreeWalker>();
  private readonly stat: NodeStat = emptyStat();
  private systemNode = NO_NODE;
  private readonly digestEnabled: boolean;

  /** A tree with only an empty root, as a snapshot is read into. */
  constructor(hashSeed: number, digestEnabled = true) {
    this.hashSeed = hashSeed;
    this.digestEnabled = digestEnabled;
    const root = this.rows.allocate();
    this.rows.set(root, ACL, OPEN_ACL);
    this.rows.set(root, DIGESTED, 1);
    this.fillCell(root, EMPTY, 0, 0, EMPTY, 0, 0);
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
    for (let walk = node; walk !== ROOT; walk = this.rows.get(walk, PARENT)) {
      const length = this.rows.get(walk, NAME_LENGTH);
      at -= length + 1;
      if (at < start || bytes[at] !== SLASH) return false;
      const cell = this.rows.get(walk, CELL) >>> 0;
      if (!sameBytes(this.cells.bytesOf(cell), this.cells.offsetOf(cell), bytes, at + 1, length)) return false;
    }
    return at === start;
  }

  parent(node: number): number {
    return this.rows.get(node, PARENT);
  }

  firstChild(node: number): number {
    return this.rows.get(node, FIRST_CHILD);
  }

  nextSibling(node: number): number {
    return this.rows.get(node, NEXT_SIBLING);
  }

  childCount(node: number): number {
    return this.rows.get(node, CHILDREN);
  }

  descendantCount(node: number): number {
    return this.rows.get(node, DESCENDANTS);
  }

  aclOf(node: number): number {
    return this.rows.get(node, ACL);
  }

  digestOf(node: number): number {
    return this.rows.get(node, DIGEST);
  }

  prefixCrcOf(node: number): number {
    return this.rows.get(node, PREFIX_CRC);
  }

  isDigested(node: number): boolean {
    return this.rows.get(node, DIGESTED) !== 0;
  }

  ownerHigh(node: number): number {
    return this.rows.get(node, OWNER_HIGH);
  }

  ownerLow(node: number): number {
    return this.rows.get(node, OWNER_LOW);
  }

  isEphemeral(node: number): boolean {
    return ownerKind(this.ownerHigh(node), this.ownerLow(node)) === NODE_KIND.ephemeral;
  }

  /** The memory page that `dataStart` and `statStart` are offsets into: valid until the tree changes. */
  cellBytesOf(node: number): Uint8Array {
    return this.cells.bytesOf(this.rows.get(node, CELL) >>> 0);
  }

  nameStart(node: number): number {
    return this.cells.offsetOf(this.rows.get(node, CELL) >>> 0);
  }

  nameLength(node: number): number {
    return this.rows.get(node, NAME_LENGTH);
  }

  /** Where a getData reply's body lies: the data's length, the data, the Stat. */
  replyStart(node: number): number {
    return this.nameStart(node) + this.nameLength(node);
  }

  replyBytes(node: number): number {
    const length = this.dataLength(node);
    return 4 + Math.max(length, 0) + STAT_BYTES;
  }

  /** -1 for null data. */
  dataLength(node: number): number {
    return readInt(this.cellBytesOf(node), this.replyStart(node));
  }

  statStart(node: number): number {
    const length = this.dataLength(node);
    return this.replyStart(node) + 4 + Math.max(length, 0);
  }

  readStat(node: number, into: NodeStat): void {
    const bytes = this.cellBytesOf(node);
    const at = this.statStart(node);
    into.czxid = readLongAsNumber(bytes, at + STAT_OFFSETS.czxid);
    into.mzxid = readLongAsNumber(bytes, at + STAT_OFFSETS.mzxid);
    into.pzxid = readLongAsNumber(bytes, at + STAT_OFFSETS.pzxid);
    into.ctime = readLongAsNumber(bytes, at + STAT_OFFSETS.ctime);
    into.mtime = readLongAsNumber(bytes, at + STAT_OFFSETS.mtime);
    into.version = readInt(bytes, at + STAT_OFFSETS.version);
    into.aversion = readInt(bytes, at + STAT_OFFSETS.aversion);
    into.creations = this.rows.get(node, CREATIONS);
    into.ownerHigh = this.rows.get(node, OWNER_HIGH);
    into.ownerLow = this.rows.get(node, OWNER_LOW);
  }

  mzxid(node: number): number {
    return readLongAsNumber(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.mzxid);
  }

  pzxid(node: number): number {
    return readLongAsNumber(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.pzxid);
  }

  pathLength(node: number): number {
    if (node === ROOT) return 0;
    let length = 0;
    for (let walk = node; walk !== ROOT; walk = this.rows.get(walk, PARENT))
      length += this.rows.get(walk, NAME_LENGTH) + 1;
    return length;
  }

  /** Appends the node's path; the root's is empty, as in files. */
  writePath(node: number, writer: ByteWriter): void {
    const length = this.pathLength(node);
    let at = writer.reserve(length) + length;
    for (let walk = node; walk !== ROOT; walk = this.rows.get(walk, PARENT)) {
      const name = this.rows.get(walk, NAME_LENGTH);
      const from = this.nameStart(walk);
      at -= name + 1;
      writer.bytes[at] = SLASH;
      copyBytes(this.cellBytesOf(walk), from, from + name, writer.bytes, at + 1);
    }
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
  ): number {
    const stat = this.stat;
    stat.czxid = stat.mzxid = stat.pzxid = zxid;
    stat.ctime = stat.mtime = timeMs;
    stat.version = stat.creations = stat.aversion = 0;
    stat.ownerHigh = ownerHigh;
    stat.ownerLow = ownerLow;
    return this.restore(parent, source, aclNumber, stat);
  }

  /** Adds a node with the Stat given: from a snapshot. */
  restore(parent: number, source: NodeSource, aclNumber: number, stat: NodeStat): number {
    const { path, pathStart, pathEnd } = source;
    const node = this.rows.allocate();
    const nameStart = lastSlash(path, pathStart, pathEnd) + 1;
    const system = parent === this.systemNode || this.rows.get(parent, DIGESTED) === 0;
    this.rows.set(node, PARENT, parent);
    this.rows.set(node, ACL, aclNumber);
    this.rows.set(node, DIGESTED, system ? 0 : 1);
    this.fillCell(node, path, nameStart, pathEnd, source.data, source.dataStart, source.dataLength);
    this.writeStat(node, stat);
    this.link(parent, node);
    this.index.insert(hashBytes(this.hashSeed, path, pathStart, pathEnd), node);
    this.afterDataChange(node, path, pathStart, pathEnd);
    this.approximateBytes += pathEnd - pathStart + Math.max(0, source.dataLength);
    this.own(node, stat.ownerHigh, stat.ownerLow);
    if (pathEnd - pathStart === SYSTEM_PATH.length && sameBytes(path, pathStart, SYSTEM_PATH, 0, SYSTEM_PATH.length))
      this.systemNode = node;
    return node;
  }

  /** Gives the root the data, ACL and Stat a snapshot has for it. */
  restoreRoot(data: Uint8Array, dataStart: number, dataLength: number, aclNumber: number, stat: NodeStat): void {
    this.rows.set(ROOT, ACL, aclNumber);
    this.replaceCell(ROOT, data, dataStart, dataLength);
    this.writeStat(ROOT, stat);
    this.afterDataChange(ROOT, EMPTY, 0, 0);
  }

  /** Removes a node without children; its ACL's use is given back. The parent's pzxid is the caller's. */
  remove(node: number): void {
    for (const walker of this.walkers) walker.onRemove(node);
    this.digest.subtract(this.rows.get(node, DIGEST));
    this.approximateBytes -= this.pathLength(node) + Math.max(0, this.dataLength(node));
    this.disown(node);
    this.acls.release(this.rows.get(node, ACL));
    this.index.remove(node);
    this.unlink(node);
    this.cells.release(this.rows.get(node, CELL) >>> 0);
    this.rows.release(node);
    if (node === this.systemNode) this.systemNode = NO_NODE;
  }

  /** New data, version and times; `path` is the node's, for its digest. */
  setData(node: number, source: NodeSource, version: number, zxid: number, timeMs: number): void {
    this.approximateBytes += Math.max(0, source.dataLength) - Math.max(0, this.dataLength(node));
    this.replaceCell(node, source.data, source.dataStart, source.dataLength);
    const bytes = this.cellBytesOf(node);
    const at = this.statStart(node);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.mzxid, zxid);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.mtime, timeMs);
    writeInt(bytes, at + STAT_OFFSETS.version, version);
    this.afterDataChange(node, source.path, source.pathStart, source.pathEnd);
  }

  /** New data under an unchanged Stat: a quota's statistics, which no digest covers. */
  replaceDataOnly(node: number, data: Uint8Array): void {
    this.approximateBytes += data.length - Math.max(0, this.dataLength(node));
    this.replaceCell(node, data, 0, data.length);
  }

  /** A new ACL, whose use has been counted; the old one's is given back. */
  setAcl(node: number, aclNumber: number, aversion: number): void {
    this.acls.release(this.rows.get(node, ACL));
    this.rows.set(node, ACL, aclNumber);
    writeInt(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.aversion, aversion);
    this.refreshDigest(node);
  }

  /** Only the list, as re-applying a create to a node that is there does. */
  replaceAcl(node: number, aclNumber: number): void {
    this.acls.release(this.rows.get(node, ACL));
    this.rows.set(node, ACL, aclNumber);
  }

  /** A child was created: both numbers rise together, and only upward, so that replay may repeat it. */
  raiseCreations(node: number, creations: number, zxid: number): void {
    if (creations <= this.rows.get(node, CREATIONS)) return;
    this.rows.set(node, CREATIONS, creations);
    this.showCversion(node);
    this.setPzxid(node, zxid);
  }

  /** A child was removed. */
  raisePzxid(node: number, zxid: number): void {
    if (zxid > this.pzxid(node)) this.setPzxid(node, zxid);
  }

  creations(node: number): number {
    return this.rows.get(node, CREATIONS);
  }

  private setPzxid(node: number, zxid: number): void {
    writeLongFromNumber(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.pzxid, zxid);
    this.refreshDigest(node);
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
    for (let walk = node; walk !== top; walk = this.rows.get(walk, PARENT)) {
      const sibling = this.rows.get(walk, NEXT_SIBLING);
      if (sibling !== NO_NODE) return sibling;
    }
    return NO_NODE;
  }

  /** The next node, parents before children. */
  nodeAfter(node: number, top: number = ROOT): number {
    return this.rows.get(node, FIRST_CHILD) || this.nodeAfterSubtree(node, top);
  }

  // Inside.

  private link(parent: number, node: number): void {
    const first = this.rows.get(parent, FIRST_CHILD);
    this.rows.set(node, NEXT_SIBLING, first);
    if (first !== NO_NODE) this.rows.set(first, PREVIOUS_SIBLING, node);
    this.rows.set(parent, FIRST_CHILD, node);
    this.countChild(parent, 1);
  }

  private unlink(node: number): void {
    const parent = this.rows.get(node, PARENT);
    const next = this.rows.get(node, NEXT_SIBLING);
    const previous = this.rows.get(node, PREVIOUS_SIBLING);
    if (previous === NO_NODE) this.rows.set(parent, FIRST_CHILD, next);
    else this.rows.set(previous, NEXT_SIBLING, next);
    if (next !== NO_NODE) this.rows.set(next, PREVIOUS_SIBLING, previous);
    this.countChild(parent, -1);
  }

  private countChild(parent: number, change: number): void {
    const children = this.rows.get(parent, CHILDREN) + change;
    this.rows.set(parent, CHILDREN, children);
    writeInt(this.cellBytesOf(parent), this.statStart(parent) + STAT_OFFSETS.numChildren, children);
    this.showCversion(parent);
    for (let walk = parent; walk !== NO_NODE; walk = this.rows.get(walk, PARENT)) {
      this.rows.set(walk, DESCENDANTS, this.rows.get(walk, DESCENDANTS) + change);
    }
  }

  /** Clients see creations and deletions: deletions are creations less the children there are. */
  private showCversion(node: number): void {
    const cversion = 2 * this.rows.get(node, CREATIONS) - this.rows.get(node, CHILDREN);
    writeInt(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.cversion, cversion);
  }

  private writeStat(node: number, stat: NodeStat): void {
    const bytes = this.cellBytesOf(node);
    const at = this.statStart(node);
    const ephemeral = ownerKind(stat.ownerHigh, stat.ownerLow) === NODE_KIND.ephemeral;
    const dataLength = this.dataLength(node);
    this.rows.set(node, CREATIONS, stat.creations);
    this.rows.set(node, OWNER_HIGH, stat.ownerHigh);
    this.rows.set(node, OWNER_LOW, stat.ownerLow);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.czxid, stat.czxid);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.mzxid, stat.mzxid);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.pzxid, stat.pzxid);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.ctime, stat.ctime);
    writeLongFromNumber(bytes, at + STAT_OFFSETS.mtime, stat.mtime);
    writeInt(bytes, at + STAT_OFFSETS.version, stat.version);
    writeInt(bytes, at + STAT_OFFSETS.aversion, stat.aversion);
    writeInt(bytes, at + STAT_OFFSETS.ephemeralOwner, ephemeral ? stat.ownerHigh : 0);
    writeInt(bytes, at + STAT_OFFSETS.ephemeralOwner + 4, ephemeral ? stat.ownerLow : 0);
    writeInt(bytes, at + STAT_OFFSETS.dataLength, Math.max(dataLength, 0));
    writeInt(bytes, at + STAT_OFFSETS.numChildren, this.rows.get(node, CHILDREN));
    this.showCversion(node);
  }

  /** Gives a new node its cell: name, data, and room for a Stat. */
  private fillCell(
    node: number,
    name: Uint8Array,
    nameStart: number,
    nameEnd: number,
    data: Uint8Array,
    dataStart: number,
    dataLength: number,
  ): void {
    const nameLength = nameEnd - nameStart;
    const cell = this.cells.allocate(cellSize(nameLength, dataLength));
    const bytes = this.cells.bytesOf(cell);
    const at = this.cells.offsetOf(cell);
    this.rows.set(node, CELL, cell);
    this.rows.set(node, NAME_LENGTH, nameLength);
    copyBytes(name, nameStart, nameEnd, bytes, at);
    writeData(bytes, at + nameLength, data, dataStart, dataLength);
    const statStart = at + nameLength + 4 + Math.max(0, dataLength);
    bytes.fill(0, statStart, statStart + STAT_BYTES);
  }

  /** New data in the same cell where it fits its class, else in another; the Stat moves along. */
  private replaceCell(node: number, data: Uint8Array, dataStart: number, dataLength: number): void {
    const nameLength = this.nameLength(node);
    const oldLength = this.dataLength(node);
    const oldBytes = this.cellBytesOf(node);
    const oldStat = this.statStart(node);
    savedStat.set(oldBytes.subarray(oldStat, oldStat + STAT_BYTES));
    writeInt(savedStat, STAT_OFFSETS.dataLength, Math.max(dataLength, 0));
    if (!this.cells.fits(cellSize(nameLength, oldLength), cellSize(nameLength, dataLength))) {
      const old = this.rows.get(node, CELL) >>> 0;
      const cell = this.cells.allocate(cellSize(nameLength, dataLength));
      const oldAt = this.cells.offsetOf(old);
      copyBytes(oldBytes, oldAt, oldAt + nameLength, this.cells.bytesOf(cell), this.cells.offsetOf(cell));
      this.cells.release(old);
      this.rows.set(node, CELL, cell);
    }
    const bytes = this.cellBytesOf(node);
    writeData(bytes, this.replyStart(node), data, dataStart, dataLength);
    bytes.set(savedStat, this.statStart(node));
  }

  private afterDataChange(node: number, path: Uint8Array, pathStart: number, pathEnd: number): void {
    if (!this.digestEnabled) return;
    const data = this.replyStart(node) + 4;
    const afterPath = node === ROOT ? CRC32_START : crc32Continue(CRC32_START, path, pathStart, pathEnd);
    const crc = crc32Continue(afterPath, this.cellBytesOf(node), data, data + Math.max(0, this.dataLength(node)));
    this.rows.set(node, PREFIX_CRC, crc);
    this.refreshDigest(node);
  }

  private refreshDigest(node: number): void {
    if (!this.digestEnabled || this.rows.get(node, DIGESTED) === 0) return;
    this.readStat(node, this.stat);
    const digest = nodeDigest(this.rows.get(node, PREFIX_CRC), this.stat);
    this.digest.subtract(this.rows.get(node, DIGEST));
    this.digest.add(digest);
    this.rows.set(node, DIGEST, digest);
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
const savedStat = new Uint8Array(STAT_BYTES);

function cellSize(nameLength: number, dataLength: number): number {
  return nameLength + 4 + Math.max(0, dataLength) + STAT_BYTES;
}

function writeData(bytes: Uint8Array, at: number, data: Uint8Array, dataStart: number, dataLength: number): void {
  writeInt(bytes, at, dataLength);
  if (dataLength > 0) copyBytes(data, dataStart, dataStart + dataLength, bytes, at + 4);
}

const keyHalves = new Int32Array(2);
const keyWhole = new BigInt64Array(keyHalves.buffer);
const LITTLE_ENDIAN = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/** A session id as a key of maps: one bigint, without arithmetic. */
export function sessionKey(high: number, low: number): bigint {
  keyHalves[0] = LITTLE_ENDIAN ? low : high;
  keyHalves[1] = LITTLE_ENDIAN ? high : low;
  return keyWhole[0]!;
}

export function emptyStat(): NodeStat {
  return {
    czxid: 0,
    mzxid: 0,
    pzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    creations: 0,
    aversion: 0,
    ownerHigh: 0,
    ownerLow: 0,
  };
}
