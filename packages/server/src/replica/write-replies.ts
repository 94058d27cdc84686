import { type ByteWriter, OP } from "@watchkeeper/wire";
import type { OperationResult, Tree, TxnApplier } from "../tree/index.js";
import { beginReply, endFrame, writeHeaderReply, writeStatOf } from "./replies.js";

/** The reply to a write, made of what applying its txn gave. `bytes` are the txn's. */
export function writeReply(
  writer: ByteWriter,
  xid: number,
  zxid: number,
  applier: TxnApplier,
  tree: Tree,
  bytes: Uint8Array,
): void {
  const first = applier.results[0]!;
  if (applier.type !== OP.multi && first.err !== 0) {
    writeHeaderReply(writer, xid, zxid, first.err);
    return;
  }
  const at = beginReply(writer, xid, zxid, 0);
  if (applier.type === OP.multi) writeMultiResults(writer, applier, bytes);
  else writeSingleResult(writer, first, tree, bytes);
  endFrame(writer, at);
}

function writeSingleResult(writer: ByteWriter, result: OperationResult, tree: Tree, bytes: Uint8Array): void {
  switch (result.type) {
    case OP.create:
      writePath(writer, result, bytes);
      return;
    case OP.create2:
    case OP.createContainer:
    case OP.createTTL:
      writePath(writer, result, bytes);
      writeStatOf(writer, tree, result.node);
      return;
    case OP.setData:
    case OP.setACL:
      writeStatOf(writer, tree, result.node);
      return;
    default:
      return;
  }
}

/** A failed multi's header says 0 nonetheless: the failure is found in the results. */
function writeMultiResults(writer: ByteWriter, applier: TxnApplier, bytes: Uint8Array): void {
  let failed = false;
  for (let i = 0; i < applier.resultCount; i++) if (applier.results[i]!.type === OP.error) failed = true;
  for (let i = 0; i < applier.resultCount; i++) {
    const result = applier.results[i]!;
    if (failed) {
      writeMultiHeader(writer, OP.error, result.err);
      writer.int(result.err);
    } else writeMultiResult(writer, result, bytes);
  }
  writer.int(-1);
  writer.bool(true);
  writer.int(-1);
}

function writeMultiResult(writer: ByteWriter, result: OperationResult, bytes: Uint8Array): void {
  switch (result.type) {
    case OP.create:
      writeMultiHeader(writer, OP.create, 0);
      writePath(writer, result, bytes);
      return;
    case OP.create2:
    case OP.createContainer:
    case OP.createTTL:
      // All kinds that answer with a Stat share create2's result.
      writeMultiHeader(writer, OP.create2, 0);
      writePath(writer, result, bytes);
      writer.copy(result.stat, 0, result.stat.length);
      return;
    case OP.setData:
      writeMultiHeader(writer, OP.setData, 0);
      writer.copy(result.stat, 0, result.stat.length);
      return;
    default:
      writeMultiHeader(writer, result.type, 0);
  }
}

function writeMultiHeader(writer: ByteWriter, type: number, err: number): void {
  writer.int(type);
  writer.bool(false);
  writer.int(err);
}

function writePath(writer: ByteWriter, result: OperationResult, bytes: Uint8Array): void {
  writer.int(result.pathEnd - result.pathStart);
  writer.copy(bytes, result.pathStart, result.pathEnd);
}
