import { expect, test } from "vitest";
import { againstAll, clientOf } from "./rigs.js";

/** A connection that a busy machine keeps waiting for a second is none that was left alone. */
const SESSION_TIMEOUT_MS = 3000;
/** Longer than it takes the server to end a session of which it hears nothing; shorter than the writer's own lasts. */
const BLOCKED_MS = 1.5 * SESSION_TIMEOUT_MS;

againstAll((server) => {
  test("M1: a session outlives an application that blocks its thread for longer than the session's timeout", async () => {
    const client = await server.client({ connectionThread: true, sessionTimeoutMs: SESSION_TIMEOUT_MS });
    const writer = await server.client();
    expect(client.sessionTimeoutMs).toBe(SESSION_TIMEOUT_MS);
    await client.create("/thread", "x", { mode: "ephemeral" });
    const states: string[] = [];
    client.onState((state) => states.push(state));
    const { changed } = await client.watchData("/thread");
    void writer.setData("/thread", "while it blocks");
    await new Promise((resolve) => setImmediate(resolve));

    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS);

    expect(client.sessionAliveUntilMs).toBeGreaterThan(performance.now());
    expect((await changed).kind).toBe("dataChanged");
    expect((await client.exists("/thread"))?.ephemeralOwner).toBe(client.sessionId);
    expect(states).toEqual([]);
  });

  test("with the connection in its own thread everything else is as without", async () => {
    const client = await server.client({ connectionThread: true });
    await client.create("/both", "1");
    const events: string[] = [];
    await client.getData("/both", { watch: ({ kind }) => events.push(kind) });
    await client.addWatch("/both", "persistent-recursive", (event) => events.push(`recursive ${event.kind}`));
    await client.setData("/both", "2");
    await expect(client.create("/both")).rejects.toMatchObject({ code: "NODE_EXISTS", path: "/both" });
    expect(await client.exists("/none")).toBeNull();
    expect(await client.getData("/both")).toEqual(Buffer.from("2"));
    expect(events.sort()).toEqual(["dataChanged", "recursive dataChanged"]);
    await client.removeWatches("/both", "any");
    expect(events.at(-1)).toBe("recursive removed");
    const results = await Promise.all(Array.from({ length: 500 }, (_, i) => client.setData("/both", String(i))));
    expect(results.at(-1)?.version).toBe(501);
    await expect(client.sync("/", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    expect(client.counters.connections).toBe(1);
    await client.close();
    expect(client.state).toBe("closed");
    await expect(client.sync()).rejects.toMatchObject({ code: "CLOSING" });
  });

  test("a watch that is given up does not take along a newer one of its path that is on its way", async () => {
    const client = await server.client({ connectionThread: true });
    await client.create("/crossing", "1");
    const told: string[] = [];
    const older = (): unknown => told.push("older");
    await client.getData("/crossing", { watch: older });
    const reading = client.getData("/crossing", { watch: () => told.push("newer") });
    await new Promise((resolve) => setImmediate(resolve));
    // The connection's thread has the answer, and has registered the watch, before this one hears of it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    client.unwatch("/crossing", older);
    await reading;
    await client.setData("/crossing", "2");
    expect(told).toEqual(["newer"]);
  });
});

test("a thread that cannot be given its options says so", async () => {
  const sasl = { name: "MINE", begin: () => ({ respond: () => ({}) }) };
  await expect(clientOf("127.0.0.1:1", { connectionThread: true, sasl })).rejects.toMatchObject({
    code: "BAD_ARGUMENTS",
  });
  const tls = { checkServerIdentity: () => undefined };
  await expect(clientOf("127.0.0.1:1", { connectionThread: true, tls })).rejects.toMatchObject({
    code: "BAD_ARGUMENTS",
  });
});
