import { getEphemeralsRequest, OP } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { ReplicaWorld } from "./replica-world.js";
import { create, read, remove } from "./requests.js";

describe("expiry", () => {
  test("comes when nothing was heard for the timeout, takes a zxid and the ephemerals", async () => {
    const world = new ReplicaWorld();
    const owner = await world.open({ timeoutMs: 4000 });
    const other = await world.open({ timeoutMs: 20_000 });
    await create(owner, "/e", { flags: 1 });
    await read(other, "exists", "/e", true);
    const zxid = world.replica.lastZxid;

    await world.pass(3800);
    expect(other.events()).toEqual([]);
    await world.pass(1400);

    expect(other.events().map(({ path }) => path)).toEqual(["/e"]);
    expect(world.replica.lastZxid).toBe(zxid + 1);
    expect(owner.isClosed).toBe(true);
    expect(owner.frames).toEqual([]); // closed without a packet
    expect(world.replica.sessions.count).toBe(1);
  });

  test.for(["a ping", "a request", "a reconnect"])("is put off by %s", async (sign) => {
    const world = new ReplicaWorld();
    let client = await world.open({ timeoutMs: 4000 });
    for (let i = 0; i < 8; i++) {
      await world.pass(2000);
      if (sign === "a ping") client.ping();
      else if (sign === "a request") client.send("getData");
      else {
        const { sessionId, password } = client;
        client = await world.open({ timeoutMs: 4000, sessionId, password });
      }
      await world.settle();
    }
    expect(client.isClosed).toBe(false);
    expect(world.replica.sessions.count).toBe(1);
  });

  test("does not come while the process itself stood still: what waits in the sockets is heard first", async () => {
    const world = new ReplicaWorld();
    const client = await world.open({ timeoutMs: 4000 });
    world.clock.turn(60_000);
    world.replica.tick();
    client.ping();
    await world.pass(3000);
    expect(client.isClosed).toBe(false);
    expect(world.replica.sessions.count).toBe(1);
  });

  test("goes by the monotonic clock: setting the wall clock expires nobody", async () => {
    const world = new ReplicaWorld();
    const client = await world.open({ timeoutMs: 4000 });
    world.clock.jumpWall(86_400_000);
    await world.pass(1000);
    expect([client.isClosed, world.replica.sessions.count]).toEqual([false, 1]);
  });

  test("is not undone by a request that arrives behind it", async () => {
    const world = new ReplicaWorld();
    const client = await world.open({ timeoutMs: 4000 });
    world.log.isHeld = true;
    await world.pass(6000);
    const entries = world.log.entries.length;
    client.send("create");
    await world.settle();
    expect(world.log.entries.length).toBe(entries);
    world.log.release();
    await world.settle();
    expect(client.take()).toEqual([]);
  });
});

describe("closing", () => {
  test("deletes what was created in the pipeline before it, and not what was deleted there", async () => {
    const world = new ReplicaWorld();
    const owner = await world.open();
    const other = await world.open();
    await create(owner, "/kept", { flags: 1 });
    await create(owner, "/gone", { flags: 1 });
    world.log.isHeld = true;
    const pending = create(owner, "/pending", { flags: 1 });
    const removed = remove(owner, "/gone");
    owner.send("closeSession");
    await Promise.allSettled([pending, removed]);
    world.log.release();
    await world.settle();

    expect(owner.isClosed).toBe(true);
    for (const path of ["/kept", "/gone", "/pending"]) expect((await read(other, "exists", path)).err, path).toBe(-101);
    expect(world.replica.digestMismatches).toBe(0);
  });

  test("gives all deletions one zxid", async () => {
    const world = new ReplicaWorld();
    const owner = await world.open();
    const watcher = await world.open();
    for (let i = 0; i < 5; i++) {
      await create(owner, `/e${i}`, { flags: 1 });
      await read(watcher, "exists", `/e${i}`, true);
    }
    const closed = await owner.call("closeSession");
    const zxids = watcher.events().map(({ zxid }) => zxid);
    expect(zxids).toEqual(new Array(5).fill(closed.zxid));
  });

  test("tells the client of its own watches first, then answers", async () => {
    const world = new ReplicaWorld();
    const owner = await world.open();
    await create(owner, "/e", { flags: 1 });
    await read(owner, "exists", "/e", true);
    const xid = owner.send("closeSession");
    await world.settle();
    expect(owner.take().map((frame) => frame.xid)).toEqual([-1, xid]);
  });

  test("a lost connection closes nothing; the session waits", async () => {
    const world = new ReplicaWorld();
    const owner = await world.open();
    await create(owner, "/e", { flags: 1 });
    owner.breakOff();
    await world.pass(1000);
    expect((await read(await world.open(), "exists", "/e")).err).toBe(0);
  });
});

test("getEphemerals gives the session's own, below a prefix", async () => {
  const world = new ReplicaWorld();
  const owner = await world.open();
  const other = await world.open();
  await create(owner, "/d");
  for (const path of ["/e1", "/d/e2", "/d/e3"]) await create(owner, path, { flags: 1 });
  await create(other, "/x", { flags: 1 });
  const paths = async (prefixPath: string | null): Promise<string[]> => {
    const { body } = await owner.call("getEphemerals", getEphemeralsRequest, { prefixPath });
    const text = Buffer.from(body).toString("latin1");
    return ["/e1", "/d/e2", "/d/e3", "/x"].filter((path) => text.includes(path));
  };
  expect(await paths("/")).toEqual(["/e1", "/d/e2", "/d/e3"]);
  expect(await paths(null)).toEqual(["/e1", "/d/e2", "/d/e3"]);
  expect(await paths("  ")).toEqual(["/e1", "/d/e2", "/d/e3"]);
  expect(await paths("/d")).toEqual(["/d/e2", "/d/e3"]);
  expect(await paths("/none")).toEqual([]);
});

test("opcodes that are only the server's own are refused, and change nothing", async () => {
  const world = new ReplicaWorld();
  const client = await world.open();
  await create(client, "/a");
  const zxid = world.replica.lastZxid;
  for (const opcode of [OP.createSession, OP.deleteContainer, OP.error, OP.check, 10, 99, -2, 2 ** 31 - 1]) {
    expect((await client.call(opcode)).err, `opcode ${opcode}`).toBe(-6);
  }
  expect(world.replica.lastZxid).toBe(zxid);
  expect((await read(client, "exists", "/a")).err).toBe(0);
});
