import {
  ByteReader,
  type ByteWriter,
  checkVersionRequest,
  createRequest,
  createTtlRequest,
  DIGEST_VERSION,
  deleteRequest,
  ERR,
  multiHeader,
  OP,
  PERMISSIONS,
  RECORD_SLOTS_MAX,
  reconfigRequest,
  setAclRequest,
  setDataRequest,
  TXN_DIGEST_BYTES,
  TXN_HEADER_BYTES,
  WireError,
  writeInt,
} from "@watchkeeper/wire";
import {
  CRC32_START,
  crc32Continue,
  hasSlashAndNoNul,
  isValidPath,
  lastSlash,
  NODE_KIND,
  ownerKind,
  sessionKey,
} from "../tree/index.js";
import type { AccessControl, Identity } from "./access-control.js";
import { checkFlags, isEphemeral, isSequential, ownerOf, SequencePath } from "./create-rules.js";
import { isDigestedPath, type PendingChanges, type PendingNode } from "./pending-changes.js";
import type { QuotaCheck } from "./quota-check.js";

/**
 * From a request to a transaction (Apache's `PrepRequestProcessor`): checks it, in the order that
 * decides which error a client sees, against the tree and everything accepted before, and encodes the
 * txn where it will be logged. Whatever the outcome, the write takes its zxid: a refused one becomes
 * an error txn.
 *
 * What reaches the log must be appliable on every server, for ever: every combination of opcode,
 * flags and ttl is settled here.
 */
export interface TxnSink {
  readonly writer: ByteWriter;
  begin(): number;
  end(zxid: number): void;
  abandonEntry(): void;
  readonly openEntryBytes: number;
}

/** Who asks, and with what: the body lies in `[start, end)`. */
export interface WriteRequest {
  opcode: number;
  xid: number;
  sessionHigh: number;
  sessionLow: number;
  identities: readonly Identity[];
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** To be filled in: one is used for all requests, which none of the callees keeps. */
export function emptyWriteRequest(): WriteRequest {
  return {
    opcode: 0,
    xid: 0,
    sessionHigh: 0,
    sessionLow: 0,
    identities: [],
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
  };
}

export interface PreparerSettings {
  readonly extendedTypesEnabled: boolean;
  readonly reconfigEnabled: boolean;
  /** The longest entry a reader of the log accepts. */
  readonly txnBytesMax: number;
}

const slots = new Int32Array(RECORD_SLOTS_MAX);

export class WritePreparer {
  private readonly pending: PendingChanges;
  private readonly access: AccessControl;
  private readonly quotas: QuotaCheck;
  private readonly settings: PreparerSettings;
  private readonly reader = new ByteReader(new Uint8Array(0));
  private readonly sequencePath = new SequencePath();
  private request!: WriteRequest;
  private zxid = 0;
  private timeMs = 0;

  constructor(pending: PendingChanges, access: AccessControl, quotas: QuotaCheck, settings: PreparerSettings) {
    this.pending = pending;
    this.access = access;
    this.quotas = quotas;
    this.settings = settings;
  }

  /** Makes the request's txn. @returns its error code, 0 for a txn that does what was asked */
  prepare(request: WriteRequest, sink: TxnSink, zxid: number, timeMs: number): number {
    this.request = request;
    this.zxid = zxid;
    this.timeMs = timeMs;
    this.beginTxn();
    sink.begin();
    this.writeHeader(sink.writer, request.opcode);
    let err = this.attempt(request, sink.writer);
    if (err === 0 && sink.openEntryBytes + TXN_DIGEST_BYTES > this.settings.txnBytesMax) err = ERR.BAD_ARGUMENTS;
    if (err !== 0) {
      this.rollBack();
      sink.abandonEntry();
      sink.begin();
      this.writeHeader(sink.writer, OP.error);
      sink.writer.int(err);
    } else {
      this.pending.endTxn();
      this.writeDigest(sink.writer);
    }
    sink.end(zxid);
    return err;
  }

