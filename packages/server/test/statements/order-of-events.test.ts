import { addWatchRequest, EVENT_TYPE, getDataRequest, type Stat, setDataRequest } from "@watchkeeper/wire";
import { expect, test } from "vitest";
import { type Frame, readEvent } from "../support/raw-connection.js";
import { serve } from "../support/server-under-test.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function dataOf(frame: Frame): string {
  const length = Buffer.from(frame.body).readInt32BE(0);
  return Buffer.from(frame.body.subarray(4, 4 + length)).toString();
}

test("M7: no client sees the new data before it has its event", async () => {
  const server = await serve();
  const writer = await server.client();
  await writer.create("/a", "0");
  const watcher = await server.raw();
  for (let round = 1; round <= 30; round++) {
    await watcher.call("getData", getDataRequest, { path: "/a", watch: true });
    const read = () => watcher.send("getData", getDataRequest, { path: "/a", watch: false });
    // Reads without a pause, so that the write comes to pass between two of them.
    const reads = [read(), read(), read(), read()];
    const written = writer.setData("/a", String(round));
    let events = 0;
    for (let value = round - 1; value !== round; reads.push(read())) {
      const { before, reply } = await watcher.upTo(reads.shift()!);
      events += before.length;
      value = Number(dataOf(reply));
      expect(value, `round ${round}, after ${events} events`).toBe(round - 1 + events);
    }
    await watcher.upTo(reads.at(-1)!);
    await written;
  }
});

test("M7: all clients see all changes in one and the same order, which is that of their zxids", async () => {
  const server = await serve();
  const writers = await Promise.all(Array.from({ length: 3 }, () => server.client()));
  const watchers = await Promise.all(Array.from({ length: 4 }, () => server.raw()));
  for (const watcher of watchers) await watcher.call("addWatch", addWatchRequest, { path: "/", mode: 1 });

  await Promise.all(
    writers.map(async (writer, w) => {
      for (let i = 0; i < 15; i++) {
        await writer.create(`/${w}-${i}`);
        await writer.setData(`/${w}-${i}`, "x");
        if (i % 2 === 0) await writer.delete(`/${w}-${i}`);
      }
    }),
  );

  const seen = await Promise.all(watchers.map((watcher) => watcher.events()));
  const zxids = seen[0]!.map(({ zxid }) => zxid);
  expect(zxids).toHaveLength(3 * (15 + 15 + 8));
  expect(zxids).toEqual([...zxids].sort((a, b) => Number(a - b)));
  for (const events of seen) expect(events).toEqual(seen[0]);
});

test("M7: a client that does not read learns of a change later than others, and still in order", async () => {
  const server = await serve();
  const writer = await server.client();
  const prompt = await server.raw();
  const slow = await server.raw();
  for (const watcher of [prompt, slow]) await watcher.call("addWatch", addWatchRequest, { path: "/a", mode: 0 });
  slow.stopReading();

  const made = await writer.createWithStat("/a");
  const changed = await writer.setData("/a", "1");
  expect((await prompt.events()).map(({ zxid }) => zxid)).toEqual([made.stat.czxid, changed.mzxid]);

  slow.readAgain();
  expect((await slow.events()).map(({ zxid }) => zxid)).toEqual([made.stat.czxid, changed.mzxid]);
});

test("W6: the events of a client's own write come before its reply, and carry its zxid", async () => {
  const server = await serve();
  const raw = await server.raw();
  const client = await server.client();
  await client.create("/a");
  await raw.call("getData", getDataRequest, { path: "/a", watch: true });

  const xid = raw.send("setData", setDataRequest, { path: "/a", data: bytes("1"), version: -1 });
  const { before, reply } = await raw.upTo(xid);

  expect(before.map(readEvent)).toEqual([{ type: EVENT_TYPE.nodeDataChanged, path: "/a", zxid: reply.zxid }]);
});

test("W3: every write takes the next zxid, in the order in which the server took them up", async () => {
  const server = await serve();
  const clients = await Promise.all(Array.from({ length: 4 }, () => server.client()));
  await clients[0]!.create("/a");
  const first = (await clients[0]!.createWithStat("/b")).stat.czxid;

  const stats = await Promise.all(
    clients.flatMap((client) => Array.from({ length: 25 }, (): Promise<Stat> => client.setData("/a", "x"))),
  );

  const zxids = stats.map(({ mzxid }) => mzxid).sort((a, b) => Number(a - b));
  expect(zxids).toEqual(Array.from({ length: 100 }, (_, i) => first + 1n + BigInt(i)));
  for (const stat of stats) expect(BigInt(stat.version)).toBe(stat.mzxid - first);
});

test("W3: a write that is refused takes its zxid all the same, and a read takes none", async () => {
  const server = await serve();
  const client = await server.client();
  const before = await server.zxid();

  await expect(client.delete("/none")).rejects.toMatchObject({ code: "NO_NODE" });
  expect(await server.zxid()).toBe(before + 1);
  await expect(client.getData("/none")).rejects.toMatchObject({ code: "NO_NODE" });
  await client.sync("/");
  expect(await server.zxid()).toBe(before + 1);
});
