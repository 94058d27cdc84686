import { ByteWriter, createRequest, makeZxid, OP, PACKET, sessionTimeout, writeRequestHead } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { Leader } from "../../src/ensemble/leader.js";
import { EnsembleConfig } from "../../src/zab/index.js";
import { bytes, create } from "../replica/requests.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { EnsembleWorld, type WorldOptions } from "./ensemble-world.js";
import { ScriptedPeer } from "./scripted-peer.js";

/** A leader by itself, whose peers the test plays; what it has to say for itself. */
class LeaderAlone {
  readonly world: EnsembleWorld;
  readonly server: EnsembleServer;
  leader!: Leader;
  /** Why it gave up. */
  ended: string | undefined;

  private constructor(world: EnsembleWorld) {
    this.world = world;
    this.server = world.server(1);
  }

  static async elected(options: WorldOptions = {}, prepare?: (server: EnsembleServer) => void): Promise<LeaderAlone> {
    const alone = new LeaderAlone(new EnsembleWorld(options));
    const { world, server } = alone;
    prepare?.(server);
    server.startAlone();
    await world.until(() => server.process?.state !== undefined, "the state being loaded");
    await alone.lead();
    return alone;
  }

  /** With two followers, who have its first proposal before its own disk has. */
  static async slowToLog() {
    const alone = await LeaderAlone.elected();
    const [two, three] = [await alone.learner(2), await alone.learner(3)];
    await Promise.all([two.follow(2), three.follow(3)]);
    alone.server.extraDiskMs = 200;
    alone.world.client().connect(alone.server);
    const { zxid } = await two.next(PACKET.proposal);
    return { alone, two, three, zxid };
  }

  async lead(): Promise<void> {
    const { world, server } = this;
    this.ended = undefined;
    this.leader = new Leader(server.process!.roleParts);
    this.leader.lead().then((reason) => {
      this.ended = reason;
      server.replica.stopServing(reason);
    }, server.process!.onFatal);
    await world.pass(20);
  }

  learner(sid: number): Promise<ScriptedPeer> {
    return ScriptedPeer.dial(this.world, sid, 1);
  }

  /** With one follower that is up to date: a quorum of three. */
  async established(): Promise<ScriptedPeer> {
    const follower = await this.learner(2);
    await follower.follow(2);
    return follower;
  }

  /** Writes until a PROPOSAL has come of each, and none is acknowledged. */
  async proposing(count: number, follower: ScriptedPeer): Promise<number[]> {
    const client = await this.client(follower);
    const zxids: number[] = [];
    for (let i = 0; i < count; i++) {
      client.send("create", undefined);
      zxids.push((await follower.next(PACKET.proposal)).zxid);
    }
    return zxids;
  }

  /** A client's session at the leader, made with this follower's help. */
  async client(follower: ScriptedPeer) {
    const client = this.world.client();
    client.connect(this.server);
    const { zxid } = await follower.next(PACKET.proposal);
    follower.ack(zxid);
    await follower.next(PACKET.commit);
    await this.world.until(() => client.isOpen, "the session");
    return client;
  }

  get warnings(): string[] {
    return this.server.lines.lines.filter(({ level }) => level === "warn").map(({ sentence }) => sentence);
  }
}

const E1 = makeZxid(1, 0);
const CREATE = { data: null, acl: [{ perms: 31, id: { scheme: "world", id: "anyone" } }], flags: 0 };

test.each([
  ["each of its addresses", false],
  ["each of its ports, on every address", true],
])("it listens on %s", async (_what, quorumListensOnAllAddresses) => {
  const world = new EnsembleWorld();
  const server = world.server(1);
  server.startAlone();
  await world.until(() => server.process?.state !== undefined, "the state being loaded");
  const { roleParts } = server.process!;
  const lines = world.config.text.replace(/^server\.1=.*$/m, "server.1=host1:2888:3888|host1:2889:3889:participant");
  const settings = { ...roleParts.settings, config: EnsembleConfig.parse(lines), quorumListensOnAllAddresses };
  let hasEnded = false;
  void new Leader({ ...roleParts, settings }).lead().then(() => {
    hasEnded = true;
  });
  const answering = async () => {
    const ports: number[] = [];
    for (const port of [2888, 2889]) {
      const dialed = world.network.of("host2").dial({ host: "host1", port }, 1000);
      void dialed.then(() => ports.push(port)).catch(() => {});
    }
    await world.pass(100);
    return ports.sort();
  };
  expect(await answering()).toEqual([2888, 2889]);
  await world.until(() => hasEnded, "it giving up", 20_000);
  expect(await answering()).toEqual([]);
});

