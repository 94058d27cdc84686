import { ByteReader, getDataResponse } from "@watchkeeper/wire";
import { expect, onTestFinished, test } from "vitest";
import { bytes, create, read } from "../replica/requests.js";
import type { EnsembleClient } from "./ensemble-client.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { EnsembleWorld, type ServerOptions } from "./ensemble-world.js";

/** Three voters and an observer with syncEnabled=false. */
async function formed(server: Partial<ServerOptions> = {}) {
  const options = { snapCount: 5, observersInMemory: 1, ...server };
  const world = await EnsembleWorld.formed({ observers: 1, server: options });
  onTestFinished(() => {
    world.witness.lookAtEpochs(world.servers);
    expect(world.witness.violations).toEqual([]);
  });
  return { world, observer: world.server(4), client: await world.clientOf(world.leader) };
}

async function written(client: EnsembleClient, count: number, prefix: string): Promise<void> {
  for (let i = 0; i < count; i++) expect((await create(client, `${prefix}${i}`, { data: bytes(`${i}`) })).err).toBe(0);
}

async function dataAt(world: EnsembleWorld, server: EnsembleServer, path: string): Promise<string> {
  await world.untilAllServe();
  const { body } = await read(await world.clientOf(server), "getData", path);
  return Buffer.from(getDataResponse.decode(new ByteReader(body)).data ?? []).toString();
}

async function filesOf({ disk }: EnsembleServer): Promise<string[]> {
  return (await disk.list("/data/version-2")).sort();
}

function lastWay({ lines }: EnsembleServer): string | undefined {
  return lines.lines
    .flatMap(({ sentence }) => /^Taking over the history .* by (\w+)$/.exec(sentence)?.[1] ?? [])
    .at(-1);
}

function currentEpoch({ disk }: EnsembleServer): string {
  return Buffer.from(disk.surviving("/data/version-2/currentEpoch")!).toString();
}

test("it serves what is committed, and writes no log, no snapshot and no epoch that its disk has nothing of", async () => {
  const { world, observer, client } = await formed();
  await written(client, 20, "/n");
  expect(await dataAt(world, observer, "/n19")).toBe("19");
  expect(await filesOf(observer)).toEqual(["acceptedEpoch", "currentEpoch", "snapshot.0"]);
  expect(currentEpoch(observer)).toBe("0");
  expect(currentEpoch(world.leader)).toBe("1");
});

test("after another election it goes on from what it has in memory", async () => {
  const { world, observer, client } = await formed();
  await written(client, 20, "/n");
  await world.untilAllServe();
  const [before] = [world.leader];
  before.kill();
  await world.untilLeading(world.servers.filter((server) => server !== before));
  await written(await world.clientOf(world.leader), 1, "/later");
  expect(await dataAt(world, observer, "/n19")).toBe("19");
  expect(lastWay(observer)).toBe("DIFF");
  expect(currentEpoch(observer)).toBe("0");
});

test("after a restart it is given anew what it has forgotten", async () => {
  const { world, observer, client } = await formed();
  await written(client, 20, "/n");
  await world.untilAllServe();
  observer.crash();
  observer.start();
  expect(await dataAt(world, observer, "/n19")).toBe("19");
});

test("a snapshot that it is sent is kept, with its epoch, and is where it starts from", async () => {
  const { world, observer, client } = await formed({ alwaysSendsSnapshot: true });
  await written(client, 7, "/n");
  await observer.restart();
  expect(await dataAt(world, observer, "/n6")).toBe("6");
  await written(client, 3, "/later");
  await world.untilAllServe();
  const [snapshot, ...others] = (await filesOf(observer)).filter((name) => /^(snapshot|log)/.test(name));
  expect(snapshot).toMatch(/^snapshot\.10000000\d$/);
  expect(others).toEqual([]);
  expect(currentEpoch(observer)).toBe("1");
  observer.crash();
  observer.lines.lines.length = 0;
  observer.start();
  expect(await dataAt(world, observer, "/later2")).toBe("2");
  expect(observer.lines.lines.filter(({ level }) => level === "warn")).toEqual([]);
});

test("a voter with the same setting writes everything", async () => {
  const { world, client } = await formed();
  await written(client, 20, "/n");
  await world.untilAllServe();
  for (const voter of world.servers.slice(0, 3)) {
    expect((await filesOf(voter)).some((name) => name.startsWith("log."))).toBe(true);
    expect(currentEpoch(voter)).toBe("1");
  }
});
