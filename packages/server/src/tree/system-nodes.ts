import { encodeText } from "@watchkeeper/wire";
import { encodeAcl, OPEN_ACL } from "./acl-table.js";
import { emptyStat, NO_NODE, ROOT } from "./node-store.js";
import type { Tree } from "./tree.js";

/** The nodes every ZooKeeper tree has: made in a new tree, and added to an old snapshot's that lacks them. */
const CONFIG_ACL = [{ perms: 1, id: { scheme: "world", id: "anyone" } }];

export function addSystemNodes(tree: Tree): void {
  add(tree, "/zookeeper", OPEN_ACL, 0);
  const configAcl = encodeAcl(CONFIG_ACL);
  if (!exists(tree, "/zookeeper/config"))
    add(tree, "/zookeeper/config", tree.acls.use(configAcl, 0, configAcl.length), -1);
  add(tree, "/zookeeper/quota", OPEN_ACL, 0);
}

function exists(tree: Tree, path: string): boolean {
  const bytes = encodeText(path);
  return tree.find(bytes, 0, bytes.length) !== NO_NODE;
}

function add(tree: Tree, path: string, aclNumber: number, aversion: number): void {
  if (exists(tree, path)) return;
  const bytes = encodeText(path);
  const parentEnd = path.lastIndexOf("/");
  const parent = parentEnd === 0 ? ROOT : tree.find(bytes, 0, parentEnd);
  const source = { path: bytes, pathStart: 0, pathEnd: bytes.length, data: bytes, dataStart: 0, dataLength: 0 };
  tree.restore(parent, source, aclNumber, { ...emptyStat(), aversion });
}
