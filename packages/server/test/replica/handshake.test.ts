import { describe, expect, test } from "vitest";
import { sessionPassword } from "../../src/sessions/index.js";
import { ReplicaWorld } from "./replica-world.js";
import { create, read } from "./requests.js";

const REFUSED = { timeOut: 0, sessionId: 0n, passwd: new Uint8Array(16) };

describe("the timeout", () => {
  test.for([
    [10_000, 10_000],
    [1, 2000],
    [0, 2000],
    [-5, 2000],
    [2 ** 31 - 1, 20_000],
    [2000, 2000],
    [20_000, 20_000],
  ])("asked for as %i is granted as %i", async ([asked, granted]) => {
    const answer = await new ReplicaWorld().connect().handshake({ timeoutMs: asked! });
    expect(answer?.timeOut).toBe(granted);
  });

  test("is negotiated anew on every reconnect", async () => {
    const world = new ReplicaWorld();
    const first = await world.open({ timeoutMs: 5000 });
    const again = world.connect();
    const { sessionId, password } = first;
    expect((await again.handshake({ sessionId, password, timeoutMs: 99_999 }))?.timeOut).toBe(20_000);
  });
});

test("a session's password is the one derived from its id", async () => {
  const client = await new ReplicaWorld().open();
  expect(client.sessionId >> 56n).toBe(1n);
  expect(client.password).toEqual(Uint8Array.from(sessionPassword(client.sessionId)));
});

test("a new session may come with any password", async () => {
  const world = new ReplicaWorld();
  for (const password of [null, new Uint8Array(0), Uint8Array.of(1), new Uint8Array(40)]) {
    const answer = await world.connect().handshake({ password });
    expect(answer?.passwd).toHaveLength(16);
    expect(answer?.timeOut).toBe(10_000);
  }
});

describe("the read-only flag", () => {
  test("is answered where it was sent, and left out where a client up to 3.3 left it out", async () => {
    const world = new ReplicaWorld();
    expect((await world.connect().handshake({ readOnly: false }))?.readOnly).toBe(false);
    expect((await world.connect().handshake({ readOnly: true }))?.readOnly).toBe(false);
    expect((await world.connect().handshake({ readOnly: undefined }))?.readOnly).toBeUndefined();
  });

  test("is left out of a refusal too", async () => {
    const world = new ReplicaWorld();
    expect(await world.connect().handshake({ sessionId: 5n, readOnly: undefined })).toEqual({
      ...REFUSED,
      readOnly: undefined,
    });
  });
});

describe("a session that is claimed", () => {
  test("with its password is taken up, and the connection before is closed", async () => {
    const world = new ReplicaWorld();
    const first = await world.open();
    const { sessionId, password } = first;
    await create(first, "/a");

    const second = world.connect();
    expect(await second.handshake({ sessionId, password })).toMatchObject({ sessionId, passwd: password });
    expect(first.isClosed).toBe(true);
    expect((await read(second, "getData", "/a")).err).toBe(0);
  });

  test("with a wrong password is refused, and does NOT disturb the live connection", async () => {
    const world = new ReplicaWorld();
    const owner = await world.open();
    await read(owner, "exists", "/a", true);
    for (const password of [new Uint8Array(16), null, owner.password.subarray(0, 15)]) {
      const stranger = world.connect();
      expect(await stranger.handshake({ sessionId: owner.sessionId, password })).toMatchObject(REFUSED);
      expect(stranger.isClosed).toBe(true);
    }

    expect(owner.isClosed).toBe(false);
    expect((await create(owner, "/b")).err).toBe(0);
    await create(await world.open(), "/a");
    expect(owner.events()).toHaveLength(1);
  });

  test("with a wrong password is not kept alive by the attempt", async () => {
    const world = new ReplicaWorld();
    const owner = await world.open({ timeoutMs: 4000 });
    owner.breakOff();
    for (let i = 0; i < 6; i++) {
      await world.connect().handshake({ sessionId: owner.sessionId, password: new Uint8Array(16) });
      await world.pass(1000);
    }
    expect(world.replica.sessions.count).toBe(0);
  });

  test("but is not known is refused in the same words", async () => {
    const world = new ReplicaWorld();
    const unknown = 0x0100_0000_0000_0001n;
    const client = world.connect();
    expect(await client.handshake({ sessionId: unknown, password: sessionPassword(unknown) })).toMatchObject(REFUSED);
    expect(client.isClosed).toBe(true);
  });

  test("but has expired is refused in the same words", async () => {
    const world = new ReplicaWorld();
    const { sessionId, password, ...first } = await world.open({ timeoutMs: 2000 });
    world.replica.disconnect(first.connection);
    await world.pass(4000);
    expect(await world.connect().handshake({ sessionId, password })).toMatchObject(REFUSED);
  });

  test("while its closing is on the way to the disk is refused", async () => {
    const world = new ReplicaWorld();
    const owner = await world.open();
    world.log.isHeld = true;
    owner.send("closeSession");
    world.scheduler.endTurn();
    const { sessionId, password } = owner;
    expect(await world.connect().handshake({ sessionId, password })).toMatchObject(REFUSED);
  });
});

test("a client that has seen a later zxid is closed without a byte; an equal one is served", async () => {
  const world = new ReplicaWorld({}, () => {}, 100);
  const ahead = world.connect();
  expect(await ahead.handshake({ lastZxidSeen: 101n })).toBeUndefined();
  expect([ahead.isClosed, ahead.frames.length]).toEqual([true, 0]);
  expect(await world.connect().handshake({ lastZxidSeen: 100n })).toBeDefined();
});

test("a first frame that is no connect request is closed without a byte", async () => {
  const world = new ReplicaWorld();
  for (const length of [0, 1, 8, 27]) {
    const client = world.connect();
    client.write(new Uint8Array(4 + length).fill(0x7f, 4));
    await world.settle();
    expect([client.isClosed, client.frames.length], `${length} bytes`).toEqual([true, 0]);
  }
});

test("requests sent with the handshake are answered after it", async () => {
  const world = new ReplicaWorld();
  const client = world.connect();
  const shaken = client.handshake();
  const xid = client.send("exists", undefined);
  expect(await shaken).toBeDefined();
  await world.settle();
  expect(client.take().map((frame) => [frame.xid, frame.err])).toEqual([[xid, -5]]);
});

test("a handshake frame on a live session is an unknown request: -6, and the connection stays", async () => {
  const world = new ReplicaWorld();
  const client = await world.open();
  const repeated = await client.call(0);
  expect(repeated.err).toBe(-6);
  expect((await read(client, "getData", "/")).err).toBe(0);
});
