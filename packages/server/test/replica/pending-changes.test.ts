import {
  ByteReader,
  create2Response,
  createRequest,
  ERR,
  getDataResponse,
  multiHeader,
  OP,
  operations,
  type Stat,
  statResponse,
} from "@watchkeeper/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addSystemNodes, emptyStat, ROOT, Tree } from "../../src/tree/index.js";
import type { Frame } from "../support/raw-connection.js";
import { type MemoryClient, ReplicaWorld } from "./replica-world.js";
import {
  bytes,
  change,
  check,
  create,
  createBody,
  creation,
  deletion,
  type MultiStep,
  multi,
  multiBody,
  multiErrors,
  read,
  remove,
  setAcl,
  setData,
} from "./requests.js";
import { replayed, treeImage } from "./tree-image.js";

/** What comes of writes that are all in the pipeline before the first of them is on the disk. */
async function piped(world: ReplicaWorld, client: MemoryClient, send: () => void): Promise<Frame[]> {
  world.log.isHeld = true;
  send();
  await world.settle();
  const early = client.take();
  expect(early).toEqual([]); // none is answered before it is durable
  world.log.release();
  await world.settle();
  return client.take();
}

const sequential = (client: MemoryClient, path: string): number =>
  client.send("create", createRequest, createBody(path, { flags: 2 }));
const pathOf = (frame: Frame): string => operations.create.response.decode(new ByteReader(frame.body)).path;

function statOf(frame: Frame): Stat {
  return statResponse.decode(new ByteReader(frame.body)).stat;
}

describe("requests in a pipeline see each other", () => {
  test("a node created, changed and deleted before any of it is on the disk", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    const { send } = client;
    const op = send.bind(client);
    const replies = await piped(world, client, () => {
      op("create", createRequest, createBody("/a"));
      op("create", createRequest, createBody("/a/b"));
      op("setData", operations.setData.request, { path: "/a", data: bytes("1"), version: 0 });
      op("setData", operations.setData.request, { path: "/a", data: bytes("2"), version: 0 });
      op("delete", operations.delete.request, { path: "/a", version: -1 });
      op("delete", operations.delete.request, { path: "/a/b", version: 0 });
      op("delete", operations.delete.request, { path: "/a", version: 1 });
      op("setData", operations.setData.request, { path: "/a", data: null, version: -1 });
      op("create", createRequest, createBody("/a"));
    });
    expect(replies.map(({ err }) => err)).toEqual([0, 0, 0, ERR.BAD_VERSION, ERR.NOT_EMPTY, 0, 0, ERR.NO_NODE, 0]);
    expect(world.replica.digestMismatches).toBe(0);
  });

  test("a node deleted and made again is the new one, though another has taken its memory", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await create(client, "/a");
    const replies = await piped(world, client, () => {
      client.send("delete", operations.delete.request, { path: "/a", version: -1 });
      client.send("create", createRequest, createBody("/b"));
      client.send("create", createRequest, createBody("/a"));
      client.send("setData", operations.setData.request, { path: "/a", data: bytes("of a"), version: 0 });
      client.send("create", createRequest, createBody("/a/child"));
      client.send("delete", operations.delete.request, { path: "/b", version: -1 });
    });
    expect(replies.map(({ err }) => err)).toEqual([0, 0, 0, 0, 0, 0]);
    const { data } = getDataResponse.decode(new ByteReader((await read(client, "getData", "/a")).body));
    expect(data).toEqual(bytes("of a"));
    expect((await read(client, "exists", "/a/child")).err).toBe(0);
    expect((await read(client, "exists", "/b")).err).toBe(ERR.NO_NODE);
  });

  test("an ACL counts from its own place in the pipeline on", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await create(client, "/a");
    const replies = await piped(world, client, () => {
      const set = { path: "/a", data: null, version: -1 };
      client.send("setData", operations.setData.request, set);
      const acl = [{ perms: 1, id: { scheme: "world", id: "anyone" } }];
      client.send("setACL", operations.setACL.request, { path: "/a", acl, version: -1 });
      client.send("setData", operations.setData.request, set);
    });
    expect(replies.map(({ err }) => err)).toEqual([0, 0, ERR.NO_AUTH]);
  });
});

