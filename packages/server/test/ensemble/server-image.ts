import { ByteWriter } from "@watchkeeper/wire";
import type { Replica } from "../../src/replica/index.js";
import { NO_NODE, ROOT, type Tree } from "../../src/tree/index.js";

/** Wholly what a server holds of tree and sessions, a line each: two servers at one zxid are alike in all of them. */
export function serverImage({ tree, sessions }: Replica): string[] {
  const lines = [`digest ${tree.digest.high.toString(16)}.${tree.digest.low.toString(16)}`];
  for (let node = ROOT; node !== NO_NODE; node = tree.nodeAfter(node)) {
    // The configuration is no txn's work: each server writes it for itself.
    if (pathOf(tree, node) !== "/zookeeper/config") lines.push(nodeImage(tree, node));
  }
  for (const [key, nodes] of tree.ephemerals) lines.push(`ephemerals of ${key.toString(16)}: ${pathsOf(tree, nodes)}`);
  lines.push(`containers: ${pathsOf(tree, tree.containers)}`, `TTL nodes: ${pathsOf(tree, tree.ttlNodes)}`);
  for (const { key, createdTimeoutMs } of sessions.all()) lines.push(`session ${key.toString(16)} ${createdTimeoutMs}`);
  return lines.sort();
}

/** The first lines that one of them has and the other has not. */
export function imageDifference(one: readonly string[], other: readonly string[]): string[] {
  const [ones, others] = [new Set(one), new Set(other)];
  const lacking = one.filter((line) => !others.has(line)).map((line) => `- ${line}`);
  return [...lacking.slice(0, 3), ...other.filter((line) => !ones.has(line)).map((line) => `+ ${line}`)].slice(0, 6);
}

/** Data and Stat as a client is told them, and what it is not told. */
function nodeImage(tree: Tree, node: number): string {
  const start = tree.replyStart(node);
  const reply = tree.cellBytesOf(node).subarray(start, start + tree.replyBytes(node));
  const acl = Buffer.from(tree.acls.bytes(tree.aclOf(node)))
    .toString("latin1")
    .replaceAll(/[^ -~]+/g, " ");
  return `${pathOf(tree, node)} ${tree.creations(node)} ${acl} ${Buffer.from(reply).toString("hex")}`;
}

function pathOf(tree: Tree, node: number): string {
  const path = new ByteWriter();
  tree.writePath(node, path);
  return Buffer.from(path.view()).toString();
}

function pathsOf(tree: Tree, nodes: ReadonlySet<number>): string {
  return [...nodes]
    .map((node) => pathOf(tree, node))
    .sort()
    .join(" ");
}
