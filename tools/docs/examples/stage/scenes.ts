import type { Client } from "@watchkeeper/client";
import { DoubleBarrier } from "@watchkeeper/client/recipes";

/** What there is around an example. One without a scene is run to its end on an empty tree. */
export interface Scene {
  /** Nodes that are there, each with its version. */
  readonly nodes?: Readonly<Record<string, number>>;
  /** What others do while it runs. One that never ends has played its part when this has. */
  readonly meanwhile?: (stage: Stage) => Promise<unknown>;
  readonly isEndless?: true;
  /** It is a program of its own, and well if it ends so. */
  readonly isProgram?: true;
  /** What it must have printed, or called of the application. */
  readonly told?: readonly string[];
}

export interface Stage {
  readonly client: Client;
  /** Resolves when the example has printed or called this; until then `again` is done again and again. */
  seen(what: string, again?: () => Promise<unknown>): Promise<void>;
}

export const scenes: Readonly<Record<string, Scene>> = {
  "README.md In a program 2": {
    nodes: { "/app": 0, "/app/config": 0 },
    meanwhile: ({ client, seen }) => seen("dataChanged /config", () => client.setData("/app/config", "x")),
    isEndless: true,
  },
  "docs/client-guide.md The first node": { told: ["hello"] },
  "docs/client-guide.md The first node 2": { nodes: { "/shop": 0 } },
  "docs/client-guide.md Being told of changes": {
    nodes: { "/config": 0 },
    meanwhile: ({ client, seen }) => seen("reload /config", () => client.setData("/config", "x")),
    isEndless: true,
  },
  "docs/client-guide.md Being told of changes 2": {
    nodes: { "/config": 0 },
    meanwhile: ({ client, seen }) => seen("apply x", () => client.setData("/config", "x")),
    isEndless: true,
  },
  "docs/client-guide.md Several changes at once": {
    nodes: { "/leader": 7, "/result": 0, "/jobs": 0, "/jobs/j-0000000042": 0 },
  },
  "docs/client-guide.md Locks": { told: ["send invoice 1 true false", "send invoice 2 true false"] },
  "docs/client-guide.md A leader election": {
    meanwhile: async ({ seen }) => {
      await seen("runScheduler true");
      process.emit("SIGTERM");
    },
  },
  "docs/client-guide.md A test for it": { isProgram: true },
  "docs/migration.md From node-zookeeper-client, call by call": {
    meanwhile: ({ seen }) => seen("/greeting"),
  },
  "docs/migration.md From node-zookeeper-client, call by call 2": { told: ["/greeting"] },
  "docs/caches.md Caches": { nodes: { "/config": 0 } },
  "docs/recipes/barrier.md Barrier": { told: ["on they go"] },
  "docs/recipes/counter.md Counter": { told: ["1n", "100n"] },
  "docs/recipes/double-barrier.md DoubleBarrier": {
    meanwhile: ({ client }) =>
      Promise.all(
        [1, 2, 3].map(async () => {
          const member = new DoubleBarrier(client, "/stage-1", 4);
          await member.enter();
          await member.leave();
        }),
      ),
    told: ["all are in"],
  },
  "docs/recipes/group.md Group": { told: ["[ 'host-7' ] busy"] },
  "docs/recipes/leader-election.md LeaderElection": { told: ["true", "schedule false"] },
  "docs/recipes/leader-latch.md LeaderLatch": { told: ["start true", "append true", "stop"] },
  "docs/recipes/multi-lock.md MultiLock": { told: ["2 true", "append true"] },
  "docs/recipes/mutex.md Mutex": { told: ["writeReport false true", "[ 'host-7' ]"] },
  "docs/recipes/partitioner.md Partitioner": {
    meanwhile: async ({ seen }) => {
      for (const part of ["a", "b", "c"]) await seen(`follow ${part} false`);
      process.emit("SIGTERM");
    },
    told: ["append true"],
  },
  "docs/recipes/persistent-ephemeral.md PersistentEphemeral": { told: ["serving"] },
  "docs/recipes/queue.md Queue": { told: ["now", "soon"] },
  "docs/recipes/read-write-lock.md ReadWriteLock": { told: ["search", "rebuild true"] },
  "docs/recipes/reentrant-mutex.md ReentrantMutex": { told: ["one of two", "two of two", "append true"] },
  "docs/recipes/semaphore.md Semaphore": { told: ["writeReport false true"] },
  "docs/recipes/service-discovery.md ServiceDiscovery": { told: ["10.0.0.7:80"] },
  "docs/recipes/shared-value.md SharedValue": { told: ["{}+ true", "{}"] },
  "docs/recipes/work-queue.md WorkQueue": { told: ["work payload false true"] },
  "packages/client/README.md @watchkeeper/client": { told: ["world", "writeReport false true"] },
  "packages/wire/README.md @watchkeeper/wire": { told: ["4 { path: '/hello', watch: false }", "NO_NODE"] },
};
