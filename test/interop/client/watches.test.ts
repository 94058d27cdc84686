import { expect, test } from "vitest";
import type { WatchStream } from "../../../packages/client/dist/index.js";
import { MeddlingProxy } from "./meddling-proxy.js";
import { againstAll } from "./rigs.js";

/** Takes node events until there are so many, as "kind path". */
async function take(stream: WatchStream, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const { value, done } = await stream.next();
    if (done) break;
    if (value.kind !== "session" && value.kind !== "overflow") seen.push(`${value.kind} ${value.path}`);
  }
  return seen;
}

/** A server from before 3.6: it knows neither request and hangs up on whoever makes one. */
function withoutPersistentWatches(frame: Buffer) {
  const isHandshake = frame.length > 40 && frame.readInt32BE(4) === 0 && frame.readInt32BE(8) === 0;
  const opcode = frame.length < 12 || isHandshake ? 0 : frame.readInt32BE(8);
  if (opcode !== 105 && opcode !== 106) return "pass";
  const answer = Buffer.alloc(20);
  answer.writeInt32BE(16, 0);
  answer.writeInt32BE(frame.readInt32BE(4), 4);
  answer.writeBigInt64BE(-1n, 8);
  answer.writeInt32BE(-6, 16);
  return { answer, thenClose: true } as const;
}

