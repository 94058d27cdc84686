/**
 * The digest of a tree, computed from what any client can read, after the rule that Apache's servers
 * follow (`DigestCalculator`, version 2): it covers the persisted values, which the Stat of a reply
 * shows in part and the path of a node tells for the rest (see `request-values.ts`).
 */
import { crc32 } from "node:zlib";
import * as wire from "@watchkeeper/wire";
import { containerName, ttlName } from "./request-values.js";

export interface ReadNode {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly stat: wire.Stat;
}

export function treeDigest(nodes: readonly ReadNode[]): bigint {
  return nodes.reduce((sum, node) => BigInt.asUintN(64, sum + nodeDigest(node)), 0n);
}

function nodeDigest({ path, data, stat }: ReadNode): bigint {
  if (path.startsWith("/zookeeper/")) return 0n;
  const writer = new wire.ByteWriter();
  if (path !== "/") writer.copy(wire.encodeText(path), 0, wire.encodeText(path).length);
  if (data !== null) writer.copy(data, 0, data.length);
  for (const value of [stat.czxid, stat.mzxid, stat.pzxid, stat.ctime, stat.mtime]) writer.long(value);
  writer.int(stat.version);
  // A client sees creations and deletions of children; the tree keeps the creations.
  writer.int((stat.cversion + stat.numChildren) / 2);
  writer.int(stat.aversion);
  writer.long(ownerOf(path, stat));
  return BigInt(crc32(writer.view()));
}

/** Containers and TTL nodes are kept with marks for owners, which clients do not see. */
function ownerOf(path: string, stat: wire.Stat): bigint {
  if (stat.ephemeralOwner !== 0n) return stat.ephemeralOwner;
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === containerName) return -(2n ** 63n);
  const ttlMs = ttlName.exec(name)?.[1];
  return ttlMs === undefined ? 0n : BigInt.asIntN(64, (0xffn << 56n) | BigInt(ttlMs));
}
