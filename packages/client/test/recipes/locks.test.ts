import { expect, onTestFinished, test } from "vitest";
import { until } from "../../../../test/support/until.js";
import { startTestServer } from "../../../server/src/test-servers/index.js";
import { proxyTo } from "../../../server/test/support/cuttable-proxy.js";
import { serve } from "../../../server/test/support/server-under-test.js";
import { type Client, connect } from "../../src/index.js";
import {
  type Lock,
  MultiLock,
  Mutex,
  ReadWriteLock,
  ReentrantMutex,
  Semaphore,
  WorkQueue,
  withLock,
} from "../../src/recipes/index.js";

/** Short ticks, so that sessions can be lost within a test. */
const QUICK = { tickTimeMs: 50, minSessionTimeoutMs: 100 };

async function pair(): Promise<[Client, Client]> {
  const server = await serve();
  return [await server.client(), await server.client()];
}

test("a mutex is held by one and passed on in the order of asking, with growing tokens", async () => {
  const [one, other] = await pair();
  const first = await new Mutex(one, "/lock", { id: "one" }).acquire();
  const waiting = new Mutex(other, "/lock", { id: "other" });
  expect(await waiting.tryAcquire()).toBeUndefined();
  const acquired = waiting.acquire();
  await until("both to be in line", async () => (await waiting.participants()).length === 2);
  expect((await waiting.participants()).map(({ id }) => id)).toEqual(["one", "other"]);
  await first.release();
  const second = await acquired;
  expect([first.isHeld, second.isHeld, second.token > first.token]).toEqual([false, true, true]);
  await second.release();
  expect(await waiting.participants()).toEqual([]);
});