  /** A write that is refused before anything of its body is looked at. */
  prepareError(request: WriteRequest, err: number, sink: TxnSink, zxid: number, timeMs: number): void {
    this.request = request;
    this.zxid = zxid;
    this.timeMs = timeMs;
    sink.begin();
    this.writeHeader(sink.writer, OP.error);
    sink.writer.int(err);
    sink.end(zxid);
  }

  /** Nothing is in flight: what was thought to come is forgotten, and the tree alone is what counts. */
  restart(): void {
    this.pending.restart();
    this.quotas.restart();
  }

  /** A session that opens. */
  prepareCreateSession(request: WriteRequest, timeoutMs: number, sink: TxnSink, zxid: number, timeMs: number): void {
    this.beginInternal(request, sink, zxid, timeMs);
    sink.writer.int(timeoutMs);
    this.endInternal(sink);
  }

  /** A session that closes, by its client or by expiry: the txn names the ephemerals that go with it. */
  prepareCloseSession(
    request: WriteRequest,
    sink: TxnSink,
    zxid: number,
    timeMs: number,
    pathOf: (node: number) => Uint8Array,
  ): void {
    this.beginInternal(request, sink, zxid, timeMs);
    const key = sessionKey(request.sessionHigh, request.sessionLow);
    const paths = this.pending.ephemeralPaths(key, request.sessionHigh, request.sessionLow, pathOf);
    // Too many to name: an empty list, for applying deletes whatever the session still owns anyway.
    const named = listBytes(paths) <= this.settings.txnBytesMax - TXN_FRAME_BYTES ? paths : [];
    sink.writer.int(named.length);
    for (const path of named) sink.writer.buffer(path);
    for (const path of paths) {
      this.removeNode(this.pending.find(path, 0, path.length)!, path, 0, path.length);
    }
    this.endInternal(sink);
  }

  /** A container without children, or a TTL node whose time is up; re-checked here, since it was found earlier. */
  prepareDeleteContainer(request: WriteRequest, path: Uint8Array, sink: TxnSink, zxid: number, timeMs: number): void {
    this.beginInternal(request, sink, zxid, timeMs);
    const node = this.pending.find(path, 0, path.length);
    let err = 0;
    if (node === undefined) err = ERR.NO_NODE;
    else if (node.childCount > 0) err = ERR.NOT_EMPTY;
    else if (!isSweepable(node)) err = ERR.BAD_VERSION;
    if (err !== 0) {
      sink.abandonEntry();
      sink.begin();
      this.writeHeader(sink.writer, OP.error);
      sink.writer.int(err);
      sink.end(zxid);
      return;
    }
    sink.writer.buffer(path);
    this.removeNode(node!, path, 0, path.length);
    this.endInternal(sink);
  }

  onApplied(zxid: number): void {
    this.pending.onApplied(zxid);
    this.quotas.onApplied(zxid);
  }

  private beginInternal(request: WriteRequest, sink: TxnSink, zxid: number, timeMs: number): void {
    this.request = request;
    this.zxid = zxid;
    this.timeMs = timeMs;
    this.beginTxn();
    sink.begin();
    this.writeHeader(sink.writer, request.opcode);
  }

  private endInternal(sink: TxnSink): void {
    this.pending.endTxn();
    this.writeDigest(sink.writer);
    sink.end(this.zxid);
  }

  private beginTxn(): void {
    this.pending.beginTxn();
    this.quotas.beginTxn();
  }

  private rollBack(): void {
    this.pending.rollBack();
    this.quotas.rollBack();
  }

  private attempt(request: WriteRequest, writer: ByteWriter): number {
    try {
      this.reader.reset(request.bytes, request.start, request.end);
      if (request.opcode === OP.multi) return this.multi(writer);
      if (request.opcode === OP.reconfig) return this.reconfig();
      return this.operation(request.opcode, request.opcode, writer);
    } catch (error) {
      if (error instanceof WireError) return ERR.MARSHALLING_ERROR;
      throw error;
    }
  }

