import {
  type Acl,
  authRequest,
  checkVersionRequest,
  createRequest,
  createTtlRequest,
  ERR,
  getDataRequest,
  XID,
} from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { type Frame, requestFrame } from "../support/raw-connection.js";
import { type MemoryClient, ReplicaWorld } from "./replica-world.js";
import {
  authenticate,
  bytes,
  check,
  create,
  createBody,
  createContainer,
  createTtl,
  creation,
  multi,
  multiErrors,
  OPEN_ACL,
  read,
  remove,
  setAcl,
  setData,
} from "./requests.js";

const NOBODY: Acl[] = [{ perms: 31, id: { scheme: "digest", id: "nobody:x" } }];
const readOnly: Acl[] = [{ perms: 1, id: { scheme: "world", id: "anyone" } }];

/** /open, /locked (nobody may do anything), /locked/child, /e (ephemeral), /full (has a child), /read-only. */
async function furnished(settings = {}): Promise<{ world: ReplicaWorld; client: MemoryClient }> {
  const world = new ReplicaWorld(settings);
  const client = await world.open();
  for (const path of ["/open", "/locked", "/locked/child", "/full", "/full/child", "/read-only"]) {
    await create(client, path);
  }
  await create(client, "/e", { flags: 1 });
  await setAcl(client, "/locked", NOBODY);
  await setAcl(client, "/read-only", readOnly);
  return { world, client };
}

type Attempt = (client: MemoryClient) => Promise<Frame>;

const raw = (path: string, flags: number, acl: Acl[] | null = OPEN_ACL): Attempt => {
  return (client) => client.call("create", createRequest, createBody(path, { flags, acl }));
};

describe("create: the first check that fails decides", () => {
  test.for<[string, Attempt, number]>([
    ["a body that ends early", (client) => client.call("create"), ERR.MARSHALLING_ERROR],
    ["flags below 0 before anything of the path", raw("nonsense", -1, null), ERR.BAD_ARGUMENTS],
    ["flags above 6", raw("/new", 7), ERR.BAD_ARGUMENTS],
    ["container flags under another opcode", raw("/new", 4), ERR.BAD_ARGUMENTS],
    ["no slash before the ACL", raw("nonsense", 0, null), ERR.BAD_ARGUMENTS],
    ["NUL before the ACL", raw("/a\0b", 0, null), ERR.BAD_ARGUMENTS],
    ["an invalid ACL before the parent", raw("/none/new", 0, []), ERR.INVALID_ACL],
    ["no parent before the path's rules", raw("/none//", 0), ERR.NO_NODE],
    ["CREATE on the parent before the path's rules", raw("/locked/..", 0), ERR.NO_AUTH],
    ["CREATE on the parent before the node's existence", raw("/locked/child", 0), ERR.NO_AUTH],
    ["the path's rules before the node's existence", raw("/open/", 0), ERR.BAD_ARGUMENTS],
    ["a character that no path has", raw("/open/\u0007", 0), ERR.BAD_ARGUMENTS],
    ["the node is there", raw("/open", 0), ERR.NODE_EXISTS],
    ["the root is there", raw("/", 0), ERR.NODE_EXISTS],
    ["a child of an ephemeral", raw("/e/child", 0), ERR.NO_CHILDREN_FOR_EPHEMERALS],
    ["a relative path with a slash", raw("a/b", 0), ERR.NO_NODE],
    ["a sequential name that only its number makes valid", raw("/open/", 2), 0],
    ["a sequential name after two dots", raw("/open/..", 2), 0],
  ])("%s", async ([, attempt, err]) => {
    const { world, client } = await furnished();
    const zxid = world.replica.lastZxid;
    expect((await attempt(client)).err).toBe(err);
    expect(world.replica.lastZxid, "whatever comes of it, it takes a zxid").toBe(zxid + 1);
    expect(world.replica.digestMismatches).toBe(0);
  });
});

describe("containers and TTL nodes", () => {
  test.for<[string, Attempt, number]>([
    ["a container by its own opcode", (client) => createContainer(client, "/c"), 0],
    [
      "a container's opcode with other flags",
      (client) => client.call("createContainer", createRequest, createBody("/c", { flags: 0 })),
      ERR.BAD_ARGUMENTS,
    ],
    ["a TTL node", (client) => createTtl(client, "/t", 1), 0],
    ["the longest TTL", (client) => createTtl(client, "/t", 2 ** 40 - 1), 0],
    ["a TTL of 0", (client) => createTtl(client, "/t", 0), ERR.BAD_ARGUMENTS],
    ["a negative TTL", (client) => createTtl(client, "/t", -1), ERR.BAD_ARGUMENTS],
    ["a TTL of 2^40", (client) => createTtl(client, "/t", 2 ** 40), ERR.BAD_ARGUMENTS],
    ["a sequential TTL node", (client) => createTtl(client, "/t", 1, 6), 0],
    [
      "a TTL's opcode with a persistent node's flags",
      (client) => client.call("createTTL", createTtlRequest, { ...createBody("/t"), ttl: 5n }),
      ERR.BAD_ARGUMENTS,
    ],
    ["TTL flags under create", raw("/t", 5), ERR.BAD_ARGUMENTS],
  ])("%s", async ([, attempt, err]) => {
    const { client } = await furnished();
    expect((await attempt(client)).err).toBe(err);
  });

  test("where extended types are off, a TTL is Unimplemented before it is anything else", async () => {
    const { client } = await furnished({ extendedTypesEnabled: false });
    expect((await createTtl(client, "/t", 0)).err).toBe(ERR.UNIMPLEMENTED);
    expect((await createContainer(client, "/c")).err).toBe(0);
  });
});