describe("discovery and synchronization", () => {
  test("a follower hears the words in their order, from LEADERINFO to UPTODATE, and a PING every half tick behind NEWLEADER", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.learner(2);
    follower.followerInfo(2);
    await follower.next(PACKET.leaderInfo);
    follower.ackEpoch(0, 0);
    await follower.next(PACKET.diff);
    const newLeader = await follower.next(PACKET.newLeader);
    expect(newLeader.zxid).toBe(E1);
    expect(Buffer.from(newLeader.data!).toString()).toBe(alone.world.config.text);
    await alone.world.pass(1000);
    expect(follower.pings).toBeGreaterThanOrEqual(3);
    expect(follower.words).toEqual([]);
    expect(alone.server.isServing).toBe(false);
    follower.ack(E1);
    expect((await follower.next(PACKET.upToDate)).zxid).toBe(-1);
    expect(alone.server.isServing).toBe(true);
  });

  test("the epoch is one more than any that a learner has accepted, observers too", async () => {
    const alone = await LeaderAlone.elected({ observers: 1 });
    const observer = await alone.learner(4);
    observer.followerInfo(4, 7, { type: PACKET.observerInfo });
    const follower = await alone.learner(2);
    follower.followerInfo(2, 3);
    expect((await follower.next(PACKET.leaderInfo)).zxid).toBe(makeZxid(8, 0));
    expect((await observer.next(PACKET.leaderInfo)).zxid).toBe(makeZxid(8, 0));
  });

  test("a voter's id that comes as an observer makes no quorum: what it acknowledges may be on no disk", async () => {
    const alone = await LeaderAlone.elected();
    const observer = await alone.learner(2);
    observer.followerInfo(2, 0, { type: PACKET.observerInfo });
    await alone.world.pass(100);
    expect(observer.words).toEqual([]);
    const follower = await alone.learner(3);
    await follower.discover(3);
    observer.ackEpoch(0, 0);
    await observer.until(PACKET.newLeader);
    observer.ack(E1);
    await alone.world.pass(100);
    expect(alone.server.isServing).toBe(false);
    await follower.until(PACKET.newLeader);
    follower.ack(E1);
    await alone.world.until(() => alone.server.isServing, "the leader serving");
    follower.close();
    await alone.world.until(() => alone.ended !== undefined, "the leader giving up");
    expect(alone.ended).toContain("no quorum follows this leader");
  });

  test("observers make no quorum, of epochs or of acknowledgements", async () => {
    const alone = await LeaderAlone.elected({ observers: 2 });
    for (const sid of [4, 5]) (await alone.learner(sid)).followerInfo(sid, 0, { type: PACKET.observerInfo });
    await alone.world.until(() => alone.ended !== undefined, "the leader giving up", 10_000);
    expect(alone.ended).toContain("no quorum of voters connected to this leader within initLimit");
  });

  test("a learner with a later history than the leader's is refused, in epoch and in zxid (L10)", async () => {
    for (const [currentEpoch, lastZxid] of [
      [0, makeZxid(0, 5)],
      [1, makeZxid(1, 1)],
    ] as const) {
      const alone = await LeaderAlone.elected();
      const ahead = await alone.learner(2);
      await ahead.discover(2, { currentEpoch, lastZxid, acceptedEpoch: 1 });
      await ahead.untilClosed();
      expect(alone.warnings.at(-1)).toContain("it has history that this leader lacks");
      expect(alone.server.isServing).toBe(false);
    }
  });

  test("a follower that had accepted the epoch before, and says -1, is not counted among those that accept it", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.learner(2);
    await follower.discover(2, { currentEpoch: -1 });
    await alone.world.pass(500);
    expect(follower.words).toEqual([]);
    const other = await alone.learner(3);
    await other.discover(3);
    await other.next(PACKET.diff);
    expect(await follower.next(PACKET.diff)).toBeDefined();
  });

  test("a leader that no quorum promises its epoch to, or takes its history from, gives up after initLimit each", async () => {
    const unpromised = await LeaderAlone.elected();
    const before = await unpromised.learner(2);
    await before.discover(2, { currentEpoch: -1 });
    await unpromised.world.until(() => unpromised.ended !== undefined, "its giving up", 6000);
    expect(unpromised.ended).toContain("no quorum of voters accepted the epoch within initLimit (5000 ms)");

    const unfollowed = await LeaderAlone.elected();
    const stuck = await unfollowed.learner(2);
    await stuck.discover(2);
    await stuck.until(PACKET.newLeader);
    for (let i = 0; i < 6; i++) {
      if (!stuck.isClosed) stuck.ack(makeZxid(0, 5));
      await unfollowed.world.pass(1000);
    }
    expect(unfollowed.ended).toContain(
      "no quorum of voters took over this leader's history within initLimit (5000 ms)",
    );
    expect(unfollowed.server.isServing).toBe(false);
  });

  test("a newer configuration than the leader's is refused", async () => {
    const alone = await LeaderAlone.elected();
    const newer = await alone.learner(2);
    newer.followerInfo(2, 0, { configVersion: 5 });
    await newer.untilClosed();
    expect(lastLine(alone)).toContain("its configuration has version 0x5, which is newer than this leader's 0x0");
  });

  test("an acknowledgement of another epoch than this one's is none of NEWLEADER", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.learner(2);
    await follower.discover(2);
    await follower.until(PACKET.newLeader);
    follower.ack(makeZxid(2, 0));
    await alone.world.pass(500);
    expect(alone.server.isServing).toBe(false);
    follower.ack(E1);
    await follower.next(PACKET.upToDate);
  });

  test("a follower of a release up to 3.8.4 may acknowledge what it was proposed before NEWLEADER, and is counted (ZOOKEEPER-4685)", async () => {
    const alone = await LeaderAlone.elected();
    const first = await alone.established();
    const [outstanding] = await alone.proposing(1, first);
    const old = await alone.learner(3);
    await old.discover(3);
    await old.next(PACKET.diff).catch(() => undefined);
    await old.until(PACKET.newLeader);
    old.ack(outstanding!);
    await alone.world.pass(100);
    expect(alone.leader.lastCommitted).toBe(outstanding! - 1);
    old.ack(E1);
    await alone.world.until(() => alone.leader.lastCommitted === outstanding, "the early ACK being counted");
    await old.next(PACKET.upToDate);
    expect((await old.next(PACKET.commit)).zxid).toBe(outstanding);
  });

  test("the COMMIT of what was outstanding when a follower came is held back until UPTODATE (ZOOKEEPER-4394)", async () => {
    const alone = await LeaderAlone.elected();
    const first = await alone.established();
    const [outstanding] = await alone.proposing(1, first);
    const late = await alone.learner(3);
    await late.discover(3);
    await late.until(PACKET.newLeader);
    first.ack(outstanding!);
    await first.next(PACKET.commit);
    await alone.world.pass(100);
    expect(late.words).toEqual([]);
    late.ack(E1);
    await late.next(PACKET.upToDate);
    expect((await late.next(PACKET.commit)).zxid).toBe(outstanding);
  });

  test.each([
    ["out of memory", { commitLogCount: 500 }, 2],
    ["out of the log, and then out of memory", { commitLogCount: 1, commitLogBytesMax: 100, snapshotSizeFactor: 0 }, 2],
  ])("a history whose last batch is committed in part is sent without a gap, %s", async (_way, server, from) => {
    const alone = await LeaderAlone.elected({ server });
    const follower = await alone.established();
    const client = await alone.client(follower);
    const answering = keepAnswering(alone.world, [follower]);
    for (let i = 0; i < 4; i++) {
      const pending = create(client, `/n${i}`);
      follower.ack((await follower.until(PACKET.proposal)).zxid);
      expect((await pending).err).toBe(0);
    }
    for (let i = 0; i < 5; i++) client.send("create", createRequest, { ...CREATE, path: `/last${i}` });
    await alone.world.until(() => alone.leader.lastProposed === E1 + 10, "the proposals");
    follower.ack(E1 + 7);
    await alone.world.until(() => alone.server.replica.lastZxid === E1 + 7, "some of the batch being applied");
    const late = await alone.learner(3);
    await late.discover(3, { acceptedEpoch: 1, currentEpoch: -1, lastZxid: E1 + from });
    await alone.world.pass(50);
    answering.stop();
    const zxid = (counter: number) => `0x${(E1 + counter).toString(16)}`;
    const committedOnes = [3, 4, 5, 6, 7].flatMap((counter) => [
      `PROPOSAL ${zxid(counter)}`,
      `COMMIT ${zxid(counter)}`,
    ]);
    const outstanding = [8, 9, 10].map((counter) => `PROPOSAL ${zxid(counter)}`);
    expect(late.words).toEqual([`DIFF ${zxid(7)}`, ...committedOnes, ...outstanding, "NEWLEADER 0x100000000"]);
  });

  test("what was acknowledged on a connection that is gone is not counted on the next one", async () => {
    const alone = await LeaderAlone.elected({ servers: 5 });
    const [two, three] = [await alone.learner(2), await alone.learner(3)];
    await Promise.all([two, three].map((one, i) => one.discover(i + 2)));
    for (const one of [two, three]) {
      await one.until(PACKET.newLeader);
      one.ack(E1);
    }
    for (const one of [two, three]) await one.until(PACKET.upToDate);
    const client = alone.world.client();
    client.connect(alone.server);
    const { zxid } = await two.next(PACKET.proposal);
    two.ack(zxid);
    await alone.world.pass(50);
    two.close();
    await alone.world.pass(50);
    const again = await alone.learner(2);
    await again.discover(2, { acceptedEpoch: 1, currentEpoch: -1, lastZxid: zxid });
    await again.until(PACKET.newLeader);
    again.ack(E1);
    // It was sent TRUNC and the proposal anew: until it has logged that, only two of five have it.
    three.ack(zxid);
    await alone.world.pass(50);
    expect(alone.leader.lastCommitted).toBe(zxid - 1);
    again.ack(zxid);
    await alone.world.until(() => alone.leader.lastCommitted === zxid, "the commit");
  });

  test("what a voter had acknowledged is not counted when it is back as an observer, which has cut it off", async () => {
    const { alone, two, three, zxid } = await LeaderAlone.slowToLog();
    two.ack(zxid);
    await alone.world.pass(50);
    two.close();
    await alone.world.pass(50);
    const again = await alone.learner(2);
    const type = PACKET.observerInfo;
    await again.discover(2, { type, acceptedEpoch: 1, currentEpoch: 1, lastZxid: zxid });
    expect((await again.next(PACKET.trunc)).zxid).toBe(0);
    const { pipeline } = alone.server.replica;
    await alone.world.until(() => pipeline.loggedZxid === zxid, "its being on the leader's disk, and on no other");
    expect(alone.leader.lastCommitted).toBe(zxid - 1);
    three.ack(zxid);
    await alone.world.until(() => alone.leader.lastCommitted === zxid, "the commit");
  });

  test("a voter that asks for a snapshot, for its files cannot be cut, gets none that lacks what is committed: its disk may be one of the quorum's", async () => {
    const { alone, two, three, zxid } = await LeaderAlone.slowToLog();
    two.ack(zxid);
    three.ack(zxid);
    await alone.world.until(() => alone.leader.lastCommitted === zxid, "the commit");
    expect(alone.server.replica.lastZxid).toBe(0);
    two.close();
    await alone.world.pass(50);
    const again = await alone.learner(2);
    await again.discover(2, { acceptedEpoch: 1, currentEpoch: -1, lastZxid: -1 });
    expect((await again.next(PACKET.snap)).zxid).toBe(zxid);
  });

  test("a member that has promised a later epoch to a leader that came to nothing gets an election, and follows the next leader", async () => {
    const alone = await LeaderAlone.elected();
    await alone.established();
    const stranger = await alone.learner(3);
    stranger.followerInfo(9, 7);
    await alone.world.pass(100);
    expect(alone.server.isServing).toBe(true);
    const comesAgain = async (acceptedEpoch: number): Promise<void> => {
      const three = await alone.learner(3);
      three.followerInfo(3, acceptedEpoch);
      await alone.world.pass(100);
    };
    const initLimitMs = alone.world.options.initLimitTicks * alone.world.options.tickTimeMs;
    // Far ahead is a damaged file; another promise each time is noise; neither may cost the ensemble its leader.
    for (let waitedMs = 0; waitedMs < 2 * initLimitMs; waitedMs += 200) {
      await comesAgain(0x7fffffff);
      await comesAgain(2 + (waitedMs % 14));
    }
    expect(alone.ended).toBeUndefined();
    for (let waitedMs = 0; alone.ended === undefined; waitedMs += 100) {
      expect(waitedMs).toBeLessThan(2 * initLimitMs);
      await comesAgain(7);
      if (waitedMs < initLimitMs / 2) expect(alone.ended).toBeUndefined();
    }
    expect(alone.ended).toContain("server 3 has promised epoch 7 to another leader");
    await alone.lead();
    const again = await alone.learner(3);
    expect(await again.follow(3, { acceptedEpoch: 7 })).toBe(8);
  });

  test.each([
    ["a follower", PACKET.followerInfo],
    ["an observer", PACKET.observerInfo],
  ])(
    "%s that has the leader's own myid is refused, with a reason: what it acknowledges would count as the leader's",
    async (_who, type) => {
      const alone = await LeaderAlone.elected();
      const stranger = await alone.learner(2);
      stranger.followerInfo(1, 0, { type });
      await stranger.untilClosed();
      expect(alone.warnings).toContainEqual(
        expect.stringContaining("it says that it is server 1, which this leader is"),
      );
      await alone.established();
      expect(alone.server.isServing).toBe(true);
    },
  );
});

