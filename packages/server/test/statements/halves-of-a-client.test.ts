import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { CollectedEvents } from "../support/collected-events.js";
import { proxyTo } from "../support/cuttable-proxy.js";
import { serve } from "../support/server-under-test.js";
import { until } from "../support/until.js";

test("M1: a listener that never comes back, and one that throws, delay neither requests nor other listeners", async () => {
  const server = await serve();
  const errors: unknown[] = [];
  const client = await server.client({ onListenerError: (error) => errors.push(error) });
  const writer = await server.client();
  await client.create("/a");
  let stuck = 0;
  await client.exists("/a", {
    watch: () => {
      stuck += 1;
      return new Promise(() => {});
    },
  });
  await client.getData("/a", {
    watch: () => {
      throw new Error("a listener's own fault");
    },
  });
  const other = new CollectedEvents();
  await client.getData("/a", { watch: other.listener });

  await writer.setData("/a", "1");
  await other.untilNodes(1);

  expect(stuck).toBe(1);
  expect(errors).toEqual([new Error("a listener's own fault")]);
  expect(await client.getData("/a")).toEqual(Buffer.from("1"));
  const again = new CollectedEvents();
  await client.getData("/a", { watch: again.listener });
  await writer.setData("/a", "2");
  await again.untilNodes(1);
});

/** Short enough to be outlasted, long enough that a busy machine does not lose a session by being late. */
const SESSION_TIMEOUT_MS = 2000;
const LONGER_MS = 1.5 * SESSION_TIMEOUT_MS;

test("M1: pings keep the session alive while a listener waits for longer than its timeout", async () => {
  const server = await serve({ tickTimeMs: 100, minSessionTimeoutMs: 200 });
  const client = await server.client({ sessionTimeoutMs: SESSION_TIMEOUT_MS });
  expect(client.sessionTimeoutMs).toBe(SESSION_TIMEOUT_MS);
  const states: string[] = [];
  client.onState((state) => states.push(state));
  await client.create("/a");
  await client.exists("/a", { watch: () => new Promise(() => {}) });
  await client.setData("/a", "1");
  const pings = async (): Promise<number> => server.figure("packets_received");
  const before = await pings();

  const startMs = performance.now();
  await until(() => performance.now() - startMs > LONGER_MS);

  expect(await pings()).toBeGreaterThan(before);
  expect(states).toEqual([]);
  expect(await client.getData("/a")).toEqual(Buffer.from("1"));
});

test("M1: a connection that has fallen silent does not keep the listener from being told", async () => {
  const server = await serve({ tickTimeMs: 100, minSessionTimeoutMs: 200 });
  const proxy = await proxyTo(server);
  const client = await server.client({ port: proxy.port, sessionTimeoutMs: SESSION_TIMEOUT_MS });
  const events = new CollectedEvents();
  await client.exists("/a", { watch: events.listener });

  proxy.clog();

  await events.untilSession("suspended");
});

/** The built client, since a worker thread runs without the tests' loader. */
const BUILT_CLIENT = new URL("../../../client/dist/index.js", import.meta.url);

const CONNECTION_THREAD = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.client).then(async ({ connect }) => {
    const client = await connect(workerData.server, { sessionTimeoutMs: workerData.sessionTimeoutMs });
    const states = [];
    client.onState((state) => states.push(state));
    await client.create("/from-the-thread", "x", { mode: "ephemeral" });
    const flag = new Int32Array(workerData.flag);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
    parentPort.on("message", async () => {
      parentPort.postMessage({ states, alive: await client.exists("/from-the-thread") !== null });
      await client.close();
    });
  });
`;

/** Blocks its whole thread for longer than the session's timeout, then asks the other thread how it went. */
const APPLICATION_THREAD = `
  const { parentPort, workerData, Worker } = require("node:worker_threads");
  const flag = new Int32Array(workerData.flag);
  const connection = new Worker(workerData.connectionThread, { eval: true, execArgv: [], workerData });
  const blocked = Date.now();
  Atomics.wait(flag, 0, 0, 20000);
  Atomics.wait(flag, 1, 0, workerData.blockedMs);
  connection.once("message", (told) => parentPort.postMessage({ ...told, blockedMs: Date.now() - blocked }));
  connection.postMessage("how did it go?");
`;

test("M1: with its connection half in a thread of its own, the session of a blocked application survives", async () => {
  expect(existsSync(BUILT_CLIENT), "the workspace is built first (npm run build)").toBe(true);
  const server = await serve({ tickTimeMs: 100, minSessionTimeoutMs: 200 });
  const workerData = {
    client: BUILT_CLIENT.href,
    server: server.server.connectString,
    flag: new SharedArrayBuffer(8),
    connectionThread: CONNECTION_THREAD,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    blockedMs: LONGER_MS,
  };
  const application = new Worker(APPLICATION_THREAD, { eval: true, execArgv: [], workerData });
  onTestFinished(async () => {
    await application.terminate();
  });

  const told = await new Promise<{ states: string[]; alive: boolean; blockedMs: number }>((resolve, reject) => {
    application.once("message", resolve);
    application.once("error", reject);
  });

  expect(told.blockedMs).toBeGreaterThanOrEqual(LONGER_MS);
  expect(told).toMatchObject({ states: [], alive: true });
});
