import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Client } from "../../src/index.js";
import {
  LeaderElection,
  LeaderLatch,
  type Lock,
  MultiLock,
  Mutex,
  Partitioner,
  ReadWriteLock,
  ReentrantMutex,
  Semaphore,
  WorkQueue,
} from "../../src/recipes/index.js";
import { LineLock } from "../../src/recipes/line-lock.js";
import { mutexRules } from "../../src/recipes/mutex.js";
import { type Contender, contention, type Trouble } from "../support/contention.js";
import type { Usage } from "../support/guarded-resource.js";

/** For a longer search: `DOUBLE_HOLDERS_SEEDS=50 DOUBLE_HOLDERS_FIRST=100` runs every guard in ensembles, with 50 seeds. */
const { DOUBLE_HOLDERS_SEEDS, DOUBLE_HOLDERS_FIRST = "1" } = process.env;
const SEED = 20;
const PATIENCE = { timeoutMs: 1000 };

/** Whoever holds `lock` uses the one resource. */
function holding(lockOf: (client: Client, root: string) => Lock, usage: Usage = "alone"): Contender {
  return async (client, root, use) => {
    const hold = await lockOf(client, root).acquire(PATIENCE);
    await use("it", hold, usage);
    await hold.release();
  };
}

const readingAndWriting: Contender = async (client, root, use, random) => {
  const { read, write } = new ReadWriteLock(client, root);
  const writes = random.chance(0.4);
  const hold = await (writes ? write : read).acquire(PATIENCE);
  await use("it", hold, writes ? "alone" : "shared");
  await hold.release();
};

const reentering: Contender = async (client, root, use) => {
  const mutex = new ReentrantMutex(client, root);
  await mutex.run(() => mutex.run((hold) => use("it", hold, "alone")), PATIENCE);
};

/** Two of three locks each, so that everybody has one in common with everybody else. */
const holdingTwo: Contender = async (client, root, use, random) => {
  const left = random.below(3);
  const names = ["a", "b", "c"].filter((_, i) => i !== left);
  const multi = new MultiLock(names.map((name) => new Mutex(client, `${root}/${name}`)));
  const both = await multi.acquire(PATIENCE);
  await Promise.all(both.holds.map((hold) => use(hold.path.slice(0, `${root}/a`.length), hold, "alone")));
  await both.release();
};

const leading: Contender = (client, root, use) =>
  new LeaderElection(client, root).lead((term) => use("it", term, "alone"), PATIENCE);

/** Stands for two terms, the second one perhaps after the loss of the first. */
const standing: Contender = async (client, root, use) => {
  const latch = new LeaderLatch(client, root);
  try {
    for (let term = 0; term < 2; term++) await use("it", await latch.untilLeader(PATIENCE), "alone");
  } finally {
    await latch.close();
  }
};

const working: Contender = async (client, root, use, random) => {
  const queue = new WorkQueue(client, root);
  if (random.chance(0.3)) await queue.put(String(random.below(1_000_000)));
  const item = await queue.take({ timeoutMs: 100 });
  await use(`${item.data}`, item.hold, "alone");
  if (random.chance(0.7)) await item.putBack();
  else await item.consume();
};

const dividing: Contender = async (client, root, use, random) => {
  const parts = ["one", "two", "three", "four"];
  const work = async ({
    name,
    hold,
    signal,
  }: {
    name: string;
    hold: Parameters<typeof use>[1];
    signal: AbortSignal;
  }) => {
    while (!signal.aborted) await use(name, hold, "alone");
  };
  const partitioner = new Partitioner(client, root, parts, work);
  await pause(random.below(150));
  await partitioner.close();
};

const guards: [string, Contender][] = [
  ["Mutex", holding((client, root) => new Mutex(client, root))],
  ["Mutex, kazoo's names", holding((client, root) => new Mutex(client, root, { layout: "kazoo" }))],
  ["ReentrantMutex", reentering],
  ["ReadWriteLock", readingAndWriting],
  ["Semaphore of one", holding((client, root) => new Semaphore(client, root, 1))],
  ["Semaphore of two", holding((client, root) => new Semaphore(client, root, 2), { atOnceMax: 2 })],
  ["MultiLock", holdingTwo],
  ["LeaderElection", leading],
  ["LeaderLatch", standing],
  ["WorkQueue", working],
  ["Partitioner", dividing],
];
const troubles: Trouble[] = ["true clocks", "turned clocks"];

test.each(guards.flatMap(([name, contender]) => troubles.map((trouble) => [name, trouble, contender] as const)))(
  "double holders: %s, %s: no older token after a newer, nobody beside a holder, nothing left behind",
  async (_, trouble, contender) => {
    const { violations, leftOver, ...outcome } = await contention(contender, trouble, SEED, 700);
    expect({ violations, leftOver }).toEqual({ violations: [], leftOver: [] });
    expect(outcome.holds).toBeGreaterThan(3);
    expect(outcome.sessionsLost).toBeGreaterThan(0);
  },
);

/** Each takes seconds, for elections do: locks stand for all, since the ensemble's part is the order of their nodes. */
const inEnsembles =
  DOUBLE_HOLDERS_SEEDS === undefined
    ? guards.slice(0, 1).map((guard) => [...guard, SEED] as const)
    : Array.from({ length: Number(DOUBLE_HOLDERS_SEEDS) }, (_, i) => Number(DOUBLE_HOLDERS_FIRST) + i).flatMap((seed) =>
        guards.map((guard) => [...guard, seed] as const),
      );
const ensembleTroubles: Trouble[] = ["leaders stop", "servers are cut off"];

test.each(
  inEnsembles.flatMap(([name, contender, seed]) =>
    ensembleTroubles.map((trouble) => [name, trouble, seed, contender] as const),
  ),
)(
  "double holders in an ensemble: %s, %s (seed %i): tokens grow from leader to leader",
  async (_, trouble, seed, contender) => {
    const { violations, leftOver, ...outcome } = await contention(contender, trouble, seed, 700);
    expect({ violations, leftOver }).toEqual({ violations: [], leftOver: [] });
    expect(outcome.holds).toBeGreaterThan(3);
    expect(outcome.leaderChanges).toBeGreaterThan(0);
  },
  60_000,
);

test.each(troubles)("double holders: a lock that lets everybody in is found out, %s", async (trouble) => {
  const rules = { ...mutexRules(), blockerOf: () => undefined };
  const openDoor = holding((client, root) => new LineLock(client, root, rules, {}));
  const { violations } = await contention(openDoor, trouble, SEED, 300);
  expect(violations.length).toBeGreaterThan(0);
});