describe("delete", () => {
  test.for<[string, Attempt, number]>([
    ["a body that ends early", (client) => client.call("delete"), ERR.MARSHALLING_ERROR],
    ["the root", (client) => remove(client, "/"), ERR.BAD_ARGUMENTS],
    ["/zookeeper", (client) => remove(client, "/zookeeper"), ERR.BAD_ARGUMENTS],
    ["/zookeeper/quota", (client) => remove(client, "/zookeeper/quota"), ERR.BAD_ARGUMENTS],
    ["/zookeeper/config", (client) => remove(client, "/zookeeper/config"), ERR.BAD_ARGUMENTS],
    ["no slash", (client) => remove(client, "open"), ERR.BAD_ARGUMENTS],
    ["a malformed path is merely not there", (client) => remove(client, "/open/"), ERR.NO_NODE],
    ["no parent", (client) => remove(client, "/none/child"), ERR.NO_NODE],
    ["DELETE on the parent before the node", (client) => remove(client, "/locked/none"), ERR.NO_AUTH],
    ["the node's own ACL does not matter", (client) => remove(client, "/read-only"), 0],
    ["no node", (client) => remove(client, "/none"), ERR.NO_NODE],
    ["the version before the children", (client) => remove(client, "/full", 3), ERR.BAD_VERSION],
    ["children", (client) => remove(client, "/full", 0), ERR.NOT_EMPTY],
    ["version -1 is any", (client) => remove(client, "/open", -1), 0],
  ])("%s", async ([, attempt, err]) => {
    const { world, client } = await furnished();
    expect((await attempt(client)).err).toBe(err);
    expect(world.replica.digestMismatches).toBe(0);
  });
});

describe("setData", () => {
  test.for<[string, Attempt, number]>([
    ["a body that ends early", (client) => client.call("setData"), ERR.MARSHALLING_ERROR],
    ["the path's rules", (client) => setData(client, "/open/", null), ERR.BAD_ARGUMENTS],
    ["no node", (client) => setData(client, "/none", null), ERR.NO_NODE],
    ["WRITE before the version", (client) => setData(client, "/read-only", null, 9), ERR.NO_AUTH],
    ["the version", (client) => setData(client, "/open", null, 9), ERR.BAD_VERSION],
    ["the right version", (client) => setData(client, "/open", null, 0), 0],
    ["the root may be written to", (client) => setData(client, "/", bytes("x")), 0],
  ])("%s", async ([, attempt, err]) => {
    const { client } = await furnished();
    expect((await attempt(client)).err).toBe(err);
  });
});

describe("setACL", () => {
  test.for<[string, Attempt, number]>([
    ["a body that ends early", (client) => client.call("setACL"), ERR.MARSHALLING_ERROR],
    ["the path's rules before the ACL", (client) => setAcl(client, "/open/", []), ERR.BAD_ARGUMENTS],
    ["the ACL before the node", (client) => setAcl(client, "/none", []), ERR.INVALID_ACL],
    ["a null list", (client) => setAcl(client, "/open", null), ERR.INVALID_ACL],
    ["no node", (client) => setAcl(client, "/none", OPEN_ACL), ERR.NO_NODE],
    ["ADMIN before the version", (client) => setAcl(client, "/read-only", OPEN_ACL, 9), ERR.NO_AUTH],
    ["the version is the ACL's", (client) => setAcl(client, "/open", OPEN_ACL, 1), ERR.BAD_VERSION],
    ["the right one", (client) => setAcl(client, "/open", OPEN_ACL, 0), 0],
  ])("%s", async ([, attempt, err]) => {
    const { client } = await furnished();
    expect((await attempt(client)).err).toBe(err);
  });
});

