import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addSystemNodes, NO_NODE, Quotas, ROOT, Tree, TreeCursor, TxnApplier } from "../../src/tree/index.js";
import { RandomTxns } from "./random-txns.js";
import { digestOf, expectSame, find, statOf } from "./tree-reading.js";
import { type Change, encodeTxn, type Txn } from "./txn-bytes.js";

const FRESH_DIGEST = 1371985504n;

function freshTree(): { tree: Tree; applier: TxnApplier } {
  const tree = new Tree(99);
  addSystemNodes(tree);
  return { tree, applier: new TxnApplier(tree, new Quotas(tree)) };
}

function apply(applier: TxnApplier, txn: Txn): void {
  const bytes = encodeTxn(txn);
  applier.apply(bytes, 0, bytes.length);
}

function createPlain(applier: TxnApplier, path: string, zxid: number): void {
  const change = {
    op: "create",
    path,
    data: null,
    acl: [],
    owner: "persistent",
    parentCreations: zxid,
  } satisfies Change;
  apply(applier, { session: 1n, zxid, timeMs: 1, change });
}

test("a fresh tree's digest is the known one", () => {
  expect(digestOf(freshTree().tree)).toBe(FRESH_DIGEST);
});

test("its first Stats are those of Apache's default nodes", () => {
  const { tree } = freshTree();
  const cversions = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"].map((path) => {
    const { cversion, aversion, czxid, ctime, dataLength } = statOf(tree, find(tree, path));
    return { path, cversion, aversion, czxid, ctime, dataLength };
  });
  const zero = { czxid: 0n, ctime: 0n, dataLength: 0 };
  expect(cversions).toEqual([
    { path: "/", cversion: -1, aversion: 0, ...zero },
    { path: "/zookeeper", cversion: -2, aversion: 0, ...zero },
    { path: "/zookeeper/quota", cversion: 0, aversion: 0, ...zero },
    { path: "/zookeeper/config", cversion: 0, aversion: -1, ...zero },
  ]);
});

test("it is what an obvious tree is, Stats, children, ACLs and digest, after any txns", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 150 }), (seed, length) => {
      const { tree, applier } = freshTree();
      const txns = new RandomTxns(seed);
      for (let i = 0; i < length; i++) {
        apply(applier, txns.next());
        if (digestOf(tree) !== txns.model.digest()) break;
      }
      expectSame(tree, txns.model);
    }),
    { numRuns: 25 },
  );
});

test("applying a log's tail again, as after a fuzzy snapshot, changes nothing", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 100 }),
      fc.nat(),
      fc.boolean(),
      (seed, length, cut, isCrowded) => {
        const { tree, applier } = freshTree();
        const txns = new RandomTxns(seed, { isCrowded });
        const log = Array.from({ length }, () => txns.next());
        for (const txn of log) apply(applier, txn);
        for (const txn of log.slice(cut % length)) apply(applier, txn);
        expectSame(tree, txns.model);
      },
    ),
    { numRuns: 60 },
  );
});

test("a tree that is emptied again holds no cell, ACL list or owner but its first", () => {
  const { tree, applier } = freshTree();
  const before = {
    cells: tree.cellBytes,
    count: tree.count,
    bytes: tree.approximateBytes,
    acls: tree.acls.all().length,
  };
  const txns = new RandomTxns(5);
  for (let i = 0; i < 400; i++) apply(applier, txns.next());
  expect(tree.count).toBeGreaterThan(before.count);
  const { model } = txns;
  let zxid = 1_000_000;
  for (const path of [...model.nodes.keys()].sort((a, b) => b.length - a.length)) {
    if (["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"].includes(path)) continue;
    apply(applier, { session: 1n, zxid: zxid++, timeMs: 1, change: { op: "delete", path } });
  }
  const empty = new Uint8Array(0);
  const open = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
  apply(applier, { session: 1n, zxid, timeMs: 1, change: { op: "setData", path: "/", data: empty, version: 1 } });
  apply(applier, { session: 1n, zxid, timeMs: 1, change: { op: "setACL", path: "/", acl: open, version: 1 } });

  expect(tree.cellBytes).toBe(before.cells);
  expect(tree.count).toBe(before.count);
  expect(tree.approximateBytes).toBe(before.bytes);
  // The root's list is in the table now: it was given one.
  expect(tree.acls.all().length).toBe(before.acls + 1);
  expect([tree.ephemerals.size, tree.containers.size, tree.ttlNodes.size, tree.ephemeralCount]).toEqual([0, 0, 0, 0]);
});

test("the digest behind a txn is compared with the tree's", () => {
  const { tree, applier } = freshTree();
  const txn: Txn = { session: 1n, zxid: 1, timeMs: 1, change: { op: "error", err: -101 } };
  for (const [digest, matches] of [
    [digestOf(tree), true],
    [digestOf(tree) + 1n, false],
    [digestOf(tree) + (1n << 32n), false],
    [undefined, true],
  ] as const) {
    const bytes = encodeTxn(txn, digest);
    applier.apply(bytes, 0, bytes.length);
    expect(applier.digestMatches(bytes), String(digest)).toBe(matches);
  }
});

describe("finding", () => {
  test('"" and "/" are the root, and what is no node\'s path finds none', () => {
    const { tree, applier } = freshTree();
    createPlain(applier, "/a", 1);
    expect([find(tree, ""), find(tree, "/")]).toEqual([ROOT, ROOT]);
    for (const path of [
      "a",
      "//",
      "/a/",
      "//a",
      "/a//",
      "x",
      "/A",
      "/zookeeperx",
      "/zookeeper/",
      "/zookeeper/quota/a",
    ]) {
      expect(find(tree, path), path).toBe(NO_NODE);
    }
  });

  test("a parent's name may end a child's: /b/a is not /a", () => {
    const { tree, applier } = freshTree();
    for (const [i, path] of ["/a", "/b", "/b/a", "/b/a/b"].entries()) {
      createPlain(applier, path, i + 1);
    }
    const nodes = ["/a", "/b", "/b/a", "/b/a/b"].map((path) => find(tree, path));
    expect(new Set(nodes).size).toBe(4);
    expect(find(tree, "/a/b")).toBe(NO_NODE);
  });
});

describe("a walk in slices", () => {
  test("visits every node that is there all the time, once, parents first, while the tree changes", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 5 }), (seed, slice) => {
        const { tree, applier } = freshTree();
        const txns = new RandomTxns(seed);
        for (let i = 0; i < 60; i++) apply(applier, txns.next());
        const before = new Map([...txns.model.nodes].map(([path, { czxid }]) => [path, czxid]));
        const cursor = new TreeCursor(tree);
        const visited = new Map<number, number>();
        for (let node = cursor.take(), i = 0; node !== NO_NODE; node = cursor.take(), i++) {
          const czxid = Number(statOf(tree, node).czxid);
          visited.set(node, czxid);
          if (node !== ROOT) expect(tree.parent(node) === ROOT || visited.has(tree.parent(node))).toBe(true);
          if (i % slice === 0) apply(applier, txns.next());
        }
        for (const [path, { czxid }] of txns.model.nodes) {
          if (before.get(path) === czxid) expect(visited.get(find(tree, path)), path).toBe(czxid);
        }
        cursor.close();
        cursor.close();
      }),
      { numRuns: 60 },
    );
  });
});
