import { afterEach, describe, expect, test } from "vitest";
import { EnsembleConfig } from "../../src/zab/index.js";
import { ELECTION_PORT, ElectionMachines, frameOf, greetingOf, textsBehind } from "./election-machine.js";

let machines = new ElectionMachines();

function make(options?: ConstructorParameters<typeof ElectionMachines>[0]): ElectionMachines {
  machines = new ElectionMachines(options);
  return machines;
}

afterEach(() => machines.stop());

// Section 3.1 of the protocol, and section 17.1 for the bytes.
describe("who keeps a connection", () => {
  test("to a lower server: this one connects, says who it is, and keeps the connection", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const one = await machines.plain(1).listen();
    two.send(1, "vote");
    await time.until(() => one.accepted[0] !== undefined && one.accepted[0].received.length > 30);
    const said = one.accepted[0]!.received.slice(0, 34);
    expect(Buffer.from(said).toString("hex")).toBe(
      `ffffffffffff0000${"0000000000000002"}0000000a${Buffer.from("host2:3888").toString("hex")}00000004`,
    );
    expect(textsBehind(one.accepted[0]!, greetingOf(2))).toEqual(["vote"]);
    one.accepted[0]!.socket.send(frameOf("answer"));
    await time.until(() => two.messages.length > 0);
    expect(two.messages).toEqual(["1: answer"]);
    expect(one.accepted[0]!.closed).toBe(false);
  });

  test("to a higher server: this one only says who it is, and waits for that one to connect", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const three = await machines.plain(3).listen();
    two.send(3, "vote");
    await time.until(() => three.accepted[0]?.closed === true);
    expect(Buffer.from(three.accepted[0]!.received)).toEqual(Buffer.from(greetingOf(2)));
    const back = await three.dial(2);
    back.socket.send(greetingOf(3));
    await time.until(() => back.received.length > 4);
    expect(textsBehind(back, new Uint8Array(0))).toEqual(["vote"]);
    back.socket.send(frameOf("answer"));
    await time.until(() => two.messages.length > 0);
    expect(two.messages).toEqual(["3: answer"]);
    expect(three.accepted.length).toBe(1);
  });

  test("from a lower server: the connection is closed, and one made to where it said it is", async () => {
    const { time } = make();
    await machines.start(2);
    const elsewhere = await machines.plain(7).listen();
    const knock = await machines.plain(1).dial(2);
    knock.socket.send(greetingOf(1, "host7"));
    await time.until(() => knock.closed && elsewhere.accepted.length === 1);
    expect(elsewhere.accepted[0]!.closed).toBe(false);
  });

  test.each([
    ["any address", greetingOf(1, "0.0.0.0")],
    ["any address of IPv6", greetingOf(1, "::")],
    ["nothing, as of old", greetingOf(1).slice(8, 16)],
  ])("from a lower server that says of its place %s: the configuration's counts", async (_what, greeting) => {
    const { time } = make();
    await machines.start(2);
    const one = await machines.plain(1).listen();
    const knock = await one.dial(2);
    knock.socket.send(greeting);
    await time.until(() => knock.closed && one.accepted.length === 1);
  });

  test("from a lower server whose connection this one thinks it has: that one is given up", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const one = await machines.plain(1).listen();
    two.send(1, "vote");
    await time.until(() => one.accepted.length === 1);
    const knock = await one.dial(2);
    knock.socket.send(greetingOf(1));
    await time.until(() => one.accepted.length === 2 && one.accepted[0]!.closed);
    await time.until(() => textsBehind(one.accepted[1]!, greetingOf(2)).length > 0);
    expect(textsBehind(one.accepted[1]!, greetingOf(2))).toEqual(["vote"]);
  });

  test("from a higher server that connects again: the newer connection takes the place of the older", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const three = machines.plain(3);
    const older = await three.dial(2);
    older.socket.send(greetingOf(3));
    const newer = await three.dial(2);
    newer.socket.send(greetingOf(3));
    await time.until(() => older.closed);
    two.send(3, "vote");
    await time.until(() => newer.received.length > 4);
    expect(newer.closed).toBe(false);
  });

  test("from a server of this one's own number: closed, with a line on the myid files", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const twin = await machines.plain(9).dial(2);
    twin.socket.send(greetingOf(2));
    await time.until(() => twin.closed);
    expect(two.log.of("warn").map(({ sentence }) => sentence)).toEqual([expect.stringContaining("myid")]);
  });

  test("two real servers: one connection, whoever speaks first", async () => {
    for (const [first, second] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const { time } = make();
      const servers = new Map([
        [1, await machines.start(1)],
        [2, await machines.start(2)],
      ]);
      servers.get(first)!.send(second, "hello");
      await time.until(() => servers.get(second)!.messages.length > 0);
      servers.get(second)!.send(first, "hello");
      await time.until(() => servers.get(first)!.messages.length > 0);
      await machines.stop();
    }
  });

  test("two real servers that speak at once understand each other", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const { time } = make({ seed });
      const [one, two] = [await machines.start(1), await machines.start(2)];
      one.send(2, "one");
      two.send(1, "two");
      await time.until(() => one.messages.includes("2: two") && two.messages.includes("1: one"));
      await time.pass(2000);
      one.send(2, "one again");
      two.send(1, "two again");
      await time.until(() => one.messages.includes("2: two again") && two.messages.includes("1: one again"));
      await machines.stop();
    }
  });
});

