import { ByteWriter, createTxn, decodeText, ERR, readInt, setAclTxn, setDataTxn } from "@watchkeeper/wire";
import type { ChangeListener } from "./change-listener.js";
import type { Forecasts, NodeForecast } from "./forecast.js";
import { NO_NODE, ROOT } from "./node-store.js";
import { emptyResult, type OperationResult } from "./operation-result.js";
import { isSystemPath, lastSlash } from "./path-rules.js";
import type { Quotas } from "./quotas.js";
import type { NodeSource, Tree } from "./tree.js";

/**
 * What the operations of a txn do to the nodes they name: to the tree, to quotas, and who hears of it.
 * Paths, data and ACLs are taken from the txn's bytes where they lie.
 *
 * Where this server made the txn itself its forecasts say which rows are meant and what their digests
 * will be. Both are used unexamined, so a tree that has strayed from what was predicted would go
 * unnoticed; therefore one txn in `UNFORESEEN_EVERY` is applied as another server's would be.
 *
 * A log that is replayed over a fuzzy snapshot meets nodes from its future. Two rules make the tree
 * what it was, whatever moment each node of the snapshot was read at:
 * - A node created after the txn is not the one the txn means but a later one of that name. It is left
 *   as it is; so are its children, which the txn's node never had.
 * - A node that is deleted had no children then. Those it has were made later, for a later node of its
 *   name; they go with it and come back as the log goes on.
 */
export class NodeChanges {
  private zxid = 0;
  private timeMs = 0;
  private readonly tree: Tree;
  private readonly quotas: Quotas;
  private readonly listener: ChangeListener | undefined;
  private readonly forecasts: Forecasts | undefined;
  private readonly ignored: OperationResult = emptyResult();
  private readonly source: { -readonly [K in keyof NodeSource]: NodeSource[K] } = {
    path: new Uint8Array(0),
    pathStart: 0,
    pathEnd: 0,
    data: new Uint8Array(0),
    dataStart: 0,
    dataLength: 0,
  };

  constructor(tree: Tree, quotas: Quotas, listener: ChangeListener | undefined, forecasts: Forecasts | undefined) {
    this.tree = tree;
    this.quotas = quotas;
    this.listener = listener;
    this.forecasts = forecasts;
  }

  /** The txn whose operations follow. */
  begin(zxid: number, timeMs: number): void {
    this.zxid = zxid;
    this.timeMs = timeMs;
  }

  /** `slots` are those of a scanned create txn of any kind: they begin alike. */
  create(
    result: OperationResult,
    bytes: Uint8Array,
    slots: Int32Array,
    parentCreations: number,
    owner: { high: number; low: number },
  ): void {
    const tree = this.tree;
    const pathStart = slots[createTxn.slots.path]!;
    const pathEnd = pathStart + slots[createTxn.slots.path + 1]!;
    const dataLength = slots[createTxn.slots.data + 1]!;
    const aclStart = slots[createTxn.slots.acl]! - 4;
    const aclEnd = aclEndOf(bytes, aclStart);
    const parentEnd = lastSlash(bytes, pathStart, pathEnd);
    result.pathStart = pathStart;
    result.pathEnd = pathEnd;
    const parentForecast = this.nextForecast();
    const forecast = this.nextForecast();
    const parent = this.find(bytes, pathStart, parentEnd, parentForecast);
    if (parent === NO_NODE || this.isFromFuture(parent, parentForecast)) {
      result.err = ERR.NO_NODE;
      return;
    }
    const creations = parentCreations === -1 ? tree.creations(parent) + 1 : parentCreations;
    const existing = forecast === undefined ? tree.find(bytes, pathStart, pathEnd) : NO_NODE;
    if (existing !== NO_NODE) {
      if (!this.isFromFuture(existing, forecast)) tree.replaceAcl(existing, tree.acls.use(bytes, aclStart, aclEnd));
      // Of every kind: Apache's `DataTree.processTxn` does so for the plain create alone, and its tree strays.
      tree.raiseCreations(parent, creations, this.zxid);
      result.err = ERR.NODE_EXISTS;
      return;
    }
    const aclNumber = tree.acls.use(bytes, aclStart, aclEnd);
    this.setSource(bytes, pathStart, pathEnd, slots[createTxn.slots.data]!, dataLength);
    result.node = tree.create(parent, this.source, aclNumber, this.zxid, this.timeMs, owner.high, owner.low, forecast);
    tree.raiseCreations(parent, creations, this.zxid, parentForecast);
    if (!this.quotas.isEmpty || isSystemPath(bytes, pathStart, pathEnd)) {
      this.quotas.onCreate(decodeText(bytes, pathStart, pathEnd), result.node, Math.max(0, dataLength));
    }
    this.listener?.onCreated(bytes, pathStart, pathEnd, aclNumber, parentEnd, tree.aclOf(parent));
  }

  delete(result: OperationResult, bytes: Uint8Array, pathStart: number, pathEnd: number): void {
    this.deleteFound(result, bytes, pathStart, pathEnd, this.nextForecast(), this.nextForecast());
  }

  /** One of the ephemerals that go with a session: whether it is still there does not matter. */
  deleteListed(bytes: Uint8Array, pathStart: number, pathEnd: number): void {
    this.deleteFound(this.ignored, bytes, pathStart, pathEnd);
  }

