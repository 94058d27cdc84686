import { describe, expect, test } from "vitest";
import { beats } from "../../../src/zab/index.js";
import { ElectionWorld, type SimulatedServer } from "./election-world.js";
import { ensemble } from "./one-server.js";

const ensembles = [
  { name: "3 servers", config: ensemble([1, 2, 3]) },
  { name: "5 servers", config: ensemble([1, 2, 3, 4, 5]) },
  { name: "7 servers and 2 observers", config: ensemble([1, 2, 3, 4, 5, 6, 7], [8, 9]) },
  { name: "3 servers and an observer of the lowest number", config: ensemble([2, 3, 4], [1]) },
  {
    name: "7 servers in 3 groups, one of no weight",
    config: ensemble([1, 2, 3, 4, 5, 6, 7], [], "group.1=1:2:3", "group.2=4:5", "group.3=6:7", "weight.7=0"),
  },
];

function worldOf(seed: number, config: ElectionWorld["config"], delayMaxMs: number): ElectionWorld {
  const world = new ElectionWorld({ seed, config, delayMaxMs });
  for (const server of world.servers.values()) {
    server.epoch = world.random.below(3);
    server.zxid = world.random.below(4);
  }
  return world;
}

/** Whose vote beats those of all others, by the rules alone. */
function bestOf(world: ElectionWorld, servers: readonly SimulatedServer[]): number {
  const votes = servers
    .filter(({ isVoter }) => isVoter)
    .map(({ sid, zxid, epoch }) => ({ leader: sid, zxid, peerEpoch: epoch }))
    .filter(({ leader }) => world.config.verifier.weightOf(leader) > 0);
  return votes.reduce((best, vote) => (beats(vote, best, world.config.verifier) ? vote : best)).leader;
}

/** Servers of one round that decided for different leaders, as a sentence. */
function disagreement(world: ElectionWorld): string | undefined {
  const leaders = new Map<number, number>();
  for (const { round, leader, sid } of world.decisions) {
    const other = leaders.get(round) ?? leader;
    if (other !== leader) return `round ${round}: ${other}, and by server ${sid} ${leader}`;
    leaders.set(round, leader);
  }
  return undefined;
}

function failure(world: ElectionWorld): string {
  const servers = [...world.servers.values()].map((server) => {
    return `${server.sid}: ${server.isUp ? `state ${server.state}, leader ${server.leader?.sid}` : "down"}`;
  });
  return `not settled at ${world.events.nowMs} ms; ${servers.join("; ")}`;
}

function expectSettled(world: ElectionWorld, withinMs: number, seed: number): void {
  const isSettled = world.events.run(world.events.nowMs + withinMs, () => world.isSettled);
  if (!isSettled) expect.fail(`seed ${seed}: ${failure(world)}`);
}

const SEEDS = 120;

describe.each(ensembles)("$name", ({ config }) => {
  test(`all start together: the best vote wins, one leader a round, within a second (${SEEDS} seeds)`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = worldOf(seed, config, 40);
      const best = bestOf(world, [...world.servers.values()]);
      for (const server of world.servers.values()) world.events.after(world.random.below(100), () => server.start());
      expectSettled(world, 1000, seed);
      const leaders = new Set(world.decisions.map(({ leader }) => leader));
      if (leaders.size !== 1 || !leaders.has(best)) expect.fail(`seed ${seed}: ${[...leaders]} instead of ${best}`);
    }
  });

  test(`a quorum without its best server elects the best that is there; that server joins later (${SEEDS} seeds)`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = worldOf(seed, config, 40);
      const late = world.server(bestOf(world, [...world.servers.values()]));
      const early = [...world.servers.values()].filter((server) => server !== late);
      const best = bestOf(world, early);
      for (const server of early) world.events.after(world.random.below(100), () => server.start());
      expectSettled(world, 1000, seed);
      expect(world.server(best).isEstablished).toBe(true);
      const before = world.decisions.length;
      late.start();
      expectSettled(world, 1000, seed);
      if (world.decisions.length !== before + 1) expect.fail(`seed ${seed}: the late server disturbed the others`);
      expect(late.leader?.sid).toBe(best);
      expect(disagreement(world)).toBeUndefined();
    }
  });

  test(`the leader is lost, and again, and comes back: one leader a round, within two seconds (${SEEDS} seeds)`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = worldOf(seed, config, 40);
      for (const server of world.servers.values()) server.start();
      for (let loss = 0; loss < 3; loss++) {
        expectSettled(world, 2000, seed);
        const leader = [...world.servers.values()].find(({ isEstablished }) => isEstablished)!;
        leader.crash();
        expectSettled(world, 2000, seed);
        leader.start();
      }
      expectSettled(world, 2000, seed);
      const sentence = disagreement(world);
      if (sentence !== undefined) expect.fail(`seed ${seed}: ${sentence}`);
    }
  });

  test(`restarts, partitions and slow messages: once they end, all find one leader (${SEEDS} seeds)`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = worldOf(seed, config, 1 + (seed % 5) * 100);
      const servers = [...world.servers.values()];
      for (const server of servers) world.events.after(world.random.below(5000), () => server.start());
      for (let trouble = 0; trouble < 12; trouble++) {
        world.events.run(world.events.nowMs + world.random.below(4000));
        makeTrouble(world, servers);
      }
      world.partition(() => 0);
      for (const server of servers) if (!server.isUp) server.start();
      // A server that waited long for an answer says its vote again a minute later at the latest.
      expectSettled(world, 130_000, seed);
    }
  });
});

function makeTrouble(world: ElectionWorld, servers: readonly SimulatedServer[]): void {
  const server = servers[world.random.below(servers.length)]!;
  const parts = servers.map(() => world.random.below(2));
  switch (world.random.below(4)) {
    case 0:
      world.partition((sid) => parts[servers.findIndex((member) => member.sid === sid)]!);
      break;
    case 1:
      world.partition(() => 0);
      break;
    case 2:
      if (server.isUp) server.crash();
      break;
    default:
      if (server.isUp) server.crash();
      server.start();
  }
}

test("the same seed gives the same run", () => {
  const runs = [1, 2].map(() => {
    const world = worldOf(7, ensembles[2]!.config, 300);
    for (const server of world.servers.values()) world.events.after(world.random.below(1000), () => server.start());
    world.events.run(60_000);
    return world.decisions;
  });
  expect(runs[0]!.length).toBeGreaterThan(0);
  expect(runs[0]).toEqual(runs[1]);
});
