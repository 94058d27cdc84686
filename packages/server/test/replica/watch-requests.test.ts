import {
  type Acl,
  addWatchRequest,
  ERR,
  EVENT_TYPE,
  setWatches2Request,
  setWatchesRequest,
  WATCH_TYPE,
  watchTypeRequest,
} from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { readEvent } from "../support/raw-connection.js";
import { type MemoryClient, ReplicaWorld } from "./replica-world.js";
import { addWatch, authenticate, bytes, create, read, remove, setAcl, setData } from "./requests.js";

const NAMES: Readonly<Record<number, string>> = {
  [EVENT_TYPE.nodeCreated]: "created",
  [EVENT_TYPE.nodeDeleted]: "deleted",
  [EVENT_TYPE.nodeDataChanged]: "dataChanged",
  [EVENT_TYPE.nodeChildrenChanged]: "childrenChanged",
};

function heard(client: MemoryClient): string[] {
  return client.events().map(({ type, path }) => `${NAMES[type]} ${path}`);
}

async function watcherAndWriter(
  settings = {},
): Promise<{ world: ReplicaWorld; watcher: MemoryClient; writer: MemoryClient }> {
  const world = new ReplicaWorld(settings);
  return { world, watcher: await world.open(), writer: await world.open() };
}

const takeAway = (client: MemoryClient, path: string, type: number) =>
  client.call("removeWatches", watchTypeRequest, { path, type });

interface Watched {
  readonly data?: string[];
  readonly exist?: string[];
  readonly child?: string[];
  readonly persistent?: string[];
  readonly recursive?: string[];
}

const setWatches = (client: MemoryClient, since: number, watched: Watched) =>
  client.send("setWatches2", setWatches2Request, {
    relativeZxid: BigInt(since),
    dataWatches: watched.data ?? [],
    existWatches: watched.exist ?? [],
    childWatches: watched.child ?? [],
    persistentWatches: watched.persistent ?? [],
    persistentRecursiveWatches: watched.recursive ?? [],
  });

describe("persistent watches", () => {
  test("hear all four kinds at their path, again and again, and of the path's node before it is there", async () => {
    const { watcher, writer } = await watcherAndWriter();
    expect((await addWatch(watcher, "/a", 0)).body).toEqual(Uint8Array.of(0, 0, 0, 0));
    for (let i = 0; i < 2; i++) {
      await create(writer, "/a");
      await setData(writer, "/a", null);
      await create(writer, "/a/b");
      await setData(writer, "/a/b", null);
      await remove(writer, "/a/b");
      await remove(writer, "/a");
    }
    const once = ["created /a", "dataChanged /a", "childrenChanged /a", "childrenChanged /a", "deleted /a"];
    expect(heard(watcher)).toEqual([...once, ...once]);
  });

  test("recursive ones hear of everything below, but of no list of children", async () => {
    const { watcher, writer } = await watcherAndWriter();
    await addWatch(watcher, "/a", 1);
    await create(writer, "/a");
    await create(writer, "/a/b");
    await setData(writer, "/a/b", null);
    await create(writer, "/ab");
    await remove(writer, "/a/b");
    expect(heard(watcher)).toEqual(["created /a", "created /a/b", "dataChanged /a/b", "deleted /a/b"]);
  });

  test("each change is told once, however many watches of the connection it meets", async () => {
    const { watcher, writer } = await watcherAndWriter();
    for (const path of ["/", "/a", "/a/b"]) await addWatch(watcher, path, 1);
    await addWatch(watcher, "/a/b", 0);
    await create(writer, "/a");
    heard(watcher);
    await read(watcher, "exists", "/a/b", true);
    await create(writer, "/a/b");
    expect(heard(watcher)).toEqual(["created /a/b"]);
  });

  test("a one-shot watch beside a persistent one is used up alone", async () => {
    const { watcher, writer } = await watcherAndWriter();
    await create(writer, "/a");
    await addWatch(watcher, "/a", 0);
    await read(watcher, "getData", "/a", true);
    await setData(writer, "/a", null);
    await setData(writer, "/a", null);
    expect(heard(watcher)).toEqual(["dataChanged /a", "dataChanged /a"]);
    expect((await takeAway(watcher, "/a", WATCH_TYPE.data)).err).toBe(ERR.NO_WATCHER);
    expect((await takeAway(watcher, "/a", WATCH_TYPE.persistent)).err).toBe(0);
  });

  test("a mode that does not exist is refused", async () => {
    const { watcher } = await watcherAndWriter();
    for (const mode of [-1, 2]) {
      expect((await watcher.call("addWatch", addWatchRequest, { path: "/a", mode })).err).toBe(ERR.MARSHALLING_ERROR);
    }
  });
});

