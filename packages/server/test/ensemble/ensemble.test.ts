import { ByteReader, createRequest, getDataResponse } from "@watchkeeper/wire";
import { describe, expect, onTestFinished, test } from "vitest";
import { bytes, create, createBody, read, setData } from "../replica/requests.js";
import type { EnsembleClient } from "./ensemble-client.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { EnsembleWorld, type WorldOptions } from "./ensemble-world.js";

/** An ensemble that serves; what must never be is looked for until the test is over. */
async function formed(options: WorldOptions = {}): Promise<EnsembleWorld> {
  const world = await EnsembleWorld.formed(options);
  onTestFinished(() => {
    world.witness.lookAtEpochs(world.servers);
    expect(world.witness.violations).toEqual([]);
  });
  return world;
}

async function dataOf(client: EnsembleClient, path: string): Promise<string | undefined> {
  const { err, body } = await read(client, "getData", path);
  if (err !== 0) return undefined;
  return Buffer.from(getDataResponse.decode(new ByteReader(body)).data ?? []).toString();
}

async function written(client: EnsembleClient, count: number, prefix = "/n"): Promise<void> {
  for (let i = 0; i < count; i++) expect((await create(client, `${prefix}${i}`, { data: bytes(`${i}`) })).err).toBe(0);
}

/** By what way the learner was brought to the leader's history, as it says itself. */
function waysOf(learner: EnsembleServer): string[] {
  return learner.lines.lines.flatMap(
    ({ sentence }) => /^Taking over the history .* by (\w+)$/.exec(sentence)?.[1] ?? [],
  );
}

/** The same, as the leader knows it. */
function syncKindOf(leader: EnsembleServer, learner: EnsembleServer): string | undefined {
  const { activity } = leader.process!.peer!;
  if (activity.kind !== "leading") throw new Error(`server ${leader.sid} does not lead`);
  return [...activity.leader.handlers].find(({ sid }) => sid === learner.sid)?.syncKind;
}

async function expectWay(world: EnsembleWorld, learner: EnsembleServer, way: "DIFF" | "TRUNC" | "SNAP"): Promise<void> {
  await world.untilAllServe();
  expect(syncKindOf(world.leader, learner)).toBe(way);
  expect(waysOf(learner).at(-1)).toBe(way);
}

function digests(world: EnsembleWorld): string[] {
  return world.servers.map(
    ({ replica }) => `${replica.tree.digest.high} ${replica.tree.digest.low} ${replica.lastZxid}`,
  );
}

