import { expect, test } from "vitest";
import type { ZkError } from "../../src/errors.js";
import { type CallLimits, ClientCall, NO_LIMITS } from "../../src/operations/client-call.js";
import { requests } from "../../src/operations/requests.js";
import { ScriptedSession } from "./scripted-server.js";

function connected(options = {}): ScriptedSession {
  const session = new ScriptedSession(options);
  session.accept();
  session.deliveries();
  return session;
}

const rejection = (promise: Promise<unknown>): Promise<ZkError> =>
  promise.then(
    () => expect.fail("it should have been rejected"),
    (error: ZkError) => error,
  );

const write = (session: ScriptedSession, limits: Partial<CallLimits>): Promise<unknown> =>
  session.call(requests.setData, { path: "/a", data: null, version: -1 }, undefined, "data", limits);
const read = (session: ScriptedSession, limits: Partial<CallLimits>): Promise<unknown> =>
  session.call(requests.getDataOnly, { path: "/a", watch: false }, undefined, "data", limits);

test("a call fails at its deadline, which says how long and for whom it waited, and what is known of it", async () => {
  const session = connected();
  const writing = write(session, { timeoutMs: 500 });
  const reading = read(session, { timeoutMs: 500 });
  session.tick(500);
  expect(session.deliveries()).toEqual([]);
  session.tick(8);
  session.deliver();
  const [lateWrite, lateRead] = [await rejection(writing), await rejection(reading)];
  expect([lateWrite.code, lateWrite.outcome, lateRead.outcome]).toEqual(["REQUEST_TIMEOUT", "unknown", "not-applied"]);
  expect(lateWrite.message).toBe("setData /a: no answer came in time (500 ms, waiting for one:2181)");
});

test("the reply to a call that is over is matched with it, and goes to nobody", async () => {
  const session = connected();
  const events: string[] = [];
  const late = session.call(
    requests.getDataOnly,
    { path: "/a", watch: true },
    ({ kind }) => events.push(kind),
    "data",
    { timeoutMs: 100 },
  );
  const next = read(session, {});
  session.tick(120);
  session.deliver();
  expect((await rejection(late)).code).toBe("REQUEST_TIMEOUT");
  session.replyData(1, 5n, "late");
  session.replyData(2, 5n, "next");
  session.event(3, "/a");
  session.deliver();
  expect(String(await next)).toBe("next");
  expect(events).toEqual([]);
  expect(session.machine.state).toBe("connected");
});

test("a call that is given up fails at once, and its place in the order stays", async () => {
  const session = connected();
  let given!: ClientCall<unknown, unknown>;
  const late = new Promise((resolve, reject) => {
    const args = { path: "/a", data: null, version: -1 };
    given = new ClientCall(
      requests.setData,
      args,
      session.machine.chroot,
      resolve,
      reject,
      { path: "/a" },
      NO_LIMITS,
    ) as never;
  });
  session.machine.submit(given, session.nowMs);
  const next = read(session, {});
  session.machine.cancel(given);
  session.tick();
  session.deliver();
  expect(await rejection(late)).toMatchObject({ code: "ABORTED", outcome: "unknown" });
  session.replyData(1, 5n, "the server has done it all the same");
  session.replyData(2, 5n, "next");
  session.deliver();
  expect(String(await next)).toBe("next");
});

test("without a connection a call fails at once, waits for a round of the servers, or waits on, as it was told", async () => {
  const session = connected();
  session.closeSocket();
  session.deliveries();
  const failing = write(session, { whenSuspended: "fail" });
  const trying = write(session, { whenSuspended: "try-all" });
  const waiting = write(session, { whenSuspended: "wait" });
  session.deliver();
  expect(await rejection(failing)).toMatchObject({ code: "CONNECTION_LOSS", outcome: "not-applied" });
  session.tickToDeadline();
  session.closeSocket("connection refused");
  session.deliver();
  expect(await rejection(trying)).toMatchObject({ code: "CONNECTION_LOSS", outcome: "not-applied" });
  session.tickToDeadline();
  session.accept();
  expect(session.requests().map(({ name }) => name)).toEqual(["setData"]);
  session.reply(1, 6n, (writer) => writer.copy(new Uint8Array(68), 0, 68));
  session.deliver();
  await waiting;
});

test("a call that waits for a connection keeps its deadline, and is not sent afterwards", async () => {
  const session = connected();
  session.closeSocket();
  const waiting = write(session, { whenSuspended: "wait", timeoutMs: 40 });
  session.tick(50);
  session.deliver();
  const error = await rejection(waiting);
  expect([error.code, error.outcome]).toEqual(["REQUEST_TIMEOUT", "not-applied"]);
  expect(error.message).toContain("waiting for a connection");
  session.accept();
  expect(session.requests()).toEqual([]);
});

test("many deadlines are met in their order, and those of answered calls are forgotten", async () => {
  const session = connected();
  const order: number[] = [];
  for (const timeoutMs of [300, 100, 200, 100, 400]) {
    read(session, { timeoutMs }).catch(() => order.push(timeoutMs));
  }
  read(session, { timeoutMs: 50 }).catch(() => order.push(50));
  session.replyData(1, 5n, "in time");
  for (let ms = 0; ms < 450; ms += 10) session.tick(10);
  session.deliver();
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([50, 100, 100, 200, 400]);
  expect(session.machine.counters.callsTimedOut).toBe(5);
  expect(session.machine.nextDeadlineMs).toBeGreaterThan(session.nowMs);
});
