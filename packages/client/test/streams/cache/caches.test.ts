import { expect, test } from "vitest";
import { proxyTo } from "../../../../server/test/support/cuttable-proxy.js";
import { serve } from "../../../../server/test/support/server-under-test.js";
import { until } from "../../../../server/test/support/until.js";
import { type CacheChange, ChildrenCache, type Client, type Drift, NodeCache, TreeCache } from "../../../src/index.js";
import { DeafProxy } from "../../support/deaf-proxy.js";

/** Changes as "kind path old>new". */
function recorded() {
  const seen: string[] = [];
  const text = (data: Buffer | null | undefined): string => (data === undefined ? "-" : String(data ?? ""));
  const onChange = ({ kind, path, old, new: now }: CacheChange): void => {
    seen.push(`${kind} ${path} ${text(old?.data)}>${text(now?.data)}`);
  };
  return { seen, onChange };
}

const contents = (cache: TreeCache): string[] =>
  [...cache.nodes()].map(({ path, data }) => `${path}=${data ?? ""}`).sort();

test("a node cache follows its node from before its creation to after its deletion", async () => {
  const server = await serve();
  const [client, writer] = [await server.client(), await server.client()];
  const { seen, onChange } = recorded();
  await using cache = new NodeCache(client, "/a", { onChange });
  await cache.ready;
  expect(cache.node).toBeUndefined();
  await writer.create("/a", "1");
  await until(() => seen.length === 1);
  await writer.setData("/a", "2");
  await until(() => seen.length === 2);
  expect(String(cache.node?.data)).toBe("2");
  await writer.delete("/a");
  await until(() => seen.length === 3);
  await writer.create("/a", "3");
  await until(() => seen.length === 4);
  expect(seen).toEqual(["added /a ->1", "changed /a 1>2", "removed /a 2>-", "added /a ->3"]);
});

test("a children cache shows the children and not the node, which may come later", async () => {
  const server = await serve();
  const [client, writer] = [await server.client(), await server.client()];
  const { seen, onChange } = recorded();
  await using cache = new ChildrenCache(client, "/group", { onChange });
  await cache.ready;
  await writer.create("/group/a/below", null, { parents: true });
  await writer.create("/group/b", "1");
  await until(() => cache.size === 2);
  await writer.setData("/group/b", "2");
  await until(() => seen.includes("changed /group/b 1>2"));
  await writer.deleteRecursive("/group/a");
  await until(() => cache.size === 1);
  expect([cache.names, String(cache.get("b")?.data)]).toEqual([["b"], "2"]);
  expect(seen.some((change) => change.includes("/group ") || change.includes("below"))).toBe(false);
});

test("a tree cache equals the tree after many changes made at once", async () => {
  const server = await serve();
  const [client, writer] = [await server.client(), await server.client()];
  await writer.create("/t");
  await using cache = new TreeCache(client, "/t");
  await cache.ready;
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 300; i++) {
    writes.push(writer.create(`/t/${i % 20}/${i}`, String(i), { parents: true }));
    if (i % 3 === 0) writes.push(writer.deleteRecursive(`/t/${(i * 7) % 20}`));
    if (i % 5 === 0) writes.push(writer.setData(`/t/${i % 20}`, `changed ${i}`).catch(() => undefined));
  }
  await Promise.allSettled(writes);
  const truth = await treeOf(writer, "/t");
  await until(
    () => JSON.stringify(contents(cache)) === JSON.stringify(truth),
    () => "the cache to equal the tree",
  );
  expect(await cache.reconcile()).toMatchObject({ checked: truth.length, repaired: 0 });
});

async function treeOf(client: Client, path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const node of client.walk(path, { data: true })) found.push(`${node.path}=${node.data ?? ""}`);
  return found.sort();
}

test("M16: what no watch has told is found by comparing, repaired, reported and counted", async () => {
  const server = await serve();
  const proxy = await DeafProxy.to(server.port);
  const [client, writer] = [await server.client({ port: proxy.port }), await server.client()];
  await Promise.all(["/m/gone", "/m/kept", "/m/again"].map((path) => writer.create(path, "1", { parents: true })));
  const drifts: Drift[] = [];
  const { seen, onChange } = recorded();
  await using cache = new TreeCache(client, "/m", { onDrift: (drift) => drifts.push(drift) });
  await cache.ready;
  cache.onChange(onChange);
  proxy.swallowsEvents = true;
  await writer.setData("/m/kept", "2");
  await writer.delete("/m/gone");
  await writer.delete("/m/again");
  await writer.create("/m/again", "2");
  await writer.create("/m/new", "2");
  await until(() => proxy.swallowed >= 4);
  await client.sync();
  expect(seen).toEqual([]); // the sibling without the remedy: the cache believes what is no longer true
  const { repaired } = await cache.reconcile();
  expect(contents(cache)).toEqual(await treeOf(writer, "/m"));
  expect(drifts.map(({ path, of }) => `${path} ${of}`).sort()).toEqual([
    "/m children",
    "/m/again existence",
    "/m/gone existence",
    "/m/kept data",
  ]);
  expect([repaired, cache.counters.repaired]).toEqual([4, 4]);
  proxy.swallowsEvents = false;
  await writer.setData("/m/kept", "3"); // and the watches stand again
  await until(() => seen.includes("changed /m/kept 2>3"));
  expect((await cache.reconcile()).repaired).toBe(0);
});