describe("strangers", () => {
  test("a higher one may connect, is heard, and can be answered", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const nine = await machines.plain(9).dial(2);
    nine.socket.send(Buffer.concat([greetingOf(9), frameOf("who leads?")]));
    await time.until(() => two.messages.length > 0);
    expect(two.messages).toEqual(["9: who leads?"]);
    two.send(9, "3");
    await time.until(() => nine.received.length > 4);
    expect(textsBehind(nine, new Uint8Array(0))).toEqual(["3"]);
  });

  test("a lower one is connected back to where it said", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const zero = await machines.plain(0).listen();
    (await zero.dial(2)).socket.send(greetingOf(0));
    await time.until(() => zero.accepted.length === 1);
    zero.accepted[0]!.socket.send(frameOf("who leads?"));
    await time.until(() => two.messages.length > 0);
    expect(two.messages).toEqual(["0: who leads?"]);
  });

  test("observers without a number get one each, and are connected back to", async () => {
    const { time } = make();
    const two = await machines.start(2);
    for (const host of ["host8", "host9"]) {
      const observer = await machines.plain(Number(host.slice(4))).listen();
      const greeting = greetingOf(0, host);
      greeting.set(Buffer.from("7fffffffffffffff", "hex"), 8);
      (await observer.dial(2)).socket.send(greeting);
      await time.until(() => observer.accepted.length === 1);
      observer.accepted[0]!.socket.send(frameOf("who leads?"));
    }
    await time.until(() => two.messages.length === 2);
    expect(two.messages.sort()).toEqual(["-1: who leads?", "-2: who leads?"]);
  });

  test("nobody goes to one of his own accord", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const one = await machines.plain(1).listen();
    const nine = await machines.plain(9).listen();
    two.send(9, "vote");
    two.send(1, "vote");
    await time.until(() => one.accepted.length === 1);
    await time.pass(10_000);
    expect(nine.accepted).toEqual([]);
  });

  test("one that has gone is forgotten", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const nine = await machines.plain(9).dial(2);
    nine.socket.send(Buffer.concat([greetingOf(9), frameOf("who leads?")]));
    await time.until(() => two.messages.length > 0);
    expect(two.connections.haveDelivered()).toBe(true);
    nine.socket.close();
    await time.pass(1000);
    expect(two.connections.haveDelivered()).toBe(false);
  });
});

