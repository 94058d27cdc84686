import { once } from "node:events";
import { expect, test } from "vitest";
import { until } from "../../../../test/support/until.js";
import { proxyTo } from "../../../server/test/support/cuttable-proxy.js";
import { serve } from "../../../server/test/support/server-under-test.js";
import type { Client } from "../../src/index.js";
import {
  Barrier,
  Counter,
  DoubleBarrier,
  Group,
  instancesOf,
  LeaderElection,
  LeaderLatch,
  Partitioner,
  PersistentEphemeral,
  Queue,
  ServiceDiscovery,
  SharedValue,
  WorkQueue,
} from "../../src/recipes/index.js";

async function pair(): Promise<[Client, Client]> {
  const server = await serve();
  return [await server.client(), await server.client()];
}

test("candidates lead in turn, each while its task runs", async () => {
  const clients = await pair();
  const terms: bigint[] = [];
  let leading = 0;
  const lead = (client: Client) =>
    new LeaderElection(client, "/e").lead(async (term) => {
      expect(++leading).toBe(1);
      terms.push(term.token);
      await client.sync();
      leading--;
    });
  await Promise.all([...clients, ...clients].map(lead));
  expect(terms).toEqual([...terms].sort((a, b) => Number(a - b)));
  expect(terms.length).toBe(4);
});

