/**
 * A CommonJS program as users of node-zookeeper-client have it: every call that its README names, with whatever
 * may be left out given and left out, and every error that they lead to. It prints what each callback, event and
 * watcher is given. Left out are times and what depends on the session, in which two runs differ, and the path of
 * an error, which the package leaves undefined. Where the package does not do what its README says, it is not asked:
 * setData of null throws, listSubTreeBFS and removeRecursive see one level alone.
 */
export const readmeProgram = `
const zookeeper = require("node-zookeeper-client");
const { ACL, CreateMode, Event, Exception, Id, Permission, State } = zookeeper;
const client = zookeeper.createClient(process.argv[2], { sessionTimeout: 10000, spinDelay: 10, retries: 1 });

const plain = (value) => {
  if (value instanceof Exception)
    return ["exception", value.getCode(), value.getName(), String(value).split("@")[0], value instanceof Error];
  if (value instanceof Event)
    return ["event", value.getType(), value.getName(), value.getPath(), String(value), value.type, value.name, value.path];
  if (value instanceof Error) return ["error", value.message];
  if (Buffer.isBuffer(value)) return ["buffer", value.toString()];
  if (Array.isArray(value)) return value.map(plain);
  if (value === undefined) return "undefined";
  if (value && value.czxid) {
    const { czxid, mzxid, pzxid, ephemeralOwner, version, cversion, aversion, dataLength, numChildren } = value;
    const own = ephemeralOwner.equals(client.getSessionId());
    const owner = own ? "this session" : ephemeralOwner.toString("hex");
    const zxids = [czxid, mzxid, pzxid].map((zxid) => Buffer.isBuffer(zxid) && zxid.length);
    return { zxids, version, cversion, aversion, dataLength, numChildren, owner };
  }
  if (value && value.stat) return { ...value, stat: plain(value.stat) };
  return value;
};
const print = (what, given) =>
  console.log(what + " " + JSON.stringify((given[0] instanceof Error ? given.slice(0, 1) : given).map(plain)));
const call = (method, ...args) =>
  new Promise((resolve) => client[method](...args, (...given) => { print(method + " " + JSON.stringify(args[0]), given); resolve(given); }));
const refused = (what, run) => {
  try { run(); print(what, ["accepted"]); } catch { print(what, ["refused"]); }
};
let seen;
const watcher = (name) => { const event = new Promise((resolve) => { seen = resolve; }); return [(given) => { print(name, [given]); seen(); }, event]; };

for (const event of ["connected", "connectedReadOnly", "disconnected", "expired", "authenticationFailed"])
  client.on(event, () => print("event " + event, []));
client.on("state", (state) => print("state", [state.getName(), state.getCode(), String(state), state === client.getState()]));

refused("no connect string", () => zookeeper.createClient());
refused("no callback", () => client.create("/a"));
refused("relative path", () => client.create("a", () => {}));
refused("no path", () => client.exists(() => {}));
refused("no Buffer", () => client.addAuthInfo("digest", "bob:pw"));
refused("bad permission", () => new ACL(0, Id.ANYONE_ID_UNSAFE));
refused("no Id", () => new ACL(Permission.READ, "world"));
refused("no scheme", () => new Id("", "x"));
const modes = ["PERSISTENT", "EPHEMERAL", "PERSISTENT_SEQUENTIAL", "EPHEMERAL_SEQUENTIAL"];
print("constants", [Permission, modes.map((mode) => CreateMode[mode]), ACL.OPEN_ACL_UNSAFE, ACL.READ_ACL_UNSAFE, ACL.CREATOR_ALL_ACL]);
print("states", [State.SYNC_CONNECTED, State.DISCONNECTED, State.EXPIRED, State.AUTH_FAILED, State.CONNECTED_READ_ONLY].map((state) => [state.getName(), state.getCode()]));
print("codes", Object.keys(Exception).filter((name) => typeof Exception[name] === "number" && name !== "SESSION_MOVED").sort().map((name) => [name, Exception[name]]));
print("before", [client.getState().getName(), client.getSessionId().length, client.getSessionPassword().length]);

client.once("connected", async () => {
  print("connected", [client.getState() === State.SYNC_CONNECTED, client.getSessionId().length, client.getSessionPassword().length, client.getSessionTimeout()]);

  await call("create", "/a");
  await call("create", "/a");
  await call("create", "/a/data", Buffer.from("some text"));
  await call("create", "/a/mode", CreateMode.EPHEMERAL);
  await call("create", "/a/acl", ACL.READ_ACL_UNSAFE);
  await call("create", "/a/all", Buffer.from("x"), [new ACL(Permission.ALL, new Id("world", "anyone"))], CreateMode.PERSISTENT);
  await call("create", "/a/s-", CreateMode.PERSISTENT_SEQUENTIAL);
  await call("create", "/a/e-", Buffer.alloc(0), CreateMode.EPHEMERAL_SEQUENTIAL);
  await call("create", "/a/mode/below");
  await call("create", "/none/below");
  await call("create", "/a/acl/below");

  await call("exists", "/a");
  await call("exists", "/none");
  await call("exists", "/a", null);
  await call("getData", "/a");
  await call("getData", "/a/data");
  await call("getData", "/a/e-0000000005");
  await call("getData", "/none");
  await call("setData", "/a", Buffer.from("1"));
  await call("setData", "/a", Buffer.from("2"), 1);
  await call("setData", "/a", Buffer.from("3"), 1);
  await call("setData", "/none", Buffer.from("3"));
  const [, children] = await call("getChildren", "/a/data");
  print("children", [Array.isArray(children)]);
  await call("getChildren", "/none");
  await call("getACL", "/a/acl");
  await call("setACL", "/a/data", [new ACL(Permission.READ | Permission.ADMIN, Id.ANYONE_ID_UNSAFE)]);
  await call("setACL", "/a/data", ACL.OPEN_ACL_UNSAFE, 1);
  await call("setACL", "/a/data", ACL.OPEN_ACL_UNSAFE, 1);
  await call("setACL", "/none", ACL.OPEN_ACL_UNSAFE);
  await call("remove", "/a");
  await call("remove", "/a/all", 7);
  await call("remove", "/a/all", 0);
  await call("remove", "/a/all");

  await call("mkdirp", "/m/n/o");
  await call("mkdirp", "/m/n/o");
  await call("mkdirp", "/m/n/p", Buffer.from("all of them"));
  await call("getData", "/m/n/p");
  await call("mkdirp", "/m/n/q", Buffer.from("x"), ACL.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
  await call("listSubTreeBFS", "/m/n/o");
  await call("listSubTreeBFS", "/none");
  await call("removeRecursive", "/m/n");
  await call("exists", "/m/n");
  await call("removeRecursive", "/none");

  for (const [name, register, change] of [
    ["created", (watch) => call("exists", "/w", watch), () => call("create", "/w")],
    ["changed", (watch) => call("getData", "/w", watch), () => call("setData", "/w", Buffer.from("1"))],
    ["child", (watch) => call("getChildren", "/w", watch), () => call("create", "/w/x")],
    ["child gone", (watch) => call("getChildren", "/w", watch), () => call("remove", "/w/x")],
    ["deleted", (watch) => call("exists", "/w", watch), () => call("remove", "/w")],
  ]) {
    const [watch, event] = watcher(name);
    await register(watch);
    await change();
    await event;
  }

  const commit = (name, transaction) => new Promise((resolve) => transaction.commit((error, results) => {
    print("transaction " + name, error ? [error.getCode()] : [error, results]);
    resolve();
  }));
  await commit("whole", client.transaction()
    .create("/t").create("/t/1", Buffer.from("x")).create("/t/2", Buffer.from("y"), ACL.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL)
    .setData("/t/1", Buffer.from("z"), -1).setData("/t/1", Buffer.from("w")).check("/t/1").check("/t/1", 2)
    .remove("/t/1", -1).remove("/t/2"));
  await commit("failing", client.transaction().create("/u").check("/t", 9));
  await call("exists", "/u");

  client.addAuthInfo("digest", Buffer.from("bob:secret"));
  await call("create", "/mine", ACL.CREATOR_ALL_ACL);
  await call("getACL", "/mine");
  await call("remove", "/mine");

  client.once("disconnected", () => console.log("done"));
  client.close();
});
client.connect();
`;