describe("a quorum", () => {
  test("forms, and what is written at any server is read at every other", async () => {
    const world = await formed();
    const clients: EnsembleClient[] = [];
    for (const server of world.servers) clients.push(await world.clientOf(server));
    for (const [i, client] of clients.entries()) await create(client, `/by-${i + 1}`, { data: bytes(`${i + 1}`) });
    await world.untilAllServe();

    for (const client of clients) {
      for (const sid of [1, 2, 3]) expect(await dataOf(client, `/by-${sid}`)).toBe(`${sid}`);
    }
    expect(new Set(digests(world)).size).toBe(1);
    expect(world.servers.map(({ replica }) => replica.sessions.count)).toEqual([3, 3, 3]);
  });

  test("shows its configuration in /zookeeper/config of every server, a snapshot's receiver included", async () => {
    const world = await formed({ observers: 1 });
    const [, away] = world.learners;
    away!.crash();
    away!.replaceDisk();
    away!.start();
    await world.untilAllServe();
    for (const server of world.servers)
      expect(await dataOf(await world.clientOf(server), "/zookeeper/config")).toBe(world.config.text);
  });

  test("of one server alone serves, and goes on after a power cut", async () => {
    const world = await formed({ servers: 1 });
    await written(await world.clientOf(world.leader), 3);
    world.leader.crash();
    world.server(1).start();
    await world.untilLeading();

    expect(await dataOf(await world.clientOf(world.leader), "/n2")).toBe("2");
  });

  test("is told of nothing that a power cut could still take from a log's end, which a process before had left unsynced", async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = await formed({ servers: 1, seed });
      const client = await world.clientOf(world.leader);
      await written(client, 2);
      world.leader.disk.failSync(1, "EIO");
      await create(client, "/unsynced").catch(() => undefined);
      await world.until(() => !world.server(1).isRunning, "its end");
      world.server(1).start();
      await world.untilLeading();
      expect((await read(await world.clientOf(world.leader), "exists", "/unsynced")).err).toBe(0);
      world.leader.crash();
      world.server(1).start();
      await world.untilLeading();
      expect((await read(await world.clientOf(world.leader), "exists", "/unsynced")).err).toBe(0);
    }
  });

  test("has observers that wait a little, by chance, before they ask for a leader (observer.election.DelayMs)", async () => {
    const waits: number[] = [];
    for (let seed = 1; seed <= 8; seed++) {
      const world = await formed({ observers: 1, seed });
      const [voter, observer] = [world.server(1), world.server(4)].map(
        ({ lines }) => lines.lines.find(({ sentence }) => sentence === "Looking for a leader")!.atMs,
      );
      waits.push(observer! - voter!);
    }
    expect(Math.max(...waits)).toBeGreaterThan(100);
    expect(Math.max(...waits)).toBeLessThan(250);
    expect(Math.min(...waits)).toBeLessThan(100);
  });

  test("keeps everybody while nothing is written, the slower follower and one that has come back too", async () => {
    const world = await formed();
    await written(await world.clientOf(world.leader), 3);
    const [fast, slow] = world.learners;
    slow!.extraDiskMs = 50;
    await written(await world.clientOf(fast!), 3, "/slowly");
    await world.untilAllServe();
    const lost = () => world.leader.lines.lines.filter(({ sentence }) => sentence.startsWith("Lost "));
    await world.pass(60_000);
    expect(lost()).toEqual([]);

    fast!.crash();
    fast!.start();
    await world.untilAllServe();
    const before = lost().length;
    await world.pass(60_000);
    expect(lost().length).toBe(before);
  });

  test("is not made of a minority and observers", async () => {
    const world = await formed({ observers: 2 });
    const client = await world.clientOf(world.server(4));
    await written(client, 1);
    const [gone, alsoGone] = world.learners.filter(({ sid }) => sid <= 3);
    gone!.crash();
    alsoGone!.crash();
    await world.pass(30_000);
    expect(world.servers.filter(({ isServing }) => isServing)).toEqual([]);

    gone!.start();
    await world.untilAllServe();
    await client.open(world.server(4));
    expect(await dataOf(client, "/n0")).toBe("0");
    expect((await create(client, "/again")).err).toBe(0);
  });
});

