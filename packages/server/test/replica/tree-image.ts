import { ByteWriter } from "@watchkeeper/wire";
import { NO_NODE, Quotas, ROOT, type Tree, TxnApplier } from "../../src/tree/index.js";

/** Everything a tree knows of its nodes, in its own order: two that are alike in all of it are the same. */
export function treeImage(tree: Tree): string[] {
  const lines = [`digest ${tree.digest.high} ${tree.digest.low}, ${tree.count} nodes, ${tree.approximateBytes} bytes`];
  for (let node = ROOT; node !== NO_NODE; node = tree.nodeAfter(node)) {
    const path = new ByteWriter();
    tree.writePath(node, path);
    const reply = tree.cellBytesOf(node).subarray(tree.replyStart(node), tree.replyStart(node) + tree.replyBytes(node));
    const found = tree.find(path.bytes, 0, path.length) === node;
    const digest = tree.isDigested(node) ? `${tree.prefixCrcOf(node)} ${tree.digestOf(node)}` : "undigested";
    const row = [tree.creations(node), tree.aclOf(node), tree.ownerHigh(node), tree.ownerLow(node), digest, found];
    lines.push(`${Buffer.from(path.view()).toString()} ${row.join(" ")} ${Buffer.from(reply).toString("hex")}`);
  }
  return lines;
}

/** The tree that another server makes of the same txns, and whether each left the digest that its author predicted. */
export function replayed(
  empty: Tree,
  entries: readonly Uint8Array[],
): { readonly tree: Tree; readonly allDigestsMatch: boolean } {
  const applier = new TxnApplier(empty, new Quotas(empty));
  let allDigestsMatch = true;
  for (const entry of entries) {
    applier.apply(entry, 0, entry.length);
    if (!applier.digestMatches(entry)) allDigestsMatch = false;
  }
  return { tree: empty, allDigestsMatch };
}
