import { once } from "node:events";
import { expect, test } from "vitest";
import { until } from "../../../../test/support/until.js";
import { proxyTo } from "../../../server/test/support/cuttable-proxy.js";
import { type ServerUnderTest, serve } from "../../../server/test/support/server-under-test.js";
import type { Client } from "../../src/index.js";
import {
  Barrier,
  DoubleBarrier,
  instancesOf,
  Mutex,
  type Part,
  Partitioner,
  PersistentEphemeral,
  ServiceDiscovery,
  type WorkItem,
  WorkQueue,
} from "../../src/recipes/index.js";
import { DeafProxy } from "../support/deaf-proxy.js";

/** What a recipe does when the node by which it has or waits for something is lost while it lives on. */

async function renewing(): Promise<{ server: ServerUnderTest; renewed: Client; other: Client }> {
  const server = await serve();
  return { server, renewed: await server.client({ whenLost: "renew" }), other: await server.client() };
}

/** Ends the session, and resolves in the next one. */
async function renew(server: ServerUnderTest, client: Client): Promise<void> {
  const { sessionId } = client;
  await server.endSession(client);
  await until("the next session", () => client.state === "connected" && client.sessionId !== sessionId);
}

/** The names of the members, who come and go. */
async function members(client: Client, path: string): Promise<string[]> {
  return (await client.getChildren(path)).filter((name) => name !== "ready");
}

test.each(["its session", "its node, by somebody's hand,"])(
  "a member that loses %s while it waits at a double barrier is counted again",
  async (what) => {
    const { server, renewed, other } = await renewing();
    await other.create("/d");
    const [a, b] = [new DoubleBarrier(renewed, "/d", 2), new DoubleBarrier(other, "/d", 2)];
    const entered = a.enter();
    await until("the first to wait", async () => (await members(other, "/d")).length === 1);
    const [first] = await members(other, "/d");
    await renewed.sync();
    if (what === "its session") await renew(server, renewed);
    else await other.delete(`/d/${first}`);
    await until("the first to be there again", async () => {
      const now = await members(other, "/d");
      return now.length === 1 && now[0] !== first;
    });
    await Promise.all([entered, b.enter()]);
    expect((await members(other, "/d")).length).toBe(2);
    await Promise.all([a.leave(), b.leave()]);
    expect(await other.getChildren("/d")).toEqual([]);
  },
);

test("a member that lost its session without hearing of it is not let in uncounted, and keeps the others in", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const renewed = await server.client({ port: proxy.port, whenLost: "renew" });
  const others = [await server.client(), await server.client()] as const;
  await others[0].create("/d");
  const a = new DoubleBarrier(renewed, "/d", 2);
  let isIn = false;
  const entered = a.enter().then(() => {
    isIn = true;
  });
  await until("the first to wait", async () => (await members(others[0], "/d")).length === 1);
  await renewed.sync();
  proxy.cut();
  await until("the client to notice the cut", () => renewed.state === "suspended");
  await server.endSession(renewed);
  const [b, c] = others.map((client) => new DoubleBarrier(client, "/d", 2)) as [DoubleBarrier, DoubleBarrier];
  await Promise.all([b.enter(), c.enter()]);
  expect(isIn).toBe(false);
  proxy.mend();
  await entered; // late, and let in, as a member
  expect((await members(others[0], "/d")).length).toBe(3);
  const left = Promise.all([b.leave(), c.leave()]);
  await until("the others to be out", async () => (await members(others[0], "/d")).length === 1);
  expect(await others[0].exists("/d/ready")).not.toBeNull();
  await Promise.all([left, a.leave()]);
});

test("a member whose node goes before it has counted does not count itself", async () => {
  const server = await serve();
  const [client, other] = [await server.client(), await server.client()];
  for (const name of ["one", "two"]) await other.create(`/d/${name}`, null, { parents: true });
  let isLost = false;
  const unlucky: Client = Object.create(client);
  unlucky.createWithStat = async (...given) => {
    const made = await client.createWithStat(...given);
    if (!isLost) await other.delete(made.path);
    isLost = true;
    return made;
  };
  await new DoubleBarrier(unlucky, "/d", 2).enter();
  expect((await members(other, "/d")).length).toBe(3);
});

