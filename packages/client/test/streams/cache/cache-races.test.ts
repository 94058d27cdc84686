import { expect, test } from "vitest";
import { serve } from "../../../../server/test/support/server-under-test.js";
import { until } from "../../../../server/test/support/until.js";
import { ChildrenCache, type Client, TreeCache } from "../../../src/index.js";

test("a child that comes back between two answers that arrive together is not missed", async () => {
  const server = await serve();
  const [client, writer] = [await server.client(), await server.client()];
  await writer.create("/t");
  const answers: (() => void)[] = [];
  const kept = <T>(answer: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      answer.then(
        (result) => answers.push(() => resolve(result)),
        (error: unknown) => answers.push(() => reject(error)),
      );
    });
  let isFirst = true;
  const together: Client = Object.create(client, {
    getDataWithStat: {
      value: async (path: string, options: object) => {
        if (path !== "/t/a" || !isFirst) return await client.getDataWithStat(path, options);
        isFirst = false;
        await writer.delete("/t/a");
        return await kept(client.getDataWithStat(path, options));
      },
    },
    getChildrenWithStat: {
      value: async (path: string, options: object) => {
        if (isFirst || answers.length > 1) return await client.getChildrenWithStat(path, options);
        await until(() => answers.length === 1);
        await writer.create("/t/a", "again");
        return await kept(client.getChildrenWithStat(path, options));
      },
    },
  });
  await using cache = new ChildrenCache(together, "/t");
  await cache.ready;
  await writer.create("/t/a", "first");
  await until(() => answers.length === 2);
  for (const arrive of answers) arrive();
  await until(() => String(cache.get("a")?.data) === "again");
});

test("a reconciliation that is weeks away does not begin at once", async () => {
  const server = await serve();
  const client = await server.client();
  await using cache = new TreeCache(client, "/", { reconcile: { everyMs: 2 ** 31 + 1000, jitter: 0 } });
  await cache.ready;
  // Node makes one millisecond of what is too long for a timer: that one would fire before this.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(cache.counters.checks).toBe(0);
});

test("a cache of Stats leaves no watch on a node that was gone before it could be looked at", async () => {
  const server = await serve();
  const [client, writer] = [await server.client(), await server.client()];
  await writer.create("/t");
  const late: Client = Object.create(client, {
    exists: {
      value: async (path: string, options: object) => {
        if (path === "/t/a") await writer.delete("/t/a").catch(() => undefined);
        return await client.exists(path, options);
      },
    },
  });
  await using cache = new TreeCache(late, "/t", { data: false });
  await cache.ready;
  const { reads } = cache.counters;
  await writer.create("/t/a");
  await until(() => cache.counters.reads >= reads + 3 && cache.children("/t").length === 0);
  await cache.close();
  const { events, eventsUnwanted } = client.counters;
  await writer.create("/t/a");
  await until(() => client.counters.eventsUnwanted > eventsUnwanted);
  await client.sync();
  expect(client.counters.events).toBe(events);
});
