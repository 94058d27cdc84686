import { expect, test } from "vitest";
import { serve } from "../../../server/test/support/server-under-test.js";
import { until } from "../../../server/test/support/until.js";
import { ZkError } from "../../src/errors.js";
import type { NodeEvent, WatchListener } from "../../src/session/index.js";
import { ReRegisteringWatch, type WatchedReads } from "../../src/streams/re-registering-watch.js";
import { NO_STAT } from "../simulation/simulated-ensemble.js";

test("a change that is looked at when the session ends is looked at in the next one", async () => {
  let watcher: WatchListener = () => undefined;
  let version = 1n;
  let isExpired = false;
  const reads = {
    exists: async (_: string, { watch }: { watch: WatchListener }) => {
      if (isExpired) throw new ZkError({ code: "SESSION_EXPIRED", outcome: "not-applied", operation: "exists" });
      watcher = watch;
      return { ...NO_STAT, czxid: 1n, mzxid: version };
    },
    getChildrenWithStat: async () => ({ children: [], stat: NO_STAT }),
    unwatch: () => undefined,
  };
  const told: NodeEvent[] = [];
  const watch = new ReRegisteringWatch(reads, "/a", false, (event) => told.push(event));
  await watch.open();
  const change = async (): Promise<void> => {
    version++;
    watcher({ kind: "dataChanged", path: "/a", zxid: version });
    await new Promise((resolve) => setImmediate(resolve));
  };
  isExpired = true;
  await change();
  expect(told).toEqual([]);
  isExpired = false;
  watch.onSessionEvent({ kind: "session", state: "connected" });
  await new Promise((resolve) => setImmediate(resolve));
  await change();
  expect(told.map(({ kind, zxid }) => [kind, zxid])).toEqual([
    ["dataChanged", 2n],
    ["dataChanged", 3n],
  ]);
});

test("a child that is made again between two looks is told, and watched on", async () => {
  const server = await serve();
  const [client, writer] = [await server.client(), await server.client()];
  await writer.create("/t/a", null, { parents: true });
  let looksAtGone = 0;
  const reads: WatchedReads = {
    exists: (path, options) => client.exists(path, options),
    unwatch: (path, listener) => client.unwatch(path, listener),
    getChildrenWithStat: async (path, options) => {
      if (looksAtGone === 0 && path === "/t" && (await client.exists("/t/a")) === null) {
        await until(() => looksAtGone === 1);
        await writer.create("/t/a");
      }
      try {
        return await client.getChildrenWithStat(path, options);
      } catch (error) {
        if (path === "/t/a") looksAtGone++;
        throw error;
      }
    },
  };
  const told: string[] = [];
  const watch = new ReRegisteringWatch(reads, "/t", true, ({ kind, path }) => told.push(`${kind} ${path}`));
  await watch.open();
  await writer.delete("/t/a");
  await until(() => told.length === 2);
  await writer.setData("/t/a", "changed");
  await until(() => told.length === 3);
  expect(told).toEqual(["deleted /t/a", "created /t/a", "dataChanged /t/a"]);
  watch.close();
});

test("a watch that the application removes from a node is set again", async () => {
  const server = await serve();
  const [client, writer] = [await server.client(), await server.client()];
  await writer.create("/t");
  const told: string[] = [];
  const watch = new ReRegisteringWatch(client, "/t", false, ({ kind, path }) => told.push(`${kind} ${path}`));
  await watch.open();
  await client.removeWatches("/t", "any");
  while (!(await client.hasWatch("/t", "data"))) await new Promise((resolve) => setImmediate(resolve));
  await writer.setData("/t", "changed");
  await until(() => told.length === 1);
  expect(told).toEqual(["dataChanged /t"]);
  watch.close();
});

test("closing leaves nothing behind, however often a watch was opened", async () => {
  const server = await serve();
  const [client, writer] = [await server.client(), await server.client()];
  await writer.create("/t/a", null, { parents: true });
  for (let i = 0; i < 3; i++) {
    const watch = new ReRegisteringWatch(client, "/t", true, () => undefined);
    await watch.open();
    watch.close();
  }
  await writer.setData("/t/a", "changed");
  await until(() => client.counters.eventsUnwanted === 1);
  expect(client.counters.events).toBe(0);
});
