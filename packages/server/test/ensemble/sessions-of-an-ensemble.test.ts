import { getDataRequest, syncRequest } from "@watchkeeper/wire";
import { expect, test } from "vitest";
import { bytes, create, read, setData } from "../replica/requests.js";
import type { EnsembleClient } from "./ensemble-client.js";
import { EnsembleWorld } from "./ensemble-world.js";

/** Pings as a client does, until it is stopped. */
function keepAlive(world: EnsembleWorld, client: EnsembleClient): { stop(): void } {
  let isOver = false;
  const ping = () => {
    if (isOver) return;
    client.ping();
    world.scheduler.after(300, ping);
  };
  ping();
  return {
    stop: () => {
      isOver = true;
    },
  };
}

test.each([
  ["a follower", (world: EnsembleWorld) => world.learners[0]!],
  ["the leader", (world: EnsembleWorld) => world.leader],
])(
  "a session lives while its client is heard by %s, and expires on all when it is not: by one txn of the leader's",
  async (_who, choose) => {
    const world = await EnsembleWorld.formed();
    const client = await world.clientOf(choose(world), 2000);
    await create(client, "/ephemeral", { flags: 1 });
    const pings = keepAlive(world, client);
    await world.pass(20_000);
    expect(world.servers.map(({ replica }) => replica.sessions.count)).toEqual([1, 1, 1]);
    pings.stop();
    const before = world.leader.replica.lastZxid;
    await world.pass(6000);

    expect(world.leader.replica.lastZxid).toBe(before + 1);
    expect(world.servers.map(({ replica }) => replica.sessions.count)).toEqual([0, 0, 0]);
    expect(client.isConnected).toBe(false);
    expect((await read(await world.clientOf(world.leader), "exists", "/ephemeral")).err).toBe(-101);
    const expiries = world.servers.map(({ lines }) => lines.lines.filter(({ sentence }) => /^Expiring/.test(sentence)));
    expect(expiries.filter((lines) => lines.length > 0)).toHaveLength(1);
  },
);

test("a client that asks a follower for more syncs than may wait has them all answered, though nobody writes", async () => {
  const world = await EnsembleWorld.formed();
  const client = await world.clientOf(world.learners[0]!);
  const syncs = 2500;
  for (let i = 0; i < syncs; i++) client.send("sync", syncRequest, { path: "/" });
  // Long before the session, of which nothing else is heard, expires: the txn of that would let in whoever waits.
  await world.until(() => client.frames.length === syncs, "the answers to all syncs", 1000);
  expect(client.frames.every(({ err }) => err === 0)).toBe(true);
});

test("every session has its full time again under a new leader", async () => {
  const world = await EnsembleWorld.formed();
  const [follower] = world.learners;
  const client = await world.clientOf(follower!, 4000);
  await world.pass(3000);
  client.disconnect();
  world.leader.crash();
  const leader = await world.untilLeading();
  await world.pass(3000);
  expect(leader.replica.sessions.count).toBe(1);
  await client.open(leader);
  expect(client.isExpired).toBe(false);
});

test.each([
  ["one follower to another", (world: EnsembleWorld) => world.learners],
  ["a follower to the leader", (world: EnsembleWorld) => [world.learners[0], world.leader]],
  ["the leader to a follower", (world: EnsembleWorld) => [world.leader, world.learners[0]]],
])(
  "a session that has moved from %s takes its writes with it; those that come late by its old server are refused",
  async (_way, choose) => {
    const world = await EnsembleWorld.formed();
    const [one, other] = choose(world);
    const client = await world.clientOf(one!);
    await create(client, "/before");
    const moved = world.client();
    Object.assign(moved, { sessionId: client.sessionId, password: client.password });
    await moved.open(other!);

    expect((await create(moved, "/by-the-new")).err).toBe(0);
    expect((await create(client, "/by-the-old")).err).toBe(-118);
  },
);

test("a session can move before the server that it moves to has heard of it", async () => {
  for (const [from, to] of [
    ["leader", "follower"],
    ["follower", "follower"],
    ["follower", "observer"],
  ]) {
    const world = await EnsembleWorld.formed({ observers: 1 });
    const [first, second, observer] = world.learners;
    const other = to === "observer" ? observer! : second!;
    const client = await world.clientOf(from === "leader" ? world.leader : first!);
    const moved = world.client();
    Object.assign(moved, { sessionId: client.sessionId, password: client.password });
    await moved.open(other);
    expect((await create(moved, "/by-the-new")).err).toBe(0);
  }
});

