import type { Acl } from "@watchkeeper/wire";
import type { Random } from "../../src/ports/index.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { NaiveTree, parentOf } from "./naive-tree.js";
import type { Change, Txn } from "./txn-bytes.js";

const SESSIONS = [0x0100_0000_1234_0000n, -0x7000_0000_0000_0001n, 7n];
const ACLS: Acl[][] = [
  [{ perms: 31, id: { scheme: "world", id: "anyone" } }],
  [{ perms: 1, id: { scheme: "world", id: "anyone" } }],
  [
    { perms: 31, id: { scheme: "digest", id: "bob:x" } },
    { perms: 1, id: { scheme: "ip", id: "10.0.0.0/8" } },
  ],
];
const NAMES = ["a", "b", "c", "zookeeper2", "größe"];

interface RandomTxnsOptions {
  /**
   * Whether a closeSession lists all that its session owns, as servers do since 3.6: where a snapshot was
   * read after a node had gone, nothing else tells its parent's pzxid.
   */
  readonly closesList?: boolean;
  /** Few paths, so that most nodes are deleted and made again, with children and without. */
  readonly isCrowded?: boolean;
}

/** Txns that make sense one after the other, as a server would have made them, and the tree they lead to. */
export class RandomTxns {
  readonly model = new NaiveTree();
  private readonly random: Random;
  private readonly closesList: boolean;
  private readonly isCrowded: boolean;
  private zxid = 0;
  private timeMs = 1_700_000_000_000;

  constructor(seed: number, { closesList = false, isCrowded = false }: RandomTxnsOptions = {}) {
    this.random = new SeededRandom(seed);
    this.closesList = closesList;
    this.isCrowded = isCrowded;
  }

  next(): Txn {
    this.zxid += 1 + this.random.below(3);
    this.timeMs += this.random.below(50);
    const session = this.pick(SESSIONS);
    const txn = { session, zxid: this.zxid, timeMs: this.timeMs, change: this.change(session) };
    this.model.apply(txn);
    return txn;
  }

  private change(session: bigint): Change {
    const kind = this.random.below(20);
    if (kind === 0) return { op: "error", err: -101 };
    if (kind === 1) return { op: "closeSession", paths: this.listed(session) };
    if (kind <= 3) return this.multi();
    return this.single();
  }

  /** Listed whole, in part, or not at all: applying deletes what is left. */
  private listed(session: bigint): string[] | undefined {
    const all = this.model.ephemeralsOf(session);
    if (this.closesList) return all;
    const which = this.random.below(3);
    if (which === 0) return undefined;
    return which === 1 ? all : all.slice(1);
  }

  /** Of changes that do not depend on one another, beside those that a server would have refused. */
  private multi(): Change {
    const changes = [this.single(), { op: "error", err: -110 } as const];
    if (this.random.below(2) === 0) return { op: "multi", changes };
    const path = this.newPath();
    if (path === undefined) return { op: "multi", changes: [this.single()] };
    const inMulti: Change[] = [
      this.creation(path, "persistent"),
      { op: "setData", path, data: this.data(), version: 1 },
      { op: "delete", path },
    ];
    return { op: "multi", changes: inMulti.slice(0, 1 + this.random.below(3)) };
  }

  private single(): Change {
    const kind = this.random.below(10);
    const paths = [...this.model.nodes.keys()].filter((path) => !path.startsWith("/zookeeper"));
    const path = this.pick(paths);
    const node = this.model.nodes.get(path)!;
    if (kind <= 4) {
      const created = this.newPath();
      if (created !== undefined)
        return this.creation(created, this.pick(["persistent", "ephemeral", "container", "ttl"]));
    }
    if (kind <= 6 && path !== "/" && this.model.children(path).length === 0) return { op: "delete", path };
    if (kind === 7) return { op: "setACL", path, acl: this.pick(ACLS), version: node.aversion + 1 };
    return { op: "setData", path, data: this.data(), version: node.version + 1 };
  }

  private creation(path: string, owner: Extract<Change, { op: "create" }>["owner"]): Change {
    const parentCreations = this.model.nodes.get(parentOf(path))!.creations + 1;
    return { op: "create", path, data: this.data(), acl: this.pick(ACLS), owner, parentCreations };
  }

  private newPath(): string | undefined {
    const parents = [...this.model.nodes].filter(([path, { isEphemeral }]) => !isEphemeral && path.length < 30);
    const [parent] = this.pick(parents);
    if (this.isCrowded) return this.crowdedPath(parent);
    if (parent.startsWith("/zookeeper/") && this.random.below(4) > 0) return undefined;
    const path = `${parent === "/" ? "" : parent}/${this.pick(NAMES)}${this.random.below(4)}`;
    return this.model.nodes.has(path) ? undefined : path;
  }

  private crowdedPath(parent: string): string | undefined {
    if (parent.startsWith("/zookeeper") || parent.split("/").length > 3) return undefined;
    const path = `${parent === "/" ? "" : parent}/${this.pick(["a", "b"])}`;
    return this.model.nodes.has(path) ? undefined : path;
  }

  private data(): Uint8Array | null {
    const size = this.pick([-1, 0, 1, 7, 8, 9, 100, 500, 3000]);
    return size < 0 ? null : Uint8Array.from({ length: size }, () => this.random.below(256));
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)]!;
  }
}
