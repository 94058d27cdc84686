import { expect, test } from "vitest";
import { copyTree, digestAcl, exportTree, importTree, OPEN_ACL } from "../../../packages/client/dist/index.js";
import { MeddlingProxy } from "./meddling-proxy.js";
import { againstAll } from "./rigs.js";

const OP_CREATE = 1;
const opcodeOf = (frame: Buffer): number => frame.readInt32BE(8);

againstAll((server) => {
  test("every kind of node can be created, and says what it is", async () => {
    const client = await server.client();
    await client.create("/kinds", "parent");
    expect(await client.create("/kinds/s-", null, { mode: "persistent-sequential" })).toMatch(/^\/kinds\/s-\d{10}$/);
    await client.create("/kinds/e", "", { mode: "ephemeral" });
    await client.create("/kinds/c", null, { mode: "container" });
    const { stat } = await client.createWithStat("/kinds/t", "x", { ttlMs: 60_000 });
    expect(stat.dataLength).toBe(1);
    expect((await client.exists("/kinds/e"))?.ephemeralOwner).toBe(client.sessionId);
    expect(await client.getEphemerals("/kinds")).toEqual(["/kinds/e"]);
    expect(await client.getAllChildrenNumber("/kinds")).toBe(4);
    expect(await client.getData("/kinds/c")).toBeNull();
    expect(await client.getData("/kinds/e")).toEqual(Buffer.alloc(0));
  });

  test("what is missing above a node is created with it, unless the chroot itself is missing", async () => {
    const client = await server.client();
    await client.create("/deep/er/and/deeper", "x", { parents: true });
    await client.create("/deep/er/and/next", "x", { parents: "container" });
    expect(await client.getData("/deep/er/and/deeper")).toEqual(Buffer.from("x"));
    const nowhere = await server.client({ chroot: "/no/such/chroot" });
    await expect(nowhere.create("/a/b", null, { parents: true })).rejects.toMatchObject({ code: "NO_NODE" });
  });

  test("a subtree is walked, exported, imported, copied and deleted", async () => {
    const client = await server.client();
    await client.create("/tree", Buffer.from([0xff, 0x00]));
    await client.create("/tree/a", "text");
    await client.create("/tree/a/b", null, { acl: [...OPEN_ACL, digestAcl("bob", "pw", 1)] });
    await client.create("/tree/e", "mine", { mode: "ephemeral" });
    const walked: string[] = [];
    for await (const { path, depth } of client.walk("/tree")) walked.push(`${depth} ${path}`);
    expect(walked).toEqual(["0 /tree", "1 /tree/a", "1 /tree/e", "2 /tree/a/b"]);
    const json = JSON.parse(JSON.stringify(await exportTree(client, "/tree", { acl: true })));
    expect(json.nodes).toMatchObject([{ path: "", base64: "/wA=" }, { path: "/a", text: "text" }, { path: "/a/b" }]);
    expect(await importTree(client, "/other/place", json)).toBe(3);
    expect((await client.getAcl("/other/place/a/b")).acl.length).toBe(2);
    await expect(importTree(client, "/other/place", json)).rejects.toMatchObject({ code: "NODE_EXISTS" });
    expect(await importTree(client, "/other/place", json, { whenExists: "overwrite" })).toBe(3);
    expect(await copyTree(client, "/tree", "/copy")).toBe(3);
    expect(await client.getData("/copy")).toEqual(Buffer.from([0xff, 0x00]));
    expect(await client.deleteRecursive("/tree", { batchMax: 2 })).toBe(4);
    expect(await client.deleteRecursive("/tree")).toBe(0);
    expect(await client.exists("/tree")).toBeNull();
  });

  test("a transaction is carried out as a whole, and one that cannot be names the step", async () => {
    const client = await server.client();
    const [created, , written] = await client
      .transaction()
      .create("/tx", "1")
      .check("/tx", { version: 0 })
      .setData("/tx", "2", { version: 0 })
      .commit();
    expect([created.path, written.stat.version]).toEqual(["/tx", 1]);
    await expect(client.transaction().delete("/tx").delete("/tx/none").commit()).rejects.toMatchObject({
      code: "NO_NODE",
      path: "/tx/none",
      outcome: "not-applied",
    });
    const [data, missing] = await client.multiRead([
      { op: "getData", path: "/tx" },
      { op: "getChildren", path: "/none" },
    ]);
    expect(data).toMatchObject({ op: "getData", data: Buffer.from("2") });
    expect(missing).toMatchObject({ op: "error", error: { code: "NO_NODE" } });
  });

  test("many updates of one node at once all take effect", async () => {
    const clients = [await server.client(), await server.client()];
    const add = (data: Buffer | null): string => String(Number(data ?? 0) + 1);
    const updates = clients.flatMap((client) =>
      Array.from({ length: 10 }, () => client.update("/sum", add, { create: {} })),
    );
    await Promise.all(updates);
    await clients[0]!.sync();
    expect(String(await clients[0]!.getData("/sum"))).toBe("20");
  });

  test("a protected create whose reply is lost leaves one node, and gives its path", async () => {
    const proxy = await MeddlingProxy.to(server.port);
    const client = await server.client({ port: proxy.port });
    const observer = await server.client();
    await observer.create("/lost-replies");
    const cutWhenMade = async (): Promise<void> => {
      await observer.getChildren("/lost-replies", { watch: ({ kind }) => kind === "childrenChanged" && proxy.cut() });
    };
    let creates = 0;
    proxy.meddle = (frame) => {
      if (frame.length > 12 && opcodeOf(frame) === OP_CREATE && ++creates === 1) {
        // The node is made, and its reply never arrives.
        void cutWhenMade();
      }
      return "pass";
    };
    // The reply may be quicker than the cut: then nothing was lost, which is as well for the check.
    const path = await client.create("/lost-replies/n-", null, { mode: "ephemeral-sequential", protection: true });
    await observer.sync();
    expect(await observer.getChildren("/lost-replies")).toEqual([path.slice("/lost-replies/".length)]);
  });

  test("credentials, access lists and digest ids agree with the server's", async () => {
    const client = await server.client({ auth: [{ scheme: "digest", credential: "bob:pw" }] });
    expect((await client.whoAmI()).map(({ scheme, user }) => `${scheme} ${user}`)).toContain("digest bob");
    await client.create("/secret", "x", { acl: [digestAcl("bob", "pw")] });
    const stranger = await server.client();
    await stranger.sync();
    await expect(stranger.getData("/secret")).rejects.toMatchObject({
      code: "NO_AUTH",
      operation: "getData",
      path: "/secret",
    });
    await stranger.addAuth("digest", "bob:pw");
    expect(await stranger.getData("/secret")).toEqual(Buffer.from("x"));
    await expect(
      server.client({ auth: [{ scheme: "no-such-scheme", credential: "x" }] }).then((one) => one.sync()),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/AUTH_FAILED|CONNECTION_LOSS/),
    });
  });

  test("the configuration is read outside of the chroot, and servers that are not set up for it are not reconfigured", async () => {
    const client = await server.client({ chroot: "/some/chroot" });
    await expect(client.getConfig()).resolves.toHaveProperty("stat");
    await expect(client.reconfig({ leaving: [3] })).rejects.toMatchObject({
      code: expect.stringMatching(/RECONFIG_DISABLED|UNIMPLEMENTED|NO_AUTH/),
    });
    await expect(client.reconfig({})).rejects.toMatchObject({ code: "BAD_ARGUMENTS" });
    await expect(client.delete("/")).rejects.toMatchObject({ code: "BAD_ARGUMENTS" });
  });

  test("data above the limit is refused with both numbers, and the client lives on", async () => {
    const client = await server.client();
    await expect(client.create("/big", Buffer.alloc(2 << 20))).rejects.toMatchObject({
      code: "BAD_ARGUMENTS",
      message: expect.stringContaining("1048575 are allowed"),
    });
    await client.sync();
  });

  test("a call that is given up rejects at once, with the reason it was given", async () => {
    const client = await server.client();
    const controller = new AbortController();
    const reading = client.getChildren("/", { signal: controller.signal });
    controller.abort(new Error("no longer wanted"));
    await expect(reading).rejects.toMatchObject({ code: "ABORTED", cause: new Error("no longer wanted") });
    await expect(client.exists("/", { signal: AbortSignal.abort() })).rejects.toMatchObject({ outcome: "not-applied" });
    await expect(client.exists("/", { timeoutMs: -1 })).rejects.toMatchObject({ code: "BAD_ARGUMENTS" });
    await client.sync();
  });
});
