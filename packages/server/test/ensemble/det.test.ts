import { expect, test } from "vitest";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { EnsembleWorld } from "./ensemble-world.js";
import { RecordedSession } from "./recorded-session.js";
import { Trouble } from "./trouble.js";

async function one(seed: number) {
  const world = new EnsembleWorld({
    seed,
    server: { snapCount: 40, commitLogCount: 20, commitLogBytesMax: 2000, snapshotSizeFactor: 10 },
  });
  const trouble = new Trouble(world, new SeededRandom(seed ^ 0x5eed));
  const sessions = [0, 1, 2, 3].map(
    (i) => new RecordedSession(world, new SeededRandom(seed * 31 + i), `s${i}`, ["/a", "/b", "/c", "/d", "/e", "/f"]),
  );
  for (const server of world.servers) server.start();
  for (const session of sessions) session.start();
  trouble.start();
  await world.pass(20_000);
  return (
    world.servers
      .flatMap(({ sid, lines }) =>
        lines.lines.map(({ atMs, facts, sentence }) => `${atMs} ${sid}: ${sentence} ${JSON.stringify(facts)}`),
      )
      .sort()
      .join("\n") + world.moment
  );
}
test("det", async () => {
  const a = await one(19);
  const b = await one(19);
  expect(b).toBe(a);
});
