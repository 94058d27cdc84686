import { connect } from "@watchkeeper/client";
import { createRequest, getDataRequest, setDataRequest, syncRequest } from "@watchkeeper/wire";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { CollectedEvents } from "../support/collected-events.js";
import { clientOf, rawOf } from "./connections-of-a-test.js";
import { EnsembleOfProcesses, eventually } from "./ensemble-of-processes.js";

/** The write path on three processes: what one process can show is in the other files of this folder. */
let ensemble: EnsembleOfProcesses;

beforeAll(async () => {
  ensemble = await EnsembleOfProcesses.start();
}, 60_000);

beforeEach(() => ensemble.restored());

afterAll(() => ensemble.stop());

test("W1, W2: a client may write at any server; what a follower is asked for comes to pass by way of the leader", async () => {
  const leader = await ensemble.leader();
  const proposals = await leader.figure("proposal_count");
  for (const member of ensemble.members) {
    const client = await clientOf(member);
    const { stat } = await client.createWithStat(`/w1-${member.sid}`, `by ${member.sid}`);
    expect(stat.czxid >> 32n).toBe(BigInt(Math.floor((await leader.zxid()) / 2 ** 32)));
  }
  // A session and a node each: the leader proposed them all, whoever was asked.
  expect((await leader.figure("proposal_count")) - proposals).toBe(6);
  for (const member of ensemble.members) {
    const client = await clientOf(member);
    await client.sync("/");
    for (const { sid } of ensemble.members) expect(String(await client.getData(`/w1-${sid}`))).toBe(`by ${sid}`);
  }
});

test("W3: every write takes the next zxid, whichever server it came by, and all log the same txns in that order", async () => {
  const clients = await Promise.all(ensemble.members.map(clientOf));
  await clients[0]!.create("/w3");
  const first = (await clients[0]!.setData("/w3", "first")).mzxid;
  const stats = await Promise.all(
    clients.flatMap((client, c) => Array.from({ length: 30 }, (_, i) => client.setData("/w3", `${c} ${i}`))),
  );
  const zxids = stats.map(({ mzxid }) => mzxid).toSorted((a, b) => Number(a - b));
  expect(zxids).toEqual(Array.from({ length: 90 }, (_, i) => first + 1n + BigInt(i)));

  await ensemble.untilAllServe();
  const logs = await Promise.all(ensemble.members.map((member) => member.txns()));
  const from = `0x${first.toString(16)} `;
  const tails = logs.map((txns) => txns.slice(txns.findIndex((txn) => txn.startsWith(from))));
  expect(tails[0]!.length).toBeGreaterThanOrEqual(91);
  for (const tail of tails) expect(tail).toEqual(tails[0]);
});

test("W4, W5: a write is acknowledged when a majority has it safely on disk, and no sooner", async () => {
  const [one, other] = await ensemble.followers();
  const [client, reader] = [await clientOf(await ensemble.leader()), await clientOf(await ensemble.leader())];
  await client.create("/w4");
  // Acknowledged by one follower beside the leader: that one's disk has nothing older left to do, which it would be held at.
  other!.holdDisk();
  await client.setData("/w4", "with the other two of three");
  other!.releaseDisk();

  one!.holdDisk();
  await client.setData("/w4", "with two of three");
  other!.holdDisk();
  let isAcknowledged = false;
  const written = client.setData("/w4", "with one of three").then(() => {
    isAcknowledged = true;
  });
  // It stands in both followers' files; that it will stay there is what nobody has said.
  await eventually(
    "both followers writing it",
    () => one!.hasInLog("with two of three") && other!.hasInLog("with one of three"),
  );
  for (let i = 0; i < 20; i++) expect(String(await reader.getData("/w4"))).toBe("with two of three");
  expect(isAcknowledged).toBe(false);

  one!.releaseDisk();
  await written;
});

test("W6: every server applies what is committed in zxid order and fires its own watches; each answers its own clients", async () => {
  const clients = await Promise.all(ensemble.members.map(clientOf));
  await clients[0]!.create("/w6");
  await Promise.all(clients.map((client) => client.sync("/")));
  const raws = await Promise.all(ensemble.members.map(rawOf));
  for (const [i, raw] of raws.entries()) {
    await raw.call("sync", syncRequest, { path: "/w6" });
    await raw.call("getData", getDataRequest, { path: "/w6", watch: true });
    const xid = raw.send("setData", setDataRequest, { path: "/w6", data: Buffer.from(`${i}`), version: -1 });
    const { before, reply } = await raw.upTo(xid);
    expect(before.map(({ zxid }) => zxid)).toEqual([reply.zxid]);
  }
  const told: CollectedEvents[] = [];
  for (const client of clients) {
    const events = new CollectedEvents();
    await client.sync("/w6");
    await client.getData("/w6", { watch: events.listener });
    told.push(events);
  }
  await clients[1]!.setData("/w6", "for all");
  for (const events of told) await events.untilNodes(1);
});

