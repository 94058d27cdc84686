/** What only an ensemble can do to its clients: lose its quorum and find it again, grow, shrink and move. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../../../packages/client/dist/index.js";
import { until } from "../../support/until.js";
import { Ensemble } from "../ensemble/support/ensemble.js";
import { clientOf } from "./rigs.js";

/** Longer than an ensemble needs to find a leader again. */
const SESSION_MS = 20_000;
const FOUND_MS_MAX = 30_000;

/** Without them Apache's read-only server has no sessions to give; Watchkeeper's has local ones then in any case. */
const LOCAL_SESSIONS = ["localSessionsEnabled=true", "localSessionsUpgradingEnabled=true"];

/** A system property of Apache's server, which has no line for it in zoo.cfg. */
const READ_ONLY_MODE = {
  apache: { JAVA_TOOL_OPTIONS: "-Dreadonlymode.enabled=true" },
  watchkeeper: { JVMFLAGS: "-Dreadonlymode.enabled=true" },
} as const;

describe.each(["watchkeeper", "apache"] as const)("with three servers of %s", (kind) => {
  let ensemble: Ensemble;

  beforeAll(async () => {
    ensemble = await Ensemble.prepare({
      kinds: [kind, kind, kind],
      configLines: ["maxSessionTimeout=40000", ...(kind === "apache" ? LOCAL_SESSIONS : [])],
      environment: () => READ_ONLY_MODE[kind],
    });
    await ensemble.startAll();
  });

  afterAll(async () => {
    await ensemble?.dispose();
  });

  /** Leaves one server of three, which knows it: until then it would still give out local sessions. */
  async function loseQuorum(): Promise<void> {
    await Promise.all([2, 3].map((sid) => ensemble.member(sid).kill()));
    await ensemble.member(1).untilServing(["read-only"], FOUND_MS_MAX);
  }

  async function findQuorum(): Promise<void> {
    await Promise.all([2, 3].map((sid) => ensemble.member(sid).start()));
    await ensemble.untilAllServe();
  }

  const untilIn = (client: Client, state: Client["state"]): Promise<void> =>
    until(
      `the client to be ${state}`,
      () => client.state === state,
      FOUND_MS_MAX,
      () => `It is ${client.state}.`,
    );

  test("without a quorum a client reads, is refused its writes, and goes to a full server when there is one again", async () => {
    const writer = await clientOf(ensemble.connectString);
    await writer.create("/known", "before");
    await ensemble.untilInStep();
    await loseQuorum();
    const client = await clientOf(ensemble.connectString, { readOnly: true, connectTimeoutMs: FOUND_MS_MAX });
    expect(client.state).toBe("read-only");
    expect(client.server).toBe(ensemble.member(1).connectString);
    const states: string[] = [];
    client.onState((state) => states.push(state));
    const { data, changed } = await client.watchData("/known");
    expect(String(data)).toBe("before");
    expect(await client.exists("/unknown")).toBeNull();
    await expect(client.setData("/known", "meanwhile")).rejects.toMatchObject({
      code: "NOT_READ_ONLY",
      outcome: "not-applied",
      path: "/known",
    });
    await expect(client.multi([{ op: "delete", path: "/known" }])).rejects.toMatchObject({ code: "NOT_READ_ONLY" });
    // Who does not ask for it is not served like this.
    await expect(clientOf(client.server!, { connectRoundsMax: 2 })).rejects.toMatchObject({
      code: "CONNECTION_LOSS",
      operation: "connect",
    });

    await findQuorum();
    await untilIn(client, "connected");
    await client.setData("/known", "after");
    expect((await changed).kind).toBe("dataChanged");
    await client.create("/mine", null, { mode: "ephemeral" });
    expect((await client.exists("/mine"))?.ephemeralOwner).toBe(client.sessionId);
    // It may have come by the read-only server once more on its way.
    expect([...new Set(states)].filter((state) => state !== "read-only").sort()).toEqual(["connected", "suspended"]);
  });

  test("a session of the ensemble outlives the time without a quorum: a read-only server neither has it nor ends it", async () => {
    const options = { readOnly: true, sessionTimeoutMs: SESSION_MS };
    const client = await clientOf(ensemble.connectString, options);
    await client.create("/lasting", "x", { mode: "ephemeral" });
    const { sessionId } = client;
    const states: string[] = [];
    client.onState((state) => states.push(state));
    await loseQuorum();
    const other = await clientOf(ensemble.member(1).connectString, { ...options, connectTimeoutMs: FOUND_MS_MAX });
    expect(other.state).toBe("read-only");
    const { dials } = client.counters;
    await until("the client to have tried it", () => client.counters.dials >= dials + ensemble.members.length);
    expect(client.state).toBe("suspended");
    await findQuorum();
    await untilIn(client, "connected");
    expect(client.sessionId).toBe(sessionId);
    expect((await client.exists("/lasting"))?.ephemeralOwner).toBe(sessionId);
    expect(states).not.toContain("lost");
  });

  test("a client given other servers moves there with its session, its watches and its ephemeral nodes", async () => {
    const [one, two, three] = ensemble.members.map(({ connectString }) => connectString);
    const client = await clientOf(one!, { sessionTimeoutMs: SESSION_MS });
    const writer = await clientOf(three!);
    await client.create("/moved", "0", { mode: "ephemeral" });
    const { sessionId } = client;
    const events: string[] = [];
    await client.addWatch("/moved", "persistent", (event) => event.kind !== "session" && events.push(event.kind));
    const { changed } = await client.watchData("/moved");
    const states: string[] = [];
    client.onState((state) => states.push(state));

    client.updateServers(`${two},${three}`);
    await until("the client to have moved", () => client.state === "connected" && client.server !== one);
    expect([two, three]).toContain(client.server);
    await client.sync();
    await writer.setData("/moved", "1");
    expect((await changed).kind).toBe("dataChanged");
    expect(events).toEqual(["dataChanged"]);
    expect((await client.exists("/moved"))?.ephemeralOwner).toBe(sessionId);

    client.updateServers(one!);
    await until("the client to be back", () => client.state === "connected" && client.server === one);
    client.updateServers(`${one},${two},${three}`); // it may stay or go
    await client.sync("/", { whenSuspended: "wait" }).catch(() => client.sync("/", { whenSuspended: "wait" }));
    expect((await client.exists("/moved"))?.ephemeralOwner).toBe(sessionId);
    expect(new Set(states)).toEqual(new Set(["suspended", "connected"]));
    expect(() => client.updateServers("not a server:x")).toThrow(expect.objectContaining({ code: "BAD_ARGUMENTS" }));
  });
});
