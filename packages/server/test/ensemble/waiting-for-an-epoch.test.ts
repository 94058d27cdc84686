import {
  ByteWriter,
  decodeNotification,
  FrameSplitter,
  type Notification,
  readElectionGreeting,
  SERVER_STATE,
  writeNotificationFrame,
} from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import type { PeerSocket } from "../../src/ports/index.js";
import { ELECTION_PORT } from "./ensemble-server.js";
import { EnsembleWorld, type ServerOptions } from "./ensemble-world.js";

/** A voter of whom the test speaks the election's words, and who never comes to a leader's quorum port. */
class Voice {
  readonly heard: (Notification & { readonly from: number })[] = [];
  private readonly world: EnsembleWorld;
  private readonly sockets = new Map<number, PeerSocket>();

  private constructor(world: EnsembleWorld) {
    this.world = world;
  }

  /** With a smaller id than the servers it speaks to, which therefore make the connections. */
  static async of(world: EnsembleWorld, sid: number): Promise<Voice> {
    const voice = new Voice(world);
    const endpoint = { host: `host${sid}`, port: ELECTION_PORT };
    await world.network.of(endpoint.host).listen(endpoint, (socket) => voice.listen(socket));
    return voice;
  }

  async vote(said: Partial<Notification>, to = 3): Promise<void> {
    await this.world.until(() => this.sockets.has(to), "an election connection");
    const writer = new ByteWriter();
    const looking = { state: SERVER_STATE.looking, leader: 3, zxid: 0, electionEpoch: 1, peerEpoch: 0, ...said };
    writeNotificationFrame(writer, looking, this.world.config.text);
    this.sockets.get(to)!.send(writer.view());
  }

  private listen(socket: PeerSocket): void {
    const frames = new FrameSplitter(1 << 16);
    let greeting: Uint8Array | undefined = new Uint8Array(0);
    let from = -1;
    socket.start({
      onBytes: (bytes) => {
        let at = 0;
        if (greeting !== undefined) {
          greeting = Buffer.concat([greeting, bytes]);
          const said = readElectionGreeting(greeting, 0, greeting.length);
          if (said === undefined || "refused" in said) return;
          from = said.sid!;
          this.sockets.set(from, socket);
          at = bytes.length - (greeting.length - said.end);
          greeting = undefined;
        }
        frames.push(bytes.subarray(at));
        while (frames.next()) {
          const said = decodeNotification(frames.bytes, frames.start, frames.end - frames.start)!;
          this.heard.push({ ...said, from });
        }
      },
      onDrained() {},
      onClosed() {},
    });
  }
}

/** Server 3, elected by server 2's vote and its own, while nobody comes to it. */
async function elected(server: Partial<ServerOptions>, others: readonly number[] = []) {
  const world = new EnsembleWorld({ server });
  const leader = world.server(3);
  const [other] = await Promise.all(others.map((sid) => Voice.of(world, sid)));
  const two = await Voice.of(world, 2);
  leader.start();
  await world.until(() => leader.process?.peer !== undefined, "the process");
  await two.vote({});
  await world.until(() => leader.process!.peer!.activity.kind === "leading", "the decision");
  return { world, leader, two, other };
}

describe("a leader whose quorum does not come", () => {
  test("gives up when a voter of its own looks for a leader again after leader.maxTimeToWaitForEpoch, and looks too", async () => {
    const { world, leader, two } = await elected({ maxTimeToWaitForEpochMs: 500 });
    await world.pass(490);
    await two.vote({ electionEpoch: 2 });
    await world.pass(10);
    expect(leader.process!.peer!.activity.kind).toBe("leading");
    await two.vote({ electionEpoch: 2 });
    await world.pass(10);
    expect(leader.process!.peer!.activity.kind).toBe("looking");
    expect(leader.process!.peer!.metrics.quit_leading_due_to_disloyal_voter.value).toBe(1);
    expect(leader.lines.lines.map(({ sentence }) => sentence).join()).toContain(
      "server 2 had voted for this leader and looks for one again",
    );
    // It takes part in the election that the voter has begun.
    two.heard.length = 0;
    await world.pass(250);
    expect(two.heard.at(-1)).toMatchObject({ state: SERVER_STATE.looking, electionEpoch: 2, leader: 3 });
  });

  test("is not impressed by a voter that had not voted for it", async () => {
    const { world, leader, other } = await elected({ maxTimeToWaitForEpochMs: 500 }, [1]);
    await world.pass(1000);
    await other!.vote({ electionEpoch: 2, leader: 1 });
    await world.pass(100);
    expect(leader.process!.peer!.activity.kind).toBe("leading");
  });

  test("waits until initLimit where no such time is set", async () => {
    const { world, leader, two } = await elected({});
    await world.pass(4000);
    await two.vote({ electionEpoch: 2 });
    await world.pass(500);
    expect(leader.process!.peer!.activity.kind).toBe("leading");
    await world.until(() => leader.process!.peer!.activity.kind === "looking", "initLimit", 1000);
  });

  test("stays once its epoch is fixed, whoever looks for a leader", async () => {
    const { world, leader, two } = await elected({ maxTimeToWaitForEpochMs: 500 });
    world.server(1).start();
    await world.until(() => leader.isServing, "a quorum with server 1");
    await world.pass(600);
    await two.vote({ electionEpoch: 2 });
    await world.pass(500);
    expect(leader.isServing).toBe(true);
  });
});

test("who serves in an epoch names it to whoever looks for a leader, the leader and its followers alike", async () => {
  const world = new EnsembleWorld();
  const one = await Voice.of(world, 1);
  for (const sid of [2, 3]) world.server(sid).start();
  await world.until(() => world.server(2).isServing && world.server(3).isServing, "two that serve");
  one.heard.length = 0;
  for (const sid of [2, 3]) await one.vote({ leader: 1, electionEpoch: 7 }, sid);
  await world.until(() => one.heard.length === 2, "the answers");
  const answers = one.heard.map(({ from, state, leader, peerEpoch }) => ({ from, state, leader, peerEpoch }));
  expect(answers.sort((a, b) => a.from - b.from)).toEqual([
    { from: 2, state: SERVER_STATE.following, leader: 3, peerEpoch: 1 },
    { from: 3, state: SERVER_STATE.leading, leader: 3, peerEpoch: 1 },
  ]);
});