againstAll((server) => {
  test("the one-shot watches are promises too", async () => {
    const client = await server.client();
    const writer = await server.client();
    const { stat, changed: created } = await client.watchExists("/one-shot");
    expect(stat).toBeNull();
    await writer.create("/one-shot", "1");
    expect(await created).toMatchObject({ kind: "created", path: "/one-shot" });
    const { data, changed } = await client.watchData("/one-shot");
    expect(data).toEqual(Buffer.from("1"));
    const { children, changed: grown } = await client.watchChildren("/one-shot");
    await writer.create("/one-shot/child");
    await writer.setData("/one-shot", "2");
    expect([children, (await grown).kind, (await changed).kind]).toEqual([[], "childrenChanged", "dataChanged"]);
    const controller = new AbortController();
    const { changed: unwanted } = await client.watchData("/one-shot", { signal: controller.signal });
    controller.abort();
    await expect(unwanted).rejects.toMatchObject({ code: "ABORTED" });
    const { changed: last } = await client.watchData("/one-shot");
    await client.close();
    await expect(last).rejects.toMatchObject({ code: "CLOSING" });
  });

  test("a stream tells of a node, of a subtree, and leaves nothing behind", async () => {
    const client = await server.client();
    const writer = await server.client();
    await writer.create("/streams");
    await client.sync();
    await using subtree = client.watch("/streams", { recursive: true });
    const node = client.watch("/streams");
    await Promise.all([subtree.ready, node.ready]);
    await writer.create("/streams/a");
    await writer.setData("/streams/a", "1");
    await writer.delete("/streams/a");
    expect(await take(subtree, 3)).toEqual(["created /streams/a", "dataChanged /streams/a", "deleted /streams/a"]);
    expect(await take(node, 1)).toEqual(["childrenChanged /streams"]);
    await node.close();
    await writer.create("/streams/b");
    expect(await take(subtree, 1)).toEqual(["created /streams/b"]);
  });

  test("leaving the loop takes the watch away from the server", async () => {
    const client = await server.client();
    const writer = await server.client();
    await writer.create("/left");
    await client.sync();
    const stream = client.watch("/left");
    await stream.ready;
    await writer.setData("/left", "1");
    for await (const event of stream) if (event.kind === "dataChanged") break;
    expect(await client.hasWatch("/left", "any")).toBe(false);
  });

  test("a one-shot watch on the path of a stream ends neither of them", async () => {
    const client = await server.client();
    const writer = await server.client();
    await writer.create("/shared", "0");
    await client.sync();
    await using stream = client.watch("/shared");
    await stream.ready;
    const first = await client.watchData("/shared");
    await writer.setData("/shared", "1");
    expect((await first.changed).kind).toBe("dataChanged");
    await writer.setData("/shared", "2");
    expect(await take(stream, 2)).toEqual(["dataChanged /shared", "dataChanged /shared"]);
    const second = await client.watchData("/shared");
    await stream.close();
    await writer.setData("/shared", "3");
    expect((await second.changed).kind).toBe("dataChanged");
  });

  test("on a server before 3.6 a stream lives on one-shot watches, over its lost connections", async () => {
    const proxy = await MeddlingProxy.to(server.port);
    proxy.meddle = withoutPersistentWatches;
    const client = await server.client({ port: proxy.port });
    const writer = await server.client();
    await writer.create("/old/a", "1", { parents: true });
    await client.sync();
    await using stream = client.watch("/old", { recursive: true });
    await stream.ready;
    await writer.setData("/old/a", "2");
    expect(await take(stream, 1)).toEqual(["dataChanged /old/a"]);
    await writer.create("/old/b/c", null, { parents: true });
    expect((await take(stream, 2)).sort()).toEqual(["created /old/b", "created /old/b/c"]);
    proxy.cut();
    await writer.setData("/old/b", "while away");
    await writer.delete("/old/a");
    expect((await take(stream, 2)).sort()).toEqual(["dataChanged /old/b", "deleted /old/a"]);
    await writer.deleteRecursive("/old");
    expect(await take(stream, 3)).toEqual(["deleted /old/b/c", "deleted /old/b", "deleted /old"]);
    await writer.create("/old");
    expect(await take(stream, 1)).toEqual(["created /old"]);
  });

  test("M13, M14: a stream hears of the lost connection, and of what follows the reconnect", async () => {
    const proxy = await MeddlingProxy.to(server.port);
    const client = await server.client({ port: proxy.port });
    const writer = await server.client();
    await writer.create("/again");
    await client.sync();
    await using stream = client.watch("/again");
    await stream.ready;
    const states: string[] = [];
    client.onState((state) => states.push(state));
    const { changed } = await client.watchExists("/again/other");
    const back = new Promise<void>((resolve) => {
      client.onState((state) => state === "connected" && resolve());
    });
    proxy.cut();
    await back;
    await client.sync(); // behind it the watches stand; a persistent one tells of nothing that came before
    await writer.create("/again/other");
    expect((await changed).kind).toBe("created");
    expect(await take(stream, 1)).toEqual(["childrenChanged /again"]);
    expect(states).toEqual(["suspended", "connected"]);
  });

  test("a client that renews its session has its watches and its promised ephemeral nodes again", async () => {
    const proxy = await MeddlingProxy.to(server.port);
    const client = await server.client({ port: proxy.port, whenLost: "renew" });
    const observer = await server.client();
    await client.create("/renewed", "first", { mode: "ephemeral", restore: true });
    await client.setData("/renewed", "last");
    await using stream = client.watch("/renewed");
    await stream.ready;
    const before = client.sessionId;
    await observer.sync();
    const { changed } = await observer.watchExists("/renewed");
    // Another client takes the session over and ends it, while the first cannot come and take it back.
    proxy.turnAway();
    const usurper = await server.client({ session: client.session });
    await usurper.close();
    expect((await changed).kind).toBe("deleted");
    proxy.letIn();
    // A server that is behind takes the watch before it hears of the old session's end, and tells of that too.
    const told = await take(stream, 1);
    if (told[0] === "deleted /renewed") told.push(...(await take(stream, 1)));
    expect(told.at(-1)).toBe("created /renewed");
    expect(client.sessionId).not.toBe(before);
    await observer.sync();
    const { data, stat } = await observer.getDataWithStat("/renewed");
    expect([String(data), stat.ephemeralOwner]).toEqual(["last", client.sessionId]);
  });
});
