import { describe, expect, test } from "vitest";
import { type MemoryClient, ReplicaWorld, SETTINGS } from "./replica-world.js";
import { create, createContainer, createTtl, read, remove, setData } from "./requests.js";

const INTERVAL_MS = SETTINGS.sweep.checkIntervalMs;

/** A client that is kept alive by pings while time passes. */
async function pass(world: ReplicaWorld, client: MemoryClient, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    client.ping();
    await world.pass(Math.min(left, 1000), 500);
  }
  client.take();
}

const isThere = async (client: MemoryClient, path: string): Promise<boolean> =>
  (await read(client, "exists", path)).err === 0;

describe("a container", () => {
  test("goes at the next look after its last child went, with a zxid and an event", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await createContainer(client, "/c");
    await create(client, "/c/child");
    await pass(world, client, INTERVAL_MS + 1000);
    expect(await isThere(client, "/c")).toBe(true);
    await remove(client, "/c/child");
    await read(client, "exists", "/c", true);
    const zxid = world.replica.lastZxid;
    world.clock.turn(INTERVAL_MS);
    world.replica.tick();
    await world.settle();

    expect(client.events()).toMatchObject([{ path: "/c", zxid: BigInt(zxid + 1) }]);
    expect(world.replica.lastZxid).toBe(zxid + 1);
    expect(world.replica.digestMismatches).toBe(0);
  });

  test("that never had a child stays for ever where the setting is 0, else for that long", async () => {
    const patient = new ReplicaWorld();
    const client = await patient.open();
    await createContainer(client, "/c");
    await pass(patient, client, 3 * INTERVAL_MS);
    expect(await isThere(client, "/c")).toBe(true);

    const impatient = new ReplicaWorld({ sweep: { ...SETTINGS.sweep, maxNeverUsedIntervalMs: 90_000 } });
    const other = await impatient.open();
    await createContainer(other, "/c");
    await pass(impatient, other, INTERVAL_MS + 5000);
    expect(await isThere(other, "/c")).toBe(true);
    await pass(impatient, other, INTERVAL_MS);
    expect(await isThere(other, "/c")).toBe(false);
  });

  test("that gets a child between the look and the deletion stays", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await createContainer(client, "/c");
    await create(client, "/c/child");
    await remove(client, "/c/child");
    world.log.isHeld = true;
    const created = client.send("create");
    world.clock.turn(INTERVAL_MS);
    const again = create(client, "/c/again");
    world.replica.tick();
    world.log.release();
    await world.settle();
    await again.catch(() => {});
    expect(created).toBeGreaterThan(0);
    expect(await isThere(client, "/c")).toBe(true);
    expect(await isThere(client, "/c/again")).toBe(true);
  });
});

describe("a TTL node", () => {
  test("goes when it was not changed for longer than its TTL", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    await createTtl(client, "/short", 30_000);
    await createTtl(client, "/long", 100_000);
    await pass(world, client, INTERVAL_MS + 1000);
    expect([await isThere(client, "/short"), await isThere(client, "/long")]).toEqual([false, true]);
    await pass(world, client, INTERVAL_MS);
    expect(await isThere(client, "/long")).toBe(false);
  });

  test("is renewed by setData alone, and kept by children", async () => {
    const world = new ReplicaWorld();
    const client = await world.open();
    for (const path of ["/renewed", "/kept", "/touched"]) await createTtl(client, path, 50_000);
    await pass(world, client, INTERVAL_MS - 10_000);
    await setData(client, "/renewed", null);
    await create(client, "/kept/child");
    await create(client, "/touched/child");
    await remove(client, "/touched/child");
    await pass(world, client, 11_000);
    expect(await isThere(client, "/renewed")).toBe(true);
    expect(await isThere(client, "/kept")).toBe(true);
    expect(await isThere(client, "/touched")).toBe(false);
  });
});

test("other nodes are not looked at, however old and empty", async () => {
  const world = new ReplicaWorld();
  const client = await world.open();
  await create(client, "/plain");
  await create(client, "/plain/child");
  await remove(client, "/plain/child");
  await create(client, "/mine", { flags: 1 });
  await pass(world, client, 3 * INTERVAL_MS);
  expect([await isThere(client, "/plain"), await isThere(client, "/mine")]).toEqual([true, true]);
});

test("no more are deleted a minute than the setting allows", async () => {
  const world = new ReplicaWorld({ sweep: { ...SETTINGS.sweep, maxPerMinute: 60 } });
  const client = await world.open();
  for (let i = 0; i < 200; i++) await createTtl(client, `/t${i}`, 1000);
  const count = (): number => world.tree.ttlNodes.size;
  world.clock.turn(INTERVAL_MS);
  world.replica.tick();
  await world.settle();
  expect(count()).toBe(140);
  world.clock.turn(10_000);
  world.replica.tick();
  await world.settle();
  expect(count()).toBe(130);
});