describe("a server that was away", () => {
  test("is sent what it lacks out of the leader's memory (DIFF)", async () => {
    const world = await formed();
    const client = await world.clientOf(world.leader);
    await written(client, 5);
    const [away] = world.learners;
    away!.kill();
    await written(client, 5, "/while-away");
    away!.start();
    await expectWay(world, away!, "DIFF");

    expect(await dataOf(await world.clientOf(away!), "/while-away4")).toBe("4");
  });

  test("is sent what it lacks out of the leader's log, where memory does not reach back (DIFF)", async () => {
    const world = await formed({ server: { commitLogCount: 1, commitLogBytesMax: 200, snapshotSizeFactor: 100 } });
    const client = await world.clientOf(world.leader);
    await written(client, 5);
    const [away] = world.learners;
    away!.crash();
    await written(client, 30, "/while-away");
    expect(world.leader.replica.committedLog.firstZxid).toBeGreaterThan(world.witness.durableThrough(away!.sid) + 1);
    away!.start();
    await expectWay(world, away!, "DIFF");

    expect(await dataOf(await world.clientOf(away!), "/while-away29")).toBe("29");
  });

  test("is sent the last txns of a leader that has just started, which has nothing in memory (DIFF)", async () => {
    const world = await formed();
    const client = await world.clientOf(world.leader);
    await written(client, 5);
    const [behind, other] = world.learners;
    await world.untilAllServe();
    world.isolate(behind!);
    await create(client, "/last");
    for (const server of [world.leader, other!, behind!]) server.crash();
    world.mend();
    for (const server of world.servers) server.start();
    await expectWay(world, behind!, "DIFF");

    expect((await read(await world.clientOf(behind!), "exists", "/last")).err).toBe(0);
  });

  test("cuts off what only it had logged (TRUNC), and serves on from the tree it has", async () => {
    const { world, deposed } = await withDeposedLeader();
    world.mend();
    await expectWay(world, deposed, "TRUNC");

    expect((await read(await world.clientOf(deposed), "exists", "/lost")).err).toBe(-101);
    expect(await dataOf(await world.clientOf(deposed), "/n4")).toBe("4");
  });

  test("cuts off what only it had logged (TRUNC), where a restart has replayed it already", async () => {
    const { world, deposed } = await withDeposedLeader();
    deposed.kill();
    deposed.start();
    await world.pass(2000);
    expect(deposed.replica.lastZxid).toBeGreaterThan(world.leader.replica.lastZxid);
    world.mend();
    await expectWay(world, deposed, "TRUNC");

    expect(new Set(digests(world)).size).toBe(1);
    expect((await read(await world.clientOf(deposed), "exists", "/lost")).err).toBe(-101);
  });

  test("takes a snapshot where the others have gone on from before what only it had logged (SNAP)", async () => {
    const { world, deposed } = await withDeposedLeader();
    await written(await world.clientOf(world.leader), 3, "/later");
    world.mend();
    await expectWay(world, deposed, "SNAP");

    const client = await world.clientOf(deposed);
    expect((await read(client, "exists", "/lost")).err).toBe(-101);
    expect(await dataOf(client, "/later2")).toBe("2");
  });

  test("takes a snapshot onto an empty disk (SNAP), and has it after a power cut", async () => {
    const world = await formed();
    const client = await world.clientOf(world.leader);
    await written(client, 20);
    await world.untilAllServe(); // its disk may go only when a quorum of the others has everything
    const [away] = world.learners;
    away!.crash();
    away!.replaceDisk();
    away!.start();
    await expectWay(world, away!, "SNAP");
    away!.crash();
    away!.start();
    await expectWay(world, away!, "DIFF");

    expect(await dataOf(await world.clientOf(away!), "/n19")).toBe("19");
  });

  test.each(["DIFF", "SNAP"] as const)(
    "is sent far more than may wait for it at a time (%s), as fast as it takes it",
    async (way) => {
      const memory = { commitLogCount: 1, commitLogBytesMax: 1000, snapshotSizeFactor: way === "DIFF" ? 0 : -1 };
      const world = await formed({ server: { ...memory, learnerBytesMax: 2_500_000 } });
      const client = await world.clientOf(world.leader);
      await written(client, 3);
      await world.untilAllServe();
      const [away] = world.learners;
      away!.crash();
      const data = new Uint8Array(100_000);
      for (let i = 0; i < 45; i++) expect((await create(client, `/large${i}`, { data })).err).toBe(0);
      away!.lines.lines.length = 0;
      away!.start();
      await expectWay(world, away!, way);
      expect(waysOf(away!)).toEqual([way]);
    },
  );

  test("takes a snapshot where only a log that another process wrote leads over the end of an epoch (SNAP)", async () => {
    const world = await formed({ server: { commitLogCount: 1, commitLogBytesMax: 200, snapshotSizeFactor: 0 } });
    await written(await world.clientOf(world.leader), 5, "/first");
    await world.untilAllServe();
    const [away, other] = world.learners;
    const { leader } = world;
    away!.crash();
    for (const server of [leader, other!]) await server.restart();
    await world.untilAllServe();
    await written(await world.clientOf(world.leader), 5, "/second");
    for (const server of [leader, other!]) await server.restart();
    await world.untilAllServe();
    // One epoch's last txn and the next one's first: whether there was another between them the zxids do not say.
    away!.start();
    await expectWay(world, away!, "SNAP");
    expect(await dataOf(await world.clientOf(away!), "/second4")).toBe("4");
  });

  test("that has been given a snapshot never brings another up to date over the hole in its own log", async () => {
    const world = await formed({ server: { commitLogCount: 1, commitLogBytesMax: 200, snapshotSizeFactor: 0.01 } });
    const client = await world.clientOf(world.leader);
    await written(client, 3);
    const [first, second] = world.learners;
    first!.crash();
    await written(client, 20, "/a");
    first!.start();
    await expectWay(world, first!, "SNAP");
    second!.crash();
    await written(client, 5, "/b");
    // The one with the hole leads now, and the one that is behind comes to it.
    world.leader.crash();
    second!.start();
    await world.until(() => world.servers.filter(({ isServing }) => isServing).length === 2, "two that serve");
    expect(world.leader).toBe(first);
    expect(syncKindOf(first!, second!)).toBe("SNAP");
    expect(await dataOf(await world.clientOf(second!), "/a19")).toBe("19");
  });

  test.each(["DIFF", "SNAP"] as const)(
    "is brought up to date by %s while others write all the time, and misses nothing",
    async (way) => {
      for (let seed = 1; seed <= 5; seed++) {
        const world = await formed({ seed });
        const writer = await world.clientOf(world.leader);
        await written(writer, 10);
        await world.untilAllServe(); // its disk may go only when a quorum of the others has everything
        const [away] = world.learners;
        away!.crash();
        if (way === "SNAP") away!.replaceDisk();
        await written(writer, 10, "/away");
        const writing = keepWriting(world, writer);
        away!.start();
        await world.until(() => away!.isServing, "the server serving again");
        await world.pass(50);
        writing.stop();
        await expectWay(world, away!, way);
        expect(new Set(digests(world)).size).toBe(1);
      }
    },
  );
});

