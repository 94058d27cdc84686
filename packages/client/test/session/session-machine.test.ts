import { EVENT_TYPE, XID } from "@watchkeeper/wire";
import { expect, test } from "vitest";
import type { ZkError } from "../../src/errors.js";
import { requests } from "../../src/operations/requests.js";
import { goldenFrame } from "../golden-frames.js";
import { ScriptedSession, SESSION_ID, TIMEOUT_MS } from "./scripted-server.js";

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

test("a new session is asked for with id 0 and stands when the server answers", () => {
  const session = new ScriptedSession();
  session.open();
  expect(session.handshake()).toEqual({
    protocolVersion: 0,
    lastZxidSeen: 0n,
    timeOut: TIMEOUT_MS,
    sessionId: 0n,
    passwd: new Uint8Array(16),
    readOnly: false,
  });
  session.frame((writer) => writer.copy(goldenFrame("java-connect-new-session-connect-response"), 0, 37));
  expect(session.machine.state).toBe("connected");
  expect(session.machine.identity.id).toBe(72057686890840065n);
  expect(session.machine.timeoutMs).toBe(12_000);
});

test("nothing follows the ConnectRequest before it is answered; what waited is then sent in order", () => {
  const session = new ScriptedSession();
  session.getData("/a").catch(() => undefined);
  session.open();
  session.getData("/b").catch(() => undefined);
  session.handshake();
  expect(session.requests()).toEqual([]);
  session.frame((writer) => writer.copy(goldenFrame("java-connect-new-session-connect-response"), 0, 37));
  expect(session.requests().map(({ xid, body }) => [xid, body.path])).toEqual([
    [1, "/a"],
    [2, "/b"],
  ]);
});

test("replies are matched in the order of the requests, however the bytes are cut", async () => {
  const session = connected();
  const first = session.getData("/a");
  const second = session.getData("/b");
  const whole: number[] = [];
  const recorder = connected();
  recorder.bytes = (chunk) => void whole.push(...chunk);
  recorder.replyData(1, 5n, "A");
  recorder.replyData(2, 5n, "B");
  for (const byte of whole) session.bytes(Uint8Array.of(byte));
  session.deliver();
  expect([String(await first), String(await second)]).toEqual(["A", "B"]);
});

test("a reply to another request than the first in flight ends the connection", async () => {
  const session = connected();
  const call = session.getData("/a");
  session.replyData(2, 5n, "x");
  session.deliver();
  const error = await rejection(call);
  expect(error.code).toBe("CONNECTION_LOSS");
  expect(error.message).toContain("a reply to request 2 came, to 1 was expected");
  expect([session.machine.state, session.hangUps]).toEqual(["suspended", 1]);
});

test("a lost connection leaves the outcome of a write unknown, of a read not", async () => {
  const session = connected();
  const read = session.getData("/a");
  const write = session.call(requests.setData, { path: "/a", data: null, version: -1 });
  session.closeSocket("connection reset");
  session.deliver();
  expect((await rejection(read)).outcome).toBe("not-applied");
  const error = await rejection(write);
  expect([error.code, error.outcome, error.retryable]).toEqual(["CONNECTION_LOSS", "unknown", true]);
  expect(error.message).toContain("setData /a: ");
  expect(error.message).toContain("one:2181: connection reset");
});

test("a request that no server would take is refused without harm to the others", async () => {
  const session = connected({ requestBytesMax: 100 });
  const big = session.call(requests.setData, { path: "/a", data: new Uint8Array(200), version: -1 });
  session.getData("/b").catch(() => undefined);
  session.deliver();
  expect((await rejection(big)).code).toBe("BAD_ARGUMENTS");
  expect(session.requests().map(({ body }) => body.path)).toEqual(["/b"]);
});

test("a reply above the limit is told to the request it answers, which would meet it again", async () => {
  const session = connected({ replyBytesMax: 100 });
  const large = session.getData("/large");
  const other = session.getData("/other");
  session.replyData(1, 5n, "x".repeat(200));
  session.deliver();
  const error = await rejection(large);
  expect([error.code, error.retryable]).toEqual(["MARSHALLING_ERROR", false]);
  expect(error.message).toContain("100 allowed");
  expect((await rejection(other)).code).toBe("CONNECTION_LOSS");
});