test("giving up waiting leaves the line, by deadline and by signal", async () => {
  const [one, other] = await pair();
  await using _held = await new Mutex(one, "/lock").acquire();
  const mutex = new Mutex(other, "/lock");
  await expect(mutex.acquire({ timeoutMs: 30 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT", path: "/lock" });
  const controller = new AbortController();
  const waiting = mutex.acquire({ signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  await until("the line to be left", async () => (await mutex.participants()).length === 1);
});

test("a holder learns at once that its node was deleted", async () => {
  const [one, other] = await pair();
  const hold = await new Mutex(one, "/lock").acquire();
  await one.sync();
  await other.delete(hold.path);
  await until("the holder to be told", () => hold.signal.aborted);
  expect([hold.ended, hold.isHeld, (hold.signal.reason as Error).message]).toEqual([
    "deleted",
    false,
    expect.stringContaining("somebody deleted its node"),
  ]);
});

test("a holder that is cut off stops before the servers give the lock to another", async () => {
  const server = await serve(QUICK);
  const proxy = await proxyTo(server);
  const holder = await server.client({ port: proxy.port, sessionTimeoutMs: 1000 });
  const other = await server.client();
  const hold = await new Mutex(holder, "/lock").acquire();
  let stoppedAtMs = Number.POSITIVE_INFINITY;
  hold.signal.addEventListener("abort", () => {
    stoppedAtMs = performance.now();
  });
  const next = new Mutex(other, "/lock").acquire();
  proxy.cut();
  const second = await next;
  expect(stoppedAtMs).toBeLessThan(performance.now());
  expect([hold.ended, second.token > hold.token]).toEqual(["presumed-lost", true]);
  expect(() => hold.throwIfEnded()).toThrow(/as long as the session was sure to live/);
  await hold.release(); // does not wait for a connection that may never come
});

test("a hold survives a short cut, unless it is asked to end with the connection", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const client = await server.client({ port: proxy.port });
  const patient = await new Mutex(client, "/patient").acquire();
  const strict = await new Mutex(client, "/strict", { stopsWhen: "suspended" }).acquire();
  proxy.cut();
  await until("the client to notice the cut", () => client.state === "suspended");
  expect([patient.isHeld, strict.ended]).toEqual([true, "suspended"]);
  proxy.mend();
  await until("the client to be back", () => client.state === "connected");
  expect(patient.isHeld).toBe(true);
  await using _free = await new Mutex(await server.client(), "/strict").acquire(); // given back by itself
});

test("withLock gives the lock back when the work fails, and fails when the hold ended before the work", async () => {
  const [one, other] = await pair();
  const mutex = new Mutex(one, "/lock");
  await expect(withLock(mutex, () => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  expect(await mutex.participants()).toEqual([]);
  const work = withLock(mutex, async (hold) => {
    await one.sync();
    await other.delete(hold.path);
    await until("the holder to be told", () => hold.signal.aborted);
  });
  await expect(work).rejects.toMatchObject({ code: "NO_NODE" });
});

test("a re-entrant mutex lets in who holds it, and nobody beside", async () => {
  const [one] = await pair();
  const mutex = new ReentrantMutex(one, "/lock");
  const order: string[] = [];
  const outer = mutex.run(async (hold) => {
    order.push("outer");
    await mutex.run(async (again) => {
      expect(again).toBe(hold);
      order.push("inner");
    });
    expect(hold.isHeld).toBe(true);
    order.push("end");
  });
  const beside = mutex.run(() => order.push("beside"));
  await Promise.all([outer, beside]);
  const inner = order.indexOf("inner");
  expect([order[inner - 1], order[inner + 1], order.length]).toEqual(["outer", "end", 4]);
});

test("readers share, a writer is alone, and readers behind a waiting writer wait", async () => {
  const [one, other] = await pair();
  const [a, b] = [new ReadWriteLock(one, "/rw"), new ReadWriteLock(other, "/rw")];
  const readers = [await a.read.acquire(), await b.read.acquire()];
  expect(await a.write.tryAcquire()).toBeUndefined();
  const writing = b.write.acquire();
  await until("all three to be in line", async () => (await b.write.participants()).length === 3);
  expect(await a.read.tryAcquire()).toBeUndefined();
  for (const reader of readers) await reader.release();
  const writer = await writing;
  expect(await a.read.tryAcquire()).toBeUndefined();
  await writer.release();
  await using _reader = await a.read.acquire();
});

test("a semaphore gives out as many leases as it has", async () => {
  const [one, other] = await pair();
  const [a, b] = [new Semaphore(one, "/sem", 2), new Semaphore(other, "/sem", 2)];
  const leases = [await a.acquire(), await b.acquire()];
  expect(await a.tryAcquire()).toBeUndefined();
  await expect(a.acquire({ timeoutMs: 30 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  const waiting = b.acquire();
  await leases[0]?.release();
  const third = await waiting;
  expect((await a.participants()).length).toBe(2);
  await third.release();
});

test("a multi-lock has all or none, and ends with the first that ends", async () => {
  const [one, other] = await pair();
  const both = new MultiLock([new Mutex(one, "/b"), new Mutex(one, "/a")]);
  const blocked = await new Mutex(other, "/b").acquire();
  expect(await both.tryAcquire()).toBeUndefined();
  await expect(both.acquire({ timeoutMs: 30 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  await using _free = await new Mutex(other, "/a").tryAcquire();
  await _free?.release();
  await blocked.release();
  await using held = await both.acquire();
  expect([held.isHeld, held.holds.map(({ path }) => path.slice(0, 2))]).toEqual([true, ["/a", "/b"]]);
  await one.sync();
  await other.delete(held.holds[0]!.path);
  await until("the holder to be told", () => held.signal.aborted);
  expect(held.isHeld).toBe(false);
});

test("a semaphore's next lease is that of whoever leaves first, not of whoever came first", async () => {
  const [one, other] = await pair();
  const [a, b] = [new Semaphore(one, "/sem", 2), new Semaphore(other, "/sem", 2)];
  const leases = [await a.acquire(), await b.acquire()];
  const waiting = a.acquire({ timeoutMs: 5000 });
  await until("the third to be in line", async () => (await a.participants()).length === 3);
  await leases[1]!.release();
  const third = await waiting;
  expect([leases[0]!.isHeld, third.isHeld]).toEqual([true, true]);
});

test("whoever asks without a connection has an answer within the time given, and leaves the line later", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const [client, other] = [await server.client({ port: proxy.port }), await server.client()];
  const blocked = await new Mutex(other, "/b").acquire();
  const both = new MultiLock([new Mutex(client, "/a"), new Mutex(client, "/b")]);
  const lease = await new Semaphore(other, "/sem", 1).acquire();
  const codes = Promise.all(
    [
      both.acquire({ timeoutMs: 3000 }),
      new Semaphore(client, "/sem", 1).acquire({ timeoutMs: 3000 }),
      new WorkQueue(client, "/work").take({ timeoutMs: 3000 }),
    ].map((attempt) =>
      attempt.then(
        () => "had",
        ({ code }) => code,
      ),
    ),
  );
  const lines = [new Mutex(other, "/b"), new Semaphore(other, "/sem", 1)];
  await until("both lines to have two", async () => {
    const participants = await Promise.all(lines.map((line) => line.participants()));
    return participants.every(({ length }) => length === 2);
  });
  proxy.cut();
  await expect(new Mutex(client, "/c").tryAcquire({ timeoutMs: 50 })).rejects.toMatchObject({
    code: "REQUEST_TIMEOUT",
  });
  expect(await codes).toEqual(["REQUEST_TIMEOUT", "REQUEST_TIMEOUT", "REQUEST_TIMEOUT"]);
  expect(client.state).toBe("suspended");
  proxy.mend();
  await blocked.release();
  await lease.release();
  const ephemerals = async (): Promise<number> => (await client.getEphemerals()).length;
  await until("everything to be left", async () => (await ephemerals()) === 0);
});

test("a deadline that the client has for its requests does not leave a contender behind", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const client = await server.client({ port: proxy.port, requestTimeoutMs: 50 });
  const other = await server.client();
  const held = await new Mutex(other, "/lock").acquire();
  const line = new Mutex(other, "/lock"); // as seen without the deadline
  const acquired = new Mutex(client, "/lock").acquire();
  await until("both to be in line", async () => (await line.participants()).length === 2);
  proxy.cut();
  const leaving = new Mutex(client, "/other").acquire(); // is not made before the wire is mended
  const startMs = performance.now();
  await until("the deadline to pass", () => performance.now() > startMs + 100);
  proxy.mend();
  await held.release();
  const holds = await Promise.all([acquired, leaving]);
  proxy.cut();
  const released = Promise.all(holds.map((hold) => hold.release()));
  const cutMs = performance.now();
  await until("the deadline to pass", () => performance.now() > cutMs + 100);
  proxy.mend();
  await released;
  await other.sync();
  expect([await line.participants(), await other.getChildren("/other")]).toEqual([[], []]);
});

test("a hold is over for whoever hears of its session's end by another call first", async () => {
  const server = await startTestServer();
  onTestFinished(() => server.close());
  const client = await connect(server.connectString, { whenLost: "renew", reconnectDelayMsMax: 5 });
  onTestFinished(() => client.close());
  const hold = await new Mutex(client, "/lock").acquire();
  const sawHeld: boolean[] = [];
  client.onState((state) => {
    if (state === "suspended") client.sync("/", { whenSuspended: "wait" }).catch(() => sawHeld.push(hold.isHeld));
  });
  await server.expireSession(client);
  await until("the hold to end", () => hold.ended === "lost" && sawHeld.length > 0);
  expect(sawHeld).toEqual([false]);
});

test("contending leaves neither nodes nor watches behind", async () => {
  const server = await serve();
  const clients = [await server.client(), await server.client(), await server.client()];
  const locksOf = (client: Client): Lock[] => {
    const { read, write } = new ReadWriteLock(client, "/rw");
    return [new Mutex(client, "/lock"), new Semaphore(client, "/sem", 2), read, write];
  };
  const rounds = clients.flatMap(locksOf).map(async (lock) => {
    for (let i = 0; i < 10; i++) await withLock(lock, () => undefined);
  });
  await Promise.all(rounds);
  for (const client of clients) await client.sync();
  const left = await Promise.all(clients.map((client) => client.getEphemerals()));
  expect([left, await server.figure("watch_count")]).toEqual([[[], [], []], 0]);
});

test("what cannot be meant is refused with a sentence", async () => {
  const [client] = await pair();
  expect(() => new MultiLock([])).toThrow(/at least one lock expected/);
  expect(() => new MultiLock([new Mutex(client, "/a"), new Mutex(client, "/a")])).toThrow(/\/a found twice/);
  expect(() => new Semaphore(client, "/s", 0)).toThrow(/integer above 0 expected, 0 found/);
  const mutex = new Mutex(client, "/lock");
  await expect(mutex.acquire({ timeoutMs: -1 })).rejects.toMatchObject({ code: "BAD_ARGUMENTS", path: "/lock" });
  await expect(mutex.acquire({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  await expect(new Mutex(client, "lock/").acquire()).rejects.toMatchObject({ code: "BAD_ARGUMENTS" });
  expect(await mutex.participants()).toEqual([]);
  await using _month = await mutex.acquire({ timeoutMs: 31 * 24 * 3600 * 1000 });
});
