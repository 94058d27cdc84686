import { type ByteWriter, operations } from "@watchkeeper/wire";
import { expect, test } from "vitest";
import { requests } from "../../src/operations/requests.js";
import { ServerList } from "../../src/session/server-list.js";
import { ScriptedSession, SESSION_ID, TIMEOUT_MS } from "./scripted-server.js";

const THREE = ["one", "two", "three"].map((host) => ({ host, port: 2181 }));

function states(session: ScriptedSession): string[] {
  return session
    .deliveries()
    .flatMap((one) => (one.kind === "event" && one.event.kind === "session" ? [one.event.state] : []));
}

const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);

function saslToken(session: ScriptedSession, xid: number, token: Uint8Array | null): void {
  session.reply(xid, 0n, (writer: ByteWriter) => operations.sasl.response.encode(writer, { token }));
}

test("presumed-lost comes when the timeout has passed since the last answered request was sent", () => {
  const session = new ScriptedSession();
  session.accept();
  session.tick(3000); // a ping leaves at 2000 ms or now; it is answered
  session.reply(-2, 0n);
  const confirmedMs = session.nowMs;
  session.tick(2900); // another leaves and is not
  session.closeSocket();
  states(session);
  expect(session.machine.aliveUntilMs).toBe(confirmedMs + TIMEOUT_MS);
  while (session.nowMs < confirmedMs + TIMEOUT_MS - 1) {
    session.tick(Math.min(100, confirmedMs + TIMEOUT_MS - 1 - session.nowMs));
    session.closeSocket("connection refused");
  }
  expect(session.machine.state).toBe("suspended");
  session.tick(1);
  expect(session.machine.state).toBe("presumed-lost");
  session.closeSocket("connection refused");
  session.tickToDeadline();
  session.accept();
  expect(states(session)).toEqual(["presumed-lost", "connected"]);
});

test("a repeated reply to a ping does not count as proof that the server has heard the client", () => {
  const session = new ScriptedSession();
  session.accept();
  const before = session.machine.aliveUntilMs;
  session.reply(-2, 0n);
  session.tick(1000);
  session.getData("/a").catch(() => undefined);
  expect(session.machine.aliveUntilMs).toBe(before);
});

test("a client that may is served by a read-only server, and goes to a full one when it hears of one", () => {
  const session = new ScriptedSession({ servers: THREE, readOnly: true });
  session.open();
  expect(session.handshake().readOnly).toBe(true);
  session.answerHandshake(TIMEOUT_MS, 5n, true);
  expect(session.machine.state).toBe("read-only");
  expect(session.machine.aliveUntilMs).toBe(Number.POSITIVE_INFINITY); // it keeps no session alive
  session.tick(100);
  const [first] = session.probed;
  expect(first).not.toBe(session.dialed[0]);
  session.machine.onProbed({ host: first!, port: 2181 }, false, session.nowMs);
  session.tick(200);
  const second = session.probed[1]!;
  expect(second).not.toBe(first);
  session.machine.onProbed({ host: second, port: 2181 }, true, session.nowMs);
  session.tick();
  expect(session.dialed.at(-1)).toBe(second);
  session.open();
  expect(session.handshake().sessionId).toBe(0n); // the id of a read-only server means nothing elsewhere
  session.answerHandshake();
  expect(states(session)).toEqual(["read-only", "suspended", "connected"]);
});

test("a read-only server cannot say that the session is lost", () => {
  const session = new ScriptedSession({ servers: THREE, readOnly: true });
  session.accept();
  session.closeSocket();
  session.tick(1000);
  session.open();
  session.answerHandshake(0, 0n, true);
  expect(session.machine.state).toBe("suspended");
  session.tick(1000);
  session.accept();
  expect(states(session)).toEqual(["connected", "suspended", "connected"]);
});

test("SASL comes before anything else, and what waited follows it", () => {
  const session = new ScriptedSession({ sasl: true });
  session.getData("/a").catch(() => undefined);
  session.accept();
  expect([session.machine.state, session.saslTurns]).toEqual(["connecting", [undefined]]);
  session.machine.onSaslToken(new Uint8Array(0), false);
  session.tick();
  expect(session.requests()).toMatchObject([{ xid: 1, name: "sasl" }]);
  saslToken(session, 1, text("challenge"));
  expect(session.saslTurns.at(-1)).toEqual(text("challenge"));
  session.machine.onSaslToken(text("response"), false);
  session.tick();
  saslToken(session, 2, text("rspauth"));
  session.machine.onSaslDone(session.nowMs);
  session.tick();
  expect(session.machine.state).toBe("connected");
  expect(session.requests().map(({ name }) => name)).toEqual(["sasl", "getData"]);
});

