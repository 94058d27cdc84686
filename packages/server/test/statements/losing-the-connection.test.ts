import { expect, test } from "vitest";
import { CollectedEvents } from "../support/collected-events.js";
import { proxyTo } from "../support/cuttable-proxy.js";
import { serve } from "../support/server-under-test.js";

async function watcherBehindProxy() {
  const server = await serve();
  const proxy = await proxyTo(server);
  const watcher = await server.client({ port: proxy.port });
  const writer = await server.client();
  return { server, proxy, watcher, writer };
}

test("M13: losing and finding the server reaches every watcher as an event of the session", async () => {
  const { proxy, watcher, writer } = await watcherBehindProxy();
  await writer.create("/a");
  const watchers = [new CollectedEvents(), new CollectedEvents(), new CollectedEvents()] as const;
  await watcher.getData("/a", { watch: watchers[0].listener });
  await watcher.exists("/none", { watch: watchers[1].listener });
  await watcher.addWatch("/a", "persistent", watchers[2].listener);

  proxy.cut();
  for (const events of watchers) await events.untilSession("suspended");
  await writer.setData("/a", "while away");
  for (const events of watchers) expect(events.ofNodes).toEqual([]);
  proxy.mend();
  for (const events of watchers) await events.untilSession("connected");

  for (const events of watchers) expect(events.ofSession).toEqual(["suspended", "connected"]);
});

test("M13: a session that is gone is told to every watcher, for good", async () => {
  const server = await serve({ tickTimeMs: 50 });
  const proxy = await proxyTo(server);
  const watcher = await server.client({ port: proxy.port, sessionTimeoutMs: 1000 });
  const observer = await server.client();
  await watcher.create("/mine", null, { mode: "ephemeral" });
  const gone = new CollectedEvents();
  await observer.exists("/mine", { watch: gone.listener });
  const events = new CollectedEvents();
  await watcher.exists("/a", { watch: events.listener });

  proxy.cut();
  await gone.untilNodes(1);
  proxy.mend();
  await events.untilSession("lost");

  expect(events.ofSession).toEqual(["suspended", "presumed-lost", "lost"]);
});

test("M14: on reconnecting all watches stand again, and those whose node changed meanwhile fire at once", async () => {
  const { proxy, watcher, writer } = await watcherBehindProxy();
  for (const path of ["/changed", "/same", "/deleted", "/parent", "/recreated"]) await writer.create(path);
  const events = new CollectedEvents();
  const { listener } = events;
  await watcher.getData("/changed", { watch: listener });
  await watcher.getData("/same", { watch: listener });
  await watcher.getData("/deleted", { watch: listener });
  await watcher.getData("/recreated", { watch: listener });
  await watcher.getChildren("/parent", { watch: listener });
  await watcher.exists("/created", { watch: listener });
  await watcher.exists("/still-none", { watch: listener });

  proxy.cut();
  await events.untilSession("suspended");
  await writer.setData("/changed", "1");
  await writer.delete("/deleted");
  await writer.create("/parent/child");
  await writer.create("/created");
  await writer.delete("/recreated");
  await writer.create("/recreated");
  proxy.mend();
  await events.untilNodes(5);
  await watcher.sync("/");

  expect([...events.ofNodes].sort()).toEqual([
    "childrenChanged /parent",
    "created /created",
    "dataChanged /changed",
    "dataChanged /recreated",
    "deleted /deleted",
  ]);
  await writer.setData("/same", "1");
  await writer.create("/still-none");
  await events.untilNodes(7);
  expect(events.ofNodes.slice(5).sort()).toEqual(["created /still-none", "dataChanged /same"]);
});

test("M14: it holds across a restart of the server, which has forgotten every watch", async () => {
  const server = await serve();
  const watcher = await server.client();
  const writer = await server.client();
  await writer.create("/changed");
  await writer.create("/same");
  const events = new CollectedEvents();
  await watcher.getData("/same", { watch: events.listener });
  await watcher.exists("/created", { watch: events.listener });
  await watcher.addWatch("/tree", "persistent-recursive", events.listener);

  await server.restart();
  await events.untilSession("connected");
  await writer.setData("/same", "1");
  await writer.create("/created");
  await writer.create("/tree");

  await events.untilNodes(3);
  expect(events.ofNodes).toEqual(["dataChanged /same", "created /created", "created /tree"]);
  expect(watcher.state).toBe("connected");
});

test("M14: catch-up events come before the answer to any later read", async () => {
  const { proxy, watcher, writer } = await watcherBehindProxy();
  await writer.create("/a", "old");
  const told: string[] = [];
  const events = new CollectedEvents();
  await watcher.getData("/a", {
    watch: (event) => {
      if (event.kind === "dataChanged") told.push("event");
      return events.listener(event);
    },
  });

  proxy.cut();
  await events.untilSession("suspended");
  await writer.setData("/a", "new");
  proxy.mend();
  // A request fails when a whole round of dialling was in vain, as one begun before the mending may be.
  const read = async (): Promise<Buffer | null> => {
    try {
      return await watcher.getData("/a");
    } catch (error) {
      if ((error as { code?: string }).code !== "CONNECTION_LOSS") throw error;
      return await read();
    }
  };
  told.push(String(await read()));

  expect(told).toEqual(["event", "new"]);
});

test("M15: an exists watch loses a node that is created and deleted again while its client is away", async () => {
  const { proxy, watcher, writer } = await watcherBehindProxy();
  const events = new CollectedEvents();
  await watcher.exists("/a", { watch: events.listener });

  proxy.cut();
  await events.untilSession("suspended");
  await writer.create("/a");
  await writer.delete("/a");
  proxy.mend();
  await events.untilSession("connected");
  await watcher.sync("/");

  expect(events.ofNodes).toEqual([]); // there were two changes, and nothing ever tells of them
  await writer.create("/a");
  await events.untilNodes(1);
  expect(events.ofNodes).toEqual(["created /a"]);
});

test("M15: a persistent watch loses whatever happened while its client was away", async () => {
  const { proxy, watcher, writer } = await watcherBehindProxy();
  await writer.create("/a");
  const exact = new CollectedEvents();
  const recursive = new CollectedEvents();
  await watcher.addWatch("/a", "persistent", exact.listener);
  await watcher.addWatch("/", "persistent-recursive", recursive.listener);

  proxy.cut();
  await exact.untilSession("suspended");
  await writer.setData("/a", "lost");
  await writer.create("/a/lost");
  proxy.mend();
  await exact.untilSession("connected");
  await watcher.sync("/");

  expect(exact.ofNodes).toEqual([]);
  expect(recursive.ofNodes).toEqual([]);
  await writer.setData("/a", "seen");
  await exact.untilNodes(1);
  expect(exact.ofNodes).toEqual(["dataChanged /a"]);
  expect(recursive.ofNodes).toEqual(["dataChanged /a"]);
});
