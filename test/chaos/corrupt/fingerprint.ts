/** Everything a tree and its sessions hold, as one hash: data, ACLs, Stats, owners, the counters behind sequential names. */
import { createHash } from "node:crypto";
import { ByteWriter } from "@watchkeeper/wire";
import type { Database } from "../../../packages/server/dist/replica/load-database.js";
import { emptyStat, NO_NODE, ROOT } from "../../../packages/server/dist/tree/index.js";

export function fingerprint({ tree, sessions }: Database): string {
  const lines: string[] = [];
  for (let node: number = ROOT; node !== NO_NODE; node = tree.nodeAfter(node)) {
    const path = new ByteWriter();
    tree.writePath(node, path);
    const data = tree.cellBytesOf(node).subarray(tree.replyStart(node), tree.statStart(node));
    const stat = emptyStat();
    tree.readStat(node, stat);
    const acl = JSON.stringify(tree.acls.list(tree.aclOf(node)));
    lines.push([hex(path.view()), hex(data), JSON.stringify(stat), tree.creations(node), acl].join(" "));
  }
  for (const { idHigh, idLow, timeoutMs } of sessions.values()) lines.push(`session ${idHigh} ${idLow} ${timeoutMs}`);
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
