import {
  type ByteWriter,
  checkVersionRequest,
  deleteRequest,
  ERR,
  PERMISSIONS,
  setAclRequest,
  setDataRequest,
} from "@watchkeeper/wire";
import { hasSlashAndNoNul, isValidPath, lastSlash } from "../tree/index.js";
import type { AccessControl } from "./access-control.js";
import type { PendingChanges } from "./pending-changes.js";
import type { PendingNode } from "./pending-node.js";
import type { PreparerParts } from "./preparer-parts.js";
import type { QuotaCheck } from "./quota-check.js";
import { type TxnDraft, writeData, writePath } from "./txn-draft.js";

/** Operations on nodes that are there: each has been scanned, and gives its error code. */
export class ChangePreparer {
  private readonly pending: PendingChanges;
  private readonly access: AccessControl;
  private readonly quotas: QuotaCheck;
  private readonly draft: TxnDraft;

  constructor(parts: PreparerParts, draft: TxnDraft) {
    this.pending = parts.pending;
    this.access = parts.access;
    this.quotas = parts.quotas;
    this.draft = draft;
  }

  delete(writer: ByteWriter): number {
    const { slots, zxid } = this.draft;
    const { bytes, identities } = this.draft.request;
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
    this.quotas.giveBack(bytes, start, end, zxid, Math.max(0, node.dataLength));
    const at = writePath(writer, bytes, start, end);
    this.removeNode(node, parent, writer.bytes, at, at + end - start);
    return 0;
  }

  /** The pending tree without the node at a path that outlives the txn. */
  remove(path: Uint8Array): void {
    const node = this.pending.find(path, 0, path.length)!;
    const parent = this.pending.find(path, 0, lastSlash(path, 0, path.length))!;
    this.removeNode(node, parent, path, 0, path.length);
  }

  /** The parent's record changes in pzxid alone, as applying does. */
  private removeNode(node: PendingNode, parent: PendingNode, path: Uint8Array, start: number, end: number): void {
    const { zxid } = this.draft;
    const removed = this.pending.change(node, zxid, path, start, end);
    removed.exists = false;
    this.pending.refreshDigest(removed);
    const changed = this.pending.change(parent, zxid, path, start, lastSlash(path, start, end));
    changed.childCount -= 1;
    changed.pzxid = Math.max(changed.pzxid, zxid);
    this.pending.refreshDigest(changed);
  }

  setData(writer: ByteWriter): number {
    const { slots, zxid } = this.draft;
    const { bytes, identities } = this.draft.request;
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
    if (!this.quotas.take(bytes, start, end, zxid, 0, difference)) return ERR.QUOTA_EXCEEDED;
    if (version !== -1 && version !== node.version) return ERR.BAD_VERSION;
    const newVersion = (node.version + 1) | 0;
    const at = writePath(writer, bytes, start, end);
    writeData(writer, bytes, dataStart, dataLength);
    writer.int(newVersion);
    const changed = this.pending.change(node, zxid, writer.bytes, at, at + end - start);
    changed.version = newVersion;
    changed.mzxid = zxid;
    changed.mtime = this.draft.timeMs;
    changed.dataLength = dataLength;
    this.pending.setPrefix(changed, bytes, dataStart, dataLength);
    this.pending.refreshDigest(changed);
    return 0;
  }

  setAcl(writer: ByteWriter): number {
    const { slots, zxid } = this.draft;
    const { bytes, identities } = this.draft.request;
    const start = slots[setAclRequest.slots.path]!;
    const end = start + slots[setAclRequest.slots.path + 1]!;
    const version = slots[setAclRequest.slots.version]!;
    if (!isValidPath(bytes, start, end)) return ERR.BAD_ARGUMENTS;
    if (slots[setAclRequest.slots.acl + 1]! <= 0) return ERR.INVALID_ACL;
    const acl = this.access.storedForm(
      bytes,
      slots[setAclRequest.slots.acl]! - 4,
      this.draft.reader.position - 4,
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
    const changed = this.pending.change(node, zxid, writer.bytes, at, at + end - start);
    changed.acl = acl;
    changed.aversion = aversion;
    this.pending.refreshDigest(changed);
    return 0;
  }

  check(writer: ByteWriter): number {
    const { slots } = this.draft;
    const { bytes, identities } = this.draft.request;
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
}

const UNDELETABLE = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

function isUndeletable(bytes: Uint8Array, start: number, end: number): boolean {
  return UNDELETABLE.some((path) => {
    if (path.length !== end - start) return false;
    for (let i = 0; i < path.length; i++) if (bytes[start + i] !== path.charCodeAt(i)) return false;
    return true;
  });
}