test("a wrong password opens no session, at any server, and disturbs none", async () => {
  const world = await EnsembleWorld.formed();
  const client = await world.clientOf(world.learners[0]!);
  for (const server of world.servers) {
    const thief = world.client();
    Object.assign(thief, { sessionId: client.sessionId, password: new Uint8Array(16).fill(7) });
    await expect(thief.open(server)).rejects.toThrow("expired");
  }
  expect((await create(client, "/mine")).err).toBe(0);
});

test("what a client closes is gone everywhere at that txn, with its ephemerals, and cannot be opened again", async () => {
  const world = await EnsembleWorld.formed();
  const [follower] = world.learners;
  const client = await world.clientOf(follower!);
  await create(client, "/ephemeral", { flags: 1 });
  const { sessionId, password } = client;
  await client.call("closeSession");
  await world.untilAllServe();
  expect(world.servers.map(({ replica }) => replica.sessions.count)).toEqual([0, 0, 0]);
  expect(world.servers.map(({ replica }) => replica.tree.ephemerals.size)).toEqual([0, 0, 0]);
  for (const server of world.servers) {
    const again = world.client();
    Object.assign(again, { sessionId, password });
    await expect(again.open(server)).rejects.toThrow("expired");
  }
});

test("W8: what one client sends at once is answered in its order, whatever goes to the leader and whatever is answered on the spot", async () => {
  const world = await EnsembleWorld.formed({ observers: 1 });
  for (const server of world.servers) {
    const [client, busy] = [await world.clientOf(server), await world.clientOf(world.leader)];
    await create(client, `/of-${server.sid}`, { data: bytes("0") });
    const sent: number[] = [];
    for (let i = 0; i < 40; i++) {
      busy.send("create", undefined);
      sent.push(client.send("create", undefined));
      if (i % 3 === 0) sent.push(client.send("sync", syncRequest, { path: "/" }));
      sent.push(client.send("getData", getDataRequest, { path: `/of-${server.sid}`, watch: false }));
    }
    await world.until(() => client.frames.length === sent.length, "all answers");
    expect(client.frames.map(({ xid }) => xid)).toEqual(sent);
    const zxids = client.frames.map(({ zxid }) => zxid);
    expect(zxids).toEqual(zxids.toSorted((a, b) => Number(a - b)));
  }
});

test("W8: sync brings a server that is behind up to date: what was committed before it is read behind it", async () => {
  const world = await EnsembleWorld.formed({ observers: 1 });
  const writer = await world.clientOf(world.leader);
  await create(writer, "/a", { data: bytes("0") });
  await world.untilAllServe();
  for (const server of world.learners) {
    const reader = await world.clientOf(server);
    server.extraDiskMs = 200;
    for (let i = 1; i <= 5; i++) await setData(writer, "/a", bytes(`${i}`));
    expect(server.replica.lastZxid).toBeLessThan(world.leader.replica.lastZxid);
    reader.send("sync", syncRequest, { path: "/a" });
    const { body } = await read(reader, "getData", "/a");
    expect(Buffer.from(body).subarray(4, 5).toString()).toBe("5");
    server.extraDiskMs = 0;
    await world.untilAllServe();
  }
});

test("a session that is made while its leader goes is either there or not, and its client is not left waiting", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = await EnsembleWorld.formed({ seed });
    const [follower] = world.learners;
    const client = world.client();
    client.connect(follower!);
    await world.pass(seed);
    world.leader.crash();
    await world.until(() => client.isOpen || !client.isConnected, "the client being told");
    await world.untilLeading();
    for (const server of world.servers) if (!server.isRunning) server.start();
    await world.untilAllServe();
    expect(new Set(world.servers.map(({ replica }) => replica.sessions.count)).size).toBe(1);
    expect(world.witness.violations).toEqual([]);
  }
});

test("a leader that serves no clients (leaderServes=no) leads nonetheless", async () => {
  const world = await EnsembleWorld.formed({ server: { leaderServes: false } });
  await expect(world.clientOf(world.leader)).rejects.toThrow("refused a client");
  const client = await world.clientOf(world.learners[0]!);
  expect((await create(client, "/a")).err).toBe(0);
});