  /** An ephemeral of a session that is gone: its owner says that it must go, whenever it was made. */
  deleteRow(node: number): void {
    this.tree.raisePzxid(this.tree.parent(node), this.zxid);
    this.removeRow(node);
  }

  private deleteFound(
    result: OperationResult,
    bytes: Uint8Array,
    pathStart: number,
    pathEnd: number,
    forecast?: NodeForecast,
    parentForecast?: NodeForecast,
  ): void {
    const tree = this.tree;
    const parentEnd = lastSlash(bytes, pathStart, pathEnd);
    const parent = this.find(bytes, pathStart, parentEnd, parentForecast);
    const node = this.find(bytes, pathStart, pathEnd, forecast);
    if (parent !== NO_NODE) tree.raisePzxid(parent, this.zxid, parentForecast);
    if (node === NO_NODE || node === ROOT || this.isFromFuture(node, forecast)) {
      result.err = ERR.NO_NODE;
      return;
    }
    this.removeBelow(node);
    this.remove(node, bytes, pathStart, pathEnd, parentEnd);
  }

  private removeBelow(top: number): void {
    const tree = this.tree;
    while (tree.childCount(top) > 0) {
      let leaf = top;
      while (tree.childCount(leaf) > 0) leaf = tree.firstChild(leaf);
      this.removeRow(leaf);
    }
  }

  private removeRow(node: number): void {
    const path = new ByteWriter();
    this.tree.writePath(node, path);
    this.remove(node, path.bytes, 0, path.length, lastSlash(path.bytes, 0, path.length));
  }

  private remove(node: number, bytes: Uint8Array, pathStart: number, pathEnd: number, parentEnd: number): void {
    const tree = this.tree;
    const dataBytes = Math.max(0, tree.dataLength(node));
    this.listener?.onDeleted(bytes, pathStart, pathEnd, tree.aclOf(node), parentEnd, tree.aclOf(tree.parent(node)));
    tree.remove(node);
    if (!this.quotas.isEmpty) this.quotas.onDelete(decodeText(bytes, pathStart, pathEnd), dataBytes);
  }

  setData(result: OperationResult, bytes: Uint8Array, slots: Int32Array): void {
    const tree = this.tree;
    const pathStart = slots[setDataTxn.slots.path]!;
    const pathEnd = pathStart + slots[setDataTxn.slots.path + 1]!;
    const dataLength = slots[setDataTxn.slots.data + 1]!;
    const forecast = this.nextForecast();
    const node = this.find(bytes, pathStart, pathEnd, forecast);
    if (node === NO_NODE || this.isFromFuture(node, forecast)) {
      result.err = ERR.NO_NODE;
      return;
    }
    const difference = Math.max(0, dataLength) - Math.max(0, tree.dataLength(node));
    this.setSource(bytes, pathStart, pathEnd, slots[setDataTxn.slots.data]!, dataLength);
    tree.setData(node, this.source, slots[setDataTxn.slots.version]!, this.zxid, this.timeMs, forecast);
    result.node = node;
    if (!this.quotas.isEmpty) this.quotas.onSetData(decodeText(bytes, pathStart, pathEnd), node, difference);
    this.listener?.onDataChanged(bytes, pathStart, pathEnd, tree.aclOf(node));
  }

  setAcl(result: OperationResult, bytes: Uint8Array, slots: Int32Array): void {
    const pathStart = slots[setAclTxn.slots.path]!;
    const forecast = this.nextForecast();
    const node = this.find(bytes, pathStart, pathStart + slots[setAclTxn.slots.path + 1]!, forecast);
    if (node === NO_NODE || this.isFromFuture(node, forecast)) {
      result.err = ERR.NO_NODE;
      return;
    }
    const aclStart = slots[setAclTxn.slots.acl]! - 4;
    const aclNumber = this.tree.acls.use(bytes, aclStart, aclEndOf(bytes, aclStart));
    this.tree.setAcl(node, aclNumber, slots[setAclTxn.slots.version]!, forecast);
    result.node = node;
  }

  /** Whether the node was created after the txn; one that this server foresaw for the txn was not. */
  private isFromFuture(node: number, forecast: NodeForecast | undefined): boolean {
    return forecast === undefined && this.tree.czxid(node) > this.zxid;
  }

  private nextForecast(): NodeForecast | undefined {
    return this.zxid % UNFORESEEN_EVERY === 0 ? undefined : this.forecasts?.next(this.zxid);
  }

  private find(bytes: Uint8Array, start: number, end: number, forecast: NodeForecast | undefined): number {
    return forecast === undefined || forecast.node === NO_NODE ? this.tree.find(bytes, start, end) : forecast.node;
  }

  private setSource(
    bytes: Uint8Array,
    pathStart: number,
    pathEnd: number,
    dataStart: number,
    dataLength: number,
  ): void {
    const source = this.source;
    source.path = bytes;
    source.pathStart = pathStart;
    source.pathEnd = pathEnd;
    source.data = bytes;
    source.dataStart = dataStart;
    source.dataLength = dataLength;
  }
}

/** Where the `vector<ACL>` that starts at `start` ends; it has been scanned, so its lengths are sound. */
function aclEndOf(bytes: Uint8Array, start: number): number {
  const count = readInt(bytes, start);
  let at = start + 4;
  for (let i = 0; i < count; i++) {
    at += 4;
    at += 4 + Math.max(0, readInt(bytes, at));
    at += 4 + Math.max(0, readInt(bytes, at));
  }
  return at;
}

const UNFORESEEN_EVERY = 64;
