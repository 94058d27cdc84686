import { type Acl, statPersisted } from "@watchkeeper/wire";
import fc from "fast-check";
import { describe, test } from "vitest";
import { snapshotSource, TreeRestore } from "../../src/replica/tree-snapshot.js";
import { SessionTable } from "../../src/sessions/index.js";
import { readSnapshotStream, type SnapshotSource, snapshotPieces } from "../../src/storage/index.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { addSystemNodes, encodeAcl, OPEN_ACL, Quotas, Tree, TxnApplier } from "../../src/tree/index.js";
import { NaiveTree } from "../tree/naive-tree.js";
import { RandomTxns } from "../tree/random-txns.js";
import { expectSame } from "../tree/tree-reading.js";
import { type Change, encodeTxn, type Txn } from "../tree/txn-bytes.js";

/**
 * A snapshot is read while the tree changes: each of its nodes is of another moment. The log behind it
 * must make of it the tree that the log itself made.
 */
class ChangingTree {
  readonly model = new NaiveTree();
  readonly tree = new Tree(99);
  readonly log: readonly Txn[];
  applied = 0;
  private readonly applier = new TxnApplier(this.tree, new Quotas(this.tree));

  constructor(log: readonly Txn[]) {
    addSystemNodes(this.tree);
    this.log = log;
  }

  applyNext(): void {
    const txn = this.log[this.applied];
    if (txn === undefined) return;
    this.applied += 1;
    this.model.apply(txn);
    applyTo(this.applier, txn);
  }

  applyAll(): void {
    while (this.applied < this.log.length) this.applyNext();
  }
}

/** As this server's own snapshots read: with a cursor that steps over what is removed. */
function ourSource({ tree }: ChangingTree): SnapshotSource {
  return snapshotSource(tree, new SessionTable(1000, 0), 0, () => 0);
}

/** As Apache's `DataTree.serializeNode` reads: a node's children are named when it is read, and looked up in their turn. */
function apacheSource({ model }: ChangingTree): SnapshotSource {
  const ids = new Map([[JSON.stringify(OPEN), OPEN_ACL]]);
  const idOf = (list: readonly Acl[]): number => {
    const key = JSON.stringify(list);
    if (!ids.has(key)) ids.set(key, ids.size);
    return ids.get(key)!;
  };
  const waiting = ["/"];
  return {
    zxid: 0,
    sessions: () => [],
    acls() {
      const lists = new Map([...model.nodes.values()].map(({ acl }) => [idOf(acl), encodeAcl(acl)]));
      lists.delete(OPEN_ACL);
      return [...lists].map(([aclId, bytes]) => ({ aclId, bytes }));
    },
    writeNodes(writer) {
      const path = waiting.shift()!;
      const node = model.nodes.get(path);
      if (node !== undefined) {
        const prefix = path === "/" ? "" : path;
        waiting.unshift(...model.children(path).map((name) => `${prefix}/${name}`));
        writer.ustring(prefix);
        writer.buffer(node.data);
        writer.longFromNumber(idOf(node.acl));
        statPersisted.encode(writer, model.persistedStat(path));
      }
      return waiting.length > 0;
    },
    lastZxid: () => 0,
    digest: () => undefined,
    release: () => {},
  };
}

/** The tree of a snapshot between whose nodes, the first included, something else happens. */
async function readSlowly(
  source: SnapshotSource,
  betweenNodes: (nodesRead: number) => void,
): Promise<{ tree: Tree; applier: TxnApplier }> {
  let nodesRead = 0;
  const slow: SnapshotSource = {
    ...source,
    writeNodes(writer) {
      betweenNodes(nodesRead++);
      return source.writeNodes(writer, writer.length + 1);
    },
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield* snapshotPieces(slow);
  }
  const tree = new Tree(98);
  await readSnapshotStream(pieces(), new TreeRestore(tree));
  tree.acls.dropUnused();
  return { tree, applier: new TxnApplier(tree, new Quotas(tree)) };
}

/** How many nodes are read before a child of /a, where there is nothing else beside the system's nodes. */
const ALL_BEFORE_A_CHILD = 5;