describe("how many are brought up to date at a time", () => {
  const ways = [
    [
      "a snapshot",
      PACKET.snap,
      { maxConcurrentSnapSyncs: 2, alwaysSendsSnapshot: true },
      "leader.maxConcurrentSnapSyncs=2",
    ],
    ["missing txns", PACKET.diff, { maxConcurrentDiffSyncs: 2 }, "leader.maxConcurrentDiffSyncs=2"],
  ] as const;

  /** An observer, up to where it would acknowledge NEWLEADER. */
  async function beginSync(alone: LeaderAlone, sid: number, first: number): Promise<ScriptedPeer> {
    const observer = await alone.learner(sid);
    await observer.discover(sid, { type: PACKET.observerInfo });
    await observer.next(first);
    return observer;
  }

  async function refused(alone: LeaderAlone, sid: number, reason: string): Promise<void> {
    const observer = await alone.learner(sid);
    await observer.discover(sid, { type: PACKET.observerInfo });
    await observer.untilClosed();
    expect(observer.words).toEqual([]);
    expect(alone.warnings.at(-1)).toContain(reason);
  }

  test.each(ways)(
    "an observer more is turned away before it is sent %s, and let in when another is done",
    async (_what, first, server, key) => {
      const alone = await LeaderAlone.elected({ observers: 4, server });
      const follower = await alone.established();
      const answering = keepAnswering(alone.world, [follower]);
      const four = await beginSync(alone, 4, first);
      const five = await beginSync(alone, 5, first);
      await refused(alone, 6, `2 servers are being sent ${_what}`);
      expect(alone.warnings.at(-1)).toContain(key);
      four.ack(E1);
      await four.until(PACKET.upToDate);
      const six = await beginSync(alone, 6, first);
      await refused(alone, 7, key);
      // One that goes away in the middle of it gives its place back.
      five.close();
      await alone.world.pass(20);
      await beginSync(alone, 5, first);
      answering.stop();
      expect(six.isClosed).toBe(false);
    },
  );

  test.each(ways)("a voter is never turned away, and counts: %s", async (_what, first, server, key) => {
    const alone = await LeaderAlone.elected({ observers: 3, server });
    const follower = await alone.established();
    const answering = keepAnswering(alone.world, [follower]);
    await beginSync(alone, 4, first);
    await beginSync(alone, 5, first);
    const three = await alone.learner(3);
    await three.follow(3);
    await refused(alone, 6, key);
    answering.stop();
  });
});

