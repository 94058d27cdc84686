import { type Client, connect } from "@watchkeeper/client";
import { addWatchRequest, getDataRequest, syncRequest } from "@watchkeeper/wire";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { CollectedEvents } from "../support/collected-events.js";
import { type RawConnection, readEvent } from "../support/raw-connection.js";
import { clientOf, rawOf } from "./connections-of-a-test.js";
import { EnsembleOfProcesses, eventually, type MemberProcess } from "./ensemble-of-processes.js";

/** Watches on three processes: what one process can show is in the other files of this folder. */
let ensemble: EnsembleOfProcesses;

beforeAll(async () => {
  ensemble = await EnsembleOfProcesses.start();
}, 60_000);

beforeEach(() => ensemble.restored());

afterAll(() => ensemble.stop());

test("M7: clients of different servers see all changes in one and the same order, though not at the same time", async () => {
  const watchers = await Promise.all(ensemble.members.map(rawOf));
  for (const watcher of watchers) await watcher.call("addWatch", addWatchRequest, { path: "/", mode: 1 });
  const writers = await Promise.all(ensemble.members.map(clientOf));
  await Promise.all(
    writers.map(async (writer, w) => {
      for (let i = 0; i < 15; i++) {
        await writer.create(`/m7-${w}-${i}`);
        await writer.setData(`/m7-${w}-${i}`, "x");
        if (i % 2 === 0) await writer.delete(`/m7-${w}-${i}`);
      }
    }),
  );
  const seen = await Promise.all(watchers.map(eventsSoFar));
  expect(seen[0]).toHaveLength(3 * (15 + 15 + 8));
  for (const events of seen) expect(events).toEqual(seen[0]);
});

test("M7: no client sees the new data before it has its event, at a server that is behind neither", async () => {
  for (const member of await ensemble.followers()) {
    const path = `/m7-data-${member.sid}`;
    const writer = await clientOf(await ensemble.leader());
    await writer.create(path, "0");
    const watcher = await rawOf(member);
    await watcher.call("sync", syncRequest, { path });
    for (let round = 1; round <= 20; round++) {
      await watcher.call("getData", getDataRequest, { path, watch: true });
      const read = () => watcher.send("getData", getDataRequest, { path, watch: false });
      const reads = [read(), read(), read()];
      const written = writer.setData(path, String(round));
      let events = 0;
      for (let value = round - 1; value !== round; reads.push(read())) {
        const { before, reply } = await watcher.upTo(reads.shift()!);
        events += before.length;
        const length = Buffer.from(reply.body).readInt32BE(0);
        value = Number(Buffer.from(reply.body.subarray(4, 4 + length)).toString());
        expect(value, `round ${round}, after ${events} events`).toBe(round - 1 + events);
      }
      await watcher.upTo(reads.at(-1)!);
      await written;
    }
  }
});

test("M12: watches live in the client's server alone: setting, keeping and firing them costs the others nothing", async () => {
  const [follower, other] = await ensemble.followers();
  const leader = await ensemble.leader();
  const writer = await clientOf(leader);
  await writer.create("/m12");
  const watcher = await rawOf(follower!);
  await ensemble.untilAllServe();
  const zxid = await leader.zxid();
  const proposals = await leader.figure("proposal_count");
  for (let i = 0; i < 200; i++) await watcher.call("exists", getDataRequest, { path: `/m12/${i}`, watch: true });
  await watcher.call("getData", getDataRequest, { path: "/m12", watch: true });

  expect(await follower!.figure("watch_count")).toBe(201);
  for (const member of [leader, other!]) expect(await member.figure("watch_count")).toBe(0);
  expect(await leader.zxid()).toBe(zxid);
  expect(await leader.figure("proposal_count")).toBe(proposals);
  await writer.setData("/m12", "changed");
  await eventually("the watch firing", async () => (await follower!.figure("watch_count")) === 200);
  expect((await watcher.next()).xid).toBe(-1);
  expect(await leader.figure("proposal_count")).toBe(proposals + 1);
});

test("M13: the loss of a server, and the next one, reach every watcher as session events; meanwhile it is told nothing", async () => {
  const [follower] = await ensemble.followers();
  const writer = await clientOf(await ensemble.leader());
  await writer.create("/m13", "0");
  const client = await connect(`${follower!.address}`, { reconnectDelayMsMax: 20 });
  onTestFinished(() => client.close());
  const [one, another] = [new CollectedEvents(), new CollectedEvents()];
  await client.sync("/m13");
  await client.getData("/m13", { watch: one.listener });
  await client.exists("/m13-none", { watch: another.listener });

  await follower!.kill();
  await eventually("the watchers hearing of it", () => one.ofSession.length > 0 && another.ofSession.length > 0);
  for (const events of [one, another]) expect(events.ofSession).toEqual(["suspended"]);
  await writer.setData("/m13", "1");
  expect([one.ofNodes, another.ofNodes]).toEqual([[], []]);

  follower!.start();
  for (const events of [one, another]) await eventually("the watchers being back", () => events.ofSession.length === 2);
  for (const events of [one, another]) expect(events.ofSession).toEqual(["suspended", "connected"]);
  await one.untilNodes(1);
});

test("M14: on another server all watches are there again without the application's doing, and those whose node changed fire at once", async () => {
  const writer = await connect(ensemble.connectString, { reconnectDelayMsMax: 20 });
  onTestFinished(() => writer.close());
  for (const name of ["/m14-changed", "/m14-deleted", "/m14-same", "/m14-parent"]) await writer.create(name, "0");
  const client = await connect(ensemble.connectString, { reconnectDelayMsMax: 20 });
  onTestFinished(() => client.close());
  await client.sync("/");
  const told = new CollectedEvents();
  await client.getData("/m14-changed", { watch: told.listener });
  await client.getData("/m14-deleted", { watch: told.listener });
  await client.getData("/m14-same", { watch: told.listener });
  await client.exists("/m14-made", { watch: told.listener });
  await client.getChildren("/m14-parent", { watch: told.listener });
  await (await serverOf(client)).kill();
  const other = await connect(ensemble.connectString, { reconnectDelayMsMax: 20 });
  onTestFinished(() => other.close());
  await other.setData("/m14-changed", "1");
  await other.delete("/m14-deleted");
  await other.create("/m14-made");
  await other.create("/m14-parent/child");
  await told.untilNodes(4);
  expect(told.ofNodes.toSorted()).toEqual([
    "childrenChanged /m14-parent",
    "created /m14-made",
    "dataChanged /m14-changed",
    "deleted /m14-deleted",
  ]);
  await other.setData("/m14-same", "1");
  await told.untilNodes(5);
  expect(told.ofNodes).toContain("dataChanged /m14-same");
}, 60_000);

/** The one that the client is connected to. */
async function serverOf(client: Client): Promise<MemberProcess> {
  const session = `0x${client.session.id.toString(16)}`;
  for (const member of ensemble.members) if (((await member.word("cons")) ?? "").includes(session)) return member;
  throw new Error("no server knows the client");
}

/** Of all that is committed by now. */
async function eventsSoFar(watcher: RawConnection): Promise<string[]> {
  const { before } = await watcher.upTo(watcher.send("sync", syncRequest, { path: "/" }));
  return before.map((frame) => `${frame.zxid} ${readEvent(frame).type} ${readEvent(frame).path}`);
}
