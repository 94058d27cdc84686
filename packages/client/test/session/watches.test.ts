import { EVENT_TYPE, operations } from "@watchkeeper/wire";
import { expect, test } from "vitest";
import { requests } from "../../src/operations/requests.js";
import type { WatchEvent } from "../../src/session/index.js";
import { NO_STAT, ScriptedSession } from "./scripted-server.js";

function connected(options = {}): ScriptedSession {
  const session = new ScriptedSession(options);
  session.accept();
  session.deliveries();
  return session;
}

/** Reads "/a" with a watch that notes its events. */
function watching(session: ScriptedSession, path = "/a"): string[] {
  const seen: string[] = [];
  session.getData(path, noting(seen)).catch(() => undefined);
  session.replyData(session.requests()[0]!.xid, 5n, "x");
  session.deliver();
  return seen;
}

function noting(seen: string[]): (event: WatchEvent) => void {
  return (event) => void seen.push(event.kind === "session" ? event.state : `${event.kind} ${event.path}`);
}

test("M2: a watch goes out with the read itself", () => {
  const session = connected();
  session.getData("/a", () => undefined).catch(() => undefined);
  session.getData("/a").catch(() => undefined);
  expect(session.requests().map(({ body }) => body.watch)).toEqual([true, false]);
});

test("M5: a classic watch is told of one change and of none after it", () => {
  const session = connected();
  const seen = watching(session);
  session.event(EVENT_TYPE.nodeDataChanged, "/a");
  session.event(EVENT_TYPE.nodeDataChanged, "/a");
  session.deliver();
  expect(seen).toEqual(["dataChanged /a"]);
});

test("M5: registering again in the handler makes it permanent", () => {
  const session = connected();
  const seen: string[] = [];
  const read = (): void => {
    session
      .getData("/a", (event) => {
        noting(seen)(event);
        read();
      })
      .catch(() => undefined);
    session.replyData(session.requests()[0]!.xid, 5n, "x");
  };
  read();
  for (let i = 0; i < 3; i++) {
    session.event(EVENT_TYPE.nodeDataChanged, "/a");
    session.deliver();
  }
  expect(seen).toEqual(Array(3).fill("dataChanged /a"));
});

test("M7: an event is delivered before the reply that came after it, and after the one before it", () => {
  const session = connected();
  session.getData("/a", () => undefined).catch(() => undefined);
  session.getData("/a").catch(() => undefined);
  session.replyData(1, 5n, "old");
  session.event(EVENT_TYPE.nodeDataChanged, "/a");
  session.replyData(2, 6n, "new");
  expect(session.deliveries().map(({ kind }) => kind)).toEqual(["call", "event", "call"]);
});

test("a read that fails leaves no watch; exists of an absent node leaves one for its creation", async () => {
  const session = connected();
  const seen: string[] = [];
  const read = session.getData("/a", noting(seen));
  session.refuse(1, 5n, "NO_NODE");
  const exists = session.call(requests.exists, { path: "/b", watch: true }, noting(seen));
  session.refuse(2, 5n, "NO_NODE");
  session.deliver();
  await expect(read).rejects.toMatchObject({ code: "NO_NODE" });
  expect(await exists).toBeNull();
  session.event(EVENT_TYPE.nodeCreated, "/a");
  session.event(EVENT_TYPE.nodeCreated, "/b");
  session.deliver();
  expect(seen).toEqual(["created /b"]);
});

test("a deletion reaches data and child watches, each listener once", () => {
  const session = connected();
  const seen: string[] = [];
  const listener = noting(seen);
  session.getData("/a", listener).catch(() => undefined);
  session.replyData(1, 5n, "x");
  session.call(requests.getChildren, { path: "/a", watch: true }, listener, "child").catch(() => undefined);
  session.reply(2, 5n, (writer) => operations.getChildren.response.encode(writer, { children: [] }));
  session.event(EVENT_TYPE.nodeDeleted, "/a");
  session.deliver();
  expect(seen).toEqual(["deleted /a"]);
});

test("a recursive watch hears of everything below it but of no children changed; a plain one only of its path", () => {
  const session = connected();
  const recursive: string[] = [];
  const plain: string[] = [];
  session.machine.watches.add("recursive", "/a", noting(recursive));
  session.machine.watches.add("persistent", "/a", noting(plain));
  session.event(EVENT_TYPE.nodeCreated, "/a/b/c");
  session.event(EVENT_TYPE.nodeChildrenChanged, "/a");
  session.event(EVENT_TYPE.nodeDataChanged, "/a");
  session.event(EVENT_TYPE.nodeDataChanged, "/ab");
  session.deliver();
  expect(recursive).toEqual(["created /a/b/c", "dataChanged /a"]);
  expect(plain).toEqual(["childrenChanged /a", "dataChanged /a"]);
});

test("a recursive watch on the root hears of every node", () => {
  const session = connected();
  const seen: string[] = [];
  session.machine.watches.add("recursive", "/", noting(seen));
  session.event(EVENT_TYPE.nodeCreated, "/a/b");
  session.event(EVENT_TYPE.nodeDataChanged, "/");
  session.deliver();
  expect(seen).toEqual(["created /a/b", "dataChanged /"]);
});

test("M13: losing the server and finding another reaches every watcher, and uses no watch up", () => {
  const session = connected();
  const seen = watching(session);
  session.reconnect();
  session.deliver();
  session.event(EVENT_TYPE.nodeDataChanged, "/a");
  session.deliver();
  expect(seen).toEqual(["suspended", "connected", "dataChanged /a"]);
});