/** The snapshot begins after `begun` of the changes, and the others happen when so many nodes have been read. */
async function expectHealed(
  { begun, readFirst }: { readonly begun: number; readonly readFirst: number },
  changes: readonly Change[],
): Promise<void> {
  const changing = new ChangingTree(
    changes.map((change, index) => ({ session: 1n, zxid: index + 1, timeMs: index, change })),
  );
  while (changing.applied < begun) changing.applyNext();
  const copy = await readSlowly(apacheSource(changing), (nodesRead) => {
    if (nodesRead === readFirst) changing.applyAll();
  });
  for (const txn of changing.log.slice(begun)) applyTo(copy.applier, txn);
  expectSame(copy.tree, changing.model);
}

function create(path: string, parentCreations: number): Extract<Change, { op: "create" }> {
  return { op: "create", path, data: Buffer.from(path), acl: OPEN, owner: "persistent", parentCreations };
}

describe("a log behind a fuzzy snapshot makes the tree that the log made", () => {
  test.each([
    ["our", ourSource],
    ["Apache's", apacheSource],
  ] as const)("with %s way of reading nodes while they change", async (_whose, begin) => {
    const lives = fc.record({
      seed: fc.integer(),
      length: fc.integer({ min: 1, max: 150 }),
      start: fc.nat({ max: 149 }),
    });
    await fc.assert(
      fc.asyncProperty(lives, async ({ seed, length, start }) => {
        const txns = new RandomTxns(seed, { closesList: true, isCrowded: true });
        const changing = new ChangingTree(Array.from({ length }, () => txns.next()));
        while (changing.applied < start % length) changing.applyNext();
        const behind = changing.log.slice(changing.applied);
        const pauses = new SeededRandom(seed);
        const copy = await readSlowly(begin(changing), () => {
          while (pauses.below(3) > 0) changing.applyNext();
        });
        for (const txn of behind) applyTo(copy.applier, txn);
        expectSame(copy.tree, txns.model);
      }),
      { numRuns: 100 },
    );
  });

  test("a later node of the same name, whole in the snapshot, takes nothing from the former one", () =>
    expectHealed({ begun: 0, readFirst: 0 }, [
      create("/a", 1),
      create("/a/former", 1),
      create("/a/former too", 2),
      { op: "setData", path: "/a", data: Buffer.from("changed"), version: 1 },
      { op: "setACL", path: "/a", acl: [{ perms: 1, id: { scheme: "world", id: "anyone" } }], version: 1 },
      { op: "delete", path: "/a/former" },
      { op: "delete", path: "/a/former too" },
      { op: "delete", path: "/a" },
      create("/a", 2),
      create("/a/b", 1),
    ]));

  test("a former node in the snapshot gives way to the later one, whose child was read already", () =>
    expectHealed({ begun: 2, readFirst: ALL_BEFORE_A_CHILD }, [
      create("/a", 1),
      create("/a/b", 1),
      { op: "delete", path: "/a/b" },
      { op: "delete", path: "/a" },
      create("/a", 2),
      create("/a/b", 1),
      { op: "setData", path: "/a/b", data: Buffer.from("changed"), version: 1 },
    ]));

  test("a later node of the same name is left alone by a log that does not list what went with a session", () =>
    expectHealed({ begun: 0, readFirst: 0 }, [
      { ...create("/a", 1), owner: "ephemeral" },
      { op: "setData", path: "/a", data: Buffer.from("changed"), version: 1 },
      { op: "closeSession", paths: undefined },
      create("/a", 2),
    ]));

  test("a child's creation of any kind raises the count of a parent that was read before it", () =>
    expectHealed({ begun: 2, readFirst: ALL_BEFORE_A_CHILD }, [
      create("/a", 1),
      create("/a/b", 1),
      { op: "delete", path: "/a/b" },
      { ...create("/a/b", 2), owner: "ttl" },
    ]));
});

const OPEN: Acl[] = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];

function applyTo(applier: TxnApplier, txn: Txn): void {
  const bytes = encodeTxn(txn);
  applier.apply(bytes, 0, bytes.length);
}