test.each([
  ["a server that is not set up for SASL", (session: ScriptedSession) => saslToken(session, 1, null)],
  ["a server that refuses the token", (session: ScriptedSession) => session.refuse(1, 0n, "AUTH_FAILED")],
  [
    "a mechanism that does not trust the server",
    (session: ScriptedSession) => session.machine.onSaslFailed("no proof"),
  ],
])("%s ends the client as auth-failed", (_, happens) => {
  const session = new ScriptedSession({ sasl: true });
  session.accept();
  session.machine.onSaslToken(new Uint8Array(0), false);
  session.tick();
  happens(session);
  session.tick();
  expect([session.machine.state, session.hangUps]).toEqual(["auth-failed", 1]);
});

test("a server that falls silent during SASL is left for the next one", () => {
  const session = new ScriptedSession({ sasl: true });
  session.accept();
  session.tick(TIMEOUT_MS);
  expect([session.machine.state, session.hangUps]).toEqual(["connecting", 1]);
});

test("a client that renews opens a new session after a loss, and takes its watches along as of what it saw", async () => {
  const session = new ScriptedSession({ renewsLost: true });
  session.accept();
  const seen: string[] = [];
  session
    .getData("/a", (event) => seen.push(event.kind === "session" ? event.state : event.kind))
    .catch(() => undefined);
  session.replyData(1, 5n, "x");
  session.deliver();
  session.closeSocket();
  const waiting = session.getData("/b");
  session.tickToDeadline();
  session.accept(0, 0n);
  session.deliver();
  await expect(waiting).rejects.toMatchObject({ code: "SESSION_EXPIRED" });
  session.tick();
  session.open();
  expect(session.handshake()).toMatchObject({ sessionId: 0n, lastZxidSeen: 5n });
  session.answerHandshake(TIMEOUT_MS, SESSION_ID + 1n);
  session.deliver();
  expect(session.requests()).toMatchObject([{ name: "setWatches", body: { relativeZxid: 5n, dataWatches: ["/a"] } }]);
  expect(seen).toEqual(["suspended", "lost", "connecting", "connected"]);
  expect(session.machine.identity.id).toBe(SESSION_ID + 1n);
});

test("a persistent watch that the server does not know is not taken to the next connection", async () => {
  const session = new ScriptedSession();
  session.accept();
  const listener = (): void => undefined;
  const adding = session.addWatch("/p", listener);
  session.refuse(1, -1n, "UNIMPLEMENTED");
  session.reconnect();
  session.deliver();
  await expect(adding).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  expect(session.requests()).toEqual([]);
});

test("a one-shot watch does not take the place of a persistent one: its own flag stays away, its event comes", async () => {
  const session = new ScriptedSession();
  session.accept();
  const seen: string[] = [];
  session.addWatch("/p", (event) => seen.push(`persistent ${event.kind}`)).catch(() => undefined);
  session.reply(1, 5n, (writer) => writer.int(0));
  session.getData("/p", (event) => seen.push(`one-shot ${event.kind}`)).catch(() => undefined);
  session.getData("/q", () => undefined).catch(() => undefined);
  expect(session.requests().map(({ body }) => body.watch)).toEqual([undefined, false, true]);
  session.replyData(2, 5n, "x");
  session.event(3, "/p");
  session.event(3, "/p");
  session.deliver();
  expect(seen.sort()).toEqual(["one-shot dataChanged", "persistent dataChanged", "persistent dataChanged"]);
});

test("the list of servers can change: who stays on the list stays connected, who does not moves", () => {
  const session = new ScriptedSession({ servers: THREE });
  session.accept();
  const present = session.dialed[0]!;
  const others = THREE.filter(({ host }) => host !== present);
  session.machine.updateServers(THREE, session.nowMs);
  session.tick();
  expect(session.machine.state).toBe("connected");
  session.machine.updateServers(others, session.nowMs);
  session.tick();
  expect(session.machine.state).toBe("suspended");
  session.tickToDeadline();
  expect(others.map(({ host }) => host)).toContain(session.dialed.at(-1));
});

test("when an ensemble of two grows to four, about half of the clients move, to the new servers", () => {
  const old = THREE.slice(0, 2);
  const grown = [...old, { host: "four", port: 2181 }, { host: "five", port: 2181 }];
  let draws = 0;
  const moved: string[] = [];
  for (let i = 0; i < 1000; i++) {
    const random = { below: (bound: number) => (draws++ * 7919 + i * 104_729) % bound };
    const list = new ServerList(old, random);
    if (list.replace(grown, old[i % 2])) moved.push(list.next().host);
  }
  expect(moved.length).toBeGreaterThan(400);
  expect(moved.length).toBeLessThan(600);
  expect(new Set(moved)).toEqual(new Set(["four", "five"]));
});

test("waiting calls of a session that ends are refused, whatever patience they were given", async () => {
  const session = new ScriptedSession();
  session.accept();
  session.closeSocket();
  const patient = session.call(requests.sync, { path: "/" }, undefined, "data", { whenSuspended: "wait" });
  session.machine.close(session.nowMs);
  session.tick();
  session.deliver();
  await expect(patient).rejects.toMatchObject({ code: "CLOSING", outcome: "not-applied" });
});