/** A write every millisecond, whatever becomes of it. */
function keepWriting(world: EnsembleWorld, client: EnsembleClient): { stop(): void } {
  let isOver = false;
  const write = (i: number) => {
    if (isOver) return;
    client.send("create", createRequest, createBody(`/during${i}`));
    world.scheduler.after(1, () => write(i + 1));
  };
  write(0);
  return {
    stop: () => {
      isOver = true;
    },
  };
}

/** A leader that was cut off with a write that nobody else has, while the others go on under another. */
async function withDeposedLeader(): Promise<{ world: EnsembleWorld; deposed: EnsembleServer }> {
  const world = await formed();
  const deposed = world.leader;
  const client = await world.clientOf(deposed);
  await written(client, 5);
  await world.untilAllServe();
  const others = world.learners;
  world.isolate(deposed);
  await expect(create(client, "/lost")).rejects.toThrow("the connection was lost");
  expect(world.witness.durableThrough(deposed.sid)).toBe(world.witness.committed + 1);
  await world.untilLeading(others);
  return { world, deposed };
}

describe("when the leader is lost", () => {
  test("the rest elect one, and sessions, ephemerals and watches go on", async () => {
    const world = await formed();
    const lost = world.leader;
    const [follower] = world.learners;
    const client = await world.clientOf(lost, 10_000);
    const watcher = await world.clientOf(follower!, 10_000);
    await create(client, "/ephemeral", { flags: 1 });
    await world.untilAllServe();
    await read(watcher, "getData", "/ephemeral", true);
    lost.crash();
    const leader = await world.untilLeading();
    await world.untilAllServe();
    await client.open(leader);
    await watcher.open(follower!);

    expect(client.isExpired || watcher.isExpired).toBe(false);
    expect((await setData(client, "/ephemeral", bytes("kept"))).err).toBe(0);
    lost.start();
    await world.untilAllServe();
    expect(await dataOf(await world.clientOf(lost), "/ephemeral")).toBe("kept");
  });

  test("a write that it had not acknowledged happens wholly or not at all, everywhere", async () => {
    const outcomes = new Set<boolean>();
    for (let seed = 1; seed <= 12; seed++) {
      const world = await formed({ seed });
      const { leader } = world;
      const client = await world.clientOf(leader);
      client.send("create", createRequest, createBody("/pending"));
      await world.pass(seed);
      world.isolate(leader, "refused");
      await world.pass(seed);
      leader.crash();
      world.mend();
      if (seed % 2 === 0) await world.untilLeading();
      leader.start();
      await world.untilAllServe();
      const found = new Set<boolean>();
      for (const server of world.servers)
        found.add((await read(await world.clientOf(server), "exists", "/pending")).err === 0);
      expect(found.size).toBe(1);
      outcomes.add([...found][0]!);
    }
    expect(outcomes).toEqual(new Set([true, false]));
  });

  test("a client that has seen more is not taken by a server that is behind", async () => {
    const world = await formed();
    const client = await world.clientOf(world.leader);
    const [behind] = world.learners;
    world.cut(behind!, world.leader);
    await written(client, 3);

    await expect(client.open(behind!)).rejects.toThrow(`server ${behind!.sid} refused a client`);
    await client.open(world.leader);
  });
});

