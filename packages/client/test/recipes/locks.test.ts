import { expect, test } from "vitest";
import { SeededRandom } from "../../../../test/support/seeded-random.js";
import { proxyTo } from "../../../server/test/support/cuttable-proxy.js";
import { serve } from "../../../server/test/support/server-under-test.js";
import { until } from "../../../server/test/support/until.js";
import type { Client } from "../../src/index.js";
import {
  LeaderElection,
  type Lock,
  MultiLock,
  Mutex,
  ReadWriteLock,
  ReentrantMutex,
  Semaphore,
  withLock,
} from "../../src/recipes/index.js";
import { GuardedResource } from "../support/guarded-resource.js";

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
  while ((await waiting.participants()).length < 2);
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
  while ((await mutex.participants()).length > 1);
});

test("a holder learns at once that its node was deleted", async () => {
  const [one, other] = await pair();
  const hold = await new Mutex(one, "/lock").acquire();
  await one.sync();
  await other.delete(hold.path);
  await until(() => hold.signal.aborted);
  expect([hold.ended, hold.isHeld, (hold.signal.reason as Error).message]).toEqual([
    "deleted",
    false,
    expect.stringContaining("somebody deleted its node"),
  ]);
});

test("a holder that is cut off stops before the servers give the lock to another", async () => {
  const server = await serve(QUICK);
  const proxy = await proxyTo(server);
  const holder = await server.client({ port: proxy.port, sessionTimeoutMs: 400 });
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
  await until(() => client.state === "suspended");
  expect([patient.isHeld, strict.ended]).toEqual([true, "suspended"]);
  proxy.mend();
  await until(() => client.state === "connected");
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
    await until(() => hold.signal.aborted);
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
  while ((await b.write.participants()).length < 3);
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
  await until(() => held.signal.aborted);
  expect(held.isHeld).toBe(false);
});

const guarding: [string, (client: Client) => Lock][] = [
  ["Mutex", (client) => new Mutex(client, "/lock")],
  ["Mutex, kazoo's names", (client) => new Mutex(client, "/lock", { layout: "kazoo" })],
  ["ReadWriteLock, writing", (client) => new ReadWriteLock(client, "/lock").write],
  ["Semaphore of one", (client) => new Semaphore(client, "/lock", 1)],
  [
    "LeaderElection",
    (client) => {
      const election = new LeaderElection(client, "/lock");
      return lockOf(election);
    },
  ],
];

/** An election as a lock: a term is a hold. */
function lockOf(election: LeaderElection): Lock {
  const acquire: Lock["acquire"] = (options) =>
    new Promise((resolve, reject) => {
      election
        .lead(async (term) => {
          resolve(term);
          await new Promise((over) => term.signal.addEventListener("abort", over, { once: true }));
        }, options)
        .catch(reject);
    });
  return { path: "/lock", acquire, tryAcquire: () => acquire() };
}

test.each(guarding)(
  "double holders: %s, cut at random, some for longer than the session lives: no older token after a newer",
  async (_, lockFor) => {
    const server = await serve(QUICK);
    const random = new SeededRandom(20);
    const resource = new GuardedResource();
    const wires = await Promise.all([1, 2, 3].map(() => proxyTo(server)));
    const clients = await Promise.all(
      wires.map(({ port }) => server.client({ port, sessionTimeoutMs: 300, whenLost: "renew" })),
    );
    const endMs = performance.now() + 2500;
    let isOver = false;
    const contend = async (client: Client): Promise<void> => {
      const lock = lockFor(client);
      while (!isOver) {
        try {
          const hold = await lock.acquire({ timeoutMs: 2000 });
          await resource.use(hold, 20);
          await hold.release();
        } catch {
          await new Promise((resolve) => setImmediate(resolve)); // the session was lost: again, in the next
        }
      }
    };
    const meddle = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const wire = wires[random.below(wires.length)]!;
        wire.cut();
        const untilMs = performance.now() + (random.below(4) === 0 ? 500 : random.below(60));
        await until(() => performance.now() > untilMs);
        wire.mend();
        const quietMs = performance.now() + random.below(100);
        await until(() => performance.now() > quietMs);
      }
      isOver = true;
    };
    await Promise.all([meddle(), ...clients.map(contend)]);
    expect(resource.violations).toEqual([]);
    expect(resource.uses).toBeGreaterThan(100);
    expect(clients.reduce((sum, client) => sum + client.counters.sessionsLost, 0)).toBeGreaterThan(0);
  },
  60_000,
);
