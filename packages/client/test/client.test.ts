import { afterEach, expect, test } from "vitest";
import type { Client } from "../src/client.js";
import type { MultiOperation } from "../src/index.js";
import { goldenFrame } from "./golden-frames.js";
import { type WiredClient, wiredClient } from "./wired-client.js";

let open: WiredClient | undefined;

async function wired(): Promise<WiredClient> {
  open = await wiredClient();
  return open;
}

afterEach(() => {
  open?.client.close();
  // the server's word on closeSession, so that no timer is left
  if (open !== undefined) for (let xid = 1; xid < 5; xid++) open.receive(header(xid));
  open = undefined;
});

function header(xid: number): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32BE(xid);
  return bytes;
}

/** A recorded reply, with the xid that our request has. */
function replyTo(xid: number, name: string): Uint8Array {
  const frame = goldenFrame(name).slice();
  new DataView(frame.buffer).setInt32(0, xid);
  return frame;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const multiSecondFails: MultiOperation[] = [
  { op: "create", path: "/java/m2", data: "m" },
  { op: "check", path: "/java/p", version: 99 },
  { op: "setData", path: "/java/p", data: "m" },
];

/** What Apache's own client sent for the same call; xids differ. */
const sameAsJava: [string, (client: Client) => Promise<unknown>][] = [
  ["java-create-create-persistent-request", (client) => client.create("/java/p", "hi")],
  [
    "java-create-create-sequential-request",
    (client) => client.create("/java/s-", "hi", { mode: "persistent-sequential" }),
  ],
  ["java-create2-ephemeral-request", (client) => client.createWithStat("/java/e2", "hi", { mode: "ephemeral" })],
  ["java-create-container-with-stat-request", (client) => client.create("/java/c2", "hi", { mode: "container" })],
  ["java-create-ttl-persistent-request", (client) => client.create("/java/t", "hi", { ttlMs: 600_000 })],
  ["java-exists-found-request", (client) => client.exists("/java/p")],
  ["java-get-data-watched-request", (client) => client.getData("/java/p", { watch: () => undefined })],
  ["java-set-data-right-version-request", (client) => client.setData("/java/p", "newer", { version: 1 })],
  ["java-get-children-some-request", (client) => client.getChildren("/java")],
  ["java-get-children2-some-request", (client) => client.getChildrenWithStat("/java")],
  ["java-delete-bad-version-request", (client) => client.delete("/java/p", { version: 99 })],
  ["java-get-ephemerals-all-request", (client) => client.getEphemerals()],
  ["java-get-all-children-number-some-request", (client) => client.getAllChildrenNumber("/java")],
  ["java-sync-any-request", (client) => client.sync("/java")],
  ["java-who-am-i-digest-request", (client) => client.whoAmI()],
  [
    "java-add-watch-recursive-request",
    (client) => client.addWatch("/java/p2", "persistent-recursive", () => undefined),
  ],
  ["java-remove-watches-data-request", (client) => client.removeWatches("/java/p", "data")],
  ["java-auth-digest-request", (client) => client.addAuth("digest", "bob:pw")],
  ["java-multi-second-fails-request", (client) => client.multi(multiSecondFails)],
  [
    "java-multi-read-some-missing-request",
    (client) =>
      client.multiRead([
        { op: "getData", path: "/java/p2" },
        { op: "getData", path: "/java/none" },
        { op: "getChildren", path: "/java" },
        { op: "getData", path: "/java/null" },
      ]),
  ],
  [
    "java-set-acl-several-schemes-request",
    (client) =>
      client.setAcl(
        "/java/p2",
        [
          { permissions: 1, scheme: "world", id: "anyone" },
          { permissions: 31, scheme: "digest", id: "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=" },
          { permissions: 31, scheme: "ip", id: "127.0.0.0/8" },
        ],
        { version: 0 },
      ),
  ],
];

test.each(sameAsJava)("%s is what this client sends too", async (name, call) => {
  const { client, writes } = await wired();
  call(client).catch(() => undefined);
  await turn();
  const [written] = writes;
  expect(Buffer.from(written?.subarray(8) ?? []).toString("hex")).toBe(
    Buffer.from(goldenFrame(name).subarray(4)).toString("hex"),
  );
});

test("requests made in one turn leave in one write", async () => {
  const { client, writes } = await wired();
  for (let i = 0; i < 100; i++) client.getData(`/${i}`).catch(() => undefined);
  await turn();
  expect(writes.length).toBe(1);
});

test("requests made by those who awaited the same chunk of replies leave in one write", async () => {
  const { client, writes, receive } = await wired();
  const twice = async (): Promise<void> => {
    await client.getData("/java/p");
    await client.getData("/java/p");
  };
  for (let i = 0; i < 2; i++) twice().catch(() => undefined);
  await turn();
  writes.length = 0;
  receive(replyTo(1, "java-get-data-found-reply"));
  receive(replyTo(2, "java-get-data-found-reply"));
  await turn();
  expect(writes.length).toBe(1);
});

test("data, Stat, lists and identities are read as the server wrote them", async () => {
  const { client, receive } = await wired();
  const data = client.getDataWithStat("/java/p");
  const acl = client.getAcl("/java/p2");
  const who = client.whoAmI();
  const ttl = client.createWithStat("/java/t", "hi", { ttlMs: 600_000 });
  await turn();
  receive(replyTo(1, "java-get-data-found-reply"));
  receive(replyTo(2, "java-get-acl-several-schemes-reply"));
  receive(replyTo(3, "java-who-am-i-digest-reply"));
  receive(replyTo(4, "java-create-ttl-persistent-reply"));
  expect(await data).toMatchObject({ data: Buffer.from("hi"), stat: { czxid: 8n, mtime: 1795417966066n } });
  expect((await acl).acl[0]).toEqual({ permissions: 1, scheme: "world", id: "anyone" });
  expect(await who).toEqual([
    { scheme: "digest", user: "bob" },
    { scheme: "ip", user: "127.0.0.1" },
  ]);
  expect(await ttl).toMatchObject({ path: "/java/t", stat: { czxid: 25n } });
});

test("a failed multi rejects with the error of the step that failed", async () => {
  const { client, receive } = await wired();
  const multi = client.multi(multiSecondFails);
  await turn();
  receive(replyTo(1, "java-multi-second-fails-reply"));
  await expect(multi).rejects.toMatchObject({
    code: "BAD_VERSION",
    path: "/java/p",
    outcome: "not-applied",
    message: "multi /java/p: the version does not match (operation 1, check, version 99 expected)",
  });
});

test("steps of a multiRead succeed and fail each by itself", async () => {
  const { client, receive } = await wired();
  const read = client.multiRead([
    { op: "getData", path: "/java/p2" },
    { op: "getData", path: "/java/none" },
    { op: "getChildren", path: "/java" },
    { op: "getData", path: "/java/null" },
  ]);
  await turn();
  receive(replyTo(1, "java-multi-read-some-missing-reply"));
  const results = await read;
  expect(results.map(({ op }) => op)).toEqual(["getData", "error", "getChildren", "getData"]);
  expect(results[1]).toMatchObject({ error: { code: "NO_NODE", path: "/java/none" } });
  expect(results[3]).toMatchObject({ data: null });
});

test("M1: a listener that throws and one that never ends delay neither each other nor an answer", async () => {
  const { client, receive, listenerErrors } = await wired();
  const told: string[] = [];
  const broken = (): never => {
    throw new Error("broken");
  };
  client.getData("/java/p", { watch: broken }).catch(() => undefined);
  client.getData("/java/p", { watch: () => new Promise(() => undefined) }).catch(() => undefined);
  client.getData("/java/p", { watch: ({ kind }) => told.push(kind) }).catch(() => undefined);
  const later = client.getData("/java/p");
  await turn();
  for (const xid of [1, 2, 3]) receive(replyTo(xid, "java-get-data-found-reply"));
  receive(goldenFrame("java-notification-data-changed-notification"));
  receive(replyTo(4, "java-get-data-found-reply"));
  await later;
  expect(told).toEqual(["dataChanged"]);
  expect(listenerErrors).toEqual([new Error("broken")]);
});

test.each<[string, (client: Client) => Promise<unknown>, string]>([
  ["a path with ..", (client) => client.getData("/a/../b"), "relative names"],
  ["an empty path", (client) => client.exists(""), "empty"],
  ["a trailing slash", (client) => client.create("/a/"), "does not end"],
  ["data that is no bytes", (client) => client.setData("/a", 5 as unknown as string), "Uint8Array"],
  ["an empty list", (client) => client.create("/a", null, { acl: [] }), "at least one entry"],
  ["a TTL for an ephemeral", (client) => client.create("/a", null, { mode: "ephemeral", ttlMs: 5 }), "persistent"],
  ["a TTL of nothing", (client) => client.create("/a", null, { ttlMs: 0 }), "1 to"],
  ["a bad path in a multi", (client) => client.multi([{ op: "delete", path: "x" }]), "operation 0"],
])("%s is refused by a rejection that says why, and nothing is sent", async (_, call, reason) => {
  const { client, writes } = await wired();
  await expect(call(client)).rejects.toMatchObject({
    code: "BAD_ARGUMENTS",
    outcome: "not-applied",
    message: expect.stringContaining(reason),
  });
  await turn();
  expect(writes).toEqual([]);
});