test("W7: what was acknowledged survives kill -9 of the leader, and kill -9 of all", async () => {
  const acknowledged: string[] = [];
  const client = await connect(ensemble.connectString, { reconnectDelayMsMax: 20 });
  onTestFinished(() => client.close());
  let isOver = false;
  const writing = (async () => {
    for (let i = 0; !isOver; i++) {
      const path = `/w7-${i}`;
      await client.create(path).then(
        () => acknowledged.push(path),
        () => {},
      );
    }
  })();
  await eventually("some writes", () => acknowledged.length > 50);
  await (await ensemble.leader()).kill();
  const before = acknowledged.length;
  await eventually("writes under another leader", () => acknowledged.length > before + 50);
  isOver = true;
  await writing;
  await Promise.all(ensemble.members.map((member) => member.kill()));
  await ensemble.restored();

  for (const member of ensemble.members) {
    const reader = await clientOf(member);
    const there = new Set(await reader.getChildren("/"));
    expect(acknowledged.filter((path) => !there.has(path.slice(1)))).toEqual([]);
  }
}, 60_000);

test("W8: a client of a follower is answered in the order in which it sent, its reads behind its own writes", async () => {
  const [follower] = await ensemble.followers();
  const raw = await rawOf(follower!);
  const acl = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
  const xids = [raw.send("create", createRequest, { path: "/w8", data: null, acl, flags: 0 })];
  for (let i = 10; i < 60; i++) {
    xids.push(raw.send("setData", setDataRequest, { path: "/w8", data: Buffer.from(`${i}`), version: -1 }));
    xids.push(raw.send("getData", getDataRequest, { path: "/w8", watch: false }));
  }
  const replies = [];
  for (const _ of xids) replies.push(await raw.next());
  expect(replies.map(({ xid }) => xid)).toEqual(xids);
  const read = replies
    .filter((_, i) => i > 0 && i % 2 === 0)
    .map(({ body }) => Buffer.from(body.subarray(4, 6)).toString());
  expect(read).toEqual(Array.from({ length: 50 }, (_, i) => `${i + 10}`));
});

test("W8: a read is served locally and may be behind; behind a sync it is not", async () => {
  const [behind] = await ensemble.followers();
  const [writer, reader] = [await clientOf(await ensemble.leader()), await clientOf(behind!)];
  await writer.create("/w8-sync", "old");
  await reader.sync("/w8-sync");
  behind!.holdDisk();
  await writer.setData("/w8-sync", "new");
  expect(String(await reader.getData("/w8-sync"))).toBe("old");
  const [, data] = await Promise.all([reader.sync("/w8-sync"), reader.getData("/w8-sync"), behind!.releaseDisk()]);
  expect(String(data)).toBe("new");
});

test("W9: when the leader is lost the rest elect one in a new epoch; what a minority alone had logged is dropped, everywhere", async () => {
  const lost = await ensemble.leader();
  const followers = await ensemble.followers();
  const client = await clientOf(lost);
  const { stat } = await client.createWithStat("/w9", "committed");
  // Gone, they would be missed within a tick, which may be too soon for the leader to log anything more.
  for (const follower of followers) await follower.pause();
  const pending = client.create("/w9-minority", "in the log of a minority").catch((error) => error.outcome);
  await eventually("the leader logging it", () => lost.hasInLog("in the log of a minority"));
  await lost.kill();
  expect(await pending).toBe("unknown");
  for (const follower of followers) await follower.kill();

  for (const follower of followers) follower.start();
  await ensemble.untilAllServe();
  const survivor = await clientOf(await ensemble.leader());
  expect(String(await survivor.getData("/w9"))).toBe("committed");
  expect((await survivor.createWithStat("/w9-after")).stat.czxid >> 32n).toBeGreaterThan(stat.czxid >> 32n);

  lost.start();
  await ensemble.untilAllServe();
  for (const member of ensemble.members) {
    const reader = await clientOf(member);
    expect(await reader.exists("/w9-minority")).toBeNull();
    expect(String(await reader.getData("/w9"))).toBe("committed");
  }
}, 60_000);

test("W9: the server that is most advanced is elected, not the one with the highest id", async () => {
  const [first, second] = await ensemble.followers();
  const behind = [first!, second!].toSorted((a, b) => b.sid - a.sid)[0]!;
  const client = await connect((await ensemble.leader()).address);
  await behind.kill();
  for (let i = 0; i < 10; i++) await client.create(`/w9-advanced-${i}`);
  await client.close().catch(() => undefined);
  await (await ensemble.leader()).kill();
  behind.start();
  await ensemble.untilAllServe();
  expect(await ensemble.leader()).toBe([first, second].find((member) => member !== behind));
}, 60_000);