describe("sequence numbers", () => {
  test("count the children ever created, of whatever kind", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await create(client, "/q");
    await create(client, "/q/plain");
    await remove(client, "/q/plain");
    const made = await create(client, "/q/n-", { flags: 2 });
    expect(pathOf(made)).toBe("/q/n-0000000001");
    expect(pathOf(await create(client, "/q/", { flags: 3 }))).toBe("/q/0000000002");
    await setData(client, "/q", bytes("x"));
    expect(pathOf(await create(client, "/q/n-", { flags: 2 }))).toBe("/q/n-0000000003");
  });

  test("go on in the pipeline", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await create(client, "/q");
    const replies = await piped(world, client, () => {
      for (let i = 0; i < 12; i++) sequential(client, "/q/n-");
    });
    expect(replies.map(pathOf)).toEqual(Array.from({ length: 12 }, (_, i) => `/q/n-${String(i).padStart(10, "0")}`));
  });

  test("of a multi that fails are given to the next", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await create(client, "/q");
    const replies = await piped(world, client, () => {
      sequential(client, "/q/n-");
      const failing = [creation("/q/m-", { flags: 2 }), creation("/q/m-", { flags: 2 }), deletion("/none")];
      client.send("multi", multiBody(failing), null);
      sequential(client, "/q/n-");
    });
    expect(pathOf(replies[0]!)).toBe("/q/n-0000000000");
    expect(multiErrors(replies[1]!)).toEqual([0, 0, ERR.NO_NODE]);
    expect(pathOf(replies[2]!)).toBe("/q/n-0000000001");
    expect(world.replica.digestMismatches).toBe(0);
  });

  test("at the end of their range stay where they are, and the name is taken", async () => {
    const atEnd = (tree: Tree): void => {
      const path = bytes("/q");
      const source = { path, pathStart: 0, pathEnd: path.length, data: path, dataStart: 0, dataLength: 0 };
      const acl = tree.aclOf(ROOT);
      tree.restore(ROOT, source, acl, { ...emptyStat(), creations: 2 ** 31 - 2 });
    };
    const world = new ReplicaWorld({}, atEnd);
    const client = await world.open();
    const names = [await create(client, "/q/n-", { flags: 2 }), await create(client, "/q/n-", { flags: 2 })];
    expect(names.map(pathOf)).toEqual(["/q/n-2147483646", "/q/n-2147483647"]);
    expect((await create(client, "/q/n-", { flags: 2 })).err).toBe(ERR.NODE_EXISTS);
    expect((await create(client, "/q/m-", { flags: 2 })).err).toBe(0);
    expect(world.replica.digestMismatches).toBe(0);
  });

  test("below a parent whose count has gone negative are written as Java writes them", async () => {
    const negative = (tree: Tree): void => {
      const path = bytes("/q");
      const source = { path, pathStart: 0, pathEnd: path.length, data: path, dataStart: 0, dataLength: 0 };
      tree.restore(ROOT, source, tree.aclOf(ROOT), { ...emptyStat(), creations: -5 });
    };
    const client = await new ReplicaWorld({}, negative).open();
    expect(pathOf(await create(client, "/q/n-", { flags: 2 }))).toBe("/q/n--000000005");
  });
});