describe("taking watches away", () => {
  const kinds = {
    children: { type: WATCH_TYPE.children, set: (client: MemoryClient) => read(client, "getChildren", "/a", true) },
    data: { type: WATCH_TYPE.data, set: (client: MemoryClient) => read(client, "getData", "/a", true) },
    persistent: { type: WATCH_TYPE.persistent, set: (client: MemoryClient) => addWatch(client, "/a", 0) },
    recursive: { type: WATCH_TYPE.persistentRecursive, set: (client: MemoryClient) => addWatch(client, "/a", 1) },
  };
  const names = Object.keys(kinds) as (keyof typeof kinds)[];

  test.for(names)("by type takes %s and leaves the others", async (name) => {
    const { watcher } = await watcherAndWriter();
    await create(watcher, "/a");
    for (const each of names) await kinds[each].set(watcher);
    expect((await takeAway(watcher, "/a", kinds[name].type)).err).toBe(0);
    for (const each of names) {
      const found = await watcher.call("checkWatches", watchTypeRequest, { path: "/a", type: kinds[each].type });
      expect(found.err, each).toBe(each === name ? ERR.NO_WATCHER : 0);
    }
  });

  test("of any type takes all at the path, and nothing elsewhere", async () => {
    const { watcher } = await watcherAndWriter();
    await create(watcher, "/a");
    await create(watcher, "/a/b");
    for (const each of names) await kinds[each].set(watcher);
    await read(watcher, "getData", "/a/b", true);
    expect((await takeAway(watcher, "/a/b/c", WATCH_TYPE.any)).err).toBe(ERR.NO_WATCHER);
    expect((await takeAway(watcher, "/a", WATCH_TYPE.any)).err).toBe(0);
    expect((await takeAway(watcher, "/a", WATCH_TYPE.any)).err).toBe(ERR.NO_WATCHER);
    expect((await takeAway(watcher, "/a/b", WATCH_TYPE.any)).err).toBe(0);
  });

  test("sees the connection's own watches only", async () => {
    const { watcher, writer } = await watcherAndWriter();
    await read(writer, "exists", "/a", true);
    expect((await takeAway(watcher, "/a", WATCH_TYPE.data)).err).toBe(ERR.NO_WATCHER);
  });

  test("of a type that does not exist is refused", async () => {
    const { watcher } = await watcherAndWriter();
    for (const type of [0, 6, -1]) expect((await takeAway(watcher, "/a", type)).err).toBe(ERR.MARSHALLING_ERROR);
  });
});

describe("catching up", () => {
  test("tells what has changed since, before the reply, and registers the rest", async () => {
    const { world, watcher, writer } = await watcherAndWriter();
    for (const path of ["/same", "/changed", "/deleted", "/parent", "/childless", "/there"]) await create(writer, path);
    const since = world.replica.lastZxid;
    await setData(writer, "/changed", null);
    await remove(writer, "/deleted");
    await create(writer, "/parent/child");

    const xid = setWatches(watcher, since, {
      data: ["/same", "/changed", "/deleted"],
      exist: ["/there", "/none"],
      child: ["/parent", "/childless", "/deleted"],
      persistent: ["/p"],
      recursive: ["/r"],
    });
    await world.settle();
    const frames = watcher.take();
    expect(frames.at(-1)).toMatchObject({ xid, err: 0 });
    const told = frames.slice(0, -1).map(readEvent);
    expect(told.map(({ type, path, zxid }) => `${NAMES[type]} ${path} ${zxid}`)).toEqual([
      "dataChanged /changed -1",
      "deleted /deleted -1",
      "created /there -1",
      "childrenChanged /parent -1",
      "deleted /deleted -1",
    ]);
    expect(world.replica.watches.countOf(watcher.connection.watcher)).toBe(5);

    for (const path of ["/none", "/p", "/r", "/r/below", "/childless/c"]) await create(writer, path);
    await setData(writer, "/same", null);
    expect(heard(watcher)).toEqual([
      "created /none",
      "created /p",
      "created /r",
      "created /r/below",
      "childrenChanged /childless",
      "dataChanged /same",
    ]);
  });

  test("a node deleted and made again meanwhile is told as changed", async () => {
    const { world, watcher, writer } = await watcherAndWriter();
    await create(writer, "/a");
    const since = world.replica.lastZxid;
    await remove(writer, "/a");
    await create(writer, "/a");
    setWatches(watcher, since, { data: ["/a"] });
    await world.settle();
    expect(heard(watcher)).toEqual(["dataChanged /a"]);
  });

  test("setWatches of older clients does the same without the persistent ones", async () => {
    const { world, watcher, writer } = await watcherAndWriter();
    await create(writer, "/a");
    watcher.send("setWatches", setWatchesRequest, {
      relativeZxid: 0n,
      dataWatches: ["/a"],
      existWatches: [],
      childWatches: ["/none"],
    });
    await world.settle();
    expect(heard(watcher)).toEqual(["dataChanged /a", "deleted /none"]);
  });

  test("a list that cannot be decoded tells nothing at all", async () => {
    const { world, watcher } = await watcherAndWriter();
    const reply = await watcher.call("setWatches2", setWatchesRequest, {
      relativeZxid: 0n,
      dataWatches: ["/none"],
      existWatches: [],
      childWatches: [],
    });
    expect(reply.err).toBe(ERR.MARSHALLING_ERROR);
    expect(heard(watcher)).toEqual([]);
    expect(world.replica.watches.watchCount).toBe(0);
  });
});