test("xids wrap from the largest to 1", () => {
  const session = connected();
  Object.assign((session.machine as unknown as { exchange: object }).exchange, { lastXid: 0x7ffffffe });
  for (const path of ["/a", "/b"]) session.getData(path).catch(() => undefined);
  expect(session.requests().map(({ xid }) => xid)).toEqual([0x7fffffff, 1]);
});

test("only replies to ordinary requests move lastZxidSeen", () => {
  const session = connected();
  session.getData("/a", () => undefined).catch(() => undefined);
  session.replyData(1, 0x1_0000_0005n, "x");
  session.event(EVENT_TYPE.nodeDataChanged, "/a", 0x1_0000_0009n);
  session.reply(XID.ping, 0x1_0000_0009n);
  session.closeSocket();
  session.tickToDeadline();
  session.open();
  expect(session.handshake()).toMatchObject({ lastZxidSeen: 0x1_0000_0005n, sessionId: SESSION_ID });
});

test("an idle connection is pinged after a third of the timeout less a second", () => {
  const session = connected();
  expect(session.tickToDeadline()).toBe(TIMEOUT_MS / 3 - 1000);
  expect(session.requests()).toEqual([{ xid: XID.ping, name: "ping", body: {} }]);
});

test("a request puts the next ping off", () => {
  const session = connected();
  session.tick(1500);
  session.getData("/a").catch(() => undefined);
  session.requests();
  expect(session.tickToDeadline()).toBe(TIMEOUT_MS / 3 - 1000);
});

test("a server that is silent for two thirds of the timeout is left for another", () => {
  const session = connected({
    servers: [
      { host: "one", port: 2181 },
      { host: "two", port: 2181 },
    ],
  });
  for (let ms = 0; ms < (TIMEOUT_MS * 2) / 3; ms += 1000) session.tick(1000);
  expect(session.machine.state).toBe("suspended");
  session.tickToDeadline();
  expect(new Set(session.dialed)).toEqual(new Set(["one", "two"]));
});

test("a server that tells of events and answers nothing is left too: it does not hear the client, and will end the session", () => {
  const session = connected();
  for (let ms = 0; ms < (TIMEOUT_MS * 2) / 3; ms += 1000) {
    session.event(EVENT_TYPE.nodeDataChanged, "/a");
    session.tick(1000);
  }
  expect(session.machine.state).toBe("suspended");
});

test("a long answer that comes in pieces is waited for", () => {
  const session = connected();
  session.getData("/long").catch(() => undefined);
  session.bytes(Uint8Array.of(0, 0, 1, 0));
  for (let ms = 0; ms < 2 * TIMEOUT_MS; ms += 1000) {
    session.bytes(new Uint8Array(1));
    session.tick(1000);
  }
  expect(session.machine.state).toBe("connected");
});

test("a tick that comes too late, for a blocked program, lets unread input speak first", () => {
  const session = connected();
  session.tick(TIMEOUT_MS);
  expect(session.machine.state).toBe("connected");
  session.reply(XID.ping, 0n);
  session.tick(1000);
  expect(session.machine.state).toBe("connected");
});

test("a late tick puts the end off once, not for ever", () => {
  const session = connected();
  session.tick(TIMEOUT_MS);
  session.tick(300);
  expect(session.machine.state).toBe("presumed-lost");
});

test("a handshake that is not answered in its share of the timeout gives way to the next server", () => {
  const servers = ["one", "two", "three"].map((host) => ({ host, port: 2181 }));
  const session = new ScriptedSession({ servers });
  session.open();
  expect(session.tickToDeadline()).toBe(TIMEOUT_MS / 3);
  session.tickToDeadline();
  expect([session.dialed.length, session.hangUps, session.machine.state]).toEqual([2, 1, "connecting"]);
});

test("a waiting request fails when all servers were tried in vain, not at the first", async () => {
  const servers = ["one", "two"].map((host) => ({ host, port: 2181 }));
  const session = connected({ servers });
  session.closeSocket();
  const call = session.getData("/a");
  session.tickToDeadline();
  session.closeSocket("connection refused");
  expect(session.deliveries().filter(({ kind }) => kind === "call")).toEqual([]);
  session.tickToDeadline();
  session.closeSocket("connection refused");
  session.deliver();
  const error = await rejection(call);
  expect([error.code, error.outcome]).toEqual(["CONNECTION_LOSS", "not-applied"]);
});

