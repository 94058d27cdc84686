import { describe, expect, test } from "vitest";
import { NetworkError, type PeerSocket } from "../../src/ports/index.js";
import { MemoryNetwork } from "../../src/testing/memory-network.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { peerNetworkContract } from "../support/peer-network-contract.js";
import { TurnedTime } from "../support/turned-time.js";

function make(seed = 1) {
  const time = new TurnedTime();
  const { clock, scheduler } = time;
  const network = new MemoryNetwork({ clock, scheduler, random: new SeededRandom(seed) });
  return { time, network };
}

for (const seed of [1, 2, 3]) {
  peerNetworkContract(`memory, seed ${seed},`, () => {
    const { time, network } = make(seed);
    return {
      near: network.of("near"),
      far: network.of("far"),
      farHost: "far",
      until: (condition, what) => time.until(condition, what),
      settle: () => time.pass(10_000),
    };
  });
}

interface End {
  readonly socket: PeerSocket;
  text: string;
  closed: string | undefined;
}

function endOf(socket: PeerSocket): End {
  const end: End = { socket, text: "", closed: undefined };
  socket.start({
    onBytes: (bytes) => {
      end.text += Buffer.from(bytes).toString();
    },
    onDrained() {},
    onClosed: (reason) => {
      end.closed = reason;
    },
  });
  return end;
}

async function connected({ time, network }: ReturnType<typeof make>): Promise<{ near: End; far: End }> {
  const ends: { near?: End; far?: End } = {};
  await network.of("far").listen({ host: "0.0.0.0", port: 7 }, (socket) => {
    ends.far = endOf(socket);
  });
  network
    .of("near")
    .dial({ host: "far", port: 7 }, 1000)
    .then((socket) => {
      ends.near = endOf(socket);
    });
  await time.until(() => ends.near !== undefined && ends.far !== undefined);
  return { near: ends.near!, far: ends.far! };
}

async function failureOf(time: TurnedTime, dialed: Promise<unknown>): Promise<{ code: string; afterMs: number }> {
  const startMs = time.nowMs;
  let failure: unknown;
  dialed.catch((error: unknown) => {
    failure = error;
  });
  await time.until(() => failure !== undefined);
  expect(failure).toBeInstanceOf(NetworkError);
  return { code: (failure as NetworkError).code, afterMs: time.nowMs - startMs };
}

describe("links", () => {
  test("a silent link holds back what is sent, in its direction alone, until it is mended", async () => {
    const world = make();
    const { near, far } = await connected(world);
    world.network.setLink("near", "far", "silent");
    near.socket.send(Buffer.from("there"));
    far.socket.send(Buffer.from("back"));
    await world.time.pass(60_000);
    expect([near.text, far.text, near.closed, far.closed]).toEqual(["back", "", undefined, undefined]);
    world.network.mend("near", "far");
    await world.time.until(() => far.text === "there");
  });

  test("over a silent link no connection is made, whichever direction it is", async () => {
    for (const [from, to] of [
      ["near", "far"],
      ["far", "near"],
    ] as const) {
      const { time, network } = make();
      await network.of("far").listen({ host: "far", port: 7 }, (socket) => endOf(socket));
      network.setLink(from, to, "silent");
      const failure = await failureOf(time, network.of("near").dial({ host: "far", port: 7 }, 1000));
      expect(failure).toEqual({ code: "ETIMEDOUT", afterMs: 1000 });
    }
  });

  test("a refused link resets connections and refuses new ones", async () => {
    const world = make();
    const { near, far } = await connected(world);
    world.network.cut("near", "far", "refused");
    await world.time.until(() => near.closed !== undefined && far.closed !== undefined);
    expect(near.closed).toContain("ECONNRESET");
    const { code } = await failureOf(world.time, world.network.of("near").dial({ host: "far", port: 7 }, 1000));
    expect(code).toBe("ECONNREFUSED");
  });

  test("other machines are not concerned", async () => {
    const world = make();
    const { near, far } = await connected(world);
    world.network.cut("near", "third");
    near.socket.send(Buffer.from("there"));
    await world.time.until(() => far.text === "there");
  });
});

describe("a crash", () => {
  test("ends the machine's connections and listeners without a word to it", async () => {
    const world = make();
    const { near, far } = await connected(world);
    world.network.crash("far");
    await world.time.until(() => near.closed !== undefined);
    await world.time.pass(1000);
    expect(near.closed).toContain("ECONNRESET");
    expect(far.closed).toBeUndefined();
    const { code } = await failureOf(world.time, world.network.of("near").dial({ host: "far", port: 7 }, 1000));
    expect(code).toBe("ECONNREFUSED");
  });

  test("behind a silent link is not noticed until the link is mended", async () => {
    const world = make();
    const { near } = await connected(world);
    world.network.cut("near", "far");
    world.network.crash("far");
    await world.time.pass(60_000);
    expect(near.closed).toBeUndefined();
    world.network.mend("near", "far");
    await world.time.until(() => near.closed !== undefined);
  });
});

test("the same seed gives the same run", async () => {
  const runs = [];
  for (const seed of [5, 5, 6]) {
    const world = make(seed);
    const { near, far } = await connected(world);
    const arrivals: string[] = [];
    for (let at = 0; at < 20; at++) near.socket.send(Buffer.from("0123456789"));
    while (far.text.length < 200) {
      const before = far.text.length;
      await world.time.until(() => far.text.length > before);
      arrivals.push(`${world.time.nowMs}:${far.text.length}`);
    }
    runs.push(arrivals.join(" "));
  }
  expect(runs[0]).toBe(runs[1]);
  expect(runs[0]).not.toBe(runs[2]);
});
