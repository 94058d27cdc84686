import { once } from "node:events";
import { connect } from "node:net";
import { addWatchRequest, createRequest, getChildrenRequest } from "@watchkeeper/wire";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { handshakeFrame, readHandshakeAnswer, requestFrame } from "../support/raw-connection.js";
import { serve } from "../support/server-under-test.js";
import { until } from "../support/until.js";

const OPEN = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];

describe("bytes arrive as they please", () => {
  test("a handshake in any two pieces is a handshake", async () => {
    const server = await serve({ connectionsPerAddressMax: 0 });
    const whole = handshakeFrame({});
    for (let cut = 1; cut < whole.length; cut++) {
      const connection = await server.socket();
      connection.write(whole.subarray(0, cut));
      // The server has the first piece when it has answered somebody who came later.
      await server.word("ruok");
      connection.write(whole.subarray(cut));
      expect(readHandshakeAnswer(await connection.nextBytes()).timeOut, `cut after ${cut} bytes`).toBe(10_000);
      connection.destroy();
    }
  });

  test("a request byte by byte is a request", async () => {
    const server = await serve();
    const raw = await server.raw();
    for (const byte of requestFrame(5, "exists", getChildrenRequest, { path: "/zookeeper", watch: false })) {
      raw.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await raw.next()).toMatchObject({ xid: 5, err: 0 });
  });

  test("a four-letter word in pieces is a word", async () => {
    const server = await serve();
    const connection = await server.socket();
    for (const piece of ["r", "uo", "k"]) {
      connection.write(Buffer.from(piece));
      await server.word("srvr");
    }
    expect((await connection.untilClosed()).toString()).toBe("imok");
  });
});