describe("broadcast", () => {
  test("acknowledgements of counter 0, of what is committed and of what was never proposed mean nothing", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    const [zxid] = await alone.proposing(1, follower);
    for (const foreign of [E1, zxid! - 1, zxid! + 1, makeZxid(2, 1), makeZxid(0, 1)]) follower.ack(foreign);
    await alone.world.pass(100);
    expect(alone.leader.lastCommitted).toBe(zxid! - 1);
    expect(follower.isClosed).toBe(false);
    follower.ack(zxid!);
    expect((await follower.next(PACKET.commit)).zxid).toBe(zxid);
  });

  test("acknowledgements of a server without a vote are not counted", async () => {
    const alone = await LeaderAlone.elected({ observers: 1 });
    const follower = await alone.established();
    const stranger = await alone.learner(3);
    await stranger.follow(9);
    const [zxid] = await alone.proposing(1, follower);
    expect((await stranger.until(PACKET.proposal)).zxid).toBe(zxid! - 1);
    stranger.ack(zxid!);
    await alone.world.pass(100);
    expect(alone.leader.lastCommitted).toBe(zxid! - 1);
  });

  test("W5: an observer is told of a txn when it is committed, once, and with the txn", async () => {
    const alone = await LeaderAlone.elected({ observers: 1 });
    const follower = await alone.established();
    const observer = await alone.learner(4);
    await observer.follow(4, { type: PACKET.observerInfo });
    const [zxid] = await alone.proposing(1, follower);
    const session = await observer.next(PACKET.inform);
    expect(session.zxid).toBe(zxid! - 1);
    await alone.world.pass(50);
    expect(observer.words).toEqual([]);
    follower.ack(zxid!);
    const inform = await observer.next(PACKET.inform);
    expect(inform.zxid).toBe(zxid);
    expect(inform.data!.length).toBeGreaterThan(0);
  });

  test("W5: an observer that comes while a txn is outstanding hears nothing of it before its commit, and then all of it", async () => {
    const alone = await LeaderAlone.elected({ observers: 1 });
    const follower = await alone.established();
    const [zxid] = await alone.proposing(1, follower);
    const observer = await alone.learner(4);
    await observer.discover(4, { type: PACKET.observerInfo });
    await alone.world.pass(50);
    const session = `0x${(zxid! - 1).toString(16)}`;
    expect(observer.words).toEqual([`SNAP ${session}`, "NEWLEADER 0x100000000"]);
    observer.ack(E1);
    await observer.next(PACKET.upToDate);
    await alone.world.pass(50);
    expect(observer.words).toEqual([]);
    follower.ack(zxid!);
    expect((await observer.next(PACKET.inform)).zxid).toBe(zxid);
  });

  test("a learner that answers PINGs and acknowledges nothing is given up after syncLimit, with a reason", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    const silent = await alone.learner(3);
    await silent.follow(3);
    await alone.proposing(1, follower);
    const answering = keepAnswering(alone.world, [silent, follower]);
    await silent.untilClosed(6000);
    answering.stop();
    expect(alone.warnings.join()).toContain("its disk may be too slow");
  });

  test("a learner that says nothing any more is given up after syncLimit; with it the quorum is gone, and the leader gives up", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    await follower.untilClosed(6000);
    await alone.world.until(() => alone.ended !== undefined, "the leader giving up", 3000);
    expect(alone.ended).toMatch(/no quorum|could be heard/);
    expect(alone.server.isServing).toBe(false);
  });

  test("a learner that never gets through its synchronization makes no quorum any more after initLimit and syncLimit", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    const answering = keepAnswering(alone.world, [follower]);
    const stuck = await alone.learner(3);
    await stuck.discover(3);
    await stuck.until(PACKET.newLeader);
    // Never silent, and never with the one ACK that is waited for.
    for (let i = 0; i < 8; i++) {
      stuck.ack(makeZxid(0, 5));
      await alone.world.pass(1000);
    }
    expect(alone.ended).toBeUndefined();
    answering.stop();
    follower.close();
    await alone.world.pass(1000);
    expect(stuck.isClosed).toBe(true);
    expect(alone.ended).toContain("no quorum follows this leader any more");
  });

  test("a learner that does not read is given up when too much waits for it, and holds nobody up", async () => {
    const alone = await LeaderAlone.elected({ server: { learnerBytesMax: 100_000 } });
    const follower = await alone.established();
    const stuffed = await alone.learner(3);
    await stuffed.follow(3);
    stuffed.stopReading();
    const client = await alone.client(follower);
    const answering = keepAnswering(alone.world, [follower, stuffed]);
    for (let i = 0; !lastLine(alone).includes("it does not read"); i++) {
      if (i > 100) throw new Error("it was not given up");
      const pending = create(client, `/n${i}`, { data: new Uint8Array(20_000) });
      follower.ack((await follower.until(PACKET.proposal)).zxid);
      expect((await pending).err).toBe(0);
    }
    answering.stop();
    expect(follower.isClosed).toBe(false);
  });
});

