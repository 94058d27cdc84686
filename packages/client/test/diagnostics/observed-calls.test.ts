import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import type { CallTracer } from "../../src/diagnostics/call-observer.js";
import { goldenFrame } from "../golden-frames.js";
import { type WiredClient, wiredClient } from "../wired-client.js";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function wired(given: Parameters<typeof wiredClient>[0] = {}): Promise<WiredClient> {
  const open = await wiredClient(given);
  onTestFinished(async () => {
    const closed = open.client.close();
    for (let xid = 1; xid < 5; xid++) open.receive(reply(xid));
    await closed;
  });
  return open;
}

function reply(xid: number, err = 0): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32BE(xid);
  bytes.writeInt32BE(err, 12);
  return bytes;
}

function collect(name: string): unknown[] {
  const messages: unknown[] = [];
  const onMessage = (message: unknown): void => {
    messages.push({ ...(message as object) });
  };
  subscribe(name, onMessage);
  onTestFinished(() => {
    unsubscribe(name, onMessage);
  });
  return messages;
}

test("a subscriber is told of each call's beginning and end, with its time and its error", async () => {
  const started = collect("watchkeeper:client:call:start");
  const ended = collect("watchkeeper:client:call:end");
  const { client, receive } = await wired();
  const good = client.sync("/a");
  const bad = client.delete("/b");
  await turn();
  expect(started).toMatchObject([
    { operation: "sync", path: "/a", sessionId: 72057686890840065n },
    { operation: "delete", path: "/b" },
  ]);
  receive(reply(1));
  receive(reply(2, -101));
  await good;
  await expect(bad).rejects.toMatchObject({ code: "NO_NODE" });
  expect(ended).toMatchObject([
    { operation: "sync", error: undefined, durationMs: expect.any(Number) },
    { operation: "delete", error: { code: "NO_NODE" } },
  ]);
});

test("a subscriber is told of the session's states, and of the server", async () => {
  const states = collect("watchkeeper:client:state");
  const { client, receive } = await wired();
  await turn();
  client.close();
  receive(reply(1));
  await client.close();
  expect(states).toMatchObject([{ state: "connected", server: "one:2181" }, { state: "closed" }]);
});

test("with a tracer every call is a span, a failed one with its code and its outcome", async () => {
  const spans: Record<string, unknown>[] = [];
  const tracer: CallTracer = {
    startSpan(name, options) {
      const span: Record<string, unknown> = { name, ...options, ended: false };
      spans.push(span);
      return {
        setAttribute: (key, value) => (span[key] = value),
        setStatus: (status) => (span["status"] = status),
        end: () => {
          span["ended"] = true;
        },
      };
    },
  };
  const { client, receive } = await wired({ tracer });
  const bad = client.setData("/a", "x");
  await turn();
  receive(reply(1, -103));
  await expect(bad).rejects.toMatchObject({ code: "BAD_VERSION" });
  expect(spans).toMatchObject([
    {
      name: "zookeeper setData",
      kind: 2,
      attributes: { "db.system.name": "zookeeper", "db.operation.name": "setData", "zookeeper.path": "/a" },
      "error.type": "BAD_VERSION",
      "zookeeper.outcome": "not-applied",
      status: { code: 2 },
      ended: true,
    },
  ]);
});

test("what is refused for the moment is tried again as the policy has it, within the deadline", async () => {
  const retry = { attemptsMax: 3, delayMs: 1 };
  const { client, receive, writes } = await wired({ retry });
  const reading = client.getData("/java/p");
  for (let attempt = 1; attempt <= 3; attempt++) {
    while (writes.length < attempt) await turn();
    if (attempt < 3) receive(reply(attempt, -127));
  }
  const answer = goldenFrame("java-get-data-found-reply").slice();
  new DataView(answer.buffer).setInt32(0, 3);
  receive(answer);
  expect(await reading).toEqual(Buffer.from("hi"));
  expect(client.counters).toMatchObject({ calls: 3, callsFailed: 2 });
});
