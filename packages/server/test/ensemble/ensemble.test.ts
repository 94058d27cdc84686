import { expect, test } from "vitest";
import { bytes, create, read, setData } from "../replica/requests.js";
import { EnsembleWorld } from "./ensemble-world.js";

test("try", async () => {
  const t0 = performance.now();
  const world = await EnsembleWorld.formed({ seed: 1 });
  console.log(world.describe(), world.nowMs, world.moment, performance.now() - t0);
  for (const server of world.servers) {
    const client = await world.clientOf(server);
    console.log((await create(client, `/n${server.sid}`, { data: bytes("x") })).err, world.nowMs);
    for (let i = 0; i < 30; i++) await setData(client, `/n${server.sid}`, bytes(`${i}`));
  }
  await world.untilAllServe();
  const t1 = performance.now();
  const m = world.moment;
  await world.pass(60_000);
  console.log(world.describe(), world.nowMs, world.moment - m, performance.now() - t1);
  expect(world.witness.violations).toEqual([]);
});