describe("multi", () => {
  async function decoded(reply: Frame): Promise<string[]> {
    const reader = new ByteReader(reply.body);
    const results: string[] = [];
    for (;;) {
      const { type, done } = multiHeader.decode(reader);
      if (done) return results;
      if (type === OP.create) results.push(`create ${operations.create.response.decode(reader).path}`);
      else if (type === OP.create2) {
        const { path, stat } = create2Response.decode(reader);
        results.push(`create2 ${path} of ${stat.czxid}, ${stat.numChildren} children`);
      } else if (type === OP.setData) {
        const { version, mzxid } = statResponse.decode(reader).stat;
        results.push(`setData version ${version} of ${mzxid}`);
      } else results.push(`${type}`);
    }
  }

  test("shares one zxid, and each operation sees those before it", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    const before = world.replica.lastZxid;
    const reply = await multi(client, [
      creation("/a"),
      creation("/a/n-", { flags: 2 }),
      creation("/a/n-", { flags: 2 }),
      change("/a", bytes("x"), 0),
      check("/a", 1),
      deletion("/a/n-0000000000", 0),
      { op: "create2", body: createBody("/b") },
    ]);
    const zxid = before + 1;
    expect(world.replica.lastZxid).toBe(zxid);
    expect(await decoded(reply)).toEqual([
      "create /a",
      "create /a/n-0000000000",
      "create /a/n-0000000001",
      `setData version 1 of ${zxid}`,
      `${OP.check}`,
      `${OP.delete}`,
      `create2 /b of ${zxid}, 0 children`,
    ]);
    expect(statOf(await read(client, "exists", "/a"))).toMatchObject({ numChildren: 1, cversion: 3, version: 1 });
  });

  test("a Stat among its results is that of its moment, not of the end", async () => {
    const client = await new ReplicaWorld().open();
    const reply = await multi(client, [
      { op: "create2", body: createBody("/a") },
      creation("/a/b"),
      change("/a", bytes("1")),
      change("/a", bytes("2")),
      deletion("/a/b"),
      deletion("/a"),
    ]);
    expect((await decoded(reply)).filter((one) => !one.startsWith("create /"))).toEqual([
      expect.stringMatching(/^create2 \/a of \d+, 0 children$/),
      expect.stringMatching(/^setData version 1 /),
      expect.stringMatching(/^setData version 2 /),
      `${OP.delete}`,
      `${OP.delete}`,
    ]);
  });

  test("that fails changes nothing, takes its zxid and tells which operation it was", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    const zxid = world.replica.lastZxid;
    const reply = await multi(client, [creation("/a"), change("/a", bytes("x")), creation("/a"), creation("/b")]);
    expect([reply.err, multiErrors(reply)]).toEqual([0, [0, 0, ERR.NODE_EXISTS, ERR.RUNTIME_INCONSISTENCY]]);
    expect(world.replica.lastZxid).toBe(zxid + 1);
    expect((await read(client, "exists", "/a")).err).toBe(ERR.NO_NODE);
  });

  test("that fails fires no watch, and one that succeeds fires all of them before its reply", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await read(client, "exists", "/a", true);
    await read(client, "getChildren", "/", true);
    await multi(client, [creation("/a"), deletion("/none")]);
    expect(client.events()).toEqual([]);
    const xid = client.send("multi", multiBody([creation("/a"), creation("/b"), change("/a", null)]), null);
    await world.settle();
    expect(client.take().map((frame) => frame.xid)).toEqual([-1, -1, xid]);
  });

  test("without an operation succeeds", async () => {
    const reply = await multi(await new ReplicaWorld().open(), []);
    expect([reply.err, await decoded(reply)]).toEqual([0, []]);
  });

  test.for<[string, MultiStep[]]>([
    ["an operation that none may hold", [{ op: "getData", body: { path: "/", watch: false } }]],
    ["a setACL", [{ op: "setACL", body: { path: "/", acl: [], version: -1 } }]],
    ["a multi in a multi", [{ op: "multi", body: { type: 1, done: false, err: -1 } }]],
    ["flags that do not exist", [creation("/a"), creation("/b", { flags: 9 })]],
  ])("that holds %s is refused whole", async ([, steps]) => {
    const world = new ReplicaWorld();
    const client = await world.open();
    const reply = await multi(client, steps);
    expect(reply.err).toBe(ERR.MARSHALLING_ERROR);
    expect((await read(client, "exists", "/a")).err).toBe(ERR.NO_NODE);
  });

  test("without its end mark is refused whole", async () => {
    const client = await new ReplicaWorld().open();
    const whole = multiBody([creation("/a")]);
    const torn = {
      ...whole,
      encode: (writer: Parameters<typeof whole.encode>[0]) => {
        whole.encode(writer, null);
        writer.length -= 9;
      },
    };
    expect((await client.call("multi", torn, null)).err).toBe(ERR.MARSHALLING_ERROR);
  });

  test("rolled back puts back the pending records of earlier requests, parents included", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await create(client, "/p");
    const replies = await piped(world, client, () => {
      client.send("create", createRequest, createBody("/p/a"));
      client.send("setData", operations.setData.request, { path: "/p/a", data: bytes("1"), version: 0 });
      const failing = [change("/p/a", bytes("2"), 1), deletion("/p/a"), creation("/p/b"), deletion("/p")];
      client.send("multi", multiBody(failing), null);
      client.send("setData", operations.setData.request, { path: "/p/a", data: bytes("3"), version: 1 });
      client.send("delete", operations.delete.request, { path: "/p", version: -1 });
      client.send("delete", operations.delete.request, { path: "/p/a", version: 2 });
      client.send("delete", operations.delete.request, { path: "/p", version: -1 });
    });
    expect(replies.map(({ err }) => err)).toEqual([0, 0, 0, 0, ERR.NOT_EMPTY, 0, 0]);
    expect(multiErrors(replies[2]!)).toEqual([0, 0, 0, ERR.NOT_EMPTY]);
    expect(world.replica.digestMismatches).toBe(0);
  });
});

