import { expectTypeOf, test } from "vitest";
import type {
  Client,
  ConnectOptions,
  ErrorName,
  MultiOperation,
  MultiResult,
  NodeEvent,
  Outcome,
  SaslMechanism,
  SessionState,
  Stat,
  WatchStreamEvent,
  ZkError,
} from "../src/index.js";
import { connect, digestMd5 } from "../src/index.js";

declare const client: Client;

test("connect gives a client that can be disposed of", () => {
  expectTypeOf(connect).parameter(0).toEqualTypeOf<string>();
  expectTypeOf<{ sessionTimeoutMs: number; tls: true }>().toExtend<ConnectOptions>();
  expectTypeOf(connect).returns.resolves.toEqualTypeOf<Client>();
  expectTypeOf<Client>().toExtend<AsyncDisposable>();
});

test("the results of a multi have the types of its steps", () => {
  const multi = () =>
    client.multi([
      { op: "create", path: "/a", data: "x", mode: "ephemeral" },
      { op: "check", path: "/b", version: 3 },
      { op: "setData", path: "/c", data: null },
    ]);
  expectTypeOf(multi).returns.resolves.toExtend<
    [{ op: "create"; path: string; stat: Stat | undefined }, { op: "check" }, { op: "setData"; stat: Stat }]
  >();
  const many = (steps: MultiOperation[]) => client.multi(steps);
  expectTypeOf(many).returns.resolves.toEqualTypeOf<MultiResult[]>();
});

test("a transaction knows what its commit returns", () => {
  const commit = () => client.transaction().create("/a").delete("/b").setData("/c", "x").check("/d").commit();
  expectTypeOf(commit).returns.resolves.toExtend<
    [{ path: string }, { op: "delete" }, { stat: Stat }, { op: "check" }]
  >();
});

test("a multiRead gives for each step its result or an error", () => {
  const read = () => client.multiRead([{ op: "getData", path: "/a" }]);
  expectTypeOf(read).returns.resolves.toExtend<
    [{ op: "getData"; data: Buffer | null } | { op: "error"; error: ZkError }]
  >();
});

test("reads, one-shot watches and streams say what they give", () => {
  expectTypeOf<Client["exists"]>().returns.resolves.toEqualTypeOf<Stat | null>();
  expectTypeOf<Client["getData"]>().returns.resolves.toEqualTypeOf<Buffer | null>();
  const watched = () => client.watchData("/a");
  expectTypeOf(watched).returns.resolves.toExtend<{ data: Buffer | null; changed: Promise<NodeEvent> }>();
  const stream = () => client.watch("/a", { recursive: true });
  expectTypeOf(stream).returns.toExtend<AsyncIterableIterator<WatchStreamEvent>>();
});

test("states, codes and outcomes are unions, so that a switch over them can be checked", () => {
  expectTypeOf<SessionState>().toEqualTypeOf<
    "connecting" | "connected" | "read-only" | "suspended" | "presumed-lost" | "lost" | "auth-failed" | "closed"
  >();
  expectTypeOf<Outcome>().toEqualTypeOf<"applied" | "not-applied" | "unknown">();
  expectTypeOf<"NO_NODE" | "ABORTED" | "REQUEST_TIMEOUT">().toExtend<ErrorName>();
  expectTypeOf(digestMd5).returns.toExtend<SaslMechanism>();
});

test("what makes no sense is refused by the compiler", () => {
  // @ts-expect-error a mode that no server has
  const badMode = () => client.create("/a", null, { mode: "eternal" });
  // @ts-expect-error a check without a version
  const badStep = () => client.multi([{ op: "check", path: "/a" }]);
  // @ts-expect-error a patience that is none
  const badPatience = () => client.getData("/a", { whenSuspended: "never" });
  expectTypeOf([badMode, badStep, badPatience]).toBeArray();
});