describe("messages", () => {
  test("wait for the connection; a newer one takes the place of one that has not left", async () => {
    const { time } = make();
    const two = await machines.start(2);
    two.send(1, "first");
    two.send(1, "second");
    expect(two.connections.haveDelivered()).toBe(false);
    await time.pass(100); // refused
    const one = await machines.plain(1).listen();
    two.send(1, "third");
    await time.until(() => one.accepted[0] !== undefined && textsBehind(one.accepted[0], greetingOf(2)).length > 0);
    await time.pass(1000);
    expect(textsBehind(one.accepted[0]!, greetingOf(2))).toEqual(["third"]);
    expect(two.connections.haveDelivered()).toBe(true);
  });

  test("to a server that does not read, the newest message is kept for later, and none between", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const one = await machines.plain(1).listen();
    two.send(1, "first");
    await time.until(() => one.accepted[0] !== undefined && textsBehind(one.accepted[0], greetingOf(2)).length > 0);
    one.accepted[0]!.socket.pause();
    const long = "x".repeat(300_000);
    two.send(1, long);
    await time.pass(100);
    for (const text of ["a", "b", "c"]) {
      two.send(1, text);
      await time.pass(100);
    }
    expect(two.connections.haveDelivered()).toBe(false);
    one.accepted[0]!.socket.resume();
    await time.until(() => two.connections.haveDelivered());
    await time.pass(1000);
    const texts = textsBehind(one.accepted[0]!, greetingOf(2));
    expect(texts.map((text) => (text === long ? "long" : text))).toEqual(["first", "long", "c"]);
  });

  test("the last one is said again on a new connection, unless there is a newer", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const three = machines.plain(3);
    const connect = async () => {
      const end = await three.dial(2);
      end.socket.send(greetingOf(3));
      await time.pass(1000);
      return end;
    };
    two.send(3, "first");
    const ends = [await connect(), await connect()];
    machines.network.cut("host2", "host3", "refused");
    await time.pass(1000);
    two.send(3, "second");
    machines.network.mend("host2", "host3");
    ends.push(await connect());
    expect(ends.map((end) => textsBehind(end, new Uint8Array(0)))).toEqual([["first"], ["first"], ["second"]]);
  });

  test("of up to 524288 bytes are received, in whatever pieces they come", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const three = await machines.plain(3).dial(2);
    const long = "y".repeat(524_288);
    const bytes = Buffer.concat([greetingOf(3), frameOf("a"), frameOf(long), frameOf("b")]);
    for (let at = 0; at < bytes.length; at += at < 100 ? 1 : 9973) {
      three.socket.send(bytes.subarray(at, at < 100 ? at + 1 : at + 9973));
    }
    await time.until(() => two.messages.length === 3);
    const texts = two.messages.map((text) => (text === `3: ${long}` ? "long" : text));
    expect(texts).toEqual(["3: a", "long", "3: b"]);
  });
});