  /** A server that stands alone has nothing to reconfigure. */
  private reconfig(): number {
    reconfigRequest.scan(this.reader, slots, 0);
    return this.settings.reconfigEnabled ? ERR.UNIMPLEMENTED : ERR.RECONFIG_DISABLED;
  }

  /** One operation, alone or in a multi: reads its body from the reader, writes its txn record. */
  private operation(opcode: number, as: number, writer: ByteWriter): number {
    switch (opcode) {
      case OP.create:
      case OP.create2:
      case OP.createContainer:
        createRequest.scan(this.reader, slots, 0);
        return this.create(as, slots[createRequest.slots.flags]!, -1, writer);
      case OP.createTTL: {
        createTtlRequest.scan(this.reader, slots, 0);
        const at = createTtlRequest.slots.ttl;
        return this.create(
          as,
          slots[createTtlRequest.slots.flags]!,
          slots[at]! * 2 ** 32 + (slots[at + 1]! >>> 0),
          writer,
        );
      }
      case OP.delete:
        deleteRequest.scan(this.reader, slots, 0);
        return this.delete(writer);
      case OP.setData:
        setDataRequest.scan(this.reader, slots, 0);
        return this.setData(writer);
      case OP.setACL:
        setAclRequest.scan(this.reader, slots, 0);
        return this.setAcl(writer);
      case OP.check:
        checkVersionRequest.scan(this.reader, slots, 0);
        return this.check(writer);
      default:
        return ERR.UNIMPLEMENTED;
    }
  }

  private create(opcode: number, flags: number, ttlMs: number, writer: ByteWriter): number {
    const { bytes, identities } = this.request;
    const err = checkFlags(opcode, flags, ttlMs, this.settings.extendedTypesEnabled);
    if (err !== 0) return err;
    const pathStart = slots[createRequest.slots.path]!;
    const pathEnd = pathStart + slots[createRequest.slots.path + 1]!;
    const dataStart = slots[createRequest.slots.data]!;
    const dataLength = slots[createRequest.slots.data + 1]!;
    if (!hasSlashAndNoNul(bytes, pathStart, pathEnd)) return ERR.BAD_ARGUMENTS;
    if (slots[createRequest.slots.acl + 1]! <= 0) return ERR.INVALID_ACL;
    const aclStart = slots[createRequest.slots.acl]! - 4;
    const aclEnd = this.reader.position - (opcode === OP.createTTL ? 12 : 4);
    const acl = this.access.storedForm(bytes, aclStart, aclEnd, identities);
    if (acl === undefined) return ERR.INVALID_ACL;
    const parentEnd = lastSlash(bytes, pathStart, pathEnd);
    const parent = this.pending.find(bytes, pathStart, parentEnd);
    if (parent === undefined) return ERR.NO_NODE;
    if (!this.access.allows(parent.acl, PERMISSIONS.create, identities)) return ERR.NO_AUTH;

    const creations = parent.creations;
    let path = bytes;
    let start = pathStart;
    let end = pathEnd;
    if (isSequential(flags)) {
      this.sequencePath.set(bytes, pathStart, pathEnd, creations);
      path = this.sequencePath.bytes;
      start = 0;
      end = this.sequencePath.length;
    }
    if (!isValidPath(path, start, end)) return ERR.BAD_ARGUMENTS;
    if (this.pending.find(path, start, end) !== undefined) return ERR.NODE_EXISTS;
    if (ownerKind(parent.ownerHigh, parent.ownerLow) === NODE_KIND.ephemeral) return ERR.NO_CHILDREN_FOR_EPHEMERALS;
    if (!this.quotas.take(path, start, end, this.zxid, 1, Math.max(0, dataLength))) return ERR.QUOTA_EXCEEDED;

    const parentCreations = (creations + 1) | 0;
    const at = writePath(writer, path, start, end);
    writeData(writer, bytes, dataStart, dataLength);
    writer.copy(acl, 0, acl.length);
    const owner = ownerOf(flags, ttlMs, this.request);
    if (opcode === OP.create || opcode === OP.create2) writer.bool(isEphemeral(flags));
    writer.int(parentCreations);
    if (opcode === OP.createTTL) writer.longFromNumber(ttlMs);

    // From here on the path is the one in the txn: the request's bytes may be read into again.
    const changedParent = this.pending.change(parent, this.zxid, writer.bytes, at, at + parentEnd - pathStart);
    changedParent.childCount += 1;
    if (parentCreations > changedParent.creations) {
      changedParent.creations = parentCreations;
      changedParent.pzxid = this.zxid;
    }
    this.pending.refreshDigest(changedParent);
    const node = this.pending.add(writer.bytes, at, at + end - start, this.zxid, owner);
    node.czxid = node.mzxid = node.pzxid = this.zxid;
    node.ctime = node.mtime = this.timeMs;
    node.acl = acl;
    node.dataLength = dataLength;
    node.digested = isDigestedPath(path, start, end);
    this.setPrefix(node, bytes, dataStart, dataLength);
    this.pending.refreshDigest(node);
    return 0;
  }

