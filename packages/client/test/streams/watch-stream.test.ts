import { expect, test } from "vitest";
import type { WatchEvent } from "../../src/session/index.js";
import { WatchStream } from "../../src/streams/watch-stream.js";

function streamOf(queueMax: number): { stream: WatchStream; tell: (event: WatchEvent) => void; closed: () => number } {
  let listener: (event: WatchEvent) => void = () => undefined;
  let closed = 0;
  const host = {
    open: async (told: (event: WatchEvent) => void) => {
      listener = told;
    },
    close: async () => {
      closed++;
    },
  };
  return { stream: new WatchStream(host, "/a", queueMax), tell: (event) => listener(event), closed: () => closed };
}

const change = (path: string): WatchEvent => ({ kind: "dataChanged", path, zxid: undefined });

test("events come in their order, whether they are waited for or waiting", async () => {
  const { stream, tell } = streamOf(10);
  const early = stream.next();
  tell(change("/a"));
  tell(change("/b"));
  expect([(await early).value, (await stream.next()).value]).toEqual([change("/a"), change("/b")]);
});

test("a full queue says how many events are missing, at the place where they are", async () => {
  const { stream, tell } = streamOf(2);
  for (const path of ["/1", "/2", "/3", "/4"]) tell(change(path));
  const seen = [await stream.next(), await stream.next()].map(({ value }) => value);
  tell(change("/5"));
  seen.push((await stream.next()).value, (await stream.next()).value);
  expect(seen).toEqual([change("/1"), change("/2"), { kind: "overflow", dropped: 2 }, change("/5")]);
});

test("leaving the loop takes the watch away", async () => {
  const { stream, tell, closed } = streamOf(10);
  tell(change("/a"));
  for await (const event of stream) if (event.kind === "dataChanged") break;
  expect(closed()).toBe(1);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test("closing twice closes once, and ends whoever waits", async () => {
  const { stream, closed } = streamOf(10);
  const waiting = stream.next();
  await stream.close();
  await stream.close();
  expect([closed(), (await waiting).done]).toEqual([1, true]);
});

test("a lost session ends the stream with its error, after its event", async () => {
  const { stream, tell } = streamOf(10);
  tell({ kind: "session", state: "lost" });
  expect((await stream.next()).value).toEqual({ kind: "session", state: "lost" });
  await expect(stream.next()).rejects.toMatchObject({ code: "SESSION_EXPIRED", path: "/a" });
  expect((await stream.next()).done).toBe(true);
});

test("a closed client ends the stream without an error", async () => {
  const { stream, tell } = streamOf(10);
  tell({ kind: "session", state: "closed" });
  await stream.next();
  expect((await stream.next()).done).toBe(true);
});

test("a watch that the server refuses rejects ready and the next step, once", async () => {
  const refusal = new Error("refused");
  const stream = new WatchStream({ open: () => Promise.reject(refusal), close: async () => undefined }, "/a", 10);
  await expect(stream.ready).rejects.toBe(refusal);
  await expect(stream.next()).rejects.toBe(refusal);
  expect((await stream.next()).done).toBe(true);
});
