import { type ByteWriter, createRequest, ERR, OP, PERMISSIONS } from "@watchkeeper/wire";
import { hasSlashAndNoNul, isSystemPath, isValidPath, lastSlash, NODE_KIND, ownerKind } from "../tree/index.js";
import type { AccessControl } from "./access-control.js";
import { checkFlags, isEphemeral, isSequential, ownerOf, SequencePath } from "./create-rules.js";
import type { PendingChanges } from "./pending-changes.js";
import type { PreparerParts } from "./preparer-parts.js";
import type { QuotaCheck } from "./quota-check.js";
import { type TxnDraft, writeData, writePath } from "./txn-draft.js";

/** Creates, of every kind. */
export class CreatePreparer {
  private readonly pending: PendingChanges;
  private readonly access: AccessControl;
  private readonly quotas: QuotaCheck;
  private readonly extendedTypesEnabled: boolean;
  private readonly draft: TxnDraft;
  private readonly sequencePath = new SequencePath();

  constructor(parts: PreparerParts, draft: TxnDraft) {
    this.pending = parts.pending;
    this.access = parts.access;
    this.quotas = parts.quotas;
    this.extendedTypesEnabled = parts.settings.extendedTypesEnabled;
    this.draft = draft;
  }

  /** The operation was scanned as any kind of create: they begin alike. @returns its error code */
  create(opcode: number, flags: number, ttlMs: number, writer: ByteWriter): number {
    const { draft } = this;
    const { slots, zxid } = draft;
    const { bytes, identities } = draft.request;
    const err = checkFlags(opcode, flags, ttlMs, this.extendedTypesEnabled);
    if (err !== 0) return err;
    const pathStart = slots[createRequest.slots.path]!;
    const pathEnd = pathStart + slots[createRequest.slots.path + 1]!;
    const dataStart = slots[createRequest.slots.data]!;
    const dataLength = slots[createRequest.slots.data + 1]!;
    if (!hasSlashAndNoNul(bytes, pathStart, pathEnd)) return ERR.BAD_ARGUMENTS;
    if (slots[createRequest.slots.acl + 1]! <= 0) return ERR.INVALID_ACL;
    const aclStart = slots[createRequest.slots.acl]! - 4;
    const aclEnd = draft.reader.position - (opcode === OP.createTTL ? 12 : 4);
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
    const hash = this.pending.childHash(parent, path, start + parentEnd - pathStart, end);
    if (this.pending.findHashed(hash, path, start, end) !== undefined) return ERR.NODE_EXISTS;
    if (ownerKind(parent.ownerHigh, parent.ownerLow) === NODE_KIND.ephemeral) return ERR.NO_CHILDREN_FOR_EPHEMERALS;
    if (!this.quotas.take(path, start, end, zxid, 1, Math.max(0, dataLength))) return ERR.QUOTA_EXCEEDED;

    const parentCreations = (creations + 1) | 0;
    const at = writePath(writer, path, start, end);
    writeData(writer, bytes, dataStart, dataLength);
    writer.copy(acl, 0, acl.length);
    const owner = ownerOf(flags, ttlMs, draft.request);
    if (opcode === OP.create || opcode === OP.create2) writer.bool(isEphemeral(flags));
    writer.int(parentCreations);
    if (opcode === OP.createTTL) writer.longFromNumber(ttlMs);

    // From here on the path is the one in the txn: the request's bytes may be read into again.
    const changedParent = this.pending.change(parent, zxid, writer.bytes, at, at + parentEnd - pathStart);
    changedParent.childCount += 1;
    if (parentCreations > changedParent.creations) {
      changedParent.creations = parentCreations;
      changedParent.pzxid = zxid;
    }
    this.pending.refreshDigest(changedParent);
    const node = this.pending.add(hash, writer.bytes, at, at + end - start, zxid, draft.timeMs, owner);
    node.acl = acl;
    node.dataLength = dataLength;
    node.digested = !isSystemPath(path, start, end);
    this.pending.setPrefix(node, bytes, dataStart, dataLength);
    this.pending.refreshDigest(node);
    return 0;
  }
}