describe("foreign bytes", () => {
  test.each([
    ["a request of HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "beyond 2^53"],
    ["the beginning of TLS", Buffer.from("1603010200010001fc0303", "hex"), "beyond 2^53"],
    ["a version nobody knows", Buffer.from("fffffffffffe00000000000000000001", "hex"), "protocol version"],
    ["addresses too long", Buffer.from("ffffffffffff0000000000000000000100000801", "hex"), "2049 bytes"],
    ["no address", Buffer.concat([greetingOf(3).subarray(0, 16), Buffer.from("00000003612e62", "hex")]), "host:port"],
    ["a message too long", Buffer.concat([greetingOf(3), Buffer.from("00080001", "hex")]), "524289 bytes"],
    ["a message of no bytes", Buffer.concat([greetingOf(3), Buffer.alloc(4), frameOf("vote")]), "0 bytes"],
    ["a negative length", Buffer.concat([greetingOf(3), Buffer.from("ffffffff", "hex")]), "-1 bytes"],
  ])("end a connection, with a line on what to do: %s", async (_what, bytes, reason) => {
    const { time } = make();
    const two = await machines.start(2);
    const end = await machines.plain(8).dial(2);
    end.socket.send(bytes);
    await time.until(() => end.closed);
    const [line, ...others] = two.log.of("warn");
    expect(others).toEqual([]);
    expect(line!.sentence).toContain("see what connects to it");
    expect(line!.facts).toMatchObject({ reason: expect.stringContaining(reason) });
    expect(two.messages).toEqual([]);
  });

  test("a connection that says nothing is closed in time", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const end = await machines.plain(3).dial(2);
    end.socket.send(greetingOf(3).subarray(0, 19));
    await time.pass(2000);
    expect(end.closed).toBe(false);
    await time.pass(2000);
    expect(end.closed).toBe(true);
    expect(two.log.of("warn").length).toBe(1);
  });

  test("however often they come, there is a line every ten seconds, with their number", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const scan = async () => {
      const end = await machines.plain(8).dial(2);
      end.socket.send(Buffer.from("GET / HTTP/1.1"));
      await time.until(() => end.closed);
    };
    for (let count = 0; count < 20; count++) await scan();
    expect(two.log.of("warn").length).toBe(1);
    await time.pass(10_000);
    await scan();
    expect(two.log.of("warn").map(({ facts }) => facts)[1]).toMatchObject({ alikeBefore: 19 });
  });

  test("connections that say nothing do not gather without bound", async () => {
    const { time } = make();
    await machines.start(2);
    const ends = [];
    for (let count = 0; count < 260; count++) ends.push(await machines.plain(8).dial(2));
    await time.pass(100);
    expect(ends.filter(({ closed }) => closed).length).toBe(260 - 256);
  });
});

test("servers outside the ensemble do not gather without bound, and its members are heard beside them", async () => {
  const { time } = make();
  const two = await machines.start(2);
  const ends = [];
  for (let sid = 100; sid < 360; sid++) {
    const end = await machines.plain(8).dial(2);
    end.socket.send(greetingOf(sid));
    ends.push(end);
  }
  const three = await machines.plain(3).dial(2);
  three.socket.send(Buffer.concat([greetingOf(3), frameOf("vote")]));
  await time.until(() => two.messages.length > 0);
  await time.pass(100);
  expect(ends.filter(({ closed }) => closed).length).toBe(260 - 256);
  expect(two.messages).toEqual(["3: vote"]);
});

