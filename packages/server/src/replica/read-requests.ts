import {
  ADD_WATCH_MODE,
  addWatchRequest,
  ByteReader,
  type ByteWriter,
  ERR,
  EVENT_STATE_SYNC_CONNECTED,
  EVENT_TYPE,
  encodeText,
  existsRequest,
  getAclRequest,
  getAclResponse,
  getAllChildrenNumberRequest,
  getChildrenRequest,
  getDataRequest,
  getEphemeralsRequest,
  multiHeader,
  OP,
  PERMISSIONS,
  RECORD_SLOTS_MAX,
  setWatches2Request,
  setWatchesRequest,
  WATCH_TYPE,
  WireError,
  watchTypeRequest,
  XID,
} from "@watchkeeper/wire";
import type { Counter } from "../metrics/index.js";
import type { Logger } from "../ports/index.js";
import { type AccessControl, userName } from "../requests/index.js";
import { hasNul, NO_NODE, sessionKey, type Tree } from "../tree/index.js";
import { WATCH_BIT, type WatchTable } from "../watches/index.js";
import type { Connection } from "./connection.js";
import { beginReply, endFrame, HEADER_REPLY_BYTES, writeEvent, writeHeaderReply, writeStatOf } from "./replies.js";

export interface ReadSettings {
  /** A client's own limit on frames, as far as the server can know it: longer replies are sent, and logged. */
  readonly frameBytesMax: number;
  readonly watchesPerConnectionMax: number;
  readonly multiReadBytesMax: number;
}

const slots = new Int32Array(RECORD_SLOTS_MAX);
const PATH = getDataRequest.slots.path;
const WATCH = getDataRequest.slots.watch;

/**
 * Reads and watch operations: answered at once from the tree, the watch registered in the same step
 * in which the node is read, so that no change can come between (M2). Bodies are read where they lie;
 * a reply is copied from the node's cell.
 */
export class ReadRequests {
  private readonly tree: Tree;
  private readonly watches: WatchTable;
  private readonly access: AccessControl;
  private readonly settings: ReadSettings;
  private readonly logger: Logger;
  private readonly throttled: Counter;
  private readonly reader = new ByteReader(new Uint8Array(0));
  private writer!: ByteWriter;
  private frameStart = 0;
  /** By the limit, since the last setWatches began. */
  private watchesRefused = 0;

  constructor(
    tree: Tree,
    watches: WatchTable,
    access: AccessControl,
    settings: ReadSettings,
    throttled: Counter,
    logger: Logger,
  ) {
    this.throttled = throttled;
    this.tree = tree;
    this.watches = watches;
    this.access = access;
    this.settings = settings;
    this.logger = logger;
  }

