import { connect, TreeCache } from "@watchkeeper/client";
import { nestedKeys } from "../load/key-space.js";
import { createNode, layKeys, withSession } from "../load/nodes.js";
import { nodeData } from "../load/request-frames.js";
import type { Target } from "../load/server-connection.js";
import { CuttableWire } from "./cuttable-wire.js";
import { stateOf } from "./state-of.js";

const ROOT = "/bench-cached";
const POLL_MS = 1;

export interface CacheFigures {
  readonly nodes: number;
  readonly changes: number;
  /** Requests of the cache for its first load, and after the reconnect until the changes were in it. */
  readonly readsToLoad: number;
  readonly readsAfterReconnect: number;
  readonly loadMs: number;
  /** From the moment at which the server could be reached again. */
  readonly caughtUpMs: number;
}

/** A tree cache of so many nodes whose connection is cut while so many of them change. */
export async function cacheReads(target: Target, nodes: number, changes: number): Promise<CacheFigures> {
  const keys = nestedKeys(ROOT);
  await withSession(target, async (session) => {
    await createNode(session, ROOT, new Uint8Array(0));
    await layKeys(session, keys, 0, nodes, nodeData(100));
  });
  const wire = await CuttableWire.to(target);
  const client = await connect(`${target.host}:${wire.port}`, { sessionTimeoutMs: 40_000 });
  const writer = await connect(`${target.host}:${target.port}`);
  const startedMs = performance.now();
  const cache = new TreeCache(client, ROOT);
  try {
    await cache.ready;
    const loadMs = performance.now() - startedMs;
    const readsToLoad = cache.counters.reads;
    const seen = cache.counters.changes;
    const suspended = stateOf(client, "suspended");
    wire.cut();
    await suspended;
    for (let i = 0; i < changes; i++) await writer.setData(keys.pathOf(Math.floor((i * nodes) / changes)), "changed");
    wire.mend();
    const mendedMs = performance.now();
    while (cache.counters.changes < seen + changes) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const caughtUpMs = performance.now() - mendedMs;
    await client.sync("/"); // reads that were still on their way are counted
    const readsAfterReconnect = cache.counters.reads - readsToLoad;
    return { nodes, changes, readsToLoad, readsAfterReconnect, loadMs, caughtUpMs };
  } finally {
    await cache.close();
    await Promise.all([client.close(), writer.close()]);
    wire.close();
  }
}