describe("Stat arithmetic", () => {
  test("of a node through its life", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await create(client, "/a", { data: bytes("x") });
    const created = BigInt(world.replica.lastZxid);
    const createdMs = BigInt(world.clock.wallMs());
    world.clock.turn(5000);
    await setAcl(client, "/a", [{ perms: 31, id: { scheme: "world", id: "anyone" } }]);
    const changed = statOf(await setData(client, "/a", bytes("long")));
    await create(client, "/a/b");
    const childZxid = BigInt(world.replica.lastZxid);
    await create(client, "/a/c");
    await remove(client, "/a/b");
    const removedZxid = BigInt(world.replica.lastZxid);

    expect(changed).toMatchObject({ czxid: created, mzxid: created + 2n, pzxid: created, aversion: 1, version: 1 });
    expect(childZxid).toBe(created + 3n);
    expect(statOf(await read(client, "exists", "/a"))).toEqual({
      czxid: created,
      mzxid: created + 2n,
      ctime: createdMs,
      mtime: createdMs + 5000n,
      version: 1,
      cversion: 3,
      aversion: 1,
      ephemeralOwner: 0n,
      dataLength: 4,
      numChildren: 1,
      pzxid: removedZxid,
    });
  });

  test("null data and empty data are different, and both 0 bytes long", async () => {
    const client = await new ReplicaWorld().open();
    await create(client, "/null", { data: null });
    await create(client, "/empty", { data: new Uint8Array(0) });
    const data = async (path: string) =>
      getDataResponse.decode(new ByteReader((await read(client, "getData", path)).body));
    expect(await data("/null")).toMatchObject({ data: null, stat: { dataLength: 0 } });
    const empty = await data("/empty");
    expect([empty.data?.length, empty.stat.dataLength]).toEqual([0, 0]);
  });
});

test("the tree and the digest predicted with each txn are what another server makes of the log, for any requests in any pipelining", async () => {
  const paths = fc.constantFrom("/a", "/b", "/a/x", "/a/y", "/b/x", "/zookeeper/quota/z", "/zookeeper/zz");
  const data = fc.constantFrom(null, bytes(""), bytes("some data"));
  const step = fc.oneof(
    fc.tuple(fc.constant("create" as const), paths, data, fc.constantFrom(0, 1, 2, 3)),
    fc.tuple(fc.constant("delete" as const), paths, data, fc.constantFrom(-1, 0, 1)),
    fc.tuple(fc.constant("setData" as const), paths, data, fc.constantFrom(-1, 0, 1)),
    fc.tuple(fc.constant("setACL" as const), paths, data, fc.constantFrom(-1, 0)),
  );
  const steps = fc.oneof(
    { weight: 6, arbitrary: step.map((one) => ({ kind: "one" as const, one })) },
    {
      weight: 2,
      arbitrary: fc.array(step, { minLength: 1, maxLength: 5 }).map((all) => ({ kind: "multi" as const, all })),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "settle" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "close" as const }) },
  );
  type Step = [kind: "create" | "delete" | "setData" | "setACL", path: string, data: Uint8Array | null, number: number];
  const inMulti = ([kind, path, content, number]: Step): MultiStep => {
    if (kind === "create") return creation(path, { data: content, flags: number });
    return kind === "setData" ? change(path, content, number) : deletion(path, number);
  };
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 60 }), async (sequence) => {
      const world = new ReplicaWorld();
      let client = await world.open();
      for (const each of sequence) {
        if (each.kind === "settle") {
          world.log.release();
          await world.settle();
          world.log.isHeld = true;
        } else if (each.kind === "multi") client.send("multi", multiBody(each.all.map(inMulti)), null);
        else if (each.kind === "close") {
          client.send("closeSession");
          world.log.release();
          client = await world.open();
        } else {
          const [kind, path, content, number] = each.one;
          if (kind === "create") {
            client.send("create", createRequest, createBody(path, { data: content, flags: number }));
          } else if (kind === "delete") client.send("delete", operations.delete.request, { path, version: number });
          else if (kind === "setData") {
            client.send("setData", operations.setData.request, { path, data: content, version: number });
          } else {
            const acl = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
            client.send("setACL", operations.setACL.request, { path, acl, version: number });
          }
        }
      }
      world.log.release();
      await world.settle();
      expect(world.fatal).toEqual([]);
      expect(world.replica.digestMismatches).toBe(0);
      expect(world.replica.lastZxid).toBe(world.log.entries.length);
      const empty = new Tree(1);
      addSystemNodes(empty);
      const elsewhere = replayed(empty, world.log.entries);
      expect(elsewhere.allDigestsMatch).toBe(true);
      expect(treeImage(world.tree)).toEqual(treeImage(elsewhere.tree));
    }),
    { numRuns: 60 },
  );
});

test("a tree that strays from what was predicted is found out within 64 txns", async () => {
  const world = new ReplicaWorld();
  const client = await world.open();
  await create(client, "/a");
  await piped(world, client, () => {
    for (let i = 0; i < 64; i++) {
      client.send("setData", operations.setData.request, { path: "/a", data: bytes("x"), version: -1 });
    }
    const path = bytes("/a");
    const node = world.tree.find(path, 0, path.length);
    world.tree.cellBytesOf(node)[world.tree.statStart(node)]! ^= 1;
  });
  expect(world.replica.digestMismatches).toBe(1);
  expect(world.lines.of("error")[0]?.sentence).toContain("Digests are not matching");
});
