import {
  ByteReader,
  createRequest,
  getDataRequest,
  getDataResponse,
  OP,
  type Stat,
  setDataRequest,
  syncRequest,
} from "@watchkeeper/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type RawConnection, requestFrame } from "../support/raw-connection.js";
import { serve } from "../support/server-under-test.js";

const OPEN = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const create = (raw: RawConnection, path: string) =>
  raw.send("create", createRequest, { path, data: null, acl: OPEN, flags: 0 });
const set = (raw: RawConnection, path: string, data: string) =>
  raw.send("setData", setDataRequest, { path, data: bytes(data), version: -1 });
const get = (raw: RawConnection, path: string) => raw.send("getData", getDataRequest, { path, watch: false });
const sync = (raw: RawConnection) => raw.send("sync", syncRequest, { path: "/" });

function decoded(body: Uint8Array): { data: string; stat: Stat } {
  const { data, stat } = getDataResponse.decode(new ByteReader(body));
  return { data: Buffer.from(data ?? []).toString(), stat };
}

test("W8: a client's requests are answered in the order sent, reads behind the writes before them", async () => {
  const server = await serve();
  const raw = await server.raw();

  const xids = [create(raw, "/a")];
  for (let i = 0; i < 50; i++) xids.push(set(raw, "/a", String(i)), get(raw, "/a"));
  const replies = [];
  for (const _ of xids) replies.push(await raw.next());

  expect(replies.map(({ xid }) => xid)).toEqual(xids);
  const values = replies.filter((_, i) => i > 0 && i % 2 === 0).map(({ body }) => decoded(body).data);
  expect(values).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
});

test("W8: any mixture of reads, writes, syncs and pings is answered in the order sent", async () => {
  const server = await serve();
  const raw = await server.raw();
  await raw.upTo(create(raw, "/a"));
  const kinds = fc.array(fc.constantFrom("set", "get", "sync", "refused"), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(kinds, async (mixture) => {
      const expected: { xid: number; data?: string; err: number }[] = [];
      let last = decoded((await raw.upTo(get(raw, "/a"))).reply.body).data;
      for (const [i, kind] of mixture.entries()) {
        if (kind === "set") {
          last = `${i}`;
          expected.push({ xid: set(raw, "/a", last), err: 0 });
        } else if (kind === "get") expected.push({ xid: get(raw, "/a"), data: last, err: 0 });
        else if (kind === "sync") expected.push({ xid: sync(raw), err: 0 });
        else expected.push({ xid: create(raw, "/a"), err: -110 });
      }
      for (const { xid, data, err } of expected) {
        const reply = await raw.next();
        expect(reply).toMatchObject({ xid, err });
        if (data !== undefined) expect(decoded(reply.body).data).toBe(data);
      }
    }),
    { numRuns: 30 },
  );
});

test("W8: replies never go back in zxid", async () => {
  const server = await serve();
  const raw = await server.raw();
  const noise = await server.client();
  await noise.create("/noise");
  const writes = Promise.all(Array.from({ length: 50 }, () => noise.setData("/noise", "x")));
  const xids = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? create(raw, `/n${i}`) : get(raw, "/noise")));
  let zxid = 0n;
  for (const xid of xids) {
    const { reply } = await raw.upTo(xid);
    expect(reply.zxid).toBeGreaterThanOrEqual(zxid);
    zxid = reply.zxid;
  }
  await writes;
});

test("W8: sync answers after every write that any client had sent before, and takes no zxid", async () => {
  const server = await serve();
  const writer = await server.raw();
  const reader = await server.raw();
  await writer.upTo(create(writer, "/a"));
  const before = await server.zxid();

  const writes = Array.from({ length: 20 }, (_, i) =>
    requestFrame(100 + i, "setData", setDataRequest, { path: "/a", data: bytes(String(i + 1)), version: -1 }),
  );
  writer.write(Buffer.concat(writes)); // one chunk: with the first answered, all have been taken up
  await writer.upTo(100);
  const synced = sync(reader);
  const read = get(reader, "/a");
  const { reply } = await reader.upTo(synced);
  expect([...reply.body]).toEqual([0, 0, 0, 1, 0x2f]);
  expect(decoded((await reader.upTo(read)).reply.body).data).toBe("20");

  expect(await server.zxid()).toBe(before + 20);
});

test("W8: the close of a session is the last thing that is answered, and its ephemerals go with it", async () => {
  const server = await serve();
  const raw = await server.raw();
  raw.send("create", createRequest, { path: "/e", data: null, acl: OPEN, flags: 1 });
  const read = get(raw, "/e");
  const closing = raw.send(OP.closeSession);
  get(raw, "/e");

  const { before, reply } = await raw.upTo(closing);
  expect(before.map(({ xid, err }) => [xid, err])).toEqual([
    [1, 0],
    [read, 0],
  ]);
  expect(reply.err).toBe(0);
  await raw.untilClosed();
  expect(await (await server.client()).exists("/e")).toBeNull();
});
