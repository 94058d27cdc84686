import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Client } from "../../../../packages/client/dist/index.js";
import {
  Barrier,
  Counter,
  DoubleBarrier,
  Group,
  type Hold,
  LeaderElection,
  LeaderLatch,
  Mutex,
  Queue,
  ReadWriteLock,
  Semaphore,
  withLock,
} from "../../../../packages/client/dist/recipes/index.js";
import { until } from "../../../support/until.js";
import { buildJavaProgram, type Program, runProgram } from "../../support/programs.js";
import { againstAll } from "../rigs.js";

const ROUNDS = 12;
const GUARDED = ["mutex", "read-write", "latch", "election"];

let peer: Program;
beforeAll(async () => {
  peer = await buildJavaProgram("CuratorPeer", join(import.meta.dirname, "CuratorPeer.java"));
});
afterAll(() => peer?.dispose());

/** This process's side of the contention; see CuratorPeer.java for the other one and for the rooms. */
class NodePeer {
  private readonly client: Client;
  private readonly root: string;
  private readonly visits = new Map<string, number>();

  constructor(client: Client, root: string) {
    this.client = client;
    this.root = root;
  }

  async mutex(): Promise<void> {
    await withLock(new Mutex(this.client, `${this.root}/mutex/line`), (hold) => this.visit("mutex", hold));
  }

  async write(): Promise<void> {
    await withLock(this.readWriteLock().write, (hold) => this.visit("read-write", hold));
  }

  async read(): Promise<void> {
    await withLock(this.readWriteLock().read, async () => {
      expect(await this.client.exists(`${this.root}/read-write/room`)).toBeNull();
    });
  }

  async semaphore(): Promise<void> {
    await withLock(new Semaphore(this.client, `${this.root}/semaphore/line`, 2), async () => {
      const inside = `${this.root}/semaphore/inside`;
      const path = await this.client.create(`${inside}/node-`, null, { mode: "persistent-sequential" });
      expect((await this.client.getChildren(inside)).length).toBeLessThanOrEqual(2);
      await this.client.delete(path);
    });
  }

  async latch(): Promise<void> {
    await using latch = new LeaderLatch(this.client, `${this.root}/latch/line`, { id: "node" });
    await this.visit("latch", await latch.untilLeader());
  }

  async elect(): Promise<void> {
    await new LeaderElection(this.client, `${this.root}/election/line`).lead((term) => this.visit("election", term));
  }

  async numbers(): Promise<void> {
    await new Counter(this.client, `${this.root}/int64`, { encoding: "int64" }).add(-1n);
    await new Counter(this.client, `${this.root}/int32`, { encoding: "int32" }).add(1n);
  }

  async queue(): Promise<void> {
    await new Queue(this.client, `${this.root}/to-curator`, { layout: "curator" }).put("from node");
    const taken = await new Queue(this.client, `${this.root}/to-node`, { layout: "curator" }).take();
    expect(String(taken)).toBe("from curator");
  }

  private readWriteLock(): ReadWriteLock {
    return new ReadWriteLock(this.client, `${this.root}/read-write/line`);
  }

  /** Alone in the room, or it throws. */
  private async visit(recipe: string, hold: Hold): Promise<void> {
    const at = `${this.root}/${recipe}`;
    await this.client.create(`${at}/room`);
    await this.client.create(`${at}/log/visit-`, `node ${hold.token}`, { mode: "persistent-sequential" });
    const count = (this.visits.get(recipe) ?? 0) + 1;
    this.visits.set(recipe, count);
    if (count % 3 === 0) await until(`Curator to stand in line for ${recipe}`, () => this.otherIsInLineOrDone(recipe));
    await this.client.delete(`${at}/room`);
  }

  /**
   * Every third visit ends when the other process waits for its turn, and so do the other's: whatever share of the
   * machine each is given, neither makes all of its visits before the other's first.
   */
  private async otherIsInLineOrDone(recipe: string): Promise<boolean> {
    const at = `${this.root}/${recipe}`;
    if ((await this.client.getChildren(`${at}/log`)).length >= (this.visits.get(recipe) ?? 0) + ROUNDS) return true;
    for (const name of await this.client.getChildren(`${at}/line`)) {
      if (name.includes("__READ__")) continue;
      const stat = await this.client.exists(`${at}/line/${name}`);
      if (stat !== null && stat.ephemeralOwner !== this.client.sessionId) return true;
    }
    return false;
  }
}

