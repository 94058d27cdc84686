import { expect, onTestFinished, test } from "vitest";
import { startTestServer } from "watchkeeper/testing";
import * as zookeeper from "../../src/compat/index.js";

async function connected(options?: zookeeper.ClientOptions) {
  const server = await startTestServer();
  const client = zookeeper.createClient(server.connectString, { spinDelay: 5, ...options });
  onTestFinished(async () => {
    client.close();
    await server.close();
  });
  const isConnected = new Promise<void>((resolve) => client.once("connected", resolve));
  client.connect();
  await isConnected;
  return { server, client };
}

/** What a callback was called with. */
function called<A extends unknown[]>(run: (callback: (...given: A) => void) => void): Promise<A> {
  return new Promise((resolve) => run((...given) => resolve(given)));
}

test("create takes data, ACLs and mode in any combination and gives the path", async () => {
  const { client } = await connected();
  expect(await called((done) => client.create("/a", done))).toEqual([null, "/a"]);
  expect(await called((done) => client.create("/b", Buffer.from("data"), done))).toEqual([null, "/b"]);
  const [error, path] = await called((done) => client.create("/c-", zookeeper.CreateMode.EPHEMERAL_SEQUENTIAL, done));
  expect([error, path]).toEqual([null, "/c-0000000002"]);
  const acls = zookeeper.ACL.READ_ACL_UNSAFE;
  expect(await called((done) => client.create("/d", null, acls, zookeeper.CreateMode.PERSISTENT, done))).toEqual([
    null,
    "/d",
  ]);
  const [, found] = await called<[Error | null, zookeeper.ACL[]?]>((done) => client.getACL("/d", done));
  expect(found).toEqual(acls);
});

test("an error is an Exception with code, name and path", async () => {
  const { client } = await connected();
  const [error] = await called((done) => client.getData("/none", done));
  expect(error).toBeInstanceOf(zookeeper.Exception);
  const exception = error as zookeeper.Exception;
  expect(exception.getCode()).toBe(zookeeper.Exception.NO_NODE);
  expect(exception.getName()).toBe("NO_NODE");
  expect(exception.getPath()).toBe("/none");
  expect(String(exception)).toBe("Exception: NO_NODE[-101]@/none");
});

test("getData gives a Buffer and a Stat whose long numbers are buffers", async () => {
  const { client } = await connected();
  await called((done) => client.create("/a", Buffer.from("data"), zookeeper.CreateMode.EPHEMERAL, done));
  const [error, data, stat] = await called<[Error | null, Buffer?, zookeeper.Stat?]>((done) =>
    client.getData("/a", done),
  );
  expect(error).toBeNull();
  expect(String(data)).toBe("data");
  expect(stat?.version).toBe(0);
  expect(stat?.ephemeralOwner).toEqual(client.getSessionId());
});

test("a watcher gets one event, before the answer that shows the change", async () => {
  const { client } = await connected();
  const told: string[] = [];
  await called((done) => client.exists("/a", (event) => told.push(`event ${event}`), done));
  client.create("/a", Buffer.from("1"), (_, path) => told.push(`created ${path}`));
  await called((done) => client.setData("/a", Buffer.from("2"), -1, done));
  expect(told).toEqual(["event NODE_CREATED[1]@/a", "created /a"]);
});

test("getChildren, with a watcher or without, gives names and Stat", async () => {
  const { client } = await connected();
  await called((done) => client.mkdirp("/a/b/c", done));
  const event = new Promise<string>((resolve) =>
    client.getChildren(
      "/a",
      (found) => resolve(found.getName()),
      () => {},
    ),
  );
  const [error, children, stat] = await called<[Error | null, string[]?, zookeeper.Stat?]>((done) =>
    client.getChildren("/a", done),
  );
  expect([error, children, stat?.numChildren]).toEqual([null, ["b"], 1]);
  await called((done) => client.create("/a/d", done));
  expect(await event).toBe("NODE_CHILDREN_CHANGED");
});

test("mkdirp creates what is missing, and is content with what is there", async () => {
  const { client } = await connected();
  expect(await called((done) => client.mkdirp("/a/b", done))).toEqual([null, "/a/b"]);
  expect(await called((done) => client.mkdirp("/a/b/c", Buffer.from("data"), done))).toEqual([null, "/a/b/c"]);
  expect(await called((done) => client.listSubTreeBFS("/a", done))).toEqual([null, ["/a", "/a/b", "/a/b/c"]]);
});

test("remove and setData compare versions when they are given one", async () => {
  const { client } = await connected();
  await called((done) => client.create("/a", done));
  const [refused] = await called((done) => client.remove("/a", 7, done));
  expect((refused as zookeeper.Exception).getCode()).toBe(zookeeper.Exception.BAD_VERSION);
  const [, stat] = await called<[Error | null, (zookeeper.Stat | null)?]>((done) =>
    client.setData("/a", Buffer.from("1"), 0, done),
  );
  expect(stat?.version).toBe(1);
  expect(await called((done) => client.remove("/a", 1, done))).toEqual([null]);
  expect(await called((done) => client.exists("/a", done))).toEqual([null, null]);
});

test("removeRecursive takes a whole subtree", async () => {
  const { client } = await connected();
  await called((done) => client.mkdirp("/a/b/c", done));
  expect(await called((done) => client.removeRecursive("/a", done))).toEqual([null]);
  expect(await called((done) => client.exists("/a", done))).toEqual([null, null]);
});