test("W7: what was acknowledged survives a power cut of all at once, whatever their disks make of what was not synced", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = await formed({ seed });
    const acknowledged: string[] = [];
    for (const server of world.servers) {
      const client = await world.clientOf(server);
      await written(client, 3, `/by-${server.sid}-`);
      acknowledged.push(...[0, 1, 2].map((i) => `/by-${server.sid}-${i}`));
      client.send("create", createRequest, createBody("/under-way"));
    }
    await world.pass(seed % 7);
    for (const server of world.servers) server.crash();
    for (const server of world.servers) server.start();
    await world.untilAllServe();
    for (const server of world.servers) {
      const client = await world.clientOf(server);
      for (const path of acknowledged) expect((await read(client, "exists", path)).err).toBe(0);
    }
  }
});

describe("a leader", () => {
  test("that hears no quorum any more gives up within syncLimit, and has acknowledged nothing meanwhile", async () => {
    const world = await formed();
    const leader = world.leader;
    const client = await world.clientOf(leader);
    world.isolate(leader);
    const began = world.nowMs;
    await expect(create(client, "/lost")).rejects.toThrow("the connection was lost");
    expect(world.nowMs - began).toBeLessThan((4 + 2) * 500);
    expect(leader.isServing).toBe(false);
  });

  test("whose words arrive and who hears nothing gives up too", async () => {
    const world = await formed();
    const leader = world.leader;
    for (const { host } of world.learners) world.network.setLink(host, leader.host, "silent");
    await world.until(() => !leader.isServing, "the deaf leader giving up", 6000);
    const others = world.servers.filter((server) => server !== leader);
    await world.untilLeading(others, 30_000);
    world.mend();
    await world.untilAllServe();
  });

  test("that slept is not the leader any more when it wakes, and loses no write", async () => {
    const world = await formed();
    const sleeper = world.leader;
    const client = await world.clientOf(sleeper);
    const others = world.learners;
    sleeper.process!.life.pause();
    const leader = await world.untilLeading(others);
    const other = await world.clientOf(leader);
    expect((await create(other, "/meanwhile", { data: bytes("new") })).err).toBe(0);
    const late = create(client, "/too-late").catch((error: Error) => error.message);
    sleeper.process!.life.resume();

    expect(await late).toContain("the connection was lost");
    await world.untilAllServe();
    const again = await world.clientOf(sleeper);
    expect(await dataOf(again, "/meanwhile")).toBe("new");
    expect((await read(again, "exists", "/too-late")).err).toBe(-101);
  });

  test("whose disk fails stops, with the reason, and the others go on without what it could not write", async () => {
    for (const code of ["ENOSPC", "EIO"]) {
      const world = await formed();
      const leader = world.leader;
      const client = await world.clientOf(leader);
      await written(client, 2);
      if (code === "EIO") leader.disk.failSync(1, code);
      else leader.disk.failWrite(1, code);
      await create(client, "/unknown").catch(() => undefined);
      await world.until(() => !leader.isRunning, "the failed server stopping");

      expect(String(leader.failure)).toContain(code);
      await world.untilLeading();
      expect(await dataOf(await world.clientOf(world.leader), "/n1")).toBe("1");
    }
  });

  test("whose disk was too slow for an epoch promises no later one before that has arrived, and keeps the later", async () => {
    const world = await formed();
    for (const server of world.servers) server.kill();
    for (const server of world.servers) server.start();
    const slow = world.server(3);
    await world.until(() => slow.process?.peer?.activity.kind === "leading", "the elected one beginning to lead");
    slow.extraDiskMs = 7000;
    await world.until(() => slow.epoch === 2, "its epoch being on the way to its disk");
    world.isolate(slow);
    const others = [world.server(1), world.server(2)];
    const second = await world.untilLeading(others);
    await second.restart();
    await world.untilLeading(others);
    slow.extraDiskMs = 0;
    world.mend();
    await world.until(() => slow.isServing && slow.epoch > 2, "the slow one following", 60_000);
    world.witness.lookAtEpochs(world.servers);
    await world.pass(10_000);
    world.witness.lookAtEpochs(world.servers);
    expect(slow.failure).toBeUndefined();
  });

  test("commits without waiting for its own slow disk, and answers when that has it too", async () => {
    const world = await formed();
    const leader = world.leader;
    const client = await world.clientOf(world.learners[0]!);
    leader.extraDiskMs = 300;
    const began = world.nowMs;
    expect((await create(client, "/quick")).err).toBe(0);
    expect(world.nowMs - began).toBeLessThan(150);
    expect(leader.replica.lastZxid).toBeLessThan(world.learners[0]!.replica.lastZxid);
    await world.untilAllServe();
  });

  test.each([false, true])(
    "whose own disk is slow has no follower cut off what is committed by the others' (snapshots alone: %s)",
    async (alwaysSendsSnapshot) => {
      const world = await formed({ server: { alwaysSendsSnapshot } });
      const { leader } = world;
      const [follower] = world.learners;
      const client = await world.clientOf(follower!);
      leader.extraDiskMs = 2000;
      expect((await create(client, "/quick")).err).toBe(0);
      const committed = follower!.replica.lastZxid;
      world.cut(leader, follower!, "refused");
      world.mend();
      await world.until(() => !follower!.isServing, "the follower noticing");
      await world.until(() => follower!.isServing, "the follower being back", 1000);
      expect(leader.replica.lastZxid).toBeLessThan(committed);
      const said = follower!.lines.lines.map(({ sentence }) => sentence);
      expect(said.filter((sentence) => /^Cutting off/.test(sentence))).toEqual([]);
      await world.untilAllServe();
    },
  );
});

