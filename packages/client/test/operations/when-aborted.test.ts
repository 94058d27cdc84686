import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { serve } from "../../../server/test/support/server-under-test.js";
import { whenAborted } from "../../src/operations/when-aborted.js";

test("one signal may be given to any number of calls at once: it has one listener, and none when they have ended", async () => {
  const client = await (await serve()).client();
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = (): number => getEventListeners(signal, "abort").length;
  const calls = Array.from({ length: 30 }, () => client.exists("/", { signal }));
  const streams = Array.from({ length: 30 }, () => client.watch("/", { signal }));
  const shots = await Promise.all(streams.map(() => client.watchExists("/n", { signal })));
  expect(listeners()).toBe(1);
  await Promise.all([...calls, ...streams.map((stream) => stream.close())]);
  expect(listeners()).toBe(1);
  await client.create("/n");
  await Promise.all(shots.map(({ changed }) => changed));
  expect(listeners()).toBe(0);

  const ended = Array.from({ length: 30 }, () => client.exists("/", { signal }));
  controller.abort();
  const ends = await Promise.allSettled(ended);
  expect(new Set(ends.map((end) => end.status === "rejected" && end.reason.code))).toEqual(new Set(["ABORTED"]));
  await expect(client.watch("/", { signal }).next()).rejects.toMatchObject({ code: "ABORTED" });
  expect(listeners()).toBe(0);
});

test("what is to be done at an abort is done once, in order, at once where it is over, and not when taken back", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const trace: string[] = [];
  const first = whenAborted(signal, () => trace.push("first"));
  const taken = whenAborted(signal, () => trace.push("taken back"));
  whenAborted(signal, () => {
    trace.push("second");
    first();
  });
  taken();
  taken();
  controller.abort();
  whenAborted(signal, () => trace.push("late"));
  whenAborted(undefined, () => trace.push("never"))();
  expect([trace, getEventListeners(signal, "abort")]).toEqual([["first", "second", "late"], []]);
});
