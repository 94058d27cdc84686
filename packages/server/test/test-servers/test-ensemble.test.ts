import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@watchkeeper/client";
import { expect, onTestFinished, test } from "vitest";
import { startTestEnsemble, startTestServer, type TestEnsemble } from "../../src/test-servers/index.js";
import { until } from "../support/until.js";

async function start(size = 3): Promise<TestEnsemble> {
  const ensemble = await startTestEnsemble({ size });
  onTestFinished(() => ensemble.close());
  return ensemble;
}

async function clientOf(connectString: string) {
  const client = await connect(connectString, {
    reconnectDelayMsMax: 5,
    whenSuspended: "wait",
    sessionTimeoutMs: 30_000,
  });
  onTestFinished(() => void client.close());
  return client;
}

/** Lets time pass for the servers until they have brought something about. */
async function turnUntil(ensemble: TestEnsemble, condition: () => boolean): Promise<void> {
  for (let turnedMs = 0; !condition() && turnedMs < 60_000; turnedMs += 100) await ensemble.turnClock(100);
  expect(condition()).toBe(true);
}

test("an ensemble has one leader and serves the same tree at every server", async () => {
  const ensemble = await start();
  expect(ensemble.followers.length).toBe(2);
  const clients = await Promise.all(ensemble.servers.map((server) => clientOf(server.connectString)));
  await clients[0]!.create("/a", "data");
  for (const client of clients) {
    await client.sync();
    expect(String(await client.getData("/a"))).toBe("data");
  }
});

test("a leader that is stopped is followed by another, and what was written stays", async () => {
  const ensemble = await start();
  const leader = ensemble.leader!;
  const client = await clientOf(ensemble.followers.map((server) => server.connectString).join(","));
  await client.create("/a", "data");
  await leader.stop();
  await ensemble.settled();
  expect(ensemble.leader).not.toBe(leader);
  await until(() => client.state === "connected");
  expect(String(await client.getData("/a"))).toBe("data");
  await leader.start();
  await ensemble.settled();
  expect(ensemble.followers).toContain(leader);
});

test("a leader cut off from the others leads no more, and follows when it is healed", async () => {
  const ensemble = await start();
  const leader = ensemble.leader!;
  ensemble.partition([leader], ensemble.followers);
  await turnUntil(ensemble, () => !leader.isServing && ensemble.leader !== undefined);
  expect(ensemble.leader).not.toBe(leader);
  ensemble.heal();
  await ensemble.settled();
  expect(ensemble.followers).toContain(leader);
});

test("a session is expired by the leader, wherever its client is", async () => {
  const ensemble = await start();
  const [follower] = ensemble.followers;
  const client = await clientOf(follower!.connectString);
  const witness = await clientOf(ensemble.leader!.connectString);
  await client.create("/a", null, { mode: "ephemeral" });
  expect(ensemble.serverOf(client)).toBe(follower);
  await ensemble.expireSession(client);
  await witness.sync();
  expect(await witness.exists("/a")).toBeNull();
  await until(() => client.state === "lost");
});

test("clients of every server keep their sessions while time is turned", async () => {
  const ensemble = await start();
  const clients = await Promise.all(ensemble.servers.map((server) => clientOf(server.connectString)));
  for (const [index, client] of clients.entries()) await client.create(`/${index}`, null, { mode: "ephemeral" });
  await ensemble.turnClock(60_000);
  expect(ensemble.servers.every((server) => server.isServing)).toBe(true);
  await clients[0]!.sync();
  expect((await clients[0]!.getChildren("/")).toSorted()).toEqual(["0", "1", "2", "zookeeper"]);
});

test("an ensemble that cannot start leaves nothing behind", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const inTheWay = await startTestServer({ dataDir: join(dataDir, "2") });
  onTestFinished(() => inTheWay.close());
  const listening = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;
  const before = listening();
  await expect(startTestEnsemble({ dataDir })).rejects.toThrow(join(dataDir, "2"));
  await until(() => listening() === before); // a port is given back a turn later
});
