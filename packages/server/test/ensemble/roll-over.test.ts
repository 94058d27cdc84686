import { createRequest, getDataRequest, syncRequest } from "@watchkeeper/wire";
import { expect, test, vi } from "vitest";
import { create, createBody, read } from "../replica/requests.js";
import { EnsembleWorld } from "./ensemble-world.js";

/** An epoch has room for four billion txns; here for a few. */
const ROOM = vi.hoisted(() => 25);

vi.mock("../../src/zab/zxid.js", async (importOriginal) => ({
  ...(await importOriginal<typeof import("../../src/zab/zxid.js")>()),
  COUNTER_MAX: ROOM,
}));

test("an epoch that has used up its zxids ends and another goes on: no acknowledged write is lost, no zxid is beyond the last", async () => {
  const world = await EnsembleWorld.formed();
  const client = world.client();
  const acknowledged: string[] = [];
  const zxids: bigint[] = [];
  for (let i = 0; acknowledged.length < 4 * ROOM; i++) {
    const server = world.servers[i % 3]!;
    if (!client.isOpen) await client.open(server).catch(() => world.pass(200));
    if (!client.isOpen) continue;
    const frame = await create(client, `/n${i}`).catch(() => undefined);
    if (frame === undefined) continue;
    expect(frame.err).toBe(0);
    acknowledged.push(`/n${i}`);
    zxids.push(frame.zxid);
  }
  await world.untilAllServe();

  expect(zxids).toEqual(zxids.toSorted((a, b) => Number(a - b)));
  expect(new Set(zxids).size).toBe(zxids.length);
  expect(zxids.every((zxid) => Number(zxid & 0xffffffffn) <= ROOM)).toBe(true);
  expect(new Set(zxids.map((zxid) => zxid >> 32n)).size).toBeGreaterThanOrEqual(4);
  for (const server of world.servers) {
    const reader = await world.clientOf(server);
    for (const path of acknowledged) expect((await read(reader, "exists", path)).err).toBe(0);
  }
  expect(world.witness.violations).toEqual([]);
  const said = world.servers.flatMap(({ lines }) => lines.lines.map(({ sentence }) => sentence));
  expect(said).toContainEqual(expect.stringContaining("epoch 1 has used up its zxids; the next epoch goes on"));
});

test("W8: what stands behind a write that the epoch has no zxid for is not answered, at the leader and at a follower", async () => {
  for (const atLeader of [true, false]) {
    const world = await EnsembleWorld.formed();
    const { leader } = world;
    const client = await world.clientOf(atLeader ? leader : world.learners[0]!);
    for (let i = 1; i < ROOM; i++) await create(client, `/n${i}`);
    expect(leader.replica.lastZxid).toBe(2 ** 32 + ROOM);
    await world.untilAllServe();
    client.send("create", createRequest, createBody("/one-too-many"));
    client.send("sync", syncRequest, { path: "/" });
    client.send("getData", getDataRequest, { path: "/", watch: false });
    await world.until(() => !client.isConnected, "the end of its connection");
    expect(client.frames).toEqual([]);
    await world.untilAllServe();
    expect(world.leader.epoch).toBe(2);
  }
});