  /** Answers the request whose body is `[start, end)` into the connection's output. @returns the reply's bytes */
  answer(
    connection: Connection,
    requestXid: number,
    opcode: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: number,
  ): number {
    const writer = connection.writer();
    const xid = opcode === OP.ping ? XID.ping : requestXid; // whatever the ping's own
    this.writer = writer;
    const at = beginReply(writer, xid, zxid, 0);
    this.frameStart = at;
    this.reader.reset(bytes, start, end);
    let err: number;
    try {
      err = this.body(connection, opcode, bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      err = ERR.MARSHALLING_ERROR;
    }
    if (err !== 0) {
      // Catch-up events may stand before the reply; they stay.
      writer.length = this.frameStart;
      writeHeaderReply(writer, xid, err === ERR.UNIMPLEMENTED ? -1 : zxid, err);
      if (err === ERR.THROTTLED_OP) this.throttled.add(1);
      return HEADER_REPLY_BYTES;
    }
    endFrame(writer, this.frameStart);
    const length = writer.length - this.frameStart - 4;
    if (length > this.settings.frameBytesMax) this.logLongReply(connection, opcode, bytes, start, length);
    return length;
  }

  private body(connection: Connection, opcode: number, bytes: Uint8Array): number {
    switch (opcode) {
      case OP.getData:
        getDataRequest.scan(this.reader, slots, 0);
        return this.getData(connection, bytes, slots[WATCH] !== 0);
      case OP.exists:
        existsRequest.scan(this.reader, slots, 0);
        return this.exists(connection, bytes);
      case OP.getChildren:
      case OP.getChildren2:
        getChildrenRequest.scan(this.reader, slots, 0);
        return this.getChildren(connection, bytes, slots[WATCH] !== 0, opcode === OP.getChildren2);
      case OP.ping:
        return 0;
      case OP.getACL:
        getAclRequest.scan(this.reader, slots, 0);
        return this.getAcl(connection, bytes);
      case OP.multiRead:
        return this.multiRead(connection, bytes);
      case OP.getEphemerals:
        getEphemeralsRequest.scan(this.reader, slots, 0);
        return this.getEphemerals(connection, bytes);
      case OP.getAllChildrenNumber:
        getAllChildrenNumberRequest.scan(this.reader, slots, 0);
        return this.getAllChildrenNumber(connection, bytes);
      case OP.whoAmI:
        return this.whoAmI(connection);
      case OP.addWatch:
        addWatchRequest.scan(this.reader, slots, 0);
        return this.addWatch(connection, bytes);
      case OP.checkWatches:
      case OP.removeWatches:
        watchTypeRequest.scan(this.reader, slots, 0);
        return this.checkOrRemoveWatches(connection, bytes, opcode === OP.removeWatches);
      case OP.setWatches:
        return this.setWatches(connection, bytes, false);
      case OP.setWatches2:
        return this.setWatches(connection, bytes, true);
      default:
        return ERR.UNIMPLEMENTED;
    }
  }

  private find(bytes: Uint8Array): number {
    const start = slots[PATH]!;
    return this.tree.find(bytes, start, start + slots[PATH + 1]!);
  }

  private mayRead(connection: Connection, node: number): boolean {
    return this.access.allows(this.tree.aclOf(node), PERMISSIONS.read, connection.identities);
  }

  /** False where the connection has as many watches as it may; one more way of watching the same path is no more. */
  private watch(connection: Connection, bytes: Uint8Array, start: number, length: number, bit: number): boolean {
    const { watches } = this;
    const { watcher } = connection;
    const end = start + length;
    const isFull = watches.countOf(watcher) >= this.settings.watchesPerConnectionMax;
    if (isFull && !watches.has(watcher, bytes, start, end, WATCH_TYPE.any)) {
      this.watchesRefused += 1;
      return false;
    }
    watches.add(watcher, bytes, start, end, bit);
    return true;
  }

  private getData(connection: Connection, bytes: Uint8Array, watch: boolean): number {
    const node = this.find(bytes);
    if (node === NO_NODE) return ERR.NO_NODE;
    if (!this.mayRead(connection, node)) return ERR.NO_AUTH;
    if (watch && !this.watch(connection, bytes, slots[PATH]!, slots[PATH + 1]!, WATCH_BIT.data))
      return ERR.THROTTLED_OP;
    const start = this.tree.replyStart(node);
    this.writer.copy(this.tree.cellBytesOf(node), start, start + this.tree.replyBytes(node));
    return 0;
  }

  private exists(connection: Connection, bytes: Uint8Array): number {
    const start = slots[PATH]!;
    const length = slots[PATH + 1]!;
    if (hasNul(bytes, start, start + length)) return ERR.BAD_ARGUMENTS;
    const node = this.tree.find(bytes, start, start + length);
    if (node !== NO_NODE && !this.mayRead(connection, node)) return ERR.NO_AUTH;
    if (slots[WATCH] !== 0 && !this.watch(connection, bytes, start, length, WATCH_BIT.data)) return ERR.THROTTLED_OP;
    if (node === NO_NODE) return ERR.NO_NODE;
    writeStatOf(this.writer, this.tree, node);
    return 0;
  }

  private getChildren(connection: Connection, bytes: Uint8Array, watch: boolean, withStat: boolean): number {
    const node = this.find(bytes);
    if (node === NO_NODE) return ERR.NO_NODE;
    if (!this.mayRead(connection, node)) return ERR.NO_AUTH;
    if (watch && !this.watch(connection, bytes, slots[PATH]!, slots[PATH + 1]!, WATCH_BIT.children))
      return ERR.THROTTLED_OP;
    const { tree, writer } = this;
    writer.int(tree.childCount(node));
    for (let child = tree.firstChild(node); child !== NO_NODE; child = tree.nextSibling(child)) {
      const start = tree.nameStart(child);
      const length = tree.nameLength(child);
      writer.int(length);
      writer.copy(tree.cellBytesOf(child), start, start + length);
    }
    if (withStat) writeStatOf(writer, tree, node);
    return 0;
  }

  private getAcl(connection: Connection, bytes: Uint8Array): number {
    const node = this.find(bytes);
    if (node === NO_NODE) return ERR.NO_NODE;
    const acl = this.tree.aclOf(node);
    if (!this.access.allows(acl, PERMISSIONS.read | PERMISSIONS.admin, connection.identities)) return ERR.NO_AUTH;
    getAclResponse.fields.acl.encode(this.writer, [
      ...this.access.redacted(acl, connection.identities, PERMISSIONS.admin),
    ]);
    writeStatOf(this.writer, this.tree, node);
    return 0;
  }

  /** Independent reads: one that fails leaves an error in its place. Watch flags are ignored, as in Apache. */
  private multiRead(connection: Connection, bytes: Uint8Array): number {
    const { writer } = this;
    for (;;) {
      multiHeader.scan(this.reader, slots, 0);
      if (slots[multiHeader.slots.done] !== 0) break;
      const opcode = slots[multiHeader.slots.type]!;
      if (opcode !== OP.getData && opcode !== OP.getChildren) return ERR.MARSHALLING_ERROR;
      if (writer.length - this.frameStart > this.settings.multiReadBytesMax) return ERR.THROTTLED_OP;
      getDataRequest.scan(this.reader, slots, 0); // getChildren's body has the same form
      const at = writer.length;
      writeMultiHeader(writer, opcode, false, 0);
      const err =
        opcode === OP.getData
          ? this.getData(connection, bytes, false)
          : this.getChildren(connection, bytes, false, false);
      if (err === 0) continue;
      writer.length = at;
      writeMultiHeader(writer, OP.error, false, err);
      writer.int(err);
    }
    writeMultiHeader(writer, OP.error, true, -1);
    return 0;
  }

  private getEphemerals(connection: Connection, bytes: Uint8Array): number {
    const { tree, writer } = this;
    const session = connection.session!;
    const prefixStart = slots[PATH]!;
    const prefix = bytes.subarray(prefixStart, prefixStart + Math.max(0, slots[PATH + 1]!));
    const all = isBlankOrRoot(prefix);
    const countAt = writer.reserve(4);
    let count = 0;
    for (const node of tree.ephemeralsOf(sessionKey(session.idHigh, session.idLow))) {
      const at = writer.length;
      writer.int(tree.pathLength(node));
      tree.writePath(node, writer);
      if (!all && !startsWith(writer.bytes, at + 4, writer.length, prefix)) writer.length = at;
      else count += 1;
    }
    const end = writer.length;
    writer.length = countAt;
    writer.int(count);
    writer.length = end;
    return 0;
  }

  private getAllChildrenNumber(connection: Connection, bytes: Uint8Array): number {
    const node = this.find(bytes);
    if (node === NO_NODE) return ERR.NO_NODE;
    if (!this.mayRead(connection, node)) return ERR.NO_AUTH;
    this.writer.int(this.tree.descendantCount(node));
    return 0;
  }

  private whoAmI(connection: Connection): number {
    this.writer.int(connection.identities.length);
    for (const identity of connection.identities) {
      this.writer.ustring(identity.scheme);
      this.writer.ustring(userName(identity));
    }
    return 0;
  }

  private addWatch(connection: Connection, bytes: Uint8Array): number {
    const mode = slots[addWatchRequest.slots.mode]!;
    if (mode !== ADD_WATCH_MODE.persistent && mode !== ADD_WATCH_MODE.persistentRecursive) return ERR.MARSHALLING_ERROR;
    const bit = mode === ADD_WATCH_MODE.persistent ? WATCH_BIT.persistent : WATCH_BIT.recursive;
    if (!this.watch(connection, bytes, slots[PATH]!, slots[PATH + 1]!, bit)) return ERR.THROTTLED_OP;
    this.writer.int(0);
    return 0;
  }

  private checkOrRemoveWatches(connection: Connection, bytes: Uint8Array, remove: boolean): number {
    const start = slots[PATH]!;
    const end = start + slots[PATH + 1]!;
    const type = slots[watchTypeRequest.slots.type]!;
    if (type < WATCH_TYPE.children || type > WATCH_TYPE.persistentRecursive) return ERR.MARSHALLING_ERROR;
    const found = remove
      ? this.watches.remove(connection.watcher, bytes, start, end, type)
      : this.watches.has(connection.watcher, bytes, start, end, type);
    return found ? 0 : ERR.NO_WATCHER;
  }

  /**
   * Registers again what a client watched before it lost its connection, and tells it at once what
   * has changed since (M14). The events leave before the reply: the reply's frame, begun already,
   * moves behind them.
   */
  private setWatches(connection: Connection, bytes: Uint8Array, withPersistent: boolean): number {
    const record = withPersistent ? setWatches2Request : setWatchesRequest;
    this.watchesRefused = 0;
    record.scan(this.reader, slots, 0);
    const at = setWatchesRequest.slots;
    const since = slots[at.relativeZxid]! * 2 ** 32 + (slots[at.relativeZxid + 1]! >>> 0);
    const { writer } = this;
    const header = writer.bytes.slice(this.frameStart, writer.length);
    writer.length = this.frameStart;
    const lists: [number, (start: number, length: number) => void][] = [
      [at.dataWatches, (start, length) => this.catchUpData(connection, bytes, start, length, since)],
      [at.existWatches, (start, length) => this.catchUpExists(connection, bytes, start, length)],
      [at.childWatches, (start, length) => this.catchUpChildren(connection, bytes, start, length, since)],
    ];
    if (withPersistent) {
      const persistent = setWatches2Request.slots;
      lists.push(
        [
          persistent.persistentWatches,
          (start, length) => this.watch(connection, bytes, start, length, WATCH_BIT.persistent),
        ],
        [
          persistent.persistentRecursiveWatches,
          (start, length) => this.watch(connection, bytes, start, length, WATCH_BIT.recursive),
        ],
      );
    }
    const places = lists.map(([slot, each]) => ({ start: slots[slot]!, count: slots[slot + 1]!, each }));
    for (const place of places) this.forEachPath(place.start, place.count, place.each);
    this.frameStart = writer.length;
    writer.copy(header, 0, header.length);
    return this.watchesRefused > 0 ? ERR.THROTTLED_OP : 0;
  }

  private forEachPath(start: number, count: number, each: (start: number, length: number) => void): void {
    this.reader.position = start;
    for (let i = 0; i < count; i++) {
      const length = this.reader.length();
      const at = this.reader.position;
      this.reader.skip(length);
      each(at, length);
    }
  }

  private catchUpData(connection: Connection, bytes: Uint8Array, start: number, length: number, since: number): void {
    const node = this.tree.find(bytes, start, start + length);
    if (node === NO_NODE) this.sendCatchUp(connection, EVENT_TYPE.nodeDeleted, bytes, start, length, node);
    else if (this.tree.mzxid(node) > since)
      this.sendCatchUp(connection, EVENT_TYPE.nodeDataChanged, bytes, start, length, node);
    else this.watch(connection, bytes, start, length, WATCH_BIT.data);
  }

  private catchUpExists(connection: Connection, bytes: Uint8Array, start: number, length: number): void {
    const node = this.tree.find(bytes, start, start + length);
    if (node !== NO_NODE) this.sendCatchUp(connection, EVENT_TYPE.nodeCreated, bytes, start, length, node);
    else this.watch(connection, bytes, start, length, WATCH_BIT.data);
  }

  private catchUpChildren(
    connection: Connection,
    bytes: Uint8Array,
    start: number,
    length: number,
    since: number,
  ): void {
    const node = this.tree.find(bytes, start, start + length);
    if (node === NO_NODE) this.sendCatchUp(connection, EVENT_TYPE.nodeDeleted, bytes, start, length, node);
    else if (this.tree.pzxid(node) > since)
      this.sendCatchUp(connection, EVENT_TYPE.nodeChildrenChanged, bytes, start, length, node);
    else this.watch(connection, bytes, start, length, WATCH_BIT.children);
  }

  /** Unlike Apache, whoever may not read the node is not told of it here either. */
  private sendCatchUp(
    connection: Connection,
    type: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    node: number,
  ): void {
    if (node !== NO_NODE && !this.mayRead(connection, node)) return;
    writeEvent(this.writer, -1, type, EVENT_STATE_SYNC_CONNECTED, bytes, start, start + length);
    connection.stats.sent += 1;
  }

  private logLongReply(connection: Connection, opcode: number, bytes: Uint8Array, start: number, length: number): void {
    const path = opcode === OP.multiRead || opcode === OP.getEphemerals ? undefined : pathForLog(bytes, start);
    this.logger.warn(
      { path, replyBytes: length, limitBytes: this.settings.frameBytesMax, remote: connection.address },
      "A reply is longer than jute.maxbuffer; a client with the default limit will drop the connection on it. Raise jute.maxbuffer on the clients, or give the node fewer children",
    );
  }
}

function pathForLog(bytes: Uint8Array, start: number): string | null {
  return new ByteReader(bytes, start).ustring();
}

function writeMultiHeader(writer: ByteWriter, type: number, done: boolean, err: number): void {
  writer.int(type);
  writer.bool(done);
  writer.int(err);
}

const SPACE = 0x20;
const ROOT_BYTES = encodeText("/");

/** Java's `trim` takes every byte up to the space away, at both ends. */
function isBlankOrRoot(prefix: Uint8Array): boolean {
  const start = prefix.findIndex((byte) => byte > SPACE);
  const end = prefix.findLastIndex((byte) => byte > SPACE);
  return start === -1 || (start === end && prefix[start] === ROOT_BYTES[0]);
}

function startsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}