test("M13: the end of the session reaches every watcher, and is its last event", () => {
  const session = connected();
  const seen = watching(session);
  session.closeSocket();
  session.tickToDeadline();
  session.accept(0, 0n);
  session.deliver();
  expect(seen).toEqual(["suspended", "lost"]);
});

test("M14: after a reconnect everything watched is registered again, as of the last zxid seen", () => {
  const session = connected();
  watching(session, "/data");
  session.call(requests.exists, { path: "/exist", watch: true }, () => undefined).catch(() => undefined);
  session.refuse(2, 0x2_0000_0007n, "NO_NODE");
  session.call(requests.getChildren, { path: "/child", watch: true }, () => undefined, "child").catch(() => undefined);
  session.reply(3, 0x2_0000_0007n, (writer) => operations.getChildren.response.encode(writer, { children: [] }));
  session.reconnect();
  expect(session.requests()).toEqual([
    {
      xid: -8,
      name: "setWatches",
      body: {
        relativeZxid: 0x2_0000_0007n,
        dataWatches: ["/data"],
        existWatches: ["/exist"],
        childWatches: ["/child"],
      },
    },
  ]);
});

test("M14: the catch-up events come after the state, and before the reply to anything asked meanwhile", () => {
  const session = connected();
  const seen = watching(session);
  session.closeSocket();
  session.getData("/a").catch(() => undefined);
  session.tickToDeadline();
  session.accept();
  session.event(EVENT_TYPE.nodeDataChanged, "/a");
  session.reply(-8, 6n);
  session.replyData(2, 6n, "new");
  expect(session.deliveries().map((each) => (each.kind === "call" ? "reply" : each.event.kind))).toEqual([
    "session",
    "session",
    "dataChanged",
    "reply",
  ]);
  expect(seen).toEqual([]);
});

test("M14: persistent watches are registered with the newer request, also when theirs was not answered yet", () => {
  const session = connected();
  session.machine.watches.add("persistent", "/p", () => undefined);
  session.machine.watches.add("recursive", "/r", () => undefined);
  session.reconnect();
  expect(session.requests()).toMatchObject([
    { name: "setWatches2", body: { persistentWatches: ["/p"], persistentRecursiveWatches: ["/r"] } },
  ]);
});

test("M14: many watches are registered in packets that every server takes", () => {
  const session = connected();
  const paths = Array.from({ length: 3000 }, (_, i) => `/${"x".repeat(95)}${String(i).padStart(4, "0")}`);
  for (const path of paths) session.machine.watches.add("persistent", path, () => undefined);
  session.reconnect();
  const batches = session.requests().map(({ body }) => body.persistentWatches ?? []);
  expect(batches.map((batch) => batch.length)).toEqual([1311, 1311, 378]);
  expect(batches.flat()).toEqual(paths);
});

test("watches that the server was told to forget are told so, and not registered again", async () => {
  const session = connected();
  const seen = watching(session);
  session.machine.submit(removal("/a"), session.nowMs);
  session.tick();
  session.reply(2, 6n);
  session.deliver();
  expect(seen).toEqual(["removed /a"]);
  session.reconnect();
  expect(session.requests()).toEqual([]);
});

function removal(path: string): Parameters<ScriptedSession["machine"]["submit"]>[0] {
  return {
    kind: "call",
    opcode: 18,
    changesTree: false,
    absentIsResult: false,
    watch: undefined,
    addsWatch: undefined,
    removesWatches: { path, type: 3 },
    timeoutMs: 0,
    whenSuspended: "try-all",
    deadline: undefined,
    isOver: false,
    xid: 0,
    result: undefined,
    failure: undefined,
    encodeBody: (writer) => operations.removeWatches.request.encode(writer, { path, type: 3 }),
    decodeBody: () => undefined,
    settle: () => undefined,
  };
}

test("events below the chroot are told with the application's paths, others not at all", () => {
  const session = connected({ chroot: "/app" });
  const seen: string[] = [];
  session.machine.watches.add("recursive", "/app", noting(seen));
  session.event(EVENT_TYPE.nodeCreated, "/app/x");
  session.event(EVENT_TYPE.nodeDataChanged, "/app");
  session.event(EVENT_TYPE.nodeCreated, "/apple");
  session.deliver();
  expect(seen).toEqual(["created /x", "dataChanged /"]);
});

test("an event carries the zxid of its txn where the server tells it", () => {
  const session = connected();
  const zxids: unknown[] = [];
  session.machine.watches.add("persistent", "/a", (event) => void zxids.push("zxid" in event ? event.zxid : event));
  session.event(EVENT_TYPE.nodeDataChanged, "/a", 0x3_0000_0001n);
  session.event(EVENT_TYPE.nodeDataChanged, "/a", -1n);
  session.deliver();
  expect(zxids).toEqual([0x3_0000_0001n, undefined]);
});

test("a Stat is read whole", async () => {
  const session = connected();
  const exists = session.call(requests.exists, { path: "/a", watch: false });
  const stat = { ...NO_STAT, czxid: 0x7fff_ffff_ffff_ffffn, ephemeralOwner: -5n, version: -1, pzxid: 9n };
  session.reply(1, 5n, (writer) => operations.exists.response.encode(writer, { stat }));
  session.deliver();
  expect(await exists).toEqual(stat);
});