test("a latch leads until it is closed, then the next one does", async () => {
  const [one, other] = await pair();
  const heard: boolean[] = [];
  const first = new LeaderLatch(one, "/latch", { id: "one", onChange: (term) => heard.push(term !== undefined) });
  const term = await first.untilLeader();
  await using second = new LeaderLatch(other, "/latch", { id: "other" });
  await expect(second.untilLeader({ timeoutMs: 30 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  expect([first.isLeader, second.isLeader]).toEqual([true, false]);
  await first.close();
  expect((await second.untilLeader()).token).toBeGreaterThan(term.token);
  expect([term.signal.aborted, heard, (await second.participants()).map(({ id }) => id)]).toEqual([
    true,
    [true, false],
    ["other"],
  ]);
});

test("a latch whose node somebody deletes steps down and stands again", async () => {
  const [one, other] = await pair();
  await using latch = new LeaderLatch(one, "/latch");
  const term = await latch.untilLeader();
  await one.sync();
  await other.delete(term.path);
  await until("the next term", () => term.signal.aborted && latch.isLeader);
  expect(latch.term?.token).toBeGreaterThan(term.token);
});

test("a barrier holds back until it is lowered", async () => {
  const [one, other] = await pair();
  const barrier = new Barrier(one, "/gates/b");
  await barrier.raise();
  await expect(new Barrier(other, "/gates/b").wait({ timeoutMs: 30 })).rejects.toMatchObject({
    code: "REQUEST_TIMEOUT",
  });
  const waiting = new Barrier(other, "/gates/b").wait();
  await barrier.lower();
  await waiting;
});

test("a double barrier lets everyone in together and out together", async () => {
  const [one, other] = await pair();
  const [a, b] = [new DoubleBarrier(one, "/d", 2), new DoubleBarrier(other, "/d", 2)];
  await one.create("/d"); // who gives up may do so before making it
  await expect(a.enter({ timeoutMs: 30 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  await until("the one who gave up to be out", async () => (await one.getChildren("/d")).length === 0);
  await Promise.all([a.enter(), b.enter()]);
  await expect(a.leave({ timeoutMs: 30 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  await b.leave();
  expect(await one.getChildren("/d")).toEqual([]);
});

test.each(["text", "int32", "int64"] as const)(
  "a counter (%s) adds up what two add at the same time",
  async (encoding) => {
    const [one, other] = await pair();
    const counters = [new Counter(one, "/n", { encoding }), new Counter(other, "/n", { encoding })];
    await Promise.all(counters.flatMap((counter) => [1n, -2n, 3n, 4n].map((delta) => counter.add(delta))));
    expect(await counters[0]!.get()).toBe(12n);
    expect([await counters[0]!.replace(11n, 0n), await counters[1]!.replace(12n, -5n)]).toEqual([false, true]);
    expect(await counters[0]!.get()).toBe(-5n);
  },
);

test("a shared value is replaced by who read it last, and followed", async () => {
  const [one, other] = await pair();
  const [a, b] = [new SharedValue(one, "/v", "first"), new SharedValue(other, "/v")];
  const { value, version } = await a.get();
  await using view = b.follow();
  await view.ready;
  expect([String(value), await b.replace(version, "b"), await a.replace(version, "a")]).toEqual(["first", true, false]);
  await a.update((data) => `${data}+a`);
  await until("the view to follow", () => String(view.node?.data) === "b+a");
});

test("a queue gives each entry once, by priority and then by age, and lets takers wait", async () => {
  const [one, other] = await pair();
  const [a, b] = [new Queue(one, "/q"), new Queue(other, "/q")];
  await a.put("second");
  await a.put("third");
  await a.put("first", { priority: 1 });
  expect([String(await b.take()), String(await b.take()), String(await b.take())]).toEqual([
    "first",
    "second",
    "third",
  ]);
  const waiting = [a.take(), b.take()];
  await a.put("x");
  await a.put("y");
  expect((await Promise.all(waiting)).map(String).sort()).toEqual(["x", "y"]);
  await expect(b.take({ timeoutMs: 30 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  await expect(b.put("z", { priority: 1000 })).rejects.toMatchObject({ code: "BAD_ARGUMENTS" });
});

test("an entry of a work queue stays until it is consumed, and a lost taker's goes to another", async () => {
  const server = await serve();
  const [one, other] = [await server.client(), await server.client()];
  const [a, b] = [new WorkQueue(one, "/w"), new WorkQueue(other, "/w")];
  await a.put("first");
  await a.put("second");
  const first = await a.take();
  const second = await b.take();
  expect([String(first.data), String(second.data)]).toEqual(["first", "second"]);
  await second.putBack();
  const again = await b.take();
  expect([String(again.data), again.hold.token > second.hold.token]).toEqual(["second", true]);
  await again.consume();
  const waiting = b.take();
  await server.endSession(one);
  const inherited = await waiting;
  expect([String(inherited.data), inherited.hold.token > first.hold.token]).toEqual(["first", true]);
  await until("the first taker to be told", () => !first.hold.isHeld);
  await expect(first.consume()).rejects.toMatchObject({ code: "SESSION_EXPIRED" });
  await inherited.consume();
  expect([await other.getChildren("/w/entries"), await other.getChildren("/w/taken")]).toEqual([[], []]);
});

test("an entry as long as a request may be is taken and consumed as any other", async () => {
  const server = await serve();
  const client = await server.client();
  const queue = new WorkQueue(client, "/w");
  const long = Buffer.alloc(1_040_000, "x");
  await queue.put(long);
  await queue.put("short");
  for (const data of [long, Buffer.from("short")]) {
    const item = await queue.take();
    expect(item.data?.equals(data)).toBe(true);
    await item.consume();
  }
  expect([await client.getChildren("/w/entries"), await client.getChildren("/w/taken")]).toEqual([[], []]);
});

test("a persistent ephemeral node is made again when it is deleted or its session lost, and goes on closing", async () => {
  const server = await serve();
  const [client, other] = [await server.client({ whenLost: "renew" }), await server.client()];
  const node = new PersistentEphemeral(client, "/here/i-am", "1");
  await node.ready;
  const madeAt = async (): Promise<bigint> => (await other.exists("/here/i-am"))?.czxid ?? 0n;
  const before = await madeAt();
  await other.delete("/here/i-am");
  await until("the node to be made again", async () => (await madeAt()) > before);
  const remade = await madeAt();
  await server.endSession(client);
  await until("the node to be made in the new session", async () => (await madeAt()) > remade);
  await node.setData("2");
  expect(String(await other.getData("/here/i-am"))).toBe("2");
  await node.close();
  expect(await other.exists("/here/i-am")).toBeNull();
});

test("a group knows who is there", async () => {
  const [one, other] = await pair();
  await using members = new Group(other, "/g").members();
  await members.ready;
  const membership = new Group(one, "/g").join("one", "data");
  await until("the member to be seen", () => String(members.get("one")?.data) === "data");
  await membership.close();
  await until("the member to be gone", () => members.size === 0);
  expect(() => new Group(one, "/g").join("a/b")).toThrow(/without "\/" expected/);
});

test("services are found where they announced themselves", async () => {
  const [one, other] = await pair();
  const registration = new ServiceDiscovery(one, "/services").register({
    name: "web",
    id: "1",
    address: "h",
    port: 80,
  });
  await registration.ready;
  await using view = new ServiceDiscovery(other, "/services").follow("web");
  await view.ready;
  expect(instancesOf(view)).toMatchObject([{ name: "web", id: "1", address: "h", port: 80 }]);
  await registration.close();
  await until("the instance to be gone", () => view.size === 0);
});

test("parts are divided among the members, one worker to a part, and move when one leaves", async () => {
  const [one, other] = await pair();
  const names = Array.from({ length: 8 }, (_, i) => `part/${i}`);
  const working = new Map<string, number>();
  let most = 0;
  const work = async ({ name, signal }: { name: string; signal: AbortSignal }): Promise<void> => {
    working.set(name, (working.get(name) ?? 0) + 1);
    most = Math.max(most, ...working.values());
    if (!signal.aborted) await new Promise((stop) => signal.addEventListener("abort", stop, { once: true }));
    working.set(name, (working.get(name) ?? 0) - 1);
  };
  const allWorkedOn = (): boolean => names.every((name) => working.get(name) === 1);
  await using first = new Partitioner(one, "/p", names, work, { id: "first" });
  await first.ready;
  await until("all parts to be worked on", allWorkedOn);
  const second = new Partitioner(other, "/p", names, work, { id: "second" });
  await second.ready;
  await until(
    "both to have parts",
    () => allWorkedOn() && first.assigned.length + second.assigned.length === 8 && second.assigned.length > 0,
  );
  await second.close();
  await until("the first to have all again", () => allWorkedOn() && first.assigned.length === 8);
  expect(most).toBe(1);
});

test("a double barrier is for one round after another, and knows what a round left behind whose members died", async () => {
  const [one, other] = await pair();
  await one.create("/d/ready", null, { parents: true });
  const [a, b] = [new DoubleBarrier(one, "/d", 2), new DoubleBarrier(other, "/d", 2)];
  const trace: string[] = [];
  const take = async (name: string, barrier: DoubleBarrier): Promise<void> => {
    for (let round = 0; round < 10; round++) {
      await barrier.enter();
      trace.push(`${round}`);
      await barrier.leave();
    }
    trace.push(name);
  };
  const first = take("a", a);
  await until("the old round to be cleared away", async () => (await one.exists("/d/ready")) === null);
  expect(trace).toEqual([]);
  await expect(a.enter()).rejects.toMatchObject({ code: "BAD_ARGUMENTS", path: "/d" });
  await Promise.all([first, take("b", b)]);
  expect(trace.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => `${i >> 1}`));
  expect(await one.getChildren("/d")).toEqual([]);
  expect(() => new DoubleBarrier(one, "/d", 0)).toThrow(/above 0 expected, 0 found/);
});

test("a claim that another has made anew while its taker was away is the other's", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const [client, other] = [await server.client({ port: proxy.port }), await server.client()];
  const queue = new WorkQueue(other, "/w");
  await queue.put("entry");
  const item = await new WorkQueue(client, "/w").take();
  await client.sync();
  proxy.cut();
  await until("the client to notice the cut", () => client.state === "suspended");
  await other.delete(item.hold.path);
  const again = await queue.take();
  proxy.mend();
  await until("the first taker to be told", () => item.hold.ended === "deleted");
  await expect(item.consume()).rejects.toMatchObject({ code: "NO_NODE" });
  await item.putBack();
  expect([again.hold.isHeld, (await other.exists(again.hold.path))?.czxid]).toEqual([true, again.hold.token]);
});

test("what is written without a connection waits for one as long as the caller will, and says what became of it", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const [client, other] = [await server.client({ port: proxy.port }), await server.client()];
  const [barrier, counter, shared] = [
    new Barrier(client, "/b"),
    new Counter(client, "/c"),
    new SharedValue(client, "/v"),
  ];
  const queues = [new Queue(client, "/q"), new WorkQueue(client, "/w")];
  const { version } = await shared.get();
  await counter.set(5n);
  proxy.cut();
  await until("the client to notice the cut", () => client.state === "suspended");
  const writes = (options: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Promise<unknown>[] => [
    barrier.raise(options),
    barrier.lower(options),
    counter.get(options),
    counter.add(1n, options),
    counter.set(2n, options),
    counter.replace(5n, 6n, options),
    shared.get(options),
    shared.set("a", options),
    shared.replace(version, "b", options),
    shared.update(() => "c", options),
    ...queues.map((queue) => queue.put("entry", options)),
  ];
  const codes = async (options: {
    readonly signal?: AbortSignal;
    readonly timeoutMs?: number;
  }): Promise<Set<unknown>> => {
    const ends = await Promise.allSettled(writes(options));
    return new Set(ends.map((end) => end.status === "rejected" && `${end.reason.code} ${end.reason.outcome}`));
  };
  expect(await codes({ timeoutMs: 20 })).toEqual(new Set(["REQUEST_TIMEOUT not-applied"]));
  const controller = new AbortController();
  const ended = codes({ signal: controller.signal });
  controller.abort();
  expect(await ended).toEqual(new Set(["ABORTED not-applied"]));
  const patient = counter.add(1n, { timeoutMs: 60_000 });
  proxy.mend();
  expect([await patient, await other.getChildren("/")]).toEqual([6n, ["c", "v", "zookeeper"]]);
});

test("what lives with a client ends when the client is being closed, and does not ask again for ever", async () => {
  const [one] = await pair();
  const closing = one.close();
  const latch = new LeaderLatch(one, "/latch");
  const node = new PersistentEphemeral(one, "/node");
  await expect(latch.untilLeader()).rejects.toMatchObject({ code: "CLOSING" });
  await expect(node.ready).rejects.toBeDefined();
  await expect(node.closed).rejects.toMatchObject({ code: "CLOSING" });
  await closing;
});

test("a latch outlives what its listener throws, and says so", async () => {
  const [one] = await pair();
  const warned = once(process, "warning");
  const onChange = () => {
    throw new Error("mine");
  };
  await using latch = new LeaderLatch(one, "/latch", { onChange });
  await latch.untilLeader();
  expect((await warned)[0]).toMatchObject({ name: "ZkListenerWarning", message: expect.stringContaining("mine") });
  expect(latch.isLeader).toBe(true);
});

test("a queue with Curator's names has no priorities", async () => {
  const [one, other] = await pair();
  const [a, b] = [new Queue(one, "/q", { layout: "curator" }), new Queue(other, "/q", { layout: "curator" })];
  await a.put("first");
  await a.put("second");
  await expect(a.put("x", { priority: 1 })).rejects.toMatchObject({ code: "BAD_ARGUMENTS" });
  expect((await one.getChildren("/q")).sort()).toEqual(["qn-0000000000", "qn-0000000001"]);
  expect([String(await b.take()), String(await b.take())]).toEqual(["first", "second"]);
});
