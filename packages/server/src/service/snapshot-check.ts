import { WireError } from "@watchkeeper/wire";
import type { Disk } from "../ports/index.js";
import { readPersistedStat } from "../replica/index.js";
import {
  type Compression,
  IGNORE_CONTENT,
  parseSnapshotName,
  printSnapshot,
  type SnapshotRead,
  type SnapshotSink,
} from "../storage/index.js";
import { CRC32_START, crc32Continue, emptyStat, nodeDigest, TreeDigest } from "../tree/index.js";
import { nodePath } from "./snapshot-node.js";

/**
 * How the digest of a snapshot's nodes compares with the one recorded in it. That is the tree's when the
 * last node had been written: "later" where the tree changed meanwhile, so that only the logs lead to it.
 */
export type SnapshotDigest = "matches" | "differs" | "later" | "none";

export interface CheckedSnapshot extends SnapshotRead {
  readonly digest: SnapshotDigest;
}

/**
 * Reads a whole snapshot file as a start would, and compares digests.
 * @param name of the file, without its directory: a server goes by the zxid in it
 * @throws DataDirectoryError where a server could not start from it, DiskError where it cannot be read
 */
export async function checkSnapshot(
  disk: Disk,
  path: string,
  name: string,
  codec: Compression,
  limits: { readonly valueBytesMax?: number },
): Promise<CheckedSnapshot> {
  const sink = new CheckingSink();
  const read = await printSnapshot(disk, path, codec, sink, limits);
  return { ...read, digest: sink.compareDigest(parseSnapshotName(name)?.zxid) };
}

/**
 * Checks what a snapshot's seals cannot: that each node's parent comes before it, without which no server
 * takes it, and whether the nodes have the digest that the file's
 * author gave the tree. In bounded memory: nodes are written depth first, so that parents are those on
 * the way down from the root.
 */
class CheckingSink implements SnapshotSink {
  readonly session = IGNORE_CONTENT.session;
  readonly acl = IGNORE_CONTENT.acl;
  /** Undefined where the file has no digest, or nothing had been applied. */
  private recorded: { readonly zxid: number; readonly high: number; readonly low: number } | undefined;
  private readonly computed = new TreeDigest();
  private readonly stat = emptyStat();
  /** The node read last and its ancestors, from the root down. */
  private readonly way: string[] = [];

  node(
    ...[bytes, pathStart, pathLength, dataStart, dataLength, , statStart]: Parameters<SnapshotSink["node"]>
  ): boolean {
    const path = nodePath(bytes, pathStart, pathLength);
    if (!this.goTo(path)) return false;
    if (path.startsWith("/zookeeper/")) return true; // no digest has these
    let crc = crc32Continue(CRC32_START, bytes, pathStart, pathStart + pathLength);
    if (dataLength > 0) crc = crc32Continue(crc, bytes, dataStart, dataStart + dataLength);
    readPersistedStat(bytes, statStart, this.stat);
    this.computed.add(nodeDigest(crc, this.stat));
    return true;
  }

  digest(zxid: number, high: number, low: number): void {
    if (zxid > 0) this.recorded = { zxid, high, low };
  }

  compareDigest(nameZxid: number | undefined): SnapshotDigest {
    const { recorded } = this;
    if (recorded === undefined) return "none";
    if (this.computed.equals(recorded.high, recorded.low)) return "matches";
    return recorded.zxid === nameZxid ? "differs" : "later";
  }

  /** @returns whether the parent is on the way to the node read last */
  private goTo(path: string): boolean {
    const { way } = this;
    if (path === "/") {
      way.splice(0, way.length, path);
      return true;
    }
    const slash = path.lastIndexOf("/");
    if (slash < 0) throw new WireError(`a node has the path "${path}"`);
    const parent = slash === 0 ? "/" : path.slice(0, slash);
    while (way.length > 0 && way.at(-1) !== parent) way.pop();
    way.push(path);
    return way.length > 1;
  }
}
