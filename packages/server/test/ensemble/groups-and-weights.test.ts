import { expect, onTestFinished, test } from "vitest";
import { create } from "../replica/requests.js";
import { EnsembleWorld } from "./ensemble-world.js";

function makeWorld(servers: number, quorums: readonly string[]): EnsembleWorld {
  const world = new EnsembleWorld({ servers, quorums });
  onTestFinished(() => {
    expect(world.witness.violations).toEqual([]);
  });
  return world;
}

/** Two groups, each of which must agree; of the second, server 4 decides alone. */
const TWO_GROUPS = ["group.1=1:2:3", "group.2=4:5", "weight.5=0"];

test("a server that weighs nothing follows, has everything, and is never elected, whatever its id", async () => {
  const world = makeWorld(5, TWO_GROUPS);
  for (const server of world.servers) server.start();
  await world.untilAllServe();
  expect(world.leader.sid).toBe(4);
  expect((await create(await world.clientOf(world.server(5)), "/a")).err).toBe(0);
  await world.untilAllServe();
  expect(world.server(5).replica.tree.count).toBe(world.leader.replica.tree.count);
});

test("a majority of the servers is no quorum where a group is missing: nobody leads, and a leader gives up", async () => {
  const world = makeWorld(5, TWO_GROUPS);
  const four = world.server(4);
  for (const server of world.servers) if (server !== four) server.start();
  await world.pass(10_000);
  expect(world.servers.filter(({ isServing }) => isServing)).toEqual([]);

  four.start();
  await world.untilAllServe();
  for (const sid of [1, 2]) world.isolate(world.server(sid));
  await world.until(() => !world.servers.some(({ isLeading }) => isLeading), "its leader giving up", 10_000);
  await world.pass(5000);
  expect(world.servers.filter(({ isLeading }) => isLeading)).toEqual([]);
  world.mend();
  await world.untilAllServe();
  expect((await create(await world.clientOf(world.leader), "/a")).err).toBe(0);
});

test("a write is answered when every group that is needed has it, however many servers have it", async () => {
  const world = makeWorld(5, TWO_GROUPS);
  for (const server of world.servers) server.start();
  await world.untilAllServe();
  const client = await world.clientOf(world.leader);
  // Servers 1, 4 and 5: a majority of all, and of the first group one only.
  for (const sid of [2, 3]) world.server(sid).extraDiskMs = 400;
  const pending = create(client, "/slow");
  await world.pass(300);
  expect(client.frames).toEqual([]);
  expect((await pending).err).toBe(0);
});

test("a server that outweighs all others is a quorum by itself", async () => {
  const world = makeWorld(3, ["group.1=1:2:3", "weight.1=5"]);
  world.server(1).start();
  await world.until(() => world.server(1).isLeading, "server 1 leading alone");
  expect((await create(await world.clientOf(world.server(1)), "/a")).err).toBe(0);
  for (const sid of [2, 3]) world.server(sid).start();
  await world.untilAllServe();
  world.server(1).kill();
  await world.pass(10_000);
  expect(world.servers.filter(({ isServing }) => isServing)).toEqual([]);
});
