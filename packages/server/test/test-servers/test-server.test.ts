import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, type ConnectOptions, connect, type SessionState } from "@watchkeeper/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTestServer, type TestServer, type TestServerOptions } from "../../src/test-servers/index.js";
import { until } from "../support/until.js";

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  onTestFinished(() => server.close());
  return server;
}

async function clientOf(server: TestServer, options: ConnectOptions = {}): Promise<Client> {
  const client = await connect(server.connectString, { reconnectDelayMsMax: 5, whenSuspended: "wait", ...options });
  onTestFinished(() => void client.close());
  return client;
}

function statesOf(client: Client): SessionState[] {
  const states: SessionState[] = [];
  client.onState((state) => states.push(state));
  return states;
}

test("a hundred servers live in one process, each with a tree of its own", async () => {
  const servers = await Promise.all(Array.from({ length: 100 }, () => start()));
  expect(new Set(servers.map((server) => server.port)).size).toBe(100);
  const clients = await Promise.all(servers.map((server) => clientOf(server)));
  await Promise.all(clients.map((client, index) => client.create("/mine", String(index))));
  const read = await Promise.all(clients.map(async (client) => String(await client.getData("/mine"))));
  expect(read).toEqual(servers.map((_, index) => String(index)));
});

describe("a session of a test server", () => {
  test("expires at once when told to, with its ephemeral nodes, and no other does", async () => {
    const server = await start();
    const [one, other] = await Promise.all([clientOf(server), clientOf(server)]);
    const states = statesOf(one);
    await one.create("/one", null, { mode: "ephemeral" });
    await other.create("/other", null, { mode: "ephemeral" });
    await server.expireSession(one);
    expect(await other.exists("/one")).toBeNull();
    expect(await other.exists("/other")).not.toBeNull();
    await until(() => states.at(-1) === "lost");
    await expect(server.expireSession(one.sessionId)).rejects.toThrow("no such session");
  });

  test("outlives the connection that is dropped", async () => {
    const server = await start();
    const [one, other] = await Promise.all([clientOf(server), clientOf(server)]);
    const [states, otherStates] = [statesOf(one), statesOf(other)];
    await one.create("/one", null, { mode: "ephemeral" });
    server.dropConnection(one);
    await until(() => states.at(-1) === "connected");
    expect(states).toEqual(["suspended", "connected"]);
    expect(otherStates).toEqual([]);
    expect((await one.exists("/one"))?.ephemeralOwner).toBe(one.sessionId);
  });

  test("expires when the clock is turned past its timeout, if its client is cut off, and else does not", async () => {
    const server = await start();
    const [one, other] = await Promise.all([
      clientOf(server, { sessionTimeoutMs: 30_000 }),
      clientOf(server, { sessionTimeoutMs: 30_000 }),
    ]);
    await one.create("/one", null, { mode: "ephemeral" });
    await other.create("/other", null, { mode: "ephemeral" });
    server.partition(one);
    await server.turnClock(25_000);
    expect(await other.exists("/one")).not.toBeNull();
    await server.turnClock(10_000);
    expect(await other.exists("/one")).toBeNull();
    expect(await other.exists("/other")).not.toBeNull();
  });

  test("expires while its server is cut off from everybody, who learn of it when it is healed", async () => {
    const server = await start();
    const client = await clientOf(server, { sessionTimeoutMs: 10_000 });
    const states = statesOf(client);
    server.partition();
    await server.turnClock(20_000);
    expect(states).toEqual([]);
    server.heal();
    await until(() => states.at(-1) === "lost");
  });
});

test("a paused server answers when it goes on, and nobody's session has expired by that", async () => {
  const server = await start({ settings: { tickTimeMs: 20, minSessionTimeoutMs: 40 } });
  const client = await clientOf(server, { sessionTimeoutMs: 60_000 });
  server.pause();
  let answered = false;
  const created = client.create("/a").then(() => {
    answered = true;
  });
  await server.turnClock(100);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(false);
  server.resume();
  await created;
  expect(client.state).toBe("connected");
});

test("a server whose fsync fails stops, acknowledges nothing, and starts again on its port with its data", async () => {
  const server = await start();
  const { port } = server;
  const client = await clientOf(server);
  const states = statesOf(client);
  await client.create("/kept", "data");
  server.failNextFsync();
  const { ended } = server;
  await expect(client.create("/lost")).rejects.toMatchObject({ code: "CONNECTION_LOSS", outcome: "unknown" });
  expect((await ended)?.message).toContain("the transaction log cannot be written");
  expect(server.isRunning).toBe(false);
  await until(() => states.includes("suspended"));
  await server.start();
  expect(server.port).toBe(port);
  expect(String(await client.getData("/kept"))).toBe("data");
});

test("a server with a directory keeps its data there for the next one", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await start({ dataDir });
  await (await clientOf(first)).create("/kept", "data");
  await first.close();
  const second = await start({ dataDir });
  expect(String(await (await clientOf(second)).getData("/kept"))).toBe("data");
});

test("time that is turned by 30 s takes less than a tenth of it", async () => {
  const server = await start();
  const startedMs = performance.now();
  await server.turnClock(30_000);
  expect(performance.now() - startedMs).toBeLessThan(3000);
});

test("a port that is taken is the system's error, and leaves nothing running", async () => {
  const { port } = await start();
  await expect(startTestServer({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("a server that is started twice at once is one server, and one that is closed meanwhile is closed", async () => {
  const server = await start();
  await server.stop();
  await Promise.all([server.start(), server.start()]);
  const client = await clientOf(server);
  await client.create("/a");
  await server.stop();
  const starting = server.start();
  await server.close();
  await starting;
  expect(server.isRunning).toBe(false);
  await expect(connect(server.connectString, { connectRoundsMax: 1 })).rejects.toMatchObject({
    code: "CONNECTION_LOSS",
  });
});

test("a session whose server ends before it has expired is not waited for", async () => {
  const server = await start();
  const client = await clientOf(server);
  server.failNextFsync();
  await expect(server.expireSession(client)).rejects.toThrow("has not expired");
});
