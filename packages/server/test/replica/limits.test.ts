import { createRequest, getDataRequest, syncRequest, XID } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { requestFrame } from "../support/raw-connection.js";
import { ReplicaWorld } from "./replica-world.js";
import { bytes, create, createBody, type MultiStep, multiBody, read } from "./requests.js";

describe("the limit of outstanding requests", () => {
  test("stops reading from whoever has one outstanding, until they are answered", async () => {
    const world = new ReplicaWorld({ globalOutstandingLimit: 3 });
    const busy = await world.open();
    const idle = await world.open();
    world.log.isHeld = true;
    for (let i = 0; i < 6; i++) busy.send("create", createRequest, createBody(`/n${i}`));
    expect(busy.unread).toBe(3);
    // One that has nothing outstanding is read from all the same: nobody is starved by others.
    idle.send("getData", getDataRequest, { path: "/", watch: false });
    expect([idle.unread, idle.take().length]).toEqual([0, 1]);

    world.log.release();
    await world.settle();
    expect(busy.unread).toBe(0);
    expect(busy.take().map(({ err }) => err)).toEqual(new Array(6).fill(0));
    expect(world.replica.outstandingRequests).toBe(0);
  });

  test("counts requests whatever their xid, so that nobody gets round it by numbering from below zero", async () => {
    const world = new ReplicaWorld({ globalOutstandingLimit: 2 });
    const client = await world.open();
    world.log.isHeld = true;
    client.write(requestFrame(-7, "create", createRequest, createBody("/a")));
    for (let i = 0; i < 3; i++) client.ping();
    expect([world.replica.outstandingRequests, client.unread]).toEqual([2, 2]);
    world.log.release();
    await world.settle();
    expect(client.take().map(({ xid }) => xid)).toEqual([-7, XID.ping, XID.ping, XID.ping]);
    expect(world.replica.outstandingRequests).toBe(0);
  });

  test("goes by bytes too: of writes on their way and of requests that wait behind them", async () => {
    const world = new ReplicaWorld({ backlogBytesMax: 10_000 });
    const writer = await world.open();
    const reader = await world.open();
    world.log.isHeld = true;
    const data = new Uint8Array(3000);
    for (let i = 0; i < 6; i++) writer.send("create", createRequest, createBody(`/n${i}`, { data }));
    expect(writer.unread).toBe(2);
    reader.send("sync", syncRequest, { path: "/" });
    for (let i = 0; i < 5; i++) reader.send("getData", getDataRequest, { path: "/", watch: false });
    expect(reader.unread).toBe(5);
    world.log.release();
    await world.settle();
    expect([writer.take().length, reader.take().length]).toEqual([6, 6]);
    expect(world.replica.outstandingRequests).toBe(0);
  });

  test("lets few requests of one connection wait behind its writes: their replies all come at once, read or not", async () => {
    const world = new ReplicaWorld({ globalOutstandingLimit: 0 });
    const client = await world.open();
    await create(client, "/long", { data: new Uint8Array(5000) });
    world.log.isHeld = true;
    client.send("create", createRequest, createBody("/a"));
    for (let i = 0; i < 1000; i++) client.send("getData", getDataRequest, { path: "/long", watch: false });
    expect(client.unread).toBeGreaterThan(700);
    world.log.release();
    await world.settle();
    expect(client.take()).toHaveLength(1001);
    expect(world.replica.outstandingRequests).toBe(0);
  });

  test("is given back by a connection that breaks", async () => {
    const world = new ReplicaWorld({ globalOutstandingLimit: 2 });
    const gone = await world.open();
    const waiting = await world.open();
    world.log.isHeld = true;
    gone.send("create", createRequest, createBody("/a"));
    waiting.send("create", createRequest, createBody("/b"));
    waiting.send("create", createRequest, createBody("/c"));
    expect(waiting.unread).toBe(1);
    gone.breakOff();
    await world.settle();
    expect(waiting.unread).toBe(0);
    world.log.release();
    await world.settle();
    expect(world.replica.outstandingRequests).toBe(0);
    expect((await read(waiting, "exists", "/a")).err).toBe(0); // what was accepted happens, answered or not
  });
});

