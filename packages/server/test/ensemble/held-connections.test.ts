import { createRequest, existsRequest } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { addWatch, bytes, create, createBody, read, setData } from "../replica/requests.js";
import type { EnsembleClient } from "./ensemble-client.js";
import { EnsembleWorld } from "./ensemble-world.js";

/** Counts how often a client is disconnected. */
function disconnections(client: EnsembleClient): { count: number } {
  const seen = { count: 0 };
  client.onClosed = () => {
    seen.count += 1;
  };
  return seen;
}

describe("through an election", () => {
  test("M14: who waits for nothing stays connected, to a server that follows anew and to one that leads now, and its watches miss nothing", async () => {
    const world = await EnsembleWorld.formed();
    const clients: EnsembleClient[] = [];
    for (const server of world.learners) clients.push(await world.clientOf(server));
    await create(clients[0]!, "/watched");
    await world.untilAllServe();
    for (const client of clients) {
      await addWatch(client, "/watched", 1);
      await read(client, "getData", "/watched", true);
    }
    const lost = clients.map(disconnections);
    world.leader.crash();
    const leader = await world.untilLeading();
    await world.untilAllServe();
    const writer = await world.clientOf(leader);
    await setData(writer, "/watched", bytes("by the next leader"));
    await create(writer, "/watched/child");
    await world.until(() => clients.every(({ frames }) => frames.length >= 2), "the events");

    expect(lost).toEqual([{ count: 0 }, { count: 0 }]);
    for (const client of clients)
      expect(client.events()).toMatchObject([
        { type: 3, path: "/watched" },
        { type: 1, path: "/watched/child" },
      ]);
  });

  test("W8: what is asked meanwhile waits, and is answered in its order by way of the new leader", async () => {
    const world = await EnsembleWorld.formed();
    const [follower] = world.learners;
    const client = await world.clientOf(follower!);
    const lost = disconnections(client);
    world.leader.crash();
    await world.until(() => !follower!.isServing, "the election");
    const asked = [
      client.send("create", createRequest, createBody("/asked", { flags: 1 })),
      client.send("create", createRequest, createBody("/asked/below")),
      client.send("exists", existsRequest, { path: "/", watch: false }),
    ];
    await world.untilAllServe();
    await world.until(() => client.frames.length === asked.length, "the answers");

    expect(client.frames.map(({ xid, err }) => [xid, err])).toEqual([
      [asked[0], 0],
      [asked[1], -108],
      [asked[2], 0],
    ]);
    expect(lost.count).toBe(0);
    expect((await create(client, "/after")).err).toBe(0);
  });

  test("a follower that loses its leader for a moment and follows it again has its clients' sessions still: none has moved", async () => {
    const world = await EnsembleWorld.formed();
    const { leader } = world;
    const [follower] = world.learners;
    const client = await world.clientOf(follower!);
    await create(client, "/before");
    const lost = disconnections(client);
    world.cut(leader, follower!, "refused");
    await world.until(() => !follower!.isServing, "the follower noticing");
    world.mend();
    await world.until(() => follower!.isServing, "the follower being back");
    expect(leader.isLeading).toBe(true);
    expect((await create(client, "/after")).err).toBe(0);
    expect(lost.count).toBe(0);
  });

  test("its session has its full time, and no longer, at the new leader", async () => {
    const world = await EnsembleWorld.formed();
    const client = await world.clientOf(world.learners[0]!, 4000);
    await create(client, "/ephemeral", { flags: 1 });
    await world.pass(3000);
    world.leader.crash();
    await world.untilLeading();
    await world.pass(3000);
    expect(world.leader.replica.sessions.count).toBe(1);
    await world.pass(3000);
    expect([world.leader.replica.sessions.count, client.isConnected]).toEqual([0, false]);
  });

  test("who has a write under way is disconnected: whether it happened is not known here", async () => {
    const world = await EnsembleWorld.formed();
    const [follower] = world.learners;
    const writer = await world.clientOf(follower!);
    const bystander = await world.clientOf(follower!);
    const lost = [disconnections(writer), disconnections(bystander)];
    world.isolate(world.leader);
    writer.send("create", createRequest, createBody("/in-doubt"));
    await world.until(() => !follower!.isServing, "the election");
    expect(lost).toEqual([{ count: 1 }, { count: 0 }]);
  });

  test("a leader that was cut off lets its clients go when no role comes in time, so that they find the others", async () => {
    const world = await EnsembleWorld.formed();
    const { leader } = world;
    const client = await world.clientOf(leader);
    world.isolate(leader, "refused");
    await world.until(() => !leader.isServing, "the leader resigning");
    expect(client.isConnected).toBe(true);
    await world.pass(world.options.tickTimeMs);
    expect(client.isConnected).toBe(false);
  });

  test("where the next history comes as a snapshot everybody must go: nobody knows what their watches have missed", async () => {
    const world = await EnsembleWorld.formed({ server: { alwaysSendsSnapshot: true } });
    const clients: EnsembleClient[] = [];
    for (const server of world.learners) clients.push(await world.clientOf(server));
    world.leader.crash();
    const leader = await world.untilLeading();
    await world.untilAllServe();
    expect(clients.map(({ isConnected }) => isConnected)).toEqual(
      world.servers.filter(({ isRunning }) => isRunning).map((server) => server === leader),
    );
  });

  test("a session that was closed elsewhere meanwhile is over here too", async () => {
    const world = await EnsembleWorld.formed();
    const [one, other] = world.learners;
    const client = await world.clientOf(one!);
    const moved = world.client();
    Object.assign(moved, { sessionId: client.sessionId, password: client.password });
    world.leader.crash();
    await world.untilLeading();
    await world.untilAllServe();
    expect(client.isConnected).toBe(true);
    await moved.open(other!);
    await moved.call("closeSession");
    await world.until(() => !client.isConnected, "the end of the session at its old server");
  });
});
