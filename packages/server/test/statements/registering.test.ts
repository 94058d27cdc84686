import type { WatchEvent } from "@watchkeeper/client";
import { EVENT_TYPE, getChildrenRequest, getDataRequest, setDataRequest } from "@watchkeeper/wire";
import { expect, test } from "vitest";
import { CollectedEvents } from "../support/collected-events.js";
import { serve } from "../support/server-under-test.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("M2: the read itself carries the watch, and with its reply the server has it in its tables", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/a");
  const raw = await server.raw();

  await raw.call("getData", getDataRequest, { path: "/a", watch: false });
  expect(await server.word("wchp")).toBe("\n");
  await raw.call("getData", getDataRequest, { path: "/a", watch: true });

  expect(await server.word("wchp")).toBe(`/a\n\t0x${raw.sessionId.toString(16)}\n\n`);
});

test("M2: no change comes between a read and its watch, however closely it follows", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/a", "0");
  const raw = await server.raw();
  for (let round = 1; round <= 100; round++) {
    // The read and the write are on their way together: the data read is old, or the event comes.
    const read = raw.call("getData", getDataRequest, { path: "/a", watch: true });
    const written = client.setData("/a", String(round));
    const { body } = await read;
    await written;
    const events = await raw.events();
    const sawOld = body[4 + String(round).length - 1] !== bytes(String(round)).at(-1);
    expect(events.length, `round ${round}`).toBe(sawOld ? 1 : 0);
    if (!sawOld) await client.setData("/a", String(round));
  }
});

test("M2: a read that fails leaves no watch, except exists of a node that is not there", async () => {
  const server = await serve();
  const client = await server.client();
  const listener = (): void => {};

  await expect(client.getData("/none", { watch: listener })).rejects.toMatchObject({ code: "NO_NODE" });
  await expect(client.getChildren("/none", { watch: listener })).rejects.toMatchObject({ code: "NO_NODE" });
  expect(await server.figure("watch_count")).toBe(0);
  expect(await client.exists("/none", { watch: listener })).toBeNull();
  expect(await server.figure("watch_count")).toBe(1);
});

test("M3: a change of data reaches the listener of every client that watches it", async () => {
  const server = await serve();
  const writer = await server.client();
  await writer.create("/a");
  const listeners = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const client = await server.client();
      const events = new CollectedEvents();
      await client.getData("/a", { watch: events.listener });
      return events;
    }),
  );

  await writer.setData("/a", "new");

  for (const events of listeners) {
    await events.untilNodes(1);
    expect(events.ofNodes).toEqual(["dataChanged /a"]);
  }
});

test("M3: a change of children reaches the listener of every client that watches them, the author's too", async () => {
  const server = await serve();
  const writer = await server.client();
  await writer.create("/a");
  const own = new CollectedEvents();
  await writer.getChildren("/a", { watch: own.listener });
  const other = new CollectedEvents();
  await (await server.client()).getChildren("/a", { watch: other.listener });

  await writer.create("/a/child");

  for (const events of [own, other]) {
    await events.untilNodes(1);
    expect(events.ofNodes).toEqual(["childrenChanged /a"]);
  }
});

test("M4: getData, exists and getChildren register a watch, and no other read does", async () => {
  const server = await serve();
  const client = await server.client();
  for (const path of ["/data", "/exists", "/children"]) await client.create(path);
  const events = new CollectedEvents();

  await client.getAcl("/data");
  await client.getAllChildrenNumber("/");
  await client.getEphemerals("/");
  await client.whoAmI();
  await client.sync("/");
  await client.multiRead([
    { op: "getData", path: "/data" },
    { op: "getChildren", path: "/children" },
  ]);
  await client.getData("/data");
  expect(await server.figure("watch_count")).toBe(0);

  await client.getData("/data", { watch: events.listener });
  await client.exists("/exists", { watch: events.listener });
  await client.getChildren("/children", { watch: events.listener });
  expect(await server.figure("watch_count")).toBe(3);
  await client.setData("/data", "1");
  await client.setData("/exists", "1");
  await client.create("/children/c");
  await events.untilNodes(3);
  expect(events.ofNodes).toEqual(["dataChanged /data", "dataChanged /exists", "childrenChanged /children"]);
});

test("M5: a classic watch gives one notification, and none for later changes", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/a");
  const raw = await server.raw();
  await raw.call("getData", getDataRequest, { path: "/a", watch: true });
  await raw.call("getChildren", getChildrenRequest, { path: "/a", watch: true });

  for (let i = 0; i < 3; i++) {
    await client.setData("/a", String(i));
    await client.create(`/a/${i}`);
  }

  const events = await raw.events();
  expect(events.map(({ type }) => type)).toEqual([EVENT_TYPE.nodeDataChanged, EVENT_TYPE.nodeChildrenChanged]);
  expect(await server.figure("watch_count")).toBe(0);
});

test("M5: registering again in the handler makes it permanent", async () => {
  const server = await serve();
  const client = await server.client();
  const writer = await server.client();
  await client.create("/a", "0");
  const seen: string[] = [];
  let onSeen: () => void = () => {};
  const watch = async (event?: WatchEvent): Promise<void> => {
    if (event?.kind === "session") return;
    const data = await client.getData("/a", { watch });
    seen.push(String(data));
    onSeen();
  };
  await watch();

  for (let i = 1; i <= 20; i++) {
    const next = new Promise<void>((resolve) => {
      onSeen = resolve;
    });
    await writer.setData("/a", String(i));
    await next;
  }

  expect(seen).toEqual(Array.from({ length: 21 }, (_, i) => String(i)));
});

test("M6: between the event and the new registration changes go unnoticed", async () => {
  const server = await serve();
  const client = await server.client();
  const writer = await server.client();
  await client.create("/a", "0");
  const events = new CollectedEvents();
  await client.getData("/a", { watch: events.listener });

  await writer.setData("/a", "1");
  await events.untilNodes(1);
  // The handler is at work; the world goes on meanwhile.
  await writer.setData("/a", "2");
  await writer.setData("/a", "3");
  const seen = await client.getData("/a", { watch: events.listener });
  await client.sync("/a");

  expect(String(seen)).toBe("3");
  expect(events.ofNodes).toEqual(["dataChanged /a"]); // three changes, one notification: "2" was never seen
  await writer.setData("/a", "4");
  await events.untilNodes(2);
});

test("M6: a node that is created, deleted and created again between event and registration looks untouched", async () => {
  const server = await serve();
  const client = await server.client();
  const writer = await server.client();
  const events = new CollectedEvents();
  await client.exists("/a", { watch: events.listener });

  await writer.create("/a", "first");
  await events.untilNodes(1);
  await writer.delete("/a");
  await writer.create("/a", "second");

  expect(await client.exists("/a", { watch: events.listener })).not.toBeNull();
  await client.sync("/a");
  expect(events.ofNodes).toEqual(["created /a"]);
});

test("M5: the next write after a registration fires it, even one in the same chunk", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/a");
  const raw = await server.raw();

  raw.send("getData", getDataRequest, { path: "/a", watch: true });
  const written = raw.send("setData", setDataRequest, { path: "/a", data: bytes("1"), version: -1 });

  const { before } = await raw.upTo(written);
  expect(before.map(({ xid }) => xid)).toEqual([1, -1]);
});
