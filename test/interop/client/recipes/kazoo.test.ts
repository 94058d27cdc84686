import { join } from "node:path";
import { expect, test } from "vitest";
import type { Client } from "../../../../packages/client/dist/index.js";
import {
  Counter,
  LeaderElection,
  Mutex,
  Queue,
  WorkQueue,
  withLock,
} from "../../../../packages/client/dist/recipes/index.js";
import { runProgram } from "../../support/programs.js";
import { againstAll } from "../rigs.js";

const ROUNDS = 15;

/** Loses additions unless whoever calls it is alone. */
async function addUnguarded(client: Client, path: string): Promise<void> {
  const sum = Number(await client.getData(path)) + 1;
  await client.setData(path, String(sum));
}

againstAll((server) => {
  test("a kazoo process and this one share locks, an election, counters and queues", async () => {
    const client = await server.client();
    const root = "/shared-with-kazoo";
    for (const name of ["by-lock", "by-curator-lock", "by-election"]) {
      await client.create(`${root}/${name}`, "0", { parents: true });
    }
    const work = new WorkQueue(client, `${root}/work`);
    for (let i = 0; i < 2 * ROUNDS; i++) await work.put(String(i));
    const args = ["-B", join(import.meta.dirname, "kazoo-peer.py"), server.connectString, root, String(ROUNDS)];
    const peer = runProgram("/usr/bin/python3", args, { deadlineMs: 90_000 });
    const election = new LeaderElection(client, `${root}/election`, { layout: "kazoo" });
    const text = new Counter(client, `${root}/text`, { encoding: "text" });
    const int32 = new Counter(client, `${root}/int32`, { encoding: "int32" });
    const queue = new Queue(client, `${root}/queue`);
    for (let i = 0; i < ROUNDS; i++) {
      const lock = new Mutex(client, `${root}/lock`, { layout: "kazoo" });
      await withLock(lock, () => addUnguarded(client, `${root}/by-lock`));
      await withLock(new Mutex(client, `${root}/curator-lock`), () => addUnguarded(client, `${root}/by-curator-lock`));
      await election.lead(() => addUnguarded(client, `${root}/by-election`));
      await text.add(1n);
      await int32.add(1n);
      expect(String(await queue.take())).toBe("from kazoo");
      await (await work.take()).consume();
    }
    expect(await peer).toMatchObject({ ending: "exit code 0", stderr: "" });
    await client.sync(); // the last to write was the peer, maybe through a server that is ahead of this one's
    const sums = ["by-lock", "by-curator-lock", "by-election"].map((name) => client.getData(`${root}/${name}`));
    expect((await Promise.all(sums)).map(Number)).toEqual([2 * ROUNDS, 2 * ROUNDS, 2 * ROUNDS]);
    expect([await text.get(), await int32.get()]).toEqual([BigInt(2 * ROUNDS), BigInt(2 * ROUNDS)]);
    expect(await client.getChildren(`${root}/work/entries`)).toEqual([]);
  });
});
