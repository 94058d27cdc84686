import { expect, test } from "vitest";
import { serve } from "../../../server/test/support/server-under-test.js";
import { until } from "../../../server/test/support/until.js";
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
  await until(() => term.signal.aborted && latch.isLeader);
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
  await expect(a.enter({ timeoutMs: 30 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  while ((await one.getChildren("/d")).length > 0);
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
  await until(() => String(view.node?.data) === "b+a");
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
  await (await server.client({ session: one.session })).close();
  const inherited = await waiting;
  expect([String(inherited.data), inherited.hold.token > first.hold.token]).toEqual(["first", true]);
  await until(() => !first.hold.isHeld);
  await expect(first.consume()).rejects.toMatchObject({ code: "SESSION_EXPIRED" });
  await inherited.consume();
  expect([await other.getChildren("/w/entries"), await other.getChildren("/w/taken")]).toEqual([[], []]);
});

test("a persistent ephemeral node is made again when it is deleted or its session lost, and goes on closing", async () => {
  const server = await serve();
  const [client, other] = [await server.client({ whenLost: "renew" }), await server.client()];
  const node = new PersistentEphemeral(client, "/here/i-am", "1");
  await node.ready;
  const madeAt = async (): Promise<bigint> => (await other.exists("/here/i-am"))?.czxid ?? 0n;
  const before = await madeAt();
  await other.delete("/here/i-am");
  let remade = before;
  while (remade <= before) remade = await madeAt();
  await (await server.client({ session: client.session })).close();
  let inNewSession = remade;
  while (inNewSession <= remade) inNewSession = await madeAt();
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
  await until(() => String(members.get("one")?.data) === "data");
  await membership.close();
  await until(() => members.size === 0);
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
  await until(() => view.size === 0);
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
  await until(allWorkedOn);
  const second = new Partitioner(other, "/p", names, work, { id: "second" });
  await second.ready;
  await until(
    () => allWorkedOn() && first.assigned.length + second.assigned.length === 8 && second.assigned.length > 0,
  );
  await second.close();
  await until(() => allWorkedOn() && first.assigned.length === 8);
  expect(most).toBe(1);
});
