import { crc32 } from "node:zlib";
import type { Acl, Stat, StatPersisted } from "@watchkeeper/wire";
import { type Change, TTL_MS, type Txn } from "./txn-bytes.js";

interface NaiveNode {
  data: Uint8Array | null;
  acl: Acl[];
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  creations: number;
  aversion: number;
  owner: bigint;
  isEphemeral: boolean;
}

const CONTAINER = 1n << 63n;
const TTL = 0xffn << 56n;

/** A data tree as server-semantics 1, 4.1 and 16 describe it: a map of paths, everything else computed. */
export class NaiveTree {
  readonly nodes = new Map<string, NaiveNode>();

  constructor() {
    for (const path of ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"]) {
      this.nodes.set(path, { ...emptyNode(), aversion: path === "/zookeeper/config" ? -1 : 0 });
    }
  }

  apply(txn: Txn): void {
    this.applyChange(txn, txn.change);
  }

  private applyChange(txn: Txn, change: Change): void {
    switch (change.op) {
      case "create":
        this.create(txn, change);
        return;
      case "delete":
        this.delete(txn.zxid, change.path);
        return;
      case "setData":
        Object.assign(this.nodes.get(change.path)!, {
          data: change.data,
          version: change.version,
          mzxid: txn.zxid,
          mtime: txn.timeMs,
        });
        return;
      case "setACL":
        Object.assign(this.nodes.get(change.path)!, { acl: change.acl, aversion: change.version });
        return;
      case "multi":
        if (change.changes.some((one) => one.op === "error")) return;
        for (const one of change.changes) this.applyChange(txn, one);
        return;
      case "closeSession":
        for (const path of this.ephemeralsOf(txn.session)) this.delete(txn.zxid, path);
    }
  }

  private create({ zxid, timeMs, session }: Txn, change: Extract<Change, { op: "create" }>): void {
    const owners = { persistent: 0n, ephemeral: session, container: CONTAINER, ttl: TTL | BigInt(TTL_MS) };
    const parent = this.nodes.get(parentOf(change.path))!;
    parent.creations = change.parentCreations;
    parent.pzxid = zxid;
    this.nodes.set(change.path, {
      ...emptyNode(),
      data: change.data,
      acl: change.acl,
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: timeMs,
      mtime: timeMs,
      owner: owners[change.owner],
      isEphemeral: change.owner === "ephemeral",
    });
  }

  private delete(zxid: number, path: string): void {
    this.nodes.delete(path);
    this.nodes.get(parentOf(path))!.pzxid = zxid;
  }

  children(path: string): string[] {
    const prefix = path === "/" ? "/" : `${path}/`;
    const below = [...this.nodes.keys()].filter((one) => one !== "/" && one.startsWith(prefix));
    return below.map((one) => one.slice(prefix.length)).filter((name) => !name.includes("/"));
  }

  descendants(path: string): number {
    const prefix = path === "/" ? "/" : `${path}/`;
    return [...this.nodes.keys()].filter((one) => one !== "/" && one.startsWith(prefix)).length;
  }

  ephemeralsOf(session: bigint): string[] {
    return [...this.nodes].filter(([, node]) => node.isEphemeral && node.owner === session).map(([path]) => path);
  }

  /** As a client sees it. */
  stat(path: string): Stat {
    const node = this.nodes.get(path)!;
    const numChildren = this.children(path).length;
    return {
      czxid: BigInt(node.czxid),
      mzxid: BigInt(node.mzxid),
      ctime: BigInt(node.ctime),
      mtime: BigInt(node.mtime),
      version: node.version,
      cversion: 2 * node.creations - numChildren,
      aversion: node.aversion,
      ephemeralOwner: node.isEphemeral ? BigInt.asIntN(64, node.owner) : 0n,
      dataLength: node.data?.length ?? 0,
      numChildren,
      pzxid: BigInt(node.pzxid),
    };
  }

  /** As a snapshot holds it. */
  persistedStat(path: string): StatPersisted {
    const { czxid, mzxid, pzxid, ctime, mtime, version, creations, aversion, owner } = this.nodes.get(path)!;
    return {
      czxid: BigInt(czxid),
      mzxid: BigInt(mzxid),
      ctime: BigInt(ctime),
      mtime: BigInt(mtime),
      version,
      cversion: creations,
      aversion,
      ephemeralOwner: BigInt.asIntN(64, owner),
      pzxid: BigInt(pzxid),
    };
  }

  digest(): bigint {
    let sum = 0n;
    for (const [path, node] of this.nodes) {
      if (!path.startsWith("/zookeeper/")) sum += BigInt(nodeDigest(path === "/" ? "" : path, node));
    }
    return BigInt.asUintN(64, sum);
  }
}

function nodeDigest(path: string, node: NaiveNode): number {
  const numbers = Buffer.alloc(60);
  let at = 0;
  for (const value of [node.czxid, node.mzxid, node.pzxid, node.ctime, node.mtime]) {
    at = numbers.writeBigInt64BE(BigInt(value), at);
  }
  for (const value of [node.version, node.creations, node.aversion]) at = numbers.writeInt32BE(value, at);
  numbers.writeBigUInt64BE(BigInt.asUintN(64, node.owner), at);
  return crc32(Buffer.concat([Buffer.from(path), node.data ?? Buffer.alloc(0), numbers]));
}

function emptyNode(): NaiveNode {
  return {
    data: new Uint8Array(0),
    acl: [{ perms: 31, id: { scheme: "world", id: "anyone" } }],
    czxid: 0,
    mzxid: 0,
    pzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    creations: 0,
    aversion: 0,
    owner: 0n,
    isEphemeral: false,
  };
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