test("whoever asks a four-letter word and keeps the connection open does not keep it", async () => {
  const server = await serve();
  const asking = connect({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
  onTestFinished(() => void asking.destroy());
  asking.resume();
  asking.write("ruok");
  await once(asking, "end");
  const isOpen = async () => (await server.word("cons")).includes(`:${asking.localPort}[`);
  expect(await isOpen()).toBe(true);
  await vi.waitUntil(async () => !(await isOpen()), { timeout: 10_000, interval: 50 });
});

describe("nonsense", () => {
  test("closes its own connection, and nobody else notices", async () => {
    const server = await serve({ connectionsPerAddressMax: 0 });
    const witness = await server.client();
    await witness.create("/a", "x");
    const random = new SeededRandom(42);
    for (let i = 0; i < 60; i++) {
      const connection = await server.socket();
      if (random.below(2) === 0) connection.write(handshakeFrame({}));
      const noise = Uint8Array.from({ length: 1 + random.below(200) }, () => random.below(256));
      // Half of them with a length that is believed.
      if (random.below(2) === 0) noise.set([0, 0, 0, Math.max(0, noise.length - 4)]);
      connection.write(noise);
      await server.word("ruok");
      connection.destroy();
    }
    expect(String(await witness.getData("/a"))).toBe("x");
    expect(witness.state).toBe("connected");
    expect(server.log.of("error")).toEqual([]);
  });

  test.for([
    ["a negative length", [0xff, 0xff, 0xff, 0xfe]],
    ["a length over the limit", [0x00, 0x10, 0x00, 0x00]],
    ["an HTTP request", [...Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
  ] as const)("%s is closed without an answer and logged", async ([, bytes]) => {
    const server = await serve();
    const connection = await server.socket();
    connection.write(Uint8Array.from(bytes));
    expect(await connection.untilClosed()).toHaveLength(0);
    expect(server.log.of("warn")).toHaveLength(1);
  });

  test("a request shorter than its header closes the connection", async () => {
    const server = await serve();
    const raw = await server.raw();
    raw.write(Uint8Array.of(0, 0, 0, 3, 1, 2, 3));
    await raw.untilClosed();
  });

  test("a frame one byte over jute.maxbuffer is refused, one of exactly that size is read", async () => {
    const server = await serve({ frameBytesMax: 2000 });
    const raw = await server.raw();
    const exact = requestFrame(1, "create", createRequest, {
      path: "/a",
      data: new Uint8Array(2000 - 8 - 6 - 4 - 27 - 4),
      acl: OPEN,
      flags: 0,
    });
    expect(exact.length).toBe(2004);
    raw.write(exact);
    expect(await raw.next()).toMatchObject({ xid: 1, err: 0 });
    raw.write(Uint8Array.of(0, 0, 0x07, 0xd1));
    await raw.untilClosed();
  });
});

describe("limits on connections", () => {
  test("per address: one too many is closed at once without a byte, and there is room again when one goes", async () => {
    const server = await serve({ connectionsPerAddressMax: 3 });
    const held = [await server.raw(), await server.raw(), await server.raw()];
    const refused = await server.socket();
    expect(await refused.untilClosed()).toHaveLength(0);
    expect(server.log.of("warn").map(({ sentence }) => sentence)).toEqual([
      "Too many connections from 127.0.0.1 - max is 3 (maxClientCnxns)",
    ]);

    held[0]!.destroy();
    let answer = 0;
    while (answer === 0) {
      const connection = await server.socket();
      answer = (await connection.handshake().catch(() => ({ timeOut: 0 }))).timeOut;
    }
    expect(answer).toBe(10_000);
  });

  test("in all", async () => {
    const server = await serve({ connectionsPerAddressMax: 0, connectionsMax: 2 });
    await server.raw();
    await server.raw();
    expect(await (await server.socket()).untilClosed()).toHaveLength(0);
    expect(server.log.of("warn")[0]?.sentence).toContain("max is 2 (maxCnxns)");
  });
});

describe("a client that does not read", () => {
  /** So long that few events fill what the kernel holds for a client. */
  const LONG = `/${"x".repeat(250_000)}`;

  test("while its events pile up is closed, named in the log, and costs others nothing", async () => {
    const server = await serve({ forceSync: false });
    const writer = await server.client();
    await writer.create(LONG);
    await writer.create("/short");
    const deaf = await server.raw();
    for (const mode of [0, 1]) await deaf.call("addWatch", addWatchRequest, { path: LONG, mode });
    const attentive = await server.raw();
    await attentive.call("addWatch", addWatchRequest, { path: "/short", mode: 0 });
    deaf.stopReading();

    // Each child is told twice to the deaf one: by its own path, and as its parent's.
    const piled = (): boolean => server.log.of("warn").some(({ facts }) => "reason" in facts);
    let rounds = 0;
    while (!piled() && rounds < 100) {
      await Promise.all(Array.from({ length: 5 }, (_, i) => writer.create(`${LONG}/${rounds}-${i}`)));
      await writer.setData("/short", "x");
      rounds += 1;
    }

    expect(JSON.stringify(server.log.of("warn"))).toContain("it does not read");
    expect(await attentive.events()).toHaveLength(rounds);
    deaf.readAgain();
    await deaf.untilClosed();
  });

  test("is sent long replies whole all the same, even those that find the kernel full: that is no breach", async () => {
    const server = await serve({ forceSync: false });
    const writer = await server.client();
    await writer.create("/many");
    const name = "y".repeat(500_000);
    await Promise.all(Array.from({ length: 35 }, (_, i) => writer.create(`/many/${i}-${name}`)));
    const raw = await server.raw();
    await raw.call("addWatch", addWatchRequest, { path: "/many", mode: 0 });
    raw.stopReading();
    const read = { path: "/many", watch: false };
    // In one chunk, so that the second is answered while the first is still on its way.
    raw.write(
      Buffer.concat([1001, 1002, 1003].map((xid) => requestFrame(xid, "getChildren", getChildrenRequest, read))),
    );
    const longReplies = (): number => server.log.of("warn").filter(({ facts }) => "replyBytes" in facts).length;
    await until(() => longReplies() >= 2);
    await writer.setData("/many", "an event behind them");

    raw.readAgain();
    for (const xid of [1001, 1002, 1003]) {
      expect((await raw.upTo(xid)).reply.body.length).toBeGreaterThan(17_500_000); // more than 16 MiB each
    }
    expect(raw.isClosed).toBe(false);
  });
});

describe("closing the server", () => {
  test("answers what it took up, ends quietly, and leaves everything that was acknowledged on the disk", async () => {
    const server = await serve();
    const clients = await Promise.all(Array.from({ length: 4 }, () => server.client()));
    const acknowledged: string[] = [];
    const writes = clients.flatMap((client, c) =>
      Array.from({ length: 500 }, (_, i) =>
        client.create(`/${c}-${i}`).then(
          (path) => acknowledged.push(path),
          () => {},
        ),
      ),
    );
    await until(() => acknowledged.length > 50);
    await server.server.close();
    await Promise.all([server.server.close(), server.server.close()]); // idempotent
    for (const client of clients) void client.close();
    await Promise.all(writes);

    expect(await server.server.ended).toBeUndefined();
    expect(server.log.of("error")).toEqual([]);
    await server.start();
    const again = await server.client();
    const names = new Set((await again.getChildren("/")).map((name) => `/${name}`));
    for (const path of acknowledged) expect(names.has(path), path).toBe(true);
  });

  test("keeps sessions and their ephemerals for the next start", async () => {
    const server = await serve();
    const client = await server.client();
    await client.create("/e", null, { mode: "ephemeral" });
    await server.restart();
    const other = await server.client();
    expect((await other.exists("/e"))?.ephemeralOwner).toBe(client.sessionId);
    await until(() => client.state === "connected");
    await client.close();
    expect(await other.exists("/e")).toBeNull();
  });
});