describe("servers that cannot be reached", () => {
  test("a dead one delays no other", async () => {
    const { time } = make();
    const three = await machines.start(3);
    const one = await machines.plain(1).listen();
    machines.network.cut("host3", "host2");
    const startMs = time.nowMs;
    three.send(2, "vote");
    three.send(1, "vote");
    await time.until(() => one.accepted[0] !== undefined && textsBehind(one.accepted[0], greetingOf(3)).length > 0);
    expect(time.nowMs - startMs).toBeLessThan(200);
  });

  test("one attempt at a time, each given up after cnxTimeout; it is said once", async () => {
    const { time } = make();
    const three = await machines.start(3);
    machines.network.cut("host3", "host2");
    for (let count = 0; count < 10; count++) {
      three.send(2, "vote");
      three.connections.connectAll();
      await time.pass(1000);
    }
    const about = [...three.log.of("warn"), ...three.log.of("debug")].filter(({ facts }) => "error" in facts);
    expect(about.length).toBe(2);
    expect(three.log.of("warn").map(({ sentence }) => sentence)).toEqual([expect.stringContaining("server 2")]);
  });

  test("one that comes back is connected to with the next message", async () => {
    const { time } = make();
    const three = await machines.start(3);
    three.send(2, "first");
    await time.pass(1000);
    const two = await machines.plain(2).listen();
    three.connections.connectAll();
    await time.until(() => two.accepted.length === 1);
    await time.pass(100);
    expect(textsBehind(two.accepted[0]!, greetingOf(3))).toEqual(["first"]);
  });

  test("a higher one that never connects back is knocked at with pauses, and then spoken of", async () => {
    const { time } = make();
    const two = await machines.start(2);
    const three = await machines.plain(3).listen();
    for (let count = 0; count < 100; count++) {
      two.send(3, "vote");
      await time.pass(50);
    }
    expect(three.accepted.length).toBeGreaterThanOrEqual(5);
    expect(three.accepted.length).toBeLessThanOrEqual(10);
    expect(two.log.of("warn").map(({ sentence }) => sentence)).toEqual([expect.stringContaining("host2:3888")]);
  });

  test("the place of a proposed configuration is tried where the committed one's is dead", async () => {
    const { time, config } = make();
    const moved = EnsembleConfig.parse(
      config.text.replace("host1:2888", "host7:2888").replace("version=0", "version=5"),
    );
    const two = await machines.start(2);
    two.connections.setConfigs(config, moved);
    const seven = await machines.plain(7).listen();
    two.send(1, "vote");
    await time.until(() => seven.accepted.length === 1);
  });

  test("of several addresses the one that answers is taken, and all are told", async () => {
    const lines = `server.1=dead:2888:${ELECTION_PORT}|host1:2888:${ELECTION_PORT}\nserver.2=host2:2888:3888|localhost:2888:3889`;
    const { time } = make({ config: EnsembleConfig.parse(lines) });
    machines.network.cut("host2", "dead");
    const two = await machines.start(2, { multiAddress: true });
    const one = await machines.plain(1).listen();
    two.send(1, "vote");
    await time.until(() => (one.accepted[0]?.received.length ?? 0) > 50);
    const said = Buffer.from(one.accepted[0]!.received);
    expect(said.subarray(0, 8).toString("hex")).toBe("ffffffffffff0001");
    expect(said.subarray(20, 20 + said.readInt32BE(16)).toString()).toBe("host2:3888|localhost:3889");
  });
});

describe("the election port", () => {
  test("that is taken is tried again every second, as often as it is told", async () => {
    const { time, network } = make();
    const listener = await network.of("host2").listen({ host: "host2", port: ELECTION_PORT }, () => {});
    let failure: unknown;
    machines.start(2).catch((error: unknown) => {
      failure = error;
    });
    const startMs = time.nowMs;
    await time.until(() => failure !== undefined);
    expect(time.nowMs - startMs).toBe(2000);
    expect(failure).toMatchObject({ code: "EADDRINUSE", message: expect.stringContaining("server line") });

    let started = false;
    machines.start(2, { bindRetries: 0 }).then(() => {
      started = true;
    });
    await time.pass(20_000);
    expect(started).toBe(false);
    await listener.close();
    await time.until(() => started);
  });

  test("is given back, and no connection is left, when the server stops", async () => {
    const { time, network } = make();
    const two = await machines.start(2);
    const one = await machines.plain(1).listen();
    const silent = await machines.plain(3).dial(2);
    two.send(1, "vote");
    await time.until(() => one.accepted.length === 1);
    await two.connections.stop();
    await time.until(() => one.accepted[0]!.closed && silent.closed);
    two.send(1, "vote");
    await time.pass(5000);
    expect(one.accepted.length).toBe(1);
    await network.of("host2").listen({ host: "host2", port: ELECTION_PORT }, () => {});
  });

  test("on all addresses, where that is wanted", async () => {
    const { time, config } = make();
    const elsewhere = EnsembleConfig.parse(config.text.replace("host2:", "name-of-another-interface:"));
    const two = await machines.start(2, { listensOnAllAddresses: true, config: elsewhere });
    const three = await machines.plain(3).dial(2);
    three.socket.send(Buffer.concat([greetingOf(3), frameOf("vote")]));
    await time.until(() => two.messages.length > 0);
  });
});
