import {
  EVENT_TYPE,
  existsRequest,
  getChildrenRequest,
  getDataRequest,
  WATCH_TYPE,
  watchTypeRequest,
} from "@watchkeeper/wire";
import { expect, test } from "vitest";
import type { RawConnection, RawEvent } from "../support/raw-connection.js";
import { serve } from "../support/server-under-test.js";

/** A server with these nodes, a client that changes them, and a connection that watches. */
async function scene(...paths: readonly string[]) {
  const server = await serve();
  const client = await server.client();
  for (const path of paths) await client.create(path);
  return { server, client, raw: await server.raw() };
}

const NAMES = new Map<number, string>([
  [EVENT_TYPE.nodeCreated, "created"],
  [EVENT_TYPE.nodeDeleted, "deleted"],
  [EVENT_TYPE.nodeDataChanged, "dataChanged"],
  [EVENT_TYPE.nodeChildrenChanged, "childrenChanged"],
]);

const named = (events: RawEvent[]): string[] => events.map(({ type, path }) => `${NAMES.get(type)} ${path}`);

const watchData = (raw: RawConnection, path: string) => raw.call("getData", getDataRequest, { path, watch: true });
const watchExists = (raw: RawConnection, path: string) => raw.call("exists", existsRequest, { path, watch: true });
const watchChildren = (raw: RawConnection, path: string) =>
  raw.call("getChildren", getChildrenRequest, { path, watch: true });

test("M8: data watches, set by getData and exists, and child watches, set by getChildren, are two tables", async () => {
  const { server, client, raw: data } = await scene("/a");
  const exists = await server.raw();
  const children = await server.raw();
  await watchData(data, "/a");
  await watchExists(exists, "/a");
  await watchChildren(children, "/a");

  await client.create("/a/c");
  expect(named(await data.events())).toEqual([]);
  expect(named(await exists.events())).toEqual([]);
  expect(named(await children.events())).toEqual(["childrenChanged /a"]);

  await watchChildren(children, "/a");
  await client.setData("/a", "1");
  expect(named(await data.events())).toEqual(["dataChanged /a"]);
  expect(named(await exists.events())).toEqual(["dataChanged /a"]);
  expect(named(await children.events())).toEqual([]);
});

test("M8: what one connection has in one table can be taken away without touching the other", async () => {
  const { client, raw } = await scene("/a");
  await watchData(raw, "/a");
  await watchChildren(raw, "/a");

  await raw.call("removeWatches", watchTypeRequest, { path: "/a", type: WATCH_TYPE.data });
  await client.setData("/a", "1");
  await client.create("/a/c");

  expect(named(await raw.events())).toEqual(["childrenChanged /a"]);
});

test("M9: a successful setData fires the data watches of its node, and no other", async () => {
  const { client, raw } = await scene("/a", "/a/c", "/b");
  await watchData(raw, "/a");
  await watchData(raw, "/a/c");
  await watchData(raw, "/b");
  await watchChildren(raw, "/");
  await watchChildren(raw, "/a");

  await client.setData("/a", "1");

  expect(named(await raw.events())).toEqual(["dataChanged /a"]);
});

test("M9: a setData that is refused fires nothing", async () => {
  const { client, raw } = await scene("/a");
  await watchData(raw, "/a");

  await expect(client.setData("/a", "1", { version: 7 })).rejects.toMatchObject({ code: "BAD_VERSION" });

  expect(await raw.events()).toEqual([]);
});

test("M10: a successful create fires the watches exists set before it was there, and its parent's child watches", async () => {
  const { client, raw } = await scene("/a");
  await watchExists(raw, "/a/c");
  await watchChildren(raw, "/a");
  await watchData(raw, "/a");
  await watchChildren(raw, "/");

  await client.create("/a/c", "data");

  expect(named(await raw.events())).toEqual(["created /a/c", "childrenChanged /a"]);
});

test("M11: a successful delete fires its node's data watches and child watches and its parent's child watches", async () => {
  const { server, client, raw: data } = await scene("/a", "/a/c");
  const children = await server.raw();
  const parent = await server.raw();
  await watchData(data, "/a/c");
  await watchChildren(children, "/a/c");
  await watchChildren(parent, "/a");
  await watchData(parent, "/a");

  await client.delete("/a/c");

  expect(named(await data.events())).toEqual(["deleted /a/c"]);
  expect(named(await children.events())).toEqual(["deleted /a/c"]);
  expect(named(await parent.events())).toEqual(["childrenChanged /a"]);
});

test("M11: whoever watches both data and children of a deleted node hears of it once", async () => {
  const { server, client, raw } = await scene("/a");
  await watchData(raw, "/a");
  await watchChildren(raw, "/a");
  await watchChildren(raw, "/");

  await client.delete("/a");

  expect(named(await raw.events())).toEqual(["deleted /a", "childrenChanged /"]);
  expect(await server.figure("watch_count")).toBe(0);
});

test("M11: the end of a session deletes its ephemerals, which fires as a delete does", async () => {
  const server = await serve();
  const owner = await server.client();
  await owner.create("/e", null, { mode: "ephemeral" });
  const raw = await server.raw();
  await watchData(raw, "/e");
  await watchChildren(raw, "/");

  await owner.close();

  expect(named(await raw.events())).toEqual(["deleted /e", "childrenChanged /"]);
});

test("M12: setting, keeping and taking away watches takes no zxid and leaves nothing in the log", async () => {
  const { server, raw } = await scene("/a");
  const zxid = await server.zxid();
  const log = server.logBytes();

  for (let i = 0; i < 200; i++) raw.send("exists", existsRequest, { path: `/none-${i}`, watch: true });
  await watchData(raw, "/a");
  await watchChildren(raw, "/a");
  await raw.call("removeWatches", watchTypeRequest, { path: "/none-7", type: WATCH_TYPE.any });
  expect(await server.figure("watch_count")).toBe(200);

  expect(await server.zxid()).toBe(zxid);
  expect(server.logBytes()).toEqual(log);
});

test("M12: a write costs one zxid and one log entry, however many watch it", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/a");
  const watchers = await Promise.all(Array.from({ length: 30 }, () => server.raw()));
  for (const watcher of watchers) await watchData(watcher, "/a");
  const zxid = await server.zxid();

  await client.setData("/a", "1");
  for (const watcher of watchers) expect(await watcher.events()).toHaveLength(1);

  expect(await server.zxid()).toBe(zxid + 1);
});

test("M12: watches live in the connection's server alone: with the connection they are gone, session or not", async () => {
  const server = await serve();
  const first = await server.raw();
  await watchExists(first, "/a");
  const second = await server.socket();

  await second.handshake({ sessionId: first.sessionId, password: first.password });
  await first.untilClosed();
  await (await server.client()).create("/a");

  expect(await second.events()).toEqual([]);
});
