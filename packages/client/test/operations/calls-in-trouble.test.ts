import { expect, onTestFinished, test } from "vitest";
import { proxyTo } from "../../../server/test/support/cuttable-proxy.js";
import { serve } from "../../../server/test/support/server-under-test.js";
import { until } from "../../../server/test/support/until.js";
import { connect, READ_ONLY_ACL } from "../../src/index.js";

/** What a program without types may pass for a version. */
const NO_VERSION = { version: 1n as unknown as number };
const REFUSED = { name: "ZkError", code: "BAD_ARGUMENTS", outcome: "not-applied" };

test("a request that cannot be written fails alone: those before and behind it are answered", async () => {
  const server = await serve();
  const client = await server.client();
  const before = client.create("/a", "1");
  const unwritable = client.delete("/a", NO_VERSION);
  const behind = client.getData("/a");
  await expect(unwritable).rejects.toMatchObject(REFUSED);
  expect([await before, String(await behind)]).toEqual(["/a", "1"]);
  expect(client.counters.connections).toBe(1);
});

test("a request that cannot be written fails alone also where it had to wait for a connection", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const client = await server.client({ port: proxy.port, whenSuspended: "wait" });
  proxy.cut();
  await until(() => client.state === "suspended");
  const unwritable = client.delete("/a", NO_VERSION);
  const behind = client.create("/a");
  const refused = expect(unwritable).rejects.toMatchObject(REFUSED);
  proxy.mend();
  await refused;
  expect(await behind).toBe("/a");
});

test("addAuth without a connection fails at once where that is asked for, and can be given up", async () => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const client = await server.client({ port: proxy.port });
  proxy.cut();
  await until(() => client.state === "suspended");
  const failing = client.addAuth("digest", "u:p", { whenSuspended: "fail" });
  await expect(failing).rejects.toMatchObject({ code: "CONNECTION_LOSS" });
  const controller = new AbortController();
  const waiting = client.addAuth("digest", "u:p", { signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
});

test("update ends at its deadline, however often others are quicker", async () => {
  const server = await serve();
  const [client, other] = [await server.client(), await server.client()];
  await client.create("/n");
  const change = async (): Promise<string> => {
    await other.setData("/n", "quicker");
    return "too late";
  };
  await expect(client.update("/n", change, { timeoutMs: 150 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  expect(String(await client.getData("/n"))).toBe("quicker");
});

test("deleteRecursive that fails half-way does not say that nothing happened", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/t/a/x", null, { parents: true });
  await client.create("/t/b/y", null, { parents: true });
  await client.setAcl("/t/a", READ_ONLY_ACL);
  const deleting = client.deleteRecursive("/t", { batchMax: 1 });
  await expect(deleting).rejects.toMatchObject({ code: "NO_AUTH", outcome: "unknown", operation: "deleteRecursive" });
  expect(await client.exists("/t/b/y")).toBeNull();
  await expect(client.deleteRecursive("/t/a", { batchMax: 1 })).rejects.toMatchObject({ outcome: "not-applied" });
});

test("ephemeral nodes beside the chroot, whose names begin as it does, are not listed", async () => {
  const server = await serve();
  const outside = await server.client();
  await outside.create("/app");
  await outside.create("/apple/e", null, { parents: true, mode: "persistent" });
  await outside.create("/apple/f", null, { mode: "ephemeral" });
  await outside.create("/app/g", null, { mode: "ephemeral" });
  const inside = await connect(`127.0.0.1:${server.port}/app`, { session: outside.session });
  onTestFinished(() => inside.close());
  expect(await inside.getEphemerals()).toEqual(["/g"]);
});

test("an ephemeral node that was deleted among other steps is not made again in the next session", async () => {
  const server = await serve();
  const client = await server.client({ whenLost: "renew" });
  await client.create("/kept", "old", { mode: "ephemeral", restore: true });
  await client.create("/deleted", null, { mode: "ephemeral", restore: true });
  await client.multi([
    { op: "delete", path: "/deleted" },
    { op: "setData", path: "/kept", data: "new" },
  ]);
  const first = client.sessionId;
  await server.endSession(client);
  await until(() => client.sessionId !== first && client.state === "connected");
  const other = await server.client();
  const { stat, changed } = await other.watchExists("/kept");
  if (stat === null) await changed;
  await client.sync();
  expect([String(await other.getData("/kept")), await other.exists("/deleted")]).toEqual(["new", null]);
});
