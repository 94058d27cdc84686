import {
  type ByteWriter,
  copyBytes,
  readInt,
  readLongAsNumber,
  STAT_OFFSETS,
  STAT_PERSISTED_BYTES,
  writeInt,
} from "@watchkeeper/wire";
import type { SessionTable } from "../sessions/index.js";
import type { SnapshotSession, SnapshotSink, SnapshotSource } from "../storage/index.js";
import {
  emptyStat,
  encodeAcl,
  lastSlash,
  NO_NODE,
  type NodeSource,
  type NodeStat,
  OPEN_ACL,
  sessionKey,
  type Tree,
  TreeCursor,
} from "../tree/index.js";

/** A tree and its sessions as a snapshot holds them: written while they change, read into a new tree. */

/** Begins a snapshot of what is applied now. */
export function snapshotSource(
  tree: Tree,
  sessions: SessionTable,
  zxid: number,
  lastZxid: () => number,
): SnapshotSource {
  const cursor = new TreeCursor(tree);
  return {
    zxid,
    sessions: () =>
      [...sessions.all()].map((session) => ({
        idHigh: session.idHigh,
        idLow: session.idLow,
        timeoutMs: session.createdTimeoutMs,
      })),
    acls: () => tree.acls.all(),
    writeNodes(writer, bytesWanted) {
      while (writer.length < bytesWanted) {
        const node = cursor.take();
        if (node === NO_NODE) return false;
        writeNode(tree, node, writer);
      }
      return true;
    },
    lastZxid,
    digest: () =>
      tree.digestEnabled ? { zxid: lastZxid(), digestHigh: tree.digest.high, digestLow: tree.digest.low } : undefined,
    release: () => cursor.close(),
  };
}

function writeNode(tree: Tree, node: number, writer: ByteWriter): void {
  writer.int(tree.pathLength(node));
  tree.writePath(node, writer);
  const bytes = tree.cellBytesOf(node);
  const replyStart = tree.replyStart(node);
  const statStart = tree.statStart(node);
  writer.copy(bytes, replyStart, statStart);
  writer.longFromNumber(tree.aclOf(node));
  const at = writer.reserve(STAT_PERSISTED_BYTES);
  copyBytes(bytes, statStart, statStart + STAT_OFFSETS.cversion, writer.bytes, at);
  writeInt(writer.bytes, at + 36, tree.creations(node));
  copyBytes(bytes, statStart + STAT_OFFSETS.aversion, statStart + STAT_OFFSETS.ephemeralOwner, writer.bytes, at + 40);
  writeInt(writer.bytes, at + 44, tree.ownerHigh(node));
  writeInt(writer.bytes, at + 48, tree.ownerLow(node));
  copyBytes(bytes, statStart + STAT_OFFSETS.pzxid, statStart + STAT_OFFSETS.pzxid + 8, writer.bytes, at + 52);
}

/** Takes a snapshot into an empty tree. */
export class TreeRestore implements SnapshotSink {
  readonly tree: Tree;
  readonly sessions = new Map<bigint, SnapshotSession>();
  /** The tree's digest as the snapshot recorded it, and at which zxid. */
  recordedDigest: { readonly zxid: number; readonly high: number; readonly low: number } | undefined;
  /** From the file's numbers of ACL lists, any longs, to the table's own. */
  private readonly aclNumbers = new Map<number, number>();
  private readonly stat: NodeStat = emptyStat();
  private readonly source: { -readonly [K in keyof NodeSource]: NodeSource[K] } = {
    path: new Uint8Array(0),
    pathStart: 0,
    pathEnd: 0,
    data: new Uint8Array(0),
    dataStart: 0,
    dataLength: 0,
  };

  constructor(tree: Tree) {
    this.tree = tree;
  }

  session(session: SnapshotSession): void {
    this.sessions.set(sessionKey(session.idHigh, session.idLow), session);
  }

  acl(aclId: number, bytes: Uint8Array, start: number, end: number): void {
    this.aclNumbers.set(aclId, this.tree.acls.restore(bytes, start, end));
  }

  node(
    bytes: Uint8Array,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    aclId: number,
    statStart: number,
  ): boolean {
    const { tree, stat, source } = this;
    readPersistedStat(bytes, statStart, stat);
    const aclNumber = aclId === OPEN_ACL ? OPEN_ACL : this.aclNumberOf(aclId);
    tree.acls.useAgain(aclNumber);
    if (pathLength === 0) {
      tree.restoreRoot(bytes, dataStart, dataLength, aclNumber, stat);
      return true;
    }
    const pathEnd = pathStart + pathLength;
    const parent = tree.find(bytes, pathStart, lastSlash(bytes, pathStart, pathEnd));
    if (parent === NO_NODE) return false;
    source.path = bytes;
    source.pathStart = pathStart;
    source.pathEnd = pathEnd;
    source.data = bytes;
    source.dataStart = dataStart;
    source.dataLength = dataLength;
    tree.restore(parent, source, aclNumber, stat);
    return true;
  }

  /**
   * A list that is not in the file's table was made after the table was written; the txn that gave it to
   * the node is behind the snapshot and will give it again. Until then nobody may do anything with it.
   */
  private aclNumberOf(aclId: number): number {
    const known = this.aclNumbers.get(aclId);
    if (known !== undefined) return known;
    const number = this.tree.acls.restore(CLOSED_ACL_BYTES, 0, CLOSED_ACL_BYTES.length);
    this.aclNumbers.set(aclId, number);
    return number;
  }

  /** Only a digest that lies at or after the snapshot's name can be compared with; recovery asks for it then. */
  digest(zxid: number, digestHigh: number, digestLow: number): void {
    this.recordedDigest = { zxid, high: digestHigh, low: digestLow };
  }
}

const CLOSED_ACL_BYTES = encodeAcl([{ perms: 0, id: { scheme: "world", id: "anyone" } }]);

export function readPersistedStat(bytes: Uint8Array, at: number, into: NodeStat): void {
  into.czxid = readLongAsNumber(bytes, at);
  into.mzxid = readLongAsNumber(bytes, at + 8);
  into.ctime = readLongAsNumber(bytes, at + 16);
  into.mtime = readLongAsNumber(bytes, at + 24);
  into.version = readInt(bytes, at + 32);
  into.creations = readInt(bytes, at + 36);
  into.aversion = readInt(bytes, at + 40);
  into.ownerHigh = readInt(bytes, at + 44);
  into.ownerLow = readInt(bytes, at + 48);
  into.pzxid = readLongAsNumber(bytes, at + 52);
}