describe("who may not read a node", () => {
  const bobs: Acl[] = [{ perms: 31, id: { scheme: "auth", id: "" } }];
  const open: Acl[] = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];

  async function bobAndEve() {
    const { world, watcher: eve, writer: bob } = await watcherAndWriter();
    await authenticate(bob, "digest", "bob:secret");
    return { world, eve, bob };
  }

  test("does not hear of it, whatever the watch", async () => {
    const { eve, bob } = await bobAndEve();
    await addWatch(eve, "/", 1);
    await addWatch(eve, "/secret", 0);
    await read(eve, "exists", "/secret", true);
    await create(bob, "/secret", { acl: bobs });
    await create(bob, "/secret/too", { acl: bobs });
    await setData(bob, "/secret", bytes("x"));
    await remove(bob, "/secret/too");
    await remove(bob, "/secret");
    expect(heard(eve)).toEqual([]);
  });

  test("hears of an open node below a closed one, and nothing of the closed one's children", async () => {
    const { eve, bob } = await bobAndEve();
    await create(bob, "/closed", { acl: bobs });
    await addWatch(eve, "/closed", 0);
    await addWatch(eve, "/closed", 1);
    await create(bob, "/closed/open", { acl: open });
    expect(heard(eve)).toEqual(["created /closed/open"]);
  });

  test("hears of it once its ACL is open, by the watch that was there all the time", async () => {
    const { eve, bob } = await bobAndEve();
    await addWatch(eve, "/a", 0);
    await create(bob, "/a", { acl: bobs });
    await setAcl(bob, "/a", open);
    await setData(bob, "/a", null);
    expect(heard(eve)).toEqual(["dataChanged /a"]);
  });

  test("is judged by the credentials of the moment", async () => {
    const { eve, bob } = await bobAndEve();
    await addWatch(eve, "/a", 0);
    await create(bob, "/a", { acl: bobs });
    await authenticate(eve, "digest", "bob:secret");
    await setData(bob, "/a", null);
    expect(heard(eve)).toEqual(["dataChanged /a"]);
  });

  test("does not hear of it by catching up either", async () => {
    const { world, eve, bob } = await bobAndEve();
    await create(bob, "/a", { acl: bobs });
    setWatches(eve, 0, { data: ["/a"], exist: ["/a"], child: ["/a"] });
    await world.settle();
    expect(heard(eve)).toEqual([]);
  });

  test("uses up a one-shot watch all the same", async () => {
    const { world, eve, bob } = await bobAndEve();
    await read(eve, "exists", "/a", true);
    await create(bob, "/a", { acl: bobs });
    expect(heard(eve)).toEqual([]);
    expect(world.replica.watches.watchCount).toBe(0);
  });
});

describe("the limit of watches per connection", () => {
  test("refuses one more, and nothing else", async () => {
    const { watcher, writer } = await watcherAndWriter({ watchesPerConnectionMax: 2 });
    await create(writer, "/a");
    await read(watcher, "exists", "/1", true);
    await read(watcher, "exists", "/2", true);
    expect((await read(watcher, "exists", "/3", true)).err).toBe(ERR.THROTTLED_OP);
    expect((await read(watcher, "getData", "/a", true)).err).toBe(ERR.THROTTLED_OP);
    expect((await addWatch(watcher, "/3", 1)).err).toBe(ERR.THROTTLED_OP);
    expect((await read(watcher, "getData", "/a")).err).toBe(0);
    expect((await read(writer, "exists", "/3", true)).err).toBe(ERR.NO_NODE);
    await takeAway(watcher, "/1", WATCH_TYPE.data);
    expect((await read(watcher, "exists", "/3", true)).err).toBe(ERR.NO_NODE);
  });

  test("lets a watch be set that is there already", async () => {
    const { watcher } = await watcherAndWriter({ watchesPerConnectionMax: 1 });
    await read(watcher, "exists", "/1", true);
    expect((await read(watcher, "exists", "/1", true)).err).toBe(ERR.NO_NODE);
    expect((await addWatch(watcher, "/1", 0)).err).toBe(0);
  });

  test("catching up with exactly as many is no breach, with more it is said", async () => {
    const { world, watcher } = await watcherAndWriter({ watchesPerConnectionMax: 2 });
    setWatches(watcher, 0, { exist: ["/1", "/2"] });
    await world.settle();
    expect(watcher.take().map(({ err }) => err)).toEqual([0]);
    setWatches(watcher, 0, { exist: ["/3"] });
    await world.settle();
    expect(watcher.take().map(({ err }) => err)).toEqual([ERR.THROTTLED_OP]);
  });
});