  private setPrefix(node: PendingNode, data: Uint8Array, dataStart: number, dataLength: number): void {
    if (!node.digested) return;
    const afterPath = crc32Continue(CRC32_START, node.path, node.pathStart, node.pathEnd);
    node.prefixCrc = crc32Continue(afterPath, data, dataStart, dataStart + Math.max(0, dataLength));
  }

  private delete(writer: ByteWriter): number {
    const { bytes, identities } = this.request;
    const start = slots[deleteRequest.slots.path]!;
    const end = start + slots[deleteRequest.slots.path + 1]!;
    const version = slots[deleteRequest.slots.version]!;
    if (!hasSlashAndNoNul(bytes, start, end) || isUndeletable(bytes, start, end)) return ERR.BAD_ARGUMENTS;
    const parentEnd = lastSlash(bytes, start, end);
    const parent = this.pending.find(bytes, start, parentEnd);
    if (parent === undefined) return ERR.NO_NODE;
    if (!this.access.allows(parent.acl, PERMISSIONS.delete, identities)) return ERR.NO_AUTH;
    const node = this.pending.find(bytes, start, end);
    if (node === undefined) return ERR.NO_NODE;
    if (version !== -1 && version !== node.version) return ERR.BAD_VERSION;
    if (node.childCount > 0) return ERR.NOT_EMPTY;
    this.quotas.take(bytes, start, end, this.zxid, -1, -Math.max(0, node.dataLength));
    const at = writePath(writer, bytes, start, end);
    this.removeNode(node, writer.bytes, at, at + end - start);
    return 0;
  }

  /** The pending tree without the node. The parent's record changes in pzxid alone, as applying does. */
  private removeNode(node: PendingNode, path: Uint8Array, start: number, end: number): void {
    const removed = this.pending.change(node, this.zxid, path, start, end);
    removed.exists = false;
    this.pending.refreshDigest(removed);
    const parentEnd = lastSlash(path, start, end);
    const parent = this.pending.find(path, start, parentEnd)!;
    const changed = this.pending.change(parent, this.zxid, path, start, parentEnd);
    changed.childCount -= 1;
    changed.pzxid = Math.max(changed.pzxid, this.zxid);
    this.pending.refreshDigest(changed);
  }

