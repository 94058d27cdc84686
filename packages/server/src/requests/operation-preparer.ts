import {
  type ByteWriter,
  checkVersionRequest,
  createRequest,
  createTtlRequest,
  deleteRequest,
  ERR,
  multiHeader,
  OP,
  reconfigRequest,
  setAclRequest,
  setDataRequest,
  WireError,
  writeInt,
} from "@watchkeeper/wire";
import type { ChangePreparer } from "./change-preparer.js";
import { CreatePreparer } from "./create-preparer.js";
import type { PreparerParts } from "./preparer-parts.js";
import type { TxnDraft } from "./txn-draft.js";

/** Client operations, alone or gathered in a multi: which is meant, and what a multi makes of several. */
export class OperationPreparer {
  private readonly parts: PreparerParts;
  private readonly reconfigEnabled: boolean;
  private readonly draft: TxnDraft;
  private readonly creates: CreatePreparer;
  private readonly changes: ChangePreparer;

  constructor(parts: PreparerParts, draft: TxnDraft, changes: ChangePreparer) {
    this.parts = parts;
    this.reconfigEnabled = parts.settings.reconfigEnabled;
    this.draft = draft;
    this.creates = new CreatePreparer(parts, draft);
    this.changes = changes;
  }

  /** Writes the record of the txn that the draft's request becomes. @returns its error code */
  prepare(writer: ByteWriter): number {
    const { request, reader } = this.draft;
    try {
      reader.reset(request.bytes, request.start, request.end);
      if (request.opcode === OP.multi) return this.multi(writer);
      if (request.opcode === OP.reconfig) return this.reconfig();
      return this.operation(request.opcode, writer);
    } catch (error) {
      if (error instanceof WireError) return ERR.MARSHALLING_ERROR;
      throw error;
    }
  }

  /** A server that stands alone has nothing to reconfigure. */
  private reconfig(): number {
    const { reader, slots } = this.draft;
    reconfigRequest.scan(reader, slots, 0);
    return this.reconfigEnabled ? ERR.UNIMPLEMENTED : ERR.RECONFIG_DISABLED;
  }

  /** One operation, alone or in a multi: reads its body from the reader, writes its txn record. */
  private operation(opcode: number, writer: ByteWriter): number {
    const { reader, slots } = this.draft;
    switch (opcode) {
      case OP.create:
      case OP.create2:
      case OP.createContainer:
        createRequest.scan(reader, slots, 0);
        return this.creates.create(opcode, slots[createRequest.slots.flags]!, -1, writer);
      case OP.createTTL: {
        createTtlRequest.scan(reader, slots, 0);
        const at = createTtlRequest.slots.ttl;
        return this.creates.create(
          opcode,
          slots[createTtlRequest.slots.flags]!,
          slots[at]! * 2 ** 32 + (slots[at + 1]! >>> 0),
          writer,
        );
      }
      case OP.delete:
        deleteRequest.scan(reader, slots, 0);
        return this.changes.delete(writer);
      case OP.setData:
        setDataRequest.scan(reader, slots, 0);
        return this.changes.setData(writer);
      case OP.setACL:
        setAclRequest.scan(reader, slots, 0);
        return this.changes.setAcl(writer);
      case OP.check:
        checkVersionRequest.scan(reader, slots, 0);
        return this.changes.check(writer);
      default:
        return ERR.UNIMPLEMENTED;
    }
  }

  /**
   * All or nothing, in one txn. A failed multi is a multi still: the operations before the failure as
   * they were, then the error, then "not attempted" for the rest; applying it does nothing.
   */
  private multi(writer: ByteWriter): number {
    const { reader, slots } = this.draft;
    const count = this.checkMulti();
    writer.int(count);
    let failed = false;
    for (let i = 0; i < count; i++) {
      multiHeader.scan(reader, slots, 0);
      const opcode = slots[multiHeader.slots.type]!;
      if (failed) {
        this.skipOperation(opcode);
        writeErrorOperation(writer, ERR.RUNTIME_INCONSISTENCY);
        continue;
      }
      const at = writer.length;
      writer.int(opcode);
      writer.int(0);
      const err = this.operation(opcode, writer);
      if (err === 0) {
        writeInt(writer.bytes, at + 4, writer.length - at - 8);
        continue;
      }
      failed = true;
      writer.length = at;
      writeErrorOperation(writer, err);
      this.parts.pending.rollBack();
      this.parts.quotas.rollBack();
    }
    return 0;
  }

  /** Reads the whole multi once before anything is done: what cannot be decoded, mixes or misuses operations is refused whole. */
  private checkMulti(): number {
    const { reader, slots, request } = this.draft;
    let count = 0;
    for (;;) {
      multiHeader.scan(reader, slots, 0);
      if (slots[multiHeader.slots.done] !== 0) break;
      const opcode = slots[multiHeader.slots.type]!;
      this.skipOperation(opcode);
      const flags = slots[createRequest.slots.flags]!;
      if (isCreate(opcode) && (flags < 0 || flags > 6)) throw new WireError(`create flags ${flags} in a multi`);
      count += 1;
    }
    reader.reset(request.bytes, request.start, request.end);
    return count;
  }

  private skipOperation(opcode: number): void {
    const { reader, slots } = this.draft;
    switch (opcode) {
      case OP.create:
      case OP.create2:
      case OP.createContainer:
        createRequest.scan(reader, slots, 0);
        return;
      case OP.createTTL:
        createTtlRequest.scan(reader, slots, 0);
        return;
      case OP.delete:
        deleteRequest.scan(reader, slots, 0);
        return;
      case OP.setData:
        setDataRequest.scan(reader, slots, 0);
        return;
      case OP.check:
        checkVersionRequest.scan(reader, slots, 0);
        return;
      default:
        throw new WireError(`operation ${opcode} in a multi`);
    }
  }
}

function writeErrorOperation(writer: ByteWriter, err: number): void {
  writer.int(OP.error);
  writer.int(4);
  writer.int(err);
}

function isCreate(opcode: number): boolean {
  return opcode === OP.create || opcode === OP.create2 || opcode === OP.createContainer || opcode === OP.createTTL;
}