test("a transaction happens as a whole or not at all", async () => {
  const { client } = await connected();
  const [error, results] = await called<[Error | null, zookeeper.TransactionResult[]?]>((done) =>
    client
      .transaction()
      .create("/txn")
      .create("/txn/1", Buffer.from("transaction"))
      .setData("/txn/1", Buffer.from("test"), -1)
      .check("/txn/1")
      .remove("/txn/1", -1)
      .commit(done),
  );
  expect(error).toBeNull();
  expect(results?.map(({ type }) => type)).toEqual([1, 1, 5, 13, 2]);
  expect(results?.[1]?.path).toBe("/txn/1");
  const [failed] = await called((done) => client.transaction().create("/b").create("/txn").commit(done));
  expect((failed as zookeeper.Exception).getCode()).toBe(zookeeper.Exception.NODE_EXISTS);
  expect(await called((done) => client.exists("/b", done))).toEqual([null, null]);
});

test("setACL and getACL give each other's lists", async () => {
  const { client } = await connected();
  await called((done) => client.create("/a", done));
  const acls = [new zookeeper.ACL(zookeeper.Permission.ADMIN, new zookeeper.Id("ip", "127.0.0.1"))];
  const [error, stat] = await called<[Error | null, (zookeeper.Stat | null)?]>((done) =>
    client.setACL("/a", acls, -1, done),
  );
  expect([error, stat?.aversion]).toEqual([null, 1]);
  expect((await called((done) => client.getACL("/a", done)))[1]).toEqual(acls);
});

test("what is asked before the client is connected waits for it, with credentials that were given before", async () => {
  const server = await startTestServer();
  const client = zookeeper.createClient(server.connectString);
  onTestFinished(async () => {
    client.close();
    await server.close();
  });
  client.addAuthInfo("digest", Buffer.from("user:password"));
  const created = called((done) => client.create("/mine", zookeeper.ACL.CREATOR_ALL_ACL as zookeeper.ACL[], done));
  client.connect();
  expect(await created).toEqual([null, "/mine"]);
  const [, acls] = await called<[Error | null, zookeeper.ACL[]?]>((done) => client.getACL("/mine", done));
  expect(acls?.[0]?.id.scheme).toBe("digest");
});

test("states are told as events and as State objects, over a lost connection and an expired session", async () => {
  const { server, client } = await connected();
  const told: string[] = [];
  client.on("state", (state) => told.push(String(state)));
  const reconnected = new Promise<void>((resolve) => client.once("connected", resolve));
  server.dropConnection();
  await reconnected;
  expect(told).toEqual(["DISCONNECTED[0]", "SYNC_CONNECTED[3]"]);
  expect(client.getState()).toBe(zookeeper.State.SYNC_CONNECTED);
  const expired = new Promise<void>((resolve) => client.once("expired", resolve));
  await server.expireSession(client.getSessionId().readBigInt64BE());
  await expired;
  const [error] = await called((done) => client.getData("/a", done));
  expect((error as zookeeper.Exception).getCode()).toBe(zookeeper.Exception.SESSION_EXPIRED);
});

test("retries repeat what a lost connection has cut off", async () => {
  const { server, client } = await connected({ retries: 1, sessionTimeout: 4000 });
  await called((done) => client.create("/a", Buffer.from("data"), done));
  server.pause();
  const read = called<[Error | null, Buffer?, zookeeper.Stat?]>((done) => client.getData("/a", done));
  await new Promise((resolve) => setImmediate(resolve));
  server.dropConnection();
  server.resume();
  const [error, data] = await read;
  expect([error, String(data)]).toEqual([null, "data"]);
});

test("a close before the first connection ends what waits for it", async () => {
  const client = zookeeper.createClient("127.0.0.1:1");
  client.connect();
  const read = called((done) => client.getData("/a", done));
  client.close();
  const [error] = await read;
  expect((error as zookeeper.Exception).getCode()).toBe(zookeeper.Exception.CONNECTION_LOSS);
});

test("arguments that make no sense are refused at once", () => {
  const client = zookeeper.createClient("127.0.0.1:1");
  expect(() => client.getData("a", () => {})).toThrow('a path that begins with "/"');
  expect(() => client.create("/a", undefined as never)).toThrow("callback must be a function");
  expect(() => new zookeeper.ACL(32, zookeeper.Id.ANYONE_ID_UNSAFE)).toThrow("from 1 to 31");
  expect(() => zookeeper.createClient("")).toThrow("a connect string");
});

test("a watcher that was given twice is called once", async () => {
  const { client } = await connected();
  await called((done) => client.create("/a", done));
  const seen: string[] = [];
  const watcher = (event: zookeeper.Event): unknown => seen.push(event.getName());
  for (let i = 0; i < 2; i++) {
    await called((done) => client.exists("/a", watcher, done));
    await called((done) => client.getData("/a", watcher, done));
    await called((done) => client.getChildren("/a", watcher, done));
  }
  await called((done) => client.create("/a/b", done));
  await called((done) => client.setData("/a", Buffer.from("1"), done));
  await called((done) => client.exists("/", done));
  expect(seen).toEqual(["NODE_CHILDREN_CHANGED", "NODE_DATA_CHANGED"]);
});

test("a transaction whose answer was lost is not repeated, whatever `retries` says", async () => {
  const { server, client } = await connected({ retries: 3 });
  await called((done) => client.create("/a", done));
  server.partition();
  const committed = called((done) => client.transaction().setData("/a", Buffer.from("1")).commit(done));
  await new Promise((resolve) => setImmediate(resolve));
  server.dropConnection();
  server.heal();
  const [error] = await committed;
  expect((error as zookeeper.Exception).getName()).toBe("CONNECTION_LOSS");
});
