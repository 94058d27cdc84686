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
import { CellStore, PagedInts } from "../memory/index.js";
import { NODE_KIND, ownerKind } from "./node-owner.js";

/**
 * Nodes as memory: a row of integers and a cell of bytes each.
 *
 * The cell holds the node's name, then its data and its Stat exactly as a getData reply carries them
 * (length, data, 68 bytes), so that a read is one copy. What the Stat does not say, or says in the
 * clients' way instead of the files', stands in the row.
 */
export const FIELD = {
  cell: 0,
  parent: 1,
  firstChild: 2,
  nextSibling: 3,
  previousSibling: 4,
  children: 5,
  descendants: 6,
  /** Children ever created: the persisted cversion, and the number of the next sequential child. */
  creations: 7,
  acl: 8,
  digest: 9,
  /** CRC state after path and data: a change of the Stat alone need not go over them again. */
  prefixCrc: 10,
  nameLength: 11,
  ownerHigh: 12,
  ownerLow: 13,
  /** 0 for what lies below /zookeeper: it differs between servers and counts for no digest. */
  digested: 14,
} as const;
const FIELDS = 15;

export const NO_NODE = 0;
export const ROOT = 1;

export const SLASH = 0x2f;

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

export class NodeStore {
  protected readonly rows: PagedInts = new PagedInts(FIELDS);
  protected readonly cells: CellStore = new CellStore();

  parent(node: number): number {
    return this.rows.get(node, FIELD.parent);
  }

  firstChild(node: number): number {
    return this.rows.get(node, FIELD.firstChild);
  }

  nextSibling(node: number): number {
    return this.rows.get(node, FIELD.nextSibling);
  }

  childCount(node: number): number {
    return this.rows.get(node, FIELD.children);
  }

  descendantCount(node: number): number {
    return this.rows.get(node, FIELD.descendants);
  }

  aclOf(node: number): number {
    return this.rows.get(node, FIELD.acl);
  }

  ownerHigh(node: number): number {
    return this.rows.get(node, FIELD.ownerHigh);
  }

  ownerLow(node: number): number {
    return this.rows.get(node, FIELD.ownerLow);
  }

  isEphemeral(node: number): boolean {
    return ownerKind(this.ownerHigh(node), this.ownerLow(node)) === NODE_KIND.ephemeral;
  }

  /** The memory page that `dataStart` and `statStart` are offsets into: valid until the tree changes. */
  cellBytesOf(node: number): Uint8Array {
    return this.cells.bytesOf(this.rows.get(node, FIELD.cell) >>> 0);
  }

  nameStart(node: number): number {
    return this.cells.offsetOf(this.rows.get(node, FIELD.cell) >>> 0);
  }

  nameLength(node: number): number {
    return this.rows.get(node, FIELD.nameLength);
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
    into.creations = this.rows.get(node, FIELD.creations);
    into.ownerHigh = this.rows.get(node, FIELD.ownerHigh);
    into.ownerLow = this.rows.get(node, FIELD.ownerLow);
  }

  czxid(node: number): number {
    return readLongAsNumber(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.czxid);
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
    for (let walk = node; walk !== ROOT; walk = this.rows.get(walk, FIELD.parent))
      length += this.rows.get(walk, FIELD.nameLength) + 1;
    return length;
  }

  /** Appends the node's path; the root's is empty, as in files. */
  writePath(node: number, writer: ByteWriter): void {
    const length = this.pathLength(node);
    let at = writer.reserve(length) + length;
    for (let walk = node; walk !== ROOT; walk = this.rows.get(walk, FIELD.parent)) {
      const name = this.rows.get(walk, FIELD.nameLength);
      const from = this.nameStart(walk);
      at -= name + 1;
      writer.bytes[at] = SLASH;
      copyBytes(this.cellBytesOf(walk), from, from + name, writer.bytes, at + 1);
    }
  }

  creations(node: number): number {
    return this.rows.get(node, FIELD.creations);
  }

  // For the tree, which keeps the digest in step.

  /** Clients see creations and deletions: deletions are creations less the children there are. */
  protected showCversion(node: number): void {
    const cversion = 2 * this.rows.get(node, FIELD.creations) - this.rows.get(node, FIELD.children);
    writeInt(this.cellBytesOf(node), this.statStart(node) + STAT_OFFSETS.cversion, cversion);
  }

  protected writeStat(node: number, stat: NodeStat): void {
    const bytes = this.cellBytesOf(node);
    const at = this.statStart(node);
    const ephemeral = ownerKind(stat.ownerHigh, stat.ownerLow) === NODE_KIND.ephemeral;
    const dataLength = this.dataLength(node);
    this.rows.set(node, FIELD.creations, stat.creations);
    this.rows.set(node, FIELD.ownerHigh, stat.ownerHigh);
    this.rows.set(node, FIELD.ownerLow, stat.ownerLow);
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
    writeInt(bytes, at + STAT_OFFSETS.numChildren, this.rows.get(node, FIELD.children));
    this.showCversion(node);
  }

  /** Gives a new node its cell: name, data, and room for the Stat that must be written next. */
  protected fillCell(
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
    this.rows.set(node, FIELD.cell, cell);
    this.rows.set(node, FIELD.nameLength, nameLength);
    copyBytes(name, nameStart, nameEnd, bytes, at);
    writeData(bytes, at + nameLength, data, dataStart, dataLength);
  }

  /** New data in the same cell where it fits its class, else in another; the Stat moves along. */
  protected replaceCell(node: number, data: Uint8Array, dataStart: number, dataLength: number): void {
    const nameLength = this.nameLength(node);
    const oldLength = this.dataLength(node);
    const oldBytes = this.cellBytesOf(node);
    if (oldLength === dataLength) {
      writeData(oldBytes, this.replyStart(node), data, dataStart, dataLength);
      return;
    }
    const oldStat = this.statStart(node);
    savedStat.set(oldBytes.subarray(oldStat, oldStat + STAT_BYTES));
    writeInt(savedStat, STAT_OFFSETS.dataLength, Math.max(dataLength, 0));
    if (!this.cells.fits(cellSize(nameLength, oldLength), cellSize(nameLength, dataLength))) {
      const old = this.rows.get(node, FIELD.cell) >>> 0;
      const cell = this.cells.allocate(cellSize(nameLength, dataLength));
      const oldAt = this.cells.offsetOf(old);
      copyBytes(oldBytes, oldAt, oldAt + nameLength, this.cells.bytesOf(cell), this.cells.offsetOf(cell));
      this.cells.release(old);
      this.rows.set(node, FIELD.cell, cell);
    }
    const bytes = this.cellBytesOf(node);
    writeData(bytes, this.replyStart(node), data, dataStart, dataLength);
    bytes.set(savedStat, this.statStart(node));
  }
}

const savedStat = new Uint8Array(STAT_BYTES);

function cellSize(nameLength: number, dataLength: number): number {
  return nameLength + 4 + Math.max(0, dataLength) + STAT_BYTES;
}

function writeData(bytes: Uint8Array, at: number, data: Uint8Array, dataStart: number, dataLength: number): void {
  writeInt(bytes, at, dataLength);
  if (dataLength > 0) copyBytes(data, dataStart, dataStart + dataLength, bytes, at + 4);
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