describe("check", () => {
  test("outside a multi is refused", async () => {
    const { client } = await furnished();
    expect((await client.call("check", checkVersionRequest, { path: "/open", version: 0 })).err).toBe(-6);
  });

  test.for<[string, string, number, number]>([
    ["the path's rules", "/open/", 0, ERR.BAD_ARGUMENTS],
    ["no node", "/none", 0, ERR.NO_NODE],
    ["READ before the version", "/locked", 9, ERR.NO_AUTH],
    ["the version", "/open", 9, ERR.BAD_VERSION],
  ])("in a multi: %s", async ([, path, version, err]) => {
    const { client } = await furnished();
    const reply = await multi(client, [check(path, version), creation("/new")]);
    expect([reply.err, multiErrors(reply)]).toEqual([0, [err, -2]]);
  });

  test("in a multi: any version, and the right one", async () => {
    const { client } = await furnished();
    await multi(client, [check("/open", 0), check("/open", -1), creation("/new")]);
    expect((await read(client, "exists", "/new")).err).toBe(0);
  });
});

describe("reads", () => {
  test.for<[string, Attempt, number]>([
    ["getData of a node that is not there", (client) => read(client, "getData", "/none"), ERR.NO_NODE],
    ["getData without READ", (client) => read(client, "getData", "/locked"), ERR.NO_AUTH],
    ["getChildren without READ", (client) => read(client, "getChildren", "/locked"), ERR.NO_AUTH],
    ["getChildren2 without READ", (client) => read(client, "getChildren2", "/locked"), ERR.NO_AUTH],
    ["exists without READ", (client) => read(client, "exists", "/locked"), ERR.NO_AUTH],
    ["exists with NUL", (client) => read(client, "exists", "/a\0"), ERR.BAD_ARGUMENTS],
    ["a malformed path is merely not there", (client) => read(client, "getData", "/open/"), ERR.NO_NODE],
    ['"" is the root', (client) => read(client, "getData", ""), 0],
    ["a child below a locked node can be open", (client) => read(client, "getData", "/locked/child"), 0],
    ["a body that ends early", (client) => client.call("getData"), ERR.MARSHALLING_ERROR],
  ])("%s", async ([, attempt, err]) => {
    const { world, client } = await furnished();
    const zxid = world.replica.lastZxid;
    expect((await attempt(client)).err).toBe(err);
    expect(world.replica.lastZxid, "a read takes no zxid").toBe(zxid);
  });
});

test("a ping is answered as a ping, whatever its xid", async () => {
  const { client } = await furnished();
  client.write(requestFrame(7, "ping"));
  expect(client.take()).toMatchObject([{ xid: XID.ping, err: 0 }]);
});

test("a credential counts from the next request on, even ahead of writes that wait", async () => {
  const { world, client } = await furnished();
  const mine: Acl[] = [{ perms: 31, id: { scheme: "auth", id: "" } }];
  await authenticate(client, "digest", "bob:secret");
  expect((await create(client, "/mine", { acl: mine })).err).toBe(0);
  const stranger = await world.open();
  expect((await read(stranger, "getData", "/mine")).err).toBe(ERR.NO_AUTH);
  expect((await authenticate(stranger, "digest", "bob:secret")).err).toBe(0);
  expect((await read(stranger, "getData", "/mine")).err).toBe(0);
});

test("a credential that is refused is answered, and ends the connection", async () => {
  const { world } = await furnished();
  for (const attempt of [
    (client: MemoryClient) => authenticate(client, "kerberos", "x"),
    (client: MemoryClient) => client.call("auth"),
    (client: MemoryClient) => client.call("sasl"),
  ]) {
    const client = await world.open();
    expect(await attempt(client)).toMatchObject({ err: ERR.AUTH_FAILED, zxid: 0n });
    expect(client.isClosed).toBe(true);
  }
  const said = world.lines.lines.map(({ facts, sentence }) => JSON.stringify(facts) + sentence).join();
  expect(said).toContain("kerberos");
});

test("a credential that is refused is answered behind what was asked before it, and nothing after it counts", async () => {
  const { world, client } = await furnished();
  world.log.isHeld = true;
  const asked = [
    client.send("create", createRequest, createBody("/first")),
    client.send("getData", getDataRequest, { path: "/first", watch: false }),
    client.send("create", createRequest, createBody("/second")),
    client.send("auth", authRequest, { type: 0, scheme: "kerberos", auth: bytes("x") }),
  ];
  const unheard = client.send("create", createRequest, createBody("/third"));
  await world.settle();
  expect([client.take(), client.isClosed, client.unread]).toEqual([[], false, 1]);

  world.log.release();
  await world.settle();
  const replies = client.take().map(({ xid, err }) => [xid, err]);
  expect(replies).toEqual(asked.map((xid, i) => [xid, i === 3 ? ERR.AUTH_FAILED : 0]));
  expect(replies.map(([xid]) => xid)).not.toContain(unheard);
  expect([client.isClosed, world.replica.outstandingRequests]).toEqual([true, 0]);
  const other = await world.open();
  expect((await read(other, "exists", "/second")).err).toBe(0);
  expect((await read(other, "exists", "/third")).err).toBe(ERR.NO_NODE);
});