  private setData(writer: ByteWriter): number {
    const { bytes, identities } = this.request;
    const start = slots[setDataRequest.slots.path]!;
    const end = start + slots[setDataRequest.slots.path + 1]!;
    const dataStart = slots[setDataRequest.slots.data]!;
    const dataLength = slots[setDataRequest.slots.data + 1]!;
    const version = slots[setDataRequest.slots.version]!;
    if (!isValidPath(bytes, start, end)) return ERR.BAD_ARGUMENTS;
    const node = this.pending.find(bytes, start, end);
    if (node === undefined) return ERR.NO_NODE;
    if (!this.access.allows(node.acl, PERMISSIONS.write, identities)) return ERR.NO_AUTH;
    const difference = Math.max(0, dataLength) - Math.max(0, node.dataLength);
    if (!this.quotas.take(bytes, start, end, this.zxid, 0, difference)) return ERR.QUOTA_EXCEEDED;
    if (version !== -1 && version !== node.version) return ERR.BAD_VERSION;
    const newVersion = (node.version + 1) | 0;
    const at = writePath(writer, bytes, start, end);
    writeData(writer, bytes, dataStart, dataLength);
    writer.int(newVersion);
    const changed = this.pending.change(node, this.zxid, writer.bytes, at, at + end - start);
    changed.version = newVersion;
    changed.mzxid = this.zxid;
    changed.mtime = this.timeMs;
    changed.dataLength = dataLength;
    this.setPrefix(changed, bytes, dataStart, dataLength);
    this.pending.refreshDigest(changed);
    return 0;
  }

  private setAcl(writer: ByteWriter): number {
    const { bytes, identities } = this.request;
    const start = slots[setAclRequest.slots.path]!;
    const end = start + slots[setAclRequest.slots.path + 1]!;
    const version = slots[setAclRequest.slots.version]!;
    if (!isValidPath(bytes, start, end)) return ERR.BAD_ARGUMENTS;
    if (slots[setAclRequest.slots.acl + 1]! <= 0) return ERR.INVALID_ACL;
    const acl = this.access.storedForm(
      bytes,
      slots[setAclRequest.slots.acl]! - 4,
      this.reader.position - 4,
      identities,
    );
    if (acl === undefined) return ERR.INVALID_ACL;
    const node = this.pending.find(bytes, start, end);
    if (node === undefined) return ERR.NO_NODE;
    if (!this.access.allows(node.acl, PERMISSIONS.admin, identities)) return ERR.NO_AUTH;
    if (version !== -1 && version !== node.aversion) return ERR.BAD_VERSION;
    const aversion = (node.aversion + 1) | 0;
    const at = writePath(writer, bytes, start, end);
    writer.copy(acl, 0, acl.length);
    writer.int(aversion);
    const changed = this.pending.change(node, this.zxid, writer.bytes, at, at + end - start);
    changed.acl = acl;
    changed.aversion = aversion;
    this.pending.refreshDigest(changed);
    return 0;
  }

  private check(writer: ByteWriter): number {
    const { bytes, identities } = this.request;
    const start = slots[checkVersionRequest.slots.path]!;
    const end = start + slots[checkVersionRequest.slots.path + 1]!;
    const version = slots[checkVersionRequest.slots.version]!;
    if (!isValidPath(bytes, start, end)) return ERR.BAD_ARGUMENTS;
    const node = this.pending.find(bytes, start, end);
    if (node === undefined) return ERR.NO_NODE;
    if (!this.access.allows(node.acl, PERMISSIONS.read, identities)) return ERR.NO_AUTH;
    if (version !== -1 && version !== node.version) return ERR.BAD_VERSION;
    writePath(writer, bytes, start, end);
    writer.int((node.version + 1) | 0); // logged as if it had counted, like a setData's
    return 0;
  }

  /**
   * All or nothing, in one txn. A failed multi is a multi still: the operations before the failure as
   * they were, then the error, then "not attempted" for the rest; applying it does nothing.
   */
  private multi(writer: ByteWriter): number {
    const count = this.checkMulti();
    writer.int(count);
    let failed = false;
    for (let i = 0; i < count; i++) {
      multiHeader.scan(this.reader, slots, 0);
      const opcode = slots[multiHeader.slots.type]!;
      if (failed) {
        this.skipOperation(opcode);
        writeErrorOperation(writer, ERR.RUNTIME_INCONSISTENCY);
        continue;
      }
      const at = writer.length;
      writer.int(opcode);
      writer.int(0);
      const err = this.operation(opcode, opcode, writer);
      if (err === 0) {
        writeInt(writer.bytes, at + 4, writer.length - at - 8);
        continue;
      }
      failed = true;
      writer.length = at;
      writeErrorOperation(writer, err);
      this.rollBack();
    }
    return 0;
  }