test("servers that accept and say nothing do not use up a session that another would keep", () => {
  const session = connected({ servers: ["one", "two", "three"].map((host) => ({ host, port: 2181 })) });
  const { aliveUntilMs } = session.machine;
  session.deliveries();
  while (session.machine.state === "connected") session.tickToDeadline(); // silence
  for (const last = session.dialed.length + 3; session.dialed.length < last; ) {
    const before = session.dialed.length;
    session.tickToDeadline();
    if (session.dialed.length > before) session.open();
  }
  expect(session.nowMs).toBeLessThan(aliveUntilMs);
  session.handshake();
  session.answerHandshake();
  expect(session.machine.state).toBe("connected");
});

test("pauses between attempts are random and grow to their bound while every server fails", () => {
  const session = new ScriptedSession({ random: { below: (bound) => bound - 1 }, reconnectDelayMsMax: 1000 });
  const pauses: number[] = [];
  for (let i = 0; i < 6; i++) {
    session.closeSocket("connection refused");
    pauses.push(session.tickToDeadline());
  }
  expect(pauses).toEqual([199, 399, 799, 999, 999, 999]);
});

test("a session that the server no longer knows is lost for good", async () => {
  const session = connected();
  session.closeSocket();
  session.tickToDeadline();
  const waiting = session.getData("/a");
  session.accept(0, 0n);
  session.deliver();
  expect(session.machine.state).toBe("lost");
  expect((await rejection(waiting)).code).toBe("SESSION_EXPIRED");
  const later = session.getData("/a");
  session.deliver();
  expect((await rejection(later)).code).toBe("SESSION_EXPIRED");
  expect(session.machine.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
});

test("credentials are sent again on every connection, before watches and requests", async () => {
  const session = connected();
  const accepted = session.addCredential("digest");
  session.reply(XID.auth, 0n);
  session.getData("/a", () => undefined).catch(() => undefined);
  session.replyData(2 - 1, 5n, "x");
  session.deliver();
  await accepted;
  session.closeSocket();
  session.getData("/b").catch(() => undefined);
  session.tickToDeadline();
  session.accept();
  expect(session.requests().map(({ name }) => name)).toEqual(["auth", "setWatches", "getData"]);
});

test("a refused credential ends the client", async () => {
  const session = connected();
  const refused = session.addCredential("digest");
  const pending = session.getData("/a");
  session.refuse(XID.auth, 0n, "AUTH_FAILED");
  session.deliver();
  expect((await rejection(refused)).code).toBe("AUTH_FAILED");
  expect((await rejection(pending)).code).toBe("CONNECTION_LOSS");
  expect([session.machine.state, session.hangUps]).toEqual(["auth-failed", 1]);
});

test("close lets earlier requests be answered, and later ones not be made", async () => {
  const session = connected();
  const before = session.getData("/a");
  session.machine.close(session.nowMs);
  const after = session.getData("/b");
  expect(session.requests().map(({ name }) => name)).toEqual(["getData", "closeSession"]);
  session.replyData(1, 5n, "A");
  session.reply(2, 6n);
  session.deliver();
  expect(String(await before)).toBe("A");
  expect((await rejection(after)).code).toBe("CLOSING");
  expect([session.machine.state, session.hangUps]).toEqual(["closed", 1]);
});

test("close does not wait for ever for a server that says nothing", () => {
  const session = connected();
  session.machine.close(session.nowMs);
  session.tick(0);
  session.tick(2000);
  expect(session.machine.state).toBe("closed");
});

test("a short handshake frame is a failed attempt", () => {
  const session = new ScriptedSession();
  session.open();
  session.reply(0, 0n);
  expect([session.machine.state, session.hangUps]).toEqual(["connecting", 1]);
});

test("garbage instead of a frame is a lost connection, not a crash", () => {
  const session = connected();
  session.bytes(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
  expect(session.machine.state).toBe("suspended");
});