function lastLine(alone: LeaderAlone): string {
  const { facts, sentence } = alone.server.lines.lines.at(-1)!;
  return `${sentence} ${JSON.stringify(facts)}`;
}

/** The leader's own time goes on, and its learners answer PINGs. */
function ticking({ world, server }: LeaderAlone, peers: readonly ScriptedPeer[]): { stop(): void } {
  const answering = keepAnswering(world, peers);
  let isOver = false;
  const tick = () => {
    if (isOver) return;
    server.replica.tick();
    world.scheduler.after(200, tick);
  };
  tick();
  return {
    stop: () => {
      isOver = true;
      answering.stop();
    },
  };
}

/** Answers PINGs, and nothing else. */
function keepAnswering(world: EnsembleWorld, peers: readonly ScriptedPeer[]): { stop(): void } {
  let isOver = false;
  const answer = () => {
    if (isOver) return;
    for (const peer of peers) if (!peer.isClosed) peer.send(PACKET.ping, 0, new Uint8Array(0));
    world.scheduler.after(200, answer);
  };
  answer();
  return {
    stop: () => {
      isOver = true;
    },
  };
}

describe("requests that learners forward", () => {
  /** A leader with one follower, and a session of a client of that follower. */
  async function withSession() {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    request(follower, OP.createSession, 0, timeoutBytes());
    await committed(follower);
    return { alone, follower };
  }

  test("W2, W3: each becomes one txn, in the order in which they came", async () => {
    const { alone, follower } = await withSession();
    request(follower, OP.create, 1, createBytes("/a"));
    request(follower, OP.create, 2, createBytes("/a"));
    request(follower, OP.delete, 3, deleteBytes("/a"));
    const types: number[] = [];
    for (let i = 0; i < 3; i++) types.push(txnType((await follower.until(PACKET.proposal)).data!));
    expect(types).toEqual([OP.create, OP.error, OP.delete]);
    expect(alone.leader.lastProposed).toBe(E1 + 4);
  });

  test("a session's write that comes by way of another server than its client's is refused (SESSIONMOVED)", async () => {
    const { alone, follower } = await withSession();
    request(follower, OP.create, 1, createBytes("/a"));
    await committed(follower);
    const other = await alone.learner(3);
    await other.follow(3);
    request(other, OP.create, 2, createBytes("/b"));
    const { data } = await other.until(PACKET.proposal);
    expect(txnType(data!)).toBe(OP.error);
    expect(new DataView(data!.buffer, data!.byteOffset).getInt32(32)).toBe(-118);
  });

  test("REVALIDATE makes the asking server the session's, whose writes are taken from then on", async () => {
    const { alone, follower } = await withSession();
    const other = await alone.learner(3);
    await other.follow(3);
    other.send(PACKET.revalidate, -1, sessionBytes(SESSION, 9000));
    const answer = await other.until(PACKET.revalidate);
    expect([...answer.data!]).toEqual([...sessionBytes(SESSION, 9000).slice(0, 8), 1]);
    request(other, OP.create, 2, createBytes("/b"));
    expect(txnType((await other.until(PACKET.proposal)).data!)).toBe(OP.create);
    follower.ack(alone.leader.lastProposed);
  });

  test("REVALIDATE of a session that nobody knows, or that is closing, is answered with no", async () => {
    const { follower } = await withSession();
    follower.send(PACKET.revalidate, -1, sessionBytes(0x1234n, 9000));
    expect((await follower.until(PACKET.revalidate)).data![8]).toBe(0);
    request(follower, OP.closeSession, 5, new Uint8Array(0));
    follower.send(PACKET.revalidate, -1, sessionBytes(SESSION, 9000));
    expect((await follower.until(PACKET.revalidate)).data![8]).toBe(0);
  });

  test("a write right behind the creation of its session, as of a local session that becomes a global one, is one like any other", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    request(follower, OP.createSession, 0, timeoutBytes());
    request(follower, OP.create, 1, createBytes("/a"));
    expect(txnType((await follower.next(PACKET.proposal)).data!)).toBe(OP.createSession);
    expect(txnType((await follower.next(PACKET.proposal)).data!)).toBe(OP.create);
  });

  test("what comes behind the closing of its session becomes an error (SESSIONEXPIRED), before the closing is committed too", async () => {
    const { follower } = await withSession();
    request(follower, OP.closeSession, 5, new Uint8Array(0));
    request(follower, OP.create, 6, createBytes("/a"));
    expect(txnType((await follower.next(PACKET.proposal)).data!)).toBe(OP.closeSession);
    const { data } = await follower.next(PACKET.proposal);
    expect(txnType(data!)).toBe(OP.error);
    expect(new DataView(data!.buffer, data!.byteOffset).getInt32(32)).toBe(-112);
  });

  test("REVALIDATE of a session whose creation is proposed and not committed yet is answered with yes", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    request(follower, OP.createSession, 0, timeoutBytes());
    await follower.until(PACKET.proposal);
    follower.send(PACKET.revalidate, -1, sessionBytes(SESSION, 2000));
    expect((await follower.until(PACKET.revalidate)).data![8]).toBe(1);
  });

  test("REVALIDATE gives the session its whole time again, as the asking server has it", async () => {
    const { alone, follower } = await withSession();
    const clock = ticking(alone, [follower]);
    await alone.world.pass(1500);
    follower.send(PACKET.revalidate, -1, sessionBytes(SESSION, 6000));
    await alone.world.pass(5500);
    expect(follower.words).toEqual([expect.stringContaining("REVALIDATE")]);
    const { data } = await follower.until(PACKET.proposal);
    clock.stop();
    expect(txnType(data!)).toBe(OP.closeSession);
  });

  test("a write of a session that is no more becomes an error (SESSIONEXPIRED)", async () => {
    const { follower } = await withSession();
    request(follower, OP.closeSession, 5, new Uint8Array(0));
    await committed(follower);
    request(follower, OP.create, 6, createBytes("/a"));
    const { data } = await follower.until(PACKET.proposal);
    expect(new DataView(data!.buffer, data!.byteOffset).getInt32(32)).toBe(-112);
  });

  test("a session lives as long as its server tells of it with its answers to PING, and then expires by the leader's own txn", async () => {
    const { alone, follower } = await withSession();
    let telling = true;
    const acking = () => {
      if (follower.isClosed) return;
      follower.send(PACKET.ping, 0, telling ? sessionBytes(SESSION, 2000) : new Uint8Array(0));
      alone.world.scheduler.after(200, acking);
      alone.server.replica.tick();
    };
    acking();
    await alone.world.pass(10_000);
    expect(follower.words).toEqual([]);
    telling = false;
    const { data } = await follower.until(PACKET.proposal);
    expect(txnType(data!)).toBe(OP.closeSession);
  });

  test("who asks is known by what the learner says of its client", async () => {
    const { follower } = await withSession();
    const bob = { scheme: "digest", id: "bob:9nT4z2u9uPHHfCW0SdlgDUxTWEM=" };
    request(follower, OP.create, 1, createBytes("/bobs", bob), [LOCALHOST, bob]);
    await committed(follower);
    const errors: (number | undefined)[] = [];
    for (const ids of [[LOCALHOST], [], [LOCALHOST, bob]]) {
      request(follower, OP.create, 2 + errors.length, createBytes(`/bobs/${errors.length}`), ids);
      const { data } = await follower.until(PACKET.proposal);
      const isError = txnType(data!) === OP.error;
      errors.push(isError ? new DataView(data!.buffer, data!.byteOffset).getInt32(32) : undefined);
    }
    expect(errors).toEqual([-102, -102, undefined]);
  });

  test("SYNC stands behind the commit of all that was proposed, and ahead of what came later", async () => {
    const { follower } = await withSession();
    request(follower, OP.sync, 1, pathBytes("/"));
    expect(await follower.next(PACKET.sync)).toBeDefined();
    request(follower, OP.create, 2, createBytes("/a"));
    request(follower, OP.sync, 3, pathBytes("/"));
    request(follower, OP.create, 4, createBytes("/b"));
    const first = (await follower.next(PACKET.proposal)).zxid;
    const second = (await follower.next(PACKET.proposal)).zxid;
    follower.ack(second);
    expect(await follower.next(PACKET.commit)).toMatchObject({ zxid: first });
    expect(await follower.next(PACKET.sync)).toMatchObject({ zxid: 0, data: undefined });
    expect(await follower.next(PACKET.commit)).toMatchObject({ zxid: second });
  });
});