test("a connection that opens no session in time is closed, and so is one that falls silent", async () => {
  const world = new ReplicaWorld({ sessionlessTimeoutMs: 5000 });
  const mute = world.connect();
  const silent = await world.open({ timeoutMs: 10_000 });
  await world.pass(5000);
  expect([mute.isClosed, silent.isClosed]).toEqual([false, false]);
  await world.pass(1400);
  expect([mute.isClosed, silent.isClosed]).toEqual([true, false]);
  await world.pass(5000);
  expect(silent.isClosed).toBe(true);
});

test("a txn too long for any reader of the log never reaches it", async () => {
  const world = new ReplicaWorld({ txnBytesMax: 1000 });
  const client = await world.open();
  expect((await create(client, "/a", { data: new Uint8Array(1100) })).err).toBe(-8);
  expect((await create(client, "/a", { data: new Uint8Array(500) })).err).toBe(0);
  for (const entry of world.log.entries) expect(entry.length).toBeLessThanOrEqual(1000);
});

test("a multiRead that asks for more than may be answered at once is refused, not gathered", async () => {
  const world = new ReplicaWorld({ multiReadBytesMax: 5000 });
  const client = await world.open();
  await create(client, "/a", { data: new Uint8Array(1000) });
  const reads = (count: number): MultiStep[] =>
    Array.from({ length: count }, () => ({ op: "getData", body: { path: "/a", watch: false } }));
  expect((await client.call("multiRead", multiBody(reads(4)), null)).err).toBe(0);
  const refused = await client.call("multiRead", multiBody(reads(50)), null);
  expect([refused.err, refused.body.length]).toEqual([-127, 0]);
});

test("a reply longer than a client's default limit is sent all the same, and logged with path and size", async () => {
  const world = new ReplicaWorld({ frameBytesMax: 300 });
  const client = await world.open();
  await create(client, "/a", { data: new Uint8Array(100) });
  for (let i = 0; i < 40; i++) await create(client, `/a/${i}-child`);
  const reply = await read(client, "getChildren", "/a");
  expect(reply.body.length).toBeGreaterThan(300);
  expect(world.lines.of("warn").map(({ facts }) => facts)).toEqual([
    { path: "/a", replyBytes: reply.body.length + 16, limitBytes: 300, remote: "127.0.0.1" },
  ]);
  await read(client, "getData", "/a");
  expect(world.lines.of("warn")).toHaveLength(1);
});

describe("draining", () => {
  test("answers what was accepted and accepts nothing more", async () => {
    const world = new ReplicaWorld({ globalOutstandingLimit: 2 });
    const client = await world.open();
    const other = await world.open();
    world.log.isHeld = true;
    client.send("create", createRequest, createBody("/a"));
    client.send("create", createRequest, createBody("/b"));
    client.send("create", createRequest, createBody("/late"));
    other.send("sync", syncRequest, { path: "/" });
    let drained = false;
    const draining = world.replica.drain().then(() => {
      drained = true;
    });
    await world.settle();
    expect(drained).toBe(false);
    world.log.release();
    await world.settle();
    await draining;
    other.send("create", createRequest, createBody("/later"));
    await world.settle();

    expect(client.take().map(({ err }) => err)).toEqual([0, 0]);
    expect(other.take()).toHaveLength(1);
    const paths = ["/a", "/b", "/late", "/later"].map((path) => {
      const at = bytes(path);
      return world.tree.find(at, 0, at.length) !== 0;
    });
    expect(paths).toEqual([true, true, false, false]);
  });
});

describe("a log that fails", () => {
  test("answers nobody, is reported once, and nothing after it is answered either", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    world.log.isHeld = true;
    client.send("create", createRequest, createBody("/a"));
    await world.settle();
    client.send("create", createRequest, createBody("/b"));
    client.send("getData", getDataRequest, { path: "/", watch: false });
    const cause = new Error("no space left on device");
    world.log.fail(cause);
    world.log.release();
    await world.settle();
    client.send("create", createRequest, createBody("/c"));
    await world.settle();

    expect(world.fatal).toEqual([cause]);
    expect(client.take()).toEqual([]);
    expect(world.log.entries).toHaveLength(2); // the session, and what failed
    await world.replica.drain(); // it does not wait for what will never be
  });
});