  /** Reads the whole multi once before anything is done: what cannot be decoded, mixes or misuses operations is refused whole. */
  private checkMulti(): number {
    const { bytes, start, end } = this.request;
    let count = 0;
    for (;;) {
      multiHeader.scan(this.reader, slots, 0);
      if (slots[multiHeader.slots.done] !== 0) break;
      const opcode = slots[multiHeader.slots.type]!;
      this.skipOperation(opcode);
      if (isCreate(opcode) && (slots[createRequest.slots.flags]! < 0 || slots[createRequest.slots.flags]! > 6)) {
        throw new WireError(`create flags ${slots[createRequest.slots.flags]} in a multi`);
      }
      count += 1;
    }
    this.reader.reset(bytes, start, end);
    return count;
  }

  private skipOperation(opcode: number): void {
    switch (opcode) {
      case OP.create:
      case OP.create2:
      case OP.createContainer:
        createRequest.scan(this.reader, slots, 0);
        return;
      case OP.createTTL:
        createTtlRequest.scan(this.reader, slots, 0);
        return;
      case OP.delete:
        deleteRequest.scan(this.reader, slots, 0);
        return;
      case OP.setData:
        setDataRequest.scan(this.reader, slots, 0);
        return;
      case OP.check:
        checkVersionRequest.scan(this.reader, slots, 0);
        return;
      default:
        throw new WireError(`operation ${opcode} in a multi`);
    }
  }

  private writeHeader(writer: ByteWriter, type: number): void {
    writer.longParts(this.request.sessionHigh, this.request.sessionLow);
    writer.int(this.request.xid);
    writer.longFromNumber(this.zxid);
    writer.longFromNumber(this.timeMs);
    writer.int(type);
  }

  private writeDigest(writer: ByteWriter): void {
    writer.int(DIGEST_VERSION);
    writer.longParts(this.pending.digest.high, this.pending.digest.low);
  }
}

/** Header, count and digest: what a txn has besides a list of paths. */
const TXN_FRAME_BYTES = TXN_HEADER_BYTES + 4 + TXN_DIGEST_BYTES;

function listBytes(paths: readonly Uint8Array[]): number {
  return paths.reduce((sum, path) => sum + 4 + path.length, 0);
}

function writeErrorOperation(writer: ByteWriter, err: number): void {
  writer.int(OP.error);
  writer.int(4);
  writer.int(err);
}

/** @returns where the path's bytes lie in the writer */
function writePath(writer: ByteWriter, bytes: Uint8Array, start: number, end: number): number {
  writer.int(end - start);
  const at = writer.length;
  writer.copy(bytes, start, end);
  return at;
}

function writeData(writer: ByteWriter, bytes: Uint8Array, start: number, length: number): void {
  writer.int(length);
  if (length > 0) writer.copy(bytes, start, start + length);
}

function isCreate(opcode: number): boolean {
  return opcode === OP.create || opcode === OP.create2 || opcode === OP.createContainer || opcode === OP.createTTL;
}

/** Only nodes that never belong to a session may be swept away by the server. */
function isSweepable(node: PendingNode): boolean {
  const kind = ownerKind(node.ownerHigh, node.ownerLow);
  return kind === NODE_KIND.container || kind === NODE_KIND.ttl;
}

const UNDELETABLE = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

function isUndeletable(bytes: Uint8Array, start: number, end: number): boolean {
  return UNDELETABLE.some((path) => {
    if (path.length !== end - start) return false;
    for (let i = 0; i < path.length; i++) if (bytes[start + i] !== path.charCodeAt(i)) return false;
    return true;
  });
}
