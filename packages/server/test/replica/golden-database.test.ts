import { encodeText } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import type { Database } from "../../src/replica/load-database.js";
import { readEpoch } from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { NO_NODE } from "../../src/tree/index.js";
import { GOLDEN_NAMES, golden } from "../storage/golden-directories.js";
import { loadedFrom } from "./loaded-database.js";

// The state of a server that starts on a directory of Apache's, held against what a restarted Apache served.

/** A node's data as the recording writes them; undefined where there is no such node. */
function dataOf({ tree }: Database, path: string): { hex: string } | null | undefined {
  const bytes = encodeText(path);
  const node = tree.find(bytes, 0, bytes.length);
  if (node === NO_NODE) return undefined;
  const length = tree.dataLength(node);
  const start = tree.replyStart(node) + 4;
  return length < 0
    ? null
    : { hex: Buffer.from(tree.cellBytesOf(node).subarray(start, start + length)).toString("hex") };
}

describe.each(GOLDEN_NAMES)("a server that starts on the directory %s of an Apache server", (name) => {
  test("has the tree that Apache served, with the same digest, and no complaint", async () => {
    const { disk, expected } = golden(name);
    const logger = new KeptLines();
    const database = await loadedFrom(disk, { logger });
    const { high, low } = database.tree.digest;
    const digest = (BigInt(high) << 32n) | BigInt(low);
    if (expected.digest !== null) expect(digest).toBe(BigInt.asUintN(64, BigInt(expected.digest.treeDigest)));
    expect(database.tree.count).toBe(Object.keys(expected.nodes).length);
    for (const [path, node] of Object.entries(expected.nodes)) {
      // Counters of quotas are Apache's own affair: it changes them without a txn.
      if (!path.endsWith("/zookeeper_stats")) expect(dataOf(database, path), path).toEqual(node.data);
    }
    expect(logger.lines.filter(({ level }) => level !== "info")).toEqual([]);
  });

  test("has the sessions that were open, each with its ephemerals", async () => {
    const { disk, expected } = golden(name);
    const { sessions, tree, recovered } = await loadedFrom(disk);
    expect(recovered.lastZxid).toBe(Number(expected.lastZxid));
    const found = [...sessions].map(([id, { timeoutMs }]) => ({
      id: `0x${BigInt.asUintN(64, id).toString(16)}`,
      timeoutMs,
    }));
    expect(found.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(expected.sessions);
    const owned = [...tree.ephemerals].map(([id, nodes]) => [`0x${BigInt.asUintN(64, id).toString(16)}`, nodes.size]);
    const wanted = Object.entries(expected.ephemerals).map(([id, paths]) => [id, paths.length]);
    expect(Object.fromEntries(owned)).toEqual(Object.fromEntries(wanted));
  });
});

test("a member of an ensemble left its two epochs beside a history that spans three", async () => {
  const { disk, expected } = golden("replicated");
  for (const epoch of ["acceptedEpoch", "currentEpoch"] as const) {
    expect(await readEpoch(disk, "/data/version-2", epoch)).toBe(expected[epoch]);
  }
  expect([expected.acceptedEpoch, expected.currentEpoch]).toEqual([3, 3]);
  const txns = Object.values(expected.logs).flat();
  expect(new Set(txns.map(({ zxid }) => Number(BigInt(zxid) >> 32n)))).toEqual(new Set([1, 2, 3]));
});

test("the changed configuration of an ensemble is in the tree, with the zxid of its txn for a version", async () => {
  const { disk, expected } = golden("replicated");
  const database = await loadedFrom(disk);
  const config = Buffer.from(dataOf(database, "/zookeeper/config")!.hex, "hex").toString();
  const reconfig = Object.values(expected.logs)
    .flat()
    .findLast(({ type }) => type === 16)!;
  expect(config).toMatch(/^server\.1=zk1:.*\nserver\.2=.*\nserver\.3=.*\nserver\.4=.*:observer;.*\nversion=3/);
  expect(config.endsWith(`\nversion=${Number(reconfig.zxid).toString(16)}`)).toBe(true);
});