describe("a follower", () => {
  test("with a slow disk holds nobody up", async () => {
    const world = await formed();
    const [slow] = world.learners;
    slow!.extraDiskMs = 400;
    const client = await world.clientOf(world.leader);
    const began = world.nowMs;
    await written(client, 10);
    expect(world.nowMs - began).toBeLessThan(1000);
    slow!.extraDiskMs = 0;
    await world.untilAllServe();
  });

  test("that acknowledges nothing for syncLimit is given up, with the reason, and comes back when its disk is quick again", async () => {
    const world = await formed();
    const [stuck] = world.learners;
    const { leader } = world;
    stuck!.extraDiskMs = 60_000;
    const client = await world.clientOf(leader);
    await written(client, 3);
    const said = () => leader.lines.lines.some(({ sentence }) => sentence.includes("its disk may be too slow"));
    await world.until(said, "the slow follower being given up", 10_000);
    stuck!.extraDiskMs = 0;
    await world.pass(60_000);
    await world.untilAllServe();
  });

  test("whose log writes are under way when its leader goes votes for what has reached its disk", async () => {
    const world = await formed();
    const client = await world.clientOf(world.leader);
    const [slow, quick] = world.learners;
    slow!.extraDiskMs = 700;
    await written(client, 3);
    world.leader.crash();
    const leader = await world.untilLeading([slow!, quick!]);
    expect(leader).toBe(quick);
    slow!.extraDiskMs = 0;
    await world.pass(2000);
    expect(await dataOf(await world.clientOf(slow!), "/n2")).toBe("2");
  });
});