test("M16: reconciliation comes by itself at its interval, and keeps to its budget of reads", async () => {
  const server = await serve();
  const proxy = await DeafProxy.to(server.port);
  const [client, writer] = [await server.client({ port: proxy.port }), await server.client()];
  await writer.create("/m");
  await Promise.all(Array.from({ length: 99 }, (_, i) => writer.create(`/m/${i}`)));
  const reconcile = { everyMs: 20, jitter: 0, readsPerSecondMax: 400 };
  await using cache = new TreeCache(client, "/m", { reconcile });
  await cache.ready;
  proxy.swallowsEvents = true;
  await writer.setData("/m/7", "unseen");
  await until(() => cache.counters.repaired > 0);
  const { durationMs, checked } = await cache.reconcile();
  expect(checked).toBe(100);
  expect(durationMs).toBeGreaterThan(150); // 100 reads at 400 a second, but for the last group of 20
});

test("after a reconnect the reads are in proportion to the 10 changes, not to the 50,000 nodes", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const client = await server.client({ port: proxy.port, sessionTimeoutMs: 40_000 });
  const writer = await server.client();
  await writer.create("/big");
  for (let i = 0; i < 50; i++) {
    const group = Array.from({ length: 999 }, (_, j) => ({ op: "create", path: `/big/${i}/${j}`, data: "0" }) as const);
    await writer.multi([{ op: "create", path: `/big/${i}` }, ...group]);
  }
  await using cache = new TreeCache(client, "/big");
  await cache.ready;
  expect(cache.size).toBe(50_001);
  const readsBefore = cache.counters.reads;
  proxy.cut();
  await until(() => client.state === "suspended");
  for (let i = 0; i < 6; i++) await writer.setData(`/big/${i}/${i}`, "changed");
  for (let i = 6; i < 8; i++) await writer.delete(`/big/${i}/${i}`);
  for (let i = 8; i < 10; i++) await writer.create(`/big/${i}/new`, "new");
  proxy.mend();
  const isCaughtUp = (): boolean => cache.size === 50_001 && cache.counters.changes === 50_011;
  await until(isCaughtUp, () => `10 changes, ${cache.counters.changes - 50_001} found`);
  expect(String(cache.get("/big/3/3")?.data)).toBe("changed");
  expect([cache.get("/big/6/6"), String(cache.get("/big/9/new")?.data)]).toEqual([undefined, "new"]);
  await client.sync();
  expect(cache.counters.reads - readsBefore).toBeLessThanOrEqual(20);
}, 60_000);

test("a cache survives the loss of its session where the client renews it, and ends where not", async () => {
  const server = await serve();
  const writer = await server.client();
  await writer.create("/s/a", "1", { parents: true });
  const renewing = await server.client({ whenLost: "renew" });
  const mortal = await server.client();
  await using survivor = new TreeCache(renewing, "/s");
  await using ending = new TreeCache(mortal, "/s");
  await Promise.all([survivor.ready, ending.ready]);
  for (const client of [renewing, mortal]) await server.endSession(client);
  await until(() => mortal.state === "lost" && renewing.state === "connected");
  await writer.setData("/s/a", "2");
  await until(() => String(survivor.get("/s/a")?.data) === "2");
  expect(String(ending.get("/s/a")?.data)).toBe("1");
  const late = new TreeCache(mortal, "/s");
  await expect(late.ready).rejects.toMatchObject({ code: expect.stringMatching(/SESSION_EXPIRED|CLOSING/) });
});

test("a closed cache hears nothing, and what it showed stays", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/c", "1");
  const { seen, onChange } = recorded();
  const cache = new NodeCache(client, "/c", { onChange });
  await cache.ready;
  await cache.close();
  await client.setData("/c", "2");
  await client.sync();
  expect([seen, String(cache.node?.data)]).toEqual([["added /c ->1"], "1"]);
  const unready = new NodeCache(client, "/c");
  await unready.close();
  await expect(unready.ready).rejects.toMatchObject({ code: "CLOSING" });
});

test("a listener that throws is reported and harms neither the cache nor another listener", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/l");
  const errors: unknown[] = [];
  const { seen, onChange } = recorded();
  const fails = (): void => {
    throw new Error("mine");
  };
  await using cache = new NodeCache(client, "/l", { onChange: fails, onListenerError: (error) => errors.push(error) });
  cache.onChange(onChange);
  await cache.ready;
  expect([seen.length, errors.length]).toEqual([1, 1]);
});
