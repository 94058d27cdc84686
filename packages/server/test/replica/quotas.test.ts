import { ByteReader, createRequest, deleteRequest, ERR, getDataResponse, setDataRequest } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { parseQuota } from "../../src/tree/quotas.js";
import { type MemoryClient, ReplicaWorld } from "./replica-world.js";
import { bytes, change, create, createBody, creation, multi, multiErrors, read, remove, setData } from "./requests.js";

const dataOf = (length: number): Uint8Array => new Uint8Array(length).fill(0x78);

async function setQuota(client: MemoryClient, path: string, limits: string): Promise<void> {
  let at = "/zookeeper/quota";
  for (const name of path.split("/").slice(1)) {
    at += `/${name}`;
    await create(client, at);
  }
  await create(client, `${at}/zookeeper_limits`, { data: bytes(limits) });
  await create(client, `${at}/zookeeper_stats`, { data: bytes("count=0,bytes=0") });
}

async function statsOf(client: MemoryClient, path: string): Promise<string> {
  const { body } = await read(client, "getData", `/zookeeper/quota${path}/zookeeper_stats`);
  return Buffer.from(getDataResponse.decode(new ByteReader(body)).data ?? []).toString();
}

async function underQuota(limits: string, settings = {}): Promise<{ world: ReplicaWorld; client: MemoryClient }> {
  const world = new ReplicaWorld(settings);
  const client = await world.open();
  await create(client, "/q", { data: dataOf(10) });
  await create(client, "/q/old", { data: dataOf(5) });
  await setQuota(client, "/q", limits);
  return { world, client };
}

test("what deletes on their way give back counts, however far above its limit the subtree still is", async () => {
  const world = new ReplicaWorld();
  const client = await world.open();
  await create(client, "/q");
  for (let i = 0; i < 6; i++) await create(client, `/q/n${i}`);
  await setQuota(client, "/q", "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=4");
  world.log.isHeld = true;
  for (let i = 0; i < 4; i++) client.send("delete", deleteRequest, { path: `/q/n${i}`, version: -1 });
  client.send("create", createRequest, createBody("/q/fits"));
  client.send("create", createRequest, createBody("/q/one-too-many"));
  world.log.release();
  await world.settle();
  expect(client.take().map(({ err }) => err)).toEqual([0, 0, 0, 0, 0, ERR.QUOTA_EXCEEDED]);
});

describe("the statistics", () => {
  test("count the subtree when they are made, its top included, and follow every change", async () => {
    const { client } = await underQuota("count=100,bytes=1000");
    expect(await statsOf(client, "/q")).toBe("count=2,bytes=15");
    await create(client, "/q/new", { data: dataOf(7) });
    expect(await statsOf(client, "/q")).toBe("count=3,bytes=22");
    await setData(client, "/q/new", null);
    expect(await statsOf(client, "/q")).toBe("count=3,bytes=15");
    await remove(client, "/q/old");
    expect(await statsOf(client, "/q")).toBe("count=2,bytes=10");
  });

  test("of a quota on /zookeeper leave out the quotas' own nodes, however they are counted", async () => {
    const { client } = await underQuota("count=100,bytes=1000");
    await setQuota(client, "/zookeeper", "count=100,bytes=1000");
    expect(await statsOf(client, "/zookeeper")).toBe("count=2,bytes=0");
    await create(client, "/zookeeper/quota/else");
    await setData(client, "/zookeeper/quota/zookeeper/zookeeper_stats", bytes("counted anew"));
    expect(await statsOf(client, "/zookeeper")).toBe("count=2,bytes=0");
  });

  test("change without version, zxid or watch of their node", async () => {
    const { client } = await underQuota("count=100,bytes=1000");
    const statsPath = "/zookeeper/quota/q/zookeeper_stats";
    const before = getDataResponse.decode(new ByteReader((await read(client, "getData", statsPath, true)).body)).stat;
    await create(client, "/q/new");
    const after = getDataResponse.decode(new ByteReader((await read(client, "getData", statsPath)).body)).stat;
    expect({ ...after, dataLength: 0 }).toEqual({ ...before, dataLength: 0 });
    expect(client.events()).toEqual([]);
  });

  test("count for the deepest quota only, and for whole components", async () => {
    const { client } = await underQuota("count=100");
    await create(client, "/q/deep");
    await setQuota(client, "/q/deep", "count=100");
    const before = await statsOf(client, "/q");
    await create(client, "/q/deep/x");
    await create(client, "/qq");
    expect(await statsOf(client, "/q/deep")).toBe("count=2,bytes=0");
    expect(await statsOf(client, "/q")).toBe(before);
  });

  test("of a quota that is taken away stand still", async () => {
    const { client } = await underQuota("count=100");
    await remove(client, "/zookeeper/quota/q/zookeeper_limits");
    await create(client, "/q/new");
    expect(await statsOf(client, "/q")).toBe("count=2,bytes=15");
  });
});

