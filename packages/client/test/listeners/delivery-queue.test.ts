import { expect, test } from "vitest";
import { DeliveryQueue, nodeTurn } from "../../src/listeners/delivery-queue.js";
import type { Delivery, WatchEvent, WatchListener } from "../../src/session/index.js";

/** A turn that the test takes by hand: nothing runs by itself. */
function handTurned(): { queue: DeliveryQueue; run: () => Promise<void>; errors: unknown[] } {
  const due: (() => void)[] = [];
  const errors: unknown[] = [];
  const states = new Set<WatchListener>();
  const later = (run: () => void): void => void due.push(run);
  const queue = new DeliveryQueue(later, states, (error) => errors.push(error));
  const run = async (): Promise<void> => {
    for (let next = due.shift(); next !== undefined; next = due.shift()) {
      await new Promise((resolve) => setImmediate(resolve)); // all continuations have run
      next();
    }
  };
  return { queue, run, errors };
}

const changed: WatchEvent = { kind: "dataChanged", path: "/a", zxid: undefined };

function event(...listeners: WatchListener[]): Delivery {
  return { kind: "event", event: changed, listeners: new Set(listeners) };
}

function completion(settle: () => void): Delivery {
  return { kind: "call", settle } as unknown as Delivery;
}

test("M1: handing events over calls no listener: the connection half goes on first", async () => {
  const { queue, run } = handTurned();
  const seen: string[] = [];
  queue.push([event(() => seen.push("told"))]);
  expect(seen).toEqual([]);
  await run();
  expect(seen).toEqual(["told"]);
});

test("M1: a listener that throws is reported and delays no other", async () => {
  const { queue, run, errors } = handTurned();
  const seen: string[] = [];
  const broken = (): void => {
    throw new Error("broken");
  };
  queue.push([event(broken, () => seen.push("next")), completion(() => seen.push("settled"))]);
  await run();
  expect(seen).toEqual(["next", "settled"]);
  expect(errors).toEqual([new Error("broken")]);
});

test("M1: a listener that waits for ever delays no other, and one that rejects is reported", async () => {
  const { queue, run, errors } = handTurned();
  const seen: string[] = [];
  queue.push([
    event(() => new Promise(() => undefined)),
    event(async () => {
      throw new Error("late");
    }),
    event(() => seen.push("told")),
  ]);
  await run();
  expect(seen).toEqual(["told"]);
  expect(errors).toEqual([new Error("late")]);
});

test("M7: who awaits an earlier reply goes on before a later event, and a listener before a later reply", async () => {
  const { queue, run } = handTurned();
  const seen: string[] = [];
  let answer: (text: string) => void = () => undefined;
  const reply = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const caller = (async () => {
    const text = await (async () => await reply)(); // several turns of the promise queue away
    seen.push(text);
  })();
  queue.push([
    completion(() => answer("first")),
    event(() => seen.push("event")),
    completion(() => seen.push("later")),
  ]);
  await run();
  await caller;
  expect(seen).toEqual(["first", "event", "later"]);
});

test.each([
  ["a tick of Node's", (push: () => void) => process.nextTick(push)],
  ["an input of Node's", (push: () => void) => setImmediate(push)],
  ["a continuation", (push: () => void) => queueMicrotask(push)],
])("M7: the same order in Node's own turns, handed over from %s", async (_, handOver) => {
  const seen: string[] = [];
  const queue = new DeliveryQueue(nodeTurn, new Set(), () => undefined);
  const awaiting = async (name: string, reply: Promise<void>): Promise<void> => {
    await (async () => await reply)();
    seen.push(name);
  };
  const replies = [0, 1].map(() => {
    let settle: () => void = () => undefined;
    return { reply: new Promise<void>((resolve) => (settle = resolve)), settle: () => settle() };
  });
  const callers = replies.map(({ reply }, i) => awaiting(`caller ${i}`, reply));
  const told = new Promise<void>((resolve) => {
    const listener = (): void => {
      seen.push("listener");
      resolve();
    };
    const [first, second] = replies;
    handOver(() => queue.push([completion(first!.settle), event(listener), completion(second!.settle)]));
  });
  callers.push(awaiting("who awaits the listener", told));
  await Promise.all(callers);
  expect(seen).toEqual(["caller 0", "listener", "who awaits the listener", "caller 1"]);
});

test("M1: a handler that throws when it is told of a listener's error stops nobody", async () => {
  const thrown: unknown[] = [];
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", (reason) => thrown.push(reason));
  try {
    const queue = new DeliveryQueue(nodeTurn, new Set(), () => {
      throw new Error("the handler");
    });
    const failing = (): void => {
      throw new Error("the listener");
    };
    const answered = new Promise<void>((resolve) => {
      queue.push([event(failing), completion(resolve)]);
    });
    await answered;
    await new Promise((resolve) => setImmediate(resolve));
    expect(thrown).toEqual([new Error("the handler")]);
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) process.on("unhandledRejection", listener);
  }
});