test("a wait goes on in the next session, though the loss of the session finds it with a request under way", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const renewed = await server.client({ port: proxy.port, whenLost: "renew" });
  const other = await server.client();
  proxy.cut();
  await until("the client to notice the cut", () => renewed.state === "suspended");
  const [acquired, entered] = [new Mutex(renewed, "/lock").acquire(), new DoubleBarrier(renewed, "/d", 2).enter()];
  await server.endSession(renewed);
  proxy.mend();
  await Promise.all([acquired, entered, new DoubleBarrier(other, "/d", 2).enter()]);
});

test.each(["its session", "its node, by somebody's hand,"])(
  "whoever loses %s in a line stands in it again at once, and not when the one ahead leaves",
  async (what) => {
    const { server, renewed, other } = await renewing();
    const line = new Mutex(other, "/lock");
    const held = await line.acquire();
    const acquired = new Mutex(renewed, "/lock", { id: "waits" }).acquire();
    const waiting = async (): Promise<string | undefined> =>
      (await line.participants()).find(({ id }) => id === "waits")?.path;
    await until("the second to be in line", async () => (await waiting()) !== undefined);
    const lost = await waiting();
    await renewed.sync();
    if (what === "its session") await renew(server, renewed);
    else await other.delete(lost!);
    await until("the second to be in line again", async () => ![lost, undefined].includes(await waiting()));
    await held.release();
    await (await acquired).release();
  },
);

async function takenThroughDeafProxy(): Promise<{
  server: ServerUnderTest;
  proxy: DeafProxy;
  client: Client;
  other: Client;
  item: WorkItem;
}> {
  const server = await serve();
  const proxy = await DeafProxy.to(server.port);
  const [client, other] = [await server.client({ port: proxy.port }), await server.client()];
  const queue = new WorkQueue(client, "/w");
  await queue.put("entry");
  const item = await queue.take();
  await client.sync();
  return { server, proxy, client, other, item };
}

/** Takes the entry out, and the reply never arrives. */
async function consumeUnheard(proxy: DeafProxy, other: Client, item: WorkItem): Promise<{ end: Promise<void> }> {
  const { swallowed } = proxy;
  proxy.swallowsReplies = true;
  const end = item.consume();
  end.catch(() => undefined);
  await until("the entry to go", async () => (await other.getChildren("/w/entries")).length === 0);
  await until("the reply to be lost", () => proxy.swallowed > swallowed);
  proxy.swallowsReplies = false;
  return { end };
}

test("a consume whose reply was lost finds out that it has worked", async () => {
  const { proxy, other, item } = await takenThroughDeafProxy();
  const { end } = await consumeUnheard(proxy, other, item);
  proxy.cut();
  await end;
  expect(await other.getChildren("/w/taken")).toEqual([]);
});

test("a consume whose reply was lost says that it may have worked where it cannot find out", async () => {
  const { server, proxy, client, other, item } = await takenThroughDeafProxy();
  const { end } = await consumeUnheard(proxy, other, item);
  await server.endSession(client);
  await expect(end).rejects.toMatchObject({
    code: "SESSION_EXPIRED",
    outcome: "unknown",
    path: expect.stringContaining("/w/entries/"),
  });
});

test("a consume of an entry that somebody else has taken out says so", async () => {
  const { other, item } = await takenThroughDeafProxy();
  for (const name of await other.getChildren("/w/entries")) await other.delete(`/w/entries/${name}`);
  await expect(item.consume()).rejects.toMatchObject({ code: "NO_NODE", outcome: "not-applied" });
  await item.putBack();
  expect(await other.getChildren("/w/taken")).toEqual([]);
});

test.each([
  ["another", async (other: Client): Promise<unknown> => new WorkQueue(other, "/w").take()],
  [
    "kazoo",
    async (other: Client): Promise<unknown> => {
      const [name] = await other.getChildren("/w/entries");
      return other.create(`/w/taken/${name}`, "kazoo's id", { mode: "ephemeral" });
    },
  ],
])(
  "an entry whose claim was deleted and made anew by %s is not consumed by whoever had the first",
  async (_, claim) => {
    const { proxy, other, item } = await takenThroughDeafProxy();
    proxy.swallowsEvents = true;
    await other.delete(item.hold.path);
    const claimed = await claim(other);
    expect(item.hold.isHeld).toBe(true); // it has not heard of it
    await expect(item.consume()).rejects.toMatchObject({ code: "BAD_VERSION", outcome: "not-applied" });
    expect((await other.getChildren("/w/entries")).length).toBe(1);
    if (typeof claimed === "object") await (claimed as WorkItem).consume();
  },
);

