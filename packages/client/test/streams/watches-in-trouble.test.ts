import { expect, test } from "vitest";
import { proxyTo } from "../../../server/test/support/cuttable-proxy.js";
import { serve } from "../../../server/test/support/server-under-test.js";
import { until } from "../../../server/test/support/until.js";
import { type Client, TreeCache, type WatchEvent } from "../../src/index.js";

/** Ways in which the persistent watch goes that stood for a one-shot one. */
const ENDS = [
  ["its stream is closed while the read is under way", (_: Client, close: () => Promise<void>) => close()],
  [
    "the application removes it",
    async (client: Client, _: () => Promise<void>, read: Promise<unknown>) => {
      await read;
      await client.removeWatches("/a", "persistent");
    },
  ],
] as const;

test.each(ENDS)(
  "M5: a one-shot watch that a persistent one stood for is told of the change after %s",
  async (_, end) => {
    const server = await serve();
    const [client, writer] = [await server.client(), await server.client()];
    await writer.create("/a");
    const stream = client.watch("/a");
    await stream.ready;
    const seen: WatchEvent["kind"][] = [];
    const reading = client.getData("/a", { watch: ({ kind }) => seen.push(kind) });
    await end(client, () => stream.close(), reading);
    await reading;
    await client.sync();
    await writer.setData("/a", "1");
    await until(() => seen.length > 0);
    await writer.setData("/a", "2");
    await client.sync();
    expect(seen).toEqual(["dataChanged"]);
  },
);

test("a stream that waits for a connection follows the client into its next session", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const [client, writer] = [await server.client({ port: proxy.port, whenLost: "renew" }), await server.client()];
  proxy.cut();
  await until(() => client.state === "suspended");
  const stream = client.watch("/a");
  await server.endSession(client);
  proxy.mend();
  await stream.ready;
  await writer.create("/a");
  for await (const event of stream) if (event.kind === "created") break;
  expect(client.counters.sessionsLost).toBe(1);
});

test("a cache that is closed while it fills leaves no watch behind", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const [client, writer] = [await server.client({ port: proxy.port }), await server.client()];
  await writer.create("/t/a", null, { parents: true });
  const cache = new TreeCache(client, "/");
  await cache.close();
  const filling = new TreeCache(client, "/");
  await until(() => filling.size > 0);
  await filling.close();
  await client.sync();
  proxy.cut();
  await until(() => client.state === "suspended");
  proxy.mend();
  await until(() => client.state === "connected");
  expect(client.counters.watchesRestored).toBe(0);
});
