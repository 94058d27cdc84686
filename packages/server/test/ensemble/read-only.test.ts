import { expect, test } from "vitest";
import { create, read, setData } from "../replica/requests.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { EnsembleWorld } from "./ensemble-world.js";

/** One server that is cut off, long enough to serve those who take what they get. */
async function cutOff(readOnlyModeEnabled = true): Promise<{ world: EnsembleWorld; alone: EnsembleServer }> {
  const world = await EnsembleWorld.formed({ server: { readOnlyModeEnabled } });
  const client = await world.clientOf(world.leader);
  await create(client, "/a");
  await world.untilAllServe();
  const [alone] = world.learners;
  world.isolate(alone!);
  await world.pass(8000);
  return { world, alone: alone! };
}

test("a server that is cut off serves reads to clients that take a read-only server, and refuses their writes", async () => {
  const { world, alone } = await cutOff();
  const client = world.client();
  await client.open(alone, undefined, true);

  expect(client.isReadOnly).toBe(true);
  expect((await read(client, "exists", "/a")).err).toBe(0);
  expect((await create(client, "/b")).err).toBe(-119);
  expect((await setData(client, "/a", null)).err).toBe(-119);
  expect(world.witness.violations).toEqual([]);
});

test("a client that does not take a read-only server is not taken", async () => {
  const { world, alone } = await cutOff();
  await expect(world.clientOf(alone)).rejects.toThrow("refused a client");
});

test("a session of the ensemble is not served there, and lives on elsewhere", async () => {
  const { world, alone } = await cutOff();
  const client = await world.clientOf(world.leader);
  const { sessionId, password } = client;
  client.lastZxid = 0n;
  // By a closed connection: that it is expired would end the session at the client.
  await expect(client.open(alone, undefined, true)).rejects.toThrow(/refused a client$/);
  Object.assign(client, { sessionId, password });
  await client.open(world.leader);
  expect((await read(client, "exists", "/a")).err).toBe(0);
});

test("it ends when a leader is found: who was served is sent away, and served in full", async () => {
  const { world, alone } = await cutOff();
  const client = world.client();
  await client.open(alone, undefined, true);
  world.mend();
  await world.untilAllServe();
  expect(client.isConnected).toBe(false);

  const full = await world.clientOf(alone);
  expect(full.isReadOnly).toBe(false);
  expect((await create(full, "/b")).err).toBe(0);
});

test("without readonlymode.enabled nobody is served", async () => {
  const { world, alone } = await cutOff(false);
  const client = world.client();
  await expect(client.open(alone, undefined, true)).rejects.toThrow("refused a client");
});

test("a short election is none of it: it begins two seconds after the server began to look for a leader", async () => {
  const world = new EnsembleWorld({ server: { readOnlyModeEnabled: true } });
  const alone = world.server(1);
  alone.start();
  const looking = () => alone.lines.lines.find(({ sentence }) => sentence === "Looking for a leader");
  await world.until(() => looking() !== undefined, "an election");
  await world.pass(1950);
  expect(alone.replica.isServing).toBe(false);
  await world.pass(100);
  expect(alone.replica.isServing).toBe(true);
});

test("a server that has no database yet has nothing to show", async () => {
  const world = new EnsembleWorld({ server: { readOnlyModeEnabled: true, autocreateDatabase: false } });
  const alone = world.server(1);
  alone.start();
  await world.pass(10_000);
  expect(alone.replica.isServing).toBe(false);
});