test("what a persistent ephemeral node holds is not written to another's node of that name", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const renewed = await server.client({ port: proxy.port, whenLost: "renew" });
  const other = await server.client();
  const mine = new PersistentEphemeral(renewed, "/name", "mine");
  await mine.ready;
  const others = new PersistentEphemeral(other, "/name", "another's");
  await until("the other to wait", async () => (await server.figure("watch_count")) === 2);
  const { sessionId } = renewed;
  proxy.cut();
  await server.endSession(renewed);
  await others.ready;
  proxy.mend();
  await until("the next session", () => renewed.state === "connected" && renewed.sessionId !== sessionId);
  await mine.setData("mine, later");
  expect(String(await other.getData("/name"))).toBe("another's");
  await others.close();
  await until("the name to be had again", async () => String(await readIfThere(other)) === "mine, later");
});

async function readIfThere(client: Client): Promise<Buffer | null> {
  return (await client.exists("/name")) && (await client.getData("/name").catch(() => null));
}

test("a partitioner outlives what onError throws, says so, and takes the work up a second later", async () => {
  const client = await (await serve()).client();
  const warned = once(process, "warning");
  let tries = 0;
  const work = async ({ signal }: Part): Promise<void> => {
    if (++tries <= 2) throw new Error("try again");
    await once(signal, "abort");
  };
  const onError = (error: unknown): never => {
    throw new Error("mine", { cause: error });
  };
  await using partitioner = new Partitioner(client, "/p", ["part"], work, { onError });
  await partitioner.ready;
  expect((await warned)[0]).toMatchObject({ name: "ZkListenerWarning", message: expect.stringContaining("/p threw") });
  const startMs = performance.now();
  await until("the next try", () => tries === 2);
  expect(performance.now() - startMs).toBeGreaterThan(500);
});

test("a partitioner without work says that it has ended with its session, and stops the work where there is some", async () => {
  const server = await serve();
  const client = await server.client();
  const idle = new Partitioner(client, "/idle", [], async () => undefined);
  let stopped: AbortSignal | undefined;
  const busy = new Partitioner(client, "/busy", ["part"], async ({ signal }) => {
    stopped = signal;
    await once(signal, "abort");
  });
  await Promise.all([idle.ready, busy.ready]);
  await until("the work to begin", () => stopped !== undefined);
  await server.endSession(client);
  await expect(idle.closed).rejects.toMatchObject({ code: "SESSION_EXPIRED" });
  await expect(busy.closed).rejects.toMatchObject({ code: "SESSION_EXPIRED" });
  await until("the part to be let go", () => stopped?.aborted === true && busy.assigned.length === 0);
  await Promise.all([idle.close(), busy.close()]);
  const closed = new Partitioner(await server.client(), "/closed", ["part"], async () => undefined);
  await closed.close();
  await closed.closed;
});

test.each(["", ".", ".."])("a part that cannot be a node, %j, is refused at once", async (name) => {
  const client = await (await serve()).client();
  expect(() => new Partitioner(client, "/p", ["good", name], async () => undefined)).toThrow(
    expect.objectContaining({ code: "BAD_ARGUMENTS" }),
  );
  expect(await client.exists("/p")).toBeNull();
});

test("what an instance left open is undefined", async () => {
  const client = await (await serve()).client();
  const services = new ServiceDiscovery(client, "/services");
  await services.register({ name: "web", address: "h" }).ready;
  await using view = services.follow("web");
  await view.ready;
  const [{ port, sslPort } = { port: null, sslPort: null }] = instancesOf(view);
  expect([port, sslPort]).toEqual([undefined, undefined]);
});

test("whoever was let through a barrier leaves no watch behind", async () => {
  const server = await serve();
  const [client, other] = [await server.client(), await server.client()];
  const barrier = new Barrier(other, "/b");
  await barrier.raise();
  const waiting = new Barrier(client, "/b").wait();
  await until("the watch", async () => (await server.figure("watch_count")) === 1);
  await barrier.lower();
  await waiting;
  await new Barrier(client, "/b").wait();
  expect(await server.figure("watch_count")).toBe(0);
});