describe("bad input on the quorum port", () => {
  const garbage: readonly [string, (peer: ScriptedPeer) => void, string][] = [
    ["an HTTP request", (peer) => peer.sendBytes(bytes("GET / HTTP/1.1\r\nHost: zoo\r\n\r\n")), "no quorum packet"],
    [
      "a length beyond all bounds",
      (peer) => peer.sendBytes(Buffer.from(`0000000b${"00".repeat(8)}7fffffff`, "hex")),
      "no quorum packet",
    ],
    ["a first word that is not FOLLOWERINFO", (peer) => peer.ack(5), "its first packet is ACK"],
    [
      "a learner from before Zab 1.0",
      (peer) => peer.send(PACKET.followerInfo, 0, Buffer.from("0000000000000002", "hex")),
      "upgrade it",
    ],
  ];
  test.each(garbage)("%s ends that connection, with a line, and nothing else", async (_name, speak, reason) => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    const stranger = await alone.learner(3);
    speak(stranger);
    await stranger.untilClosed();
    expect(lastLine(alone)).toContain(reason);
    expect(lastLine(alone)).toContain("host3");
    expect(follower.isClosed).toBe(false);
    expect(alone.server.isServing).toBe(true);
  });

  test("one that says nothing is let go after initLimit", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    const answering = keepAnswering(alone.world, [follower]);
    const mute = await alone.learner(3);
    await mute.untilClosed(7000);
    answering.stop();
    expect(alone.server.isServing).toBe(true);
  });

  test.each([
    ["a follower", 3, PACKET.followerInfo],
    ["an observer", 4, PACKET.observerInfo],
  ])("%s that takes a snapshot too slowly is let go when too much has come up meanwhile", async (_what, sid, type) => {
    const alone = await LeaderAlone.elected({
      observers: 1,
      server: { alwaysSendsSnapshot: true, learnerBytesMax: 2_000_000 },
    });
    const follower = await alone.established();
    const client = await alone.client(follower);
    const answering = keepAnswering(alone.world, [follower]);
    const data = new Uint8Array(100_000);
    const write = async (path: string) => {
      const pending = create(client, path, { data });
      follower.ack((await follower.until(PACKET.proposal)).zxid);
      expect((await pending).err).toBe(0);
    };
    for (let i = 0; i < 10; i++) await write(`/n${i}`);
    const slow = await alone.learner(sid);
    slow.followerInfo(sid, 0, { type });
    await slow.next(PACKET.leaderInfo);
    slow.stopReading();
    slow.ackEpoch(0, 0);
    for (let i = 0; i < 22; i++) await write(`/later${i}`);
    answering.stop();
    expect(alone.warnings.join()).toContain("bytes wait for it while it is synchronized");
    expect(alone.server.isServing).toBe(true);
  });

  test("one that takes nothing of what it is sent while it is synchronized is let go after initLimit", async () => {
    const alone = await LeaderAlone.elected({ server: { alwaysSendsSnapshot: true } });
    const follower = await alone.established();
    const client = await alone.client(follower);
    const answering = keepAnswering(alone.world, [follower]);
    for (let i = 0; i < 10; i++) {
      const pending = create(client, `/n${i}`, { data: new Uint8Array(100_000) });
      follower.ack((await follower.until(PACKET.proposal)).zxid);
      expect((await pending).err).toBe(0);
    }
    const deaf = await alone.learner(3);
    deaf.followerInfo(3);
    await deaf.next(PACKET.leaderInfo);
    deaf.stopReading();
    deaf.ackEpoch(0, 0);
    await alone.world.until(() => alone.warnings.join().includes("took nothing"), "its being let go", 6000);
    answering.stop();
    expect(alone.warnings.join()).toContain("it took nothing that was sent for 5000 ms");
    expect(alone.server.isServing).toBe(true);
  });

  test.each([
    ["a REQUEST that is too short", (bad: ScriptedPeer) => bad.send(PACKET.request, -1, new Uint8Array(7))],
    ["a createSession without a timeout", (bad: ScriptedPeer) => request(bad, OP.createSession, 0, new Uint8Array(3))],
    ["a REVALIDATE of another length", (bad: ScriptedPeer) => bad.send(PACKET.revalidate, -1, new Uint8Array(16))],
  ])("%s ends the connection of who sent it, and nothing comes of it", async (_what, speak) => {
    const alone = await LeaderAlone.elected();
    const [, bad] = [await alone.established(), await alone.learner(3)];
    await bad.follow(3);
    speak(bad);
    await bad.untilClosed(100);
    expect(alone.server.isServing).toBe(true);
    expect(alone.leader.lastProposed).toBe(E1);
  });

  test("a follower that has fallen silent is replaced by its own new connection, long before syncLimit", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    const answering = keepAnswering(alone.world, [follower]);
    const before = await alone.learner(3);
    await before.follow(3);
    await alone.world.pass(1100);
    const again = await alone.learner(3);
    await again.follow(3);
    answering.stop();
    expect(before.isClosed).toBe(true);
    expect(alone.warnings.join()).toContain("server 3 has connected anew, from host3");
    expect(alone.server.isServing).toBe(true);
  });

  test("a second server of the same myid does not drive out the first, and the operator is told", async () => {
    const alone = await LeaderAlone.elected();
    const follower = await alone.established();
    const answering = keepAnswering(alone.world, [follower]);
    const second = await alone.learner(3);
    second.followerInfo(2);
    await alone.world.until(() => second.isClosed || follower.isClosed, "one of the two being let go");
    answering.stop();
    expect(alone.warnings.join()).toContain("two servers have");
    expect(second.isClosed).toBe(true);
    expect(follower.isClosed).toBe(false);
  });
});

