import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { type CuttableProxy, proxyTo } from "../../../server/test/support/cuttable-proxy.js";
import { serve } from "../../../server/test/support/server-under-test.js";
// The built client: a worker thread runs without the tests' loader.
import { type Client, connect } from "../../dist/index.js";

const LONG_BYTES = 900_000;

/** A client whose connection has a thread of its own, and that thread. */
async function threadClient({ port }: { port: number }): Promise<{ client: Client; thread: Worker }> {
  const started = once(process, "worker") as Promise<[Worker]>;
  const connecting = connect(`127.0.0.1:${port}`, { connectionThread: true });
  const [thread] = await started;
  const client = await connecting;
  onTestFinished(() => client.close());
  return { client, thread };
}

/** Its server hears nothing any more, so that whatever is asked stays without an answer. */
async function unansweredClient(): Promise<{ client: Client; thread: Worker; proxy: CuttableProxy }> {
  const proxy = await proxyTo(await serve());
  const parts = await threadClient(proxy);
  await parts.client.create("/a");
  proxy.clog();
  return { ...parts, proxy };
}

test("calls of many turns, some short and some long, are carried out and answered in the order they were made", async () => {
  const { client } = await threadClient(await serve());
  await client.create("/order");
  const answered: number[] = [];
  const calls: Promise<unknown>[] = [];
  for (let turn = 0; turn < 20; turn++) {
    for (let i = 0; i < 13; i++) {
      const number = calls.length;
      const written = Buffer.from(`${number} `.padEnd(i === 7 ? 100_000 : 20));
      calls.push(
        client.setData("/order", written).then(({ version }) => answered.push(number) && version),
        client.getData("/order").then((read) => answered.push(number + 1) && read?.equals(written)),
      );
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const results = await Promise.all(calls);
  expect(answered).toEqual(calls.map((_, number) => number));
  expect(results).toEqual(calls.map((_, number) => (number % 2 === 0 ? number / 2 + 1 : true)));
});

test("a short value that is kept does not keep the memory of long ones that came with it", async () => {
  const { client } = await threadClient(await serve());
  await Promise.all([client.create("/long", Buffer.alloc(LONG_BYTES, 1)), client.create("/short", "s")]);
  const read = await Promise.all(["/short", "/long", "/short"].map((path) => client.getData(path)));
  expect(read.map((data) => data?.length)).toEqual([1, LONG_BYTES, 1]);
  expect(read[1]?.equals(Buffer.alloc(LONG_BYTES, 1))).toBe(true);
  expect(read[0]?.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
  expect(read[2]?.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
});

test("a call given up in the turn in which it was made was sent all the same, and those beside it are answered", async () => {
  const { client } = await threadClient(await serve());
  await client.create("/a", "0");
  const giving = new AbortController();
  const before = client.getData("/a");
  const write = client.setData("/a", "1", { signal: giving.signal });
  const after = client.getData("/a");
  giving.abort("enough");
  await expect(write).rejects.toMatchObject({ code: "ABORTED", outcome: "unknown", cause: "enough" });
  expect([await before, await after].map(String)).toEqual(["0", "1"]);
});

test("a deadline is kept while the server says nothing", async () => {
  const { client, proxy } = await unansweredClient();
  const late = client.setData("/a", "1", { timeoutMs: 30 });
  await expect(late).rejects.toMatchObject({ code: "REQUEST_TIMEOUT", outcome: "unknown" });
  expect(client.counters.callsTimedOut).toBe(1);
  proxy.cut(); // or closing would wait for the server's word
});

test("when the thread dies, all calls fail, saying what may have happened, and the client is closed", async () => {
  const { client, thread } = await unansweredClient();
  const states: string[] = [];
  client.onState((state) => states.push(state));
  const write = client.setData("/a", "1");
  const read = client.getData("/a");
  await new Promise((resolve) => setImmediate(resolve));
  await thread.terminate();
  await expect(write).rejects.toMatchObject({ code: "CONNECTION_LOSS", outcome: "unknown" });
  await expect(read).rejects.toMatchObject({ code: "CONNECTION_LOSS", outcome: "not-applied" });
  await expect(client.getData("/a")).rejects.toMatchObject({ code: "CLOSING", outcome: "not-applied" });
  expect(states).toEqual(["closed"]);
});

test("events of a client that is confined to a part of the tree have its paths, and reach its listeners", async () => {
  const server = await serve();
  const outside = await server.client();
  await outside.create("/app/a", null, { parents: true });
  const client = await connect(`127.0.0.1:${server.port}/app`, { connectionThread: true });
  onTestFinished(() => client.close());
  const { changed } = await client.watchData("/a");
  const { changed: grown } = await client.watchChildren("/");
  await outside.setData("/app/a", "1");
  await outside.create("/app/b");
  expect([await changed, await grown]).toMatchObject([
    { kind: "dataChanged", path: "/a" },
    { kind: "childrenChanged", path: "/" },
  ]);
});

test("a request that cannot be written fails alone, in a thread too", async () => {
  const { client } = await threadClient(await serve());
  const unwritable = client.delete("/a", { version: 1n as unknown as number });
  const behind = client.create("/a");
  await expect(unwritable).rejects.toMatchObject({ name: "ZkError", code: "BAD_ARGUMENTS" });
  expect(await behind).toBe("/a");
});
