import { ByteReader, type Stat, stat } from "@watchkeeper/wire";
import { expect } from "vitest";
import { NO_NODE, type Tree } from "../../src/tree/index.js";
import type { NaiveTree } from "./naive-tree.js";

/** A tree as its users see it, and whether that is what an obvious one holds. */

export const digestOf = (tree: Tree): bigint => (BigInt(tree.digest.high) << 32n) | BigInt(tree.digest.low);

export function find(tree: Tree, path: string): number {
  const bytes = new TextEncoder().encode(path);
  return tree.find(bytes, 0, bytes.length);
}

export function statOf(tree: Tree, node: number): Stat {
  return stat.decode(new ByteReader(tree.cellBytesOf(node), tree.statStart(node)));
}

export function dataOf(tree: Tree, node: number): Uint8Array | null {
  const length = tree.dataLength(node);
  const start = tree.replyStart(node) + 4;
  return length < 0 ? null : Uint8Array.from(tree.cellBytesOf(node).subarray(start, start + length));
}

export function childNames(tree: Tree, node: number): string[] {
  const names: string[] = [];
  for (let child = tree.firstChild(node); child !== NO_NODE; child = tree.nextSibling(child)) {
    const start = tree.nameStart(child);
    names.push(Buffer.from(tree.cellBytesOf(child).subarray(start, start + tree.nameLength(child))).toString());
  }
  return names;
}

export function expectSame(tree: Tree, model: NaiveTree): void {
  expect(tree.count).toBe(model.nodes.size);
  for (const [path, node] of model.nodes) {
    const found = find(tree, path);
    expect(found, path).not.toBe(NO_NODE);
    expect(statOf(tree, found), path).toEqual(model.stat(path));
    expect(dataOf(tree, found), path).toEqual(node.data === null ? null : Uint8Array.from(node.data));
    expect(childNames(tree, found).sort(), path).toEqual(model.children(path).sort());
    expect(tree.descendantCount(found), path).toBe(model.descendants(path));
    if (path !== "/zookeeper/config") expect(tree.acls.list(tree.aclOf(found)), path).toEqual(node.acl);
  }
  expect(digestOf(tree)).toBe(model.digest());
}