/** Who was in a room, in the order of the visits. */
async function visits(client: Client, log: string): Promise<{ who: string; token: bigint }[]> {
  const names = (await client.getChildren(log)).sort();
  const lines = await Promise.all(names.map((name) => client.getData(`${log}/${name}`)));
  return lines.map((line) => {
    const [who = "", token = ""] = String(line).split(" ");
    return { who, token: BigInt(token) };
  });
}

againstAll((server) => {
  test("a process with Curator and this one contend for the same recipes, one at a time and in their order", async () => {
    const client = await server.client();
    const root = "/shared-with-curator";
    for (const recipe of GUARDED) await client.create(`${root}/${recipe}/log`, null, { parents: true });
    await client.create(`${root}/semaphore/inside`, null, { parents: true });
    const gate = new Barrier(client, `${root}/gate`);
    await gate.raise();
    await using members = new Group(client, `${root}/group`).members();
    await using _membership = new Group(client, `${root}/group`).join("node");
    const args = [...peer.args, "contend", server.connectString, root, String(ROUNDS)];
    const ended = runProgram(peer.command, args, { deadlineMs: 90_000 });
    const contend = async (): Promise<void> => {
      await members.ready;
      await gate.lower();
      const together = new DoubleBarrier(client, `${root}/together`, 2);
      await together.enter();
      const node = new NodePeer(client, root);
      const tasks = ["mutex", "write", "read", "semaphore", "semaphore", "latch", "elect", "numbers", "queue"] as const;
      const repeat = async (task: (typeof tasks)[number]): Promise<void> => {
        for (let round = 0; round < ROUNDS; round++) await node[task]();
      };
      await Promise.all(tasks.map(repeat));
      await together.leave();
      expect(members.names).toEqual(["curator", "node"]);
      for (let round = 0; round < 3; round++) {
        await together.enter();
        await together.leave();
      }
    };
    // The one is not waited for where the other has failed. Java's client may warn of its own end.
    const succeeded = ended.then(({ ending, stderr }) => expect(ending, stderr).toBe("exit code 0"));
    await Promise.all([contend(), succeeded]);
    await client.sync();
    for (const recipe of GUARDED) {
      const seen = await visits(client, `${root}/${recipe}/log`);
      const tokens = seen.map(({ token }) => token);
      expect(tokens, recipe).toEqual([...tokens].sort((a, b) => (a < b ? -1 : 1)));
      expect(seen.filter(({ who }) => who === "curator").length, recipe).toBe(ROUNDS);
      expect(seen.filter(({ who }) => who === "node").length, recipe).toBe(ROUNDS);
      const changes = seen.filter(({ who }, i) => i > 0 && who !== seen[i - 1]?.who).length;
      expect(changes, `${recipe}: how often it changed hands`).toBeGreaterThan(ROUNDS / 2);
      expect(await client.getChildren(`${root}/${recipe}/line`), recipe).toEqual([]);
    }
    expect(await new Counter(client, `${root}/int64`).get()).toBe(BigInt(2 * ROUNDS));
    expect(await new Counter(client, `${root}/int32`, { encoding: "int32" }).get()).toBe(BigInt(2 * ROUNDS));
    for (const path of ["together", "to-node", "to-curator", "semaphore/line/leases", "semaphore/line/locks"])
      expect(await client.getChildren(`${root}/${path}`), path).toEqual([]);
  });

  test("the lock of a process with Curator that is killed goes on to this one", async () => {
    const client = await server.client();
    const root = "/left-by-curator";
    const args = [...peer.args, "hold", server.connectString, root];
    const holder = spawn(peer.command, args, { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    const mutex = new Mutex(client, `${root}/mutex/line`);
    expect(await mutex.tryAcquire()).toBeUndefined();
    const acquired = mutex.acquire({ timeoutMs: 30_000 });
    holder.kill("SIGKILL");
    const hold = await acquired;
    expect((await mutex.participants()).map(({ path }) => path)).toEqual([hold.path]);
    await hold.release();
  });
});