const SESSION = 0x0200_0001_0000_0000n;

function sessionBytes(sessionId: bigint, timeoutMs: number): Uint8Array {
  const writer = new ByteWriter();
  sessionTimeout.encode(writer, { sessionId, timeoutMs });
  return writer.view().slice();
}

function request(peer: ScriptedPeer, opcode: number, cxid: number, body: Uint8Array, ids = [LOCALHOST]): void {
  const writer = new ByteWriter();
  writeRequestHead(writer, Number(SESSION >> 32n), Number(SESSION & 0xffffffffn), cxid, opcode);
  writer.copy(body, 0, body.length);
  peer.send(PACKET.request, -1, writer.view(), ids);
}

const LOCALHOST = { scheme: "ip", id: "127.0.0.1" };

/** Acknowledges the next proposal and takes its commit. */
async function committed(follower: ScriptedPeer): Promise<void> {
  const { zxid } = await follower.until(PACKET.proposal);
  follower.ack(zxid);
  await follower.until(PACKET.commit);
}

function timeoutBytes(timeoutMs = 2000): Uint8Array {
  const writer = new ByteWriter();
  writer.int(timeoutMs);
  return writer.view().slice();
}

function pathBytes(path: string): Uint8Array {
  return Buffer.concat([timeoutBytes(path.length), bytes(path)]);
}

/** Data null, an ACL of one identity that may do everything, no flags. */
function createBytes(path: string, { scheme, id } = { scheme: "world", id: "anyone" }): Uint8Array {
  const acl = Buffer.concat([timeoutBytes(1), timeoutBytes(31), pathBytes(scheme), pathBytes(id)]);
  return Buffer.concat([pathBytes(path), timeoutBytes(-1), acl, timeoutBytes(0)]);
}

function deleteBytes(path: string): Uint8Array {
  return Buffer.concat([pathBytes(path), timeoutBytes(-1)]);
}

/** The last field of a txn's header. */
function txnType(data: Uint8Array): number {
  return new DataView(data.buffer, data.byteOffset).getInt32(28);
}