describe("a hard limit", () => {
  test("lets the last one in and refuses the one above", async () => {
    const { client } = await underQuota("count=-1,bytes=-1=;byteHardLimit=20;countHardLimit=4");
    expect((await create(client, "/q/a")).err).toBe(0);
    expect((await create(client, "/q/b", { data: dataOf(6) })).err).toBe(ERR.QUOTA_EXCEEDED);
    expect((await create(client, "/q/b", { data: dataOf(5) })).err).toBe(0);
    expect((await create(client, "/q/c")).err).toBe(ERR.QUOTA_EXCEEDED);
    expect((await setData(client, "/q/b", dataOf(6))).err).toBe(ERR.QUOTA_EXCEEDED);
    expect((await setData(client, "/q/b", dataOf(5))).err).toBe(0);
    await remove(client, "/q/a");
    expect((await create(client, "/q/c")).err).toBe(0);
  });

  test("is judged after the ACL and before the version", async () => {
    const { client } = await underQuota("byteHardLimit=15");
    expect((await setData(client, "/q/old", dataOf(50), 99)).err).toBe(ERR.QUOTA_EXCEEDED);
  });

  test("is not enforced where enforceQuota is off", async () => {
    const { client } = await underQuota("countHardLimit=1", { enforceQuota: false });
    expect((await create(client, "/q/a")).err).toBe(0);
  });

  test("holds against a pipeline, whose writes are not applied yet", async () => {
    const { world, client } = await underQuota("countHardLimit=4");
    world.log.isHeld = true;
    for (let i = 0; i < 5; i++) client.send("create", createRequest, createBody(`/q/n${i}`));
    await world.settle();
    world.log.release();
    await world.settle();
    expect(client.take().map(({ err }) => err)).toEqual([0, 0, -125, -125, -125]);
    expect(await statsOf(client, "/q")).toBe("count=4,bytes=15");
  });

  test("holds against a multi, which gives back what it took when it fails", async () => {
    const { client } = await underQuota("countHardLimit=4;byteHardLimit=100");
    const overrun = await multi(client, [creation("/q/a"), creation("/q/b"), creation("/q/c")]);
    expect(multiErrors(overrun)).toEqual([0, 0, ERR.QUOTA_EXCEEDED]);
    const bytesOverrun = await multi(client, [change("/q", dataOf(60)), change("/q/old", dataOf(41))]);
    expect(multiErrors(bytesOverrun)).toEqual([0, ERR.QUOTA_EXCEEDED]);
    expect((await create(client, "/q/a", { data: dataOf(85) })).err).toBe(0);
    expect((await create(client, "/q/b")).err).toBe(0);
  });

  test("is not used up by what was refused for another reason", async () => {
    const { world, client } = await underQuota("byteHardLimit=100");
    world.log.isHeld = true;
    for (let i = 0; i < 5; i++) {
      client.send("setData", setDataRequest, { path: "/q/old", data: dataOf(60), version: 42 });
    }
    client.send("setData", setDataRequest, { path: "/q/old", data: dataOf(60), version: 0 });
    await world.settle();
    world.log.release();
    await world.settle();
    expect(client.take().map(({ err }) => err)).toEqual([-103, -103, -103, -103, -103, 0]);
  });
});

test("a soft limit refuses nothing and is logged once each time it is passed", async () => {
  const { world, client } = await underQuota("count=2,bytes=1000");
  const warnings = (): number => world.lines.of("warn").length;
  expect((await create(client, "/q/a")).err).toBe(0);
  expect((await create(client, "/q/b")).err).toBe(0);
  expect(warnings()).toBe(1);
  await remove(client, "/q/a");
  await remove(client, "/q/b");
  await create(client, "/q/a");
  expect(warnings()).toBe(2);
  expect(world.lines.of("warn")[0]?.facts).toEqual({ path: "/q", count: 3, bytes: 15 });
});

test("new limits count from their setData on", async () => {
  const { client } = await underQuota("countHardLimit=2");
  expect((await create(client, "/q/a")).err).toBe(ERR.QUOTA_EXCEEDED);
  await setData(client, "/zookeeper/quota/q/zookeeper_limits", bytes("countHardLimit=3"));
  expect((await create(client, "/q/a")).err).toBe(0);
});

test.for<[string, object]>([
  ["count=5,bytes=7", { count: 5, bytes: 7, countHardLimit: -1, byteHardLimit: -1 }],
  ["count=5,bytes=7=;byteHardLimit=9;countHardLimit=8", { count: 5, bytes: 7, countHardLimit: 8, byteHardLimit: 9 }],
  ["byteHardLimit=9;count=1", { count: 1, bytes: -1, countHardLimit: -1, byteHardLimit: 9 }],
  ["", { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 }],
  ["nonsense;count=;bytes=x", { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 }],
])("limits as text: %j", ([text, values]) => {
  expect(parseQuota(text)).toEqual(values);
});
