import {
  ByteWriter,
  closeSessionTxn,
  createRequest,
  createSessionTxn,
  createTxn,
  decodeLearnerInfo,
  makeZxid,
  OP,
  PACKET,
  txnDigest,
  txnHeader,
} from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import type { PeerSettings } from "../../src/ensemble/index.js";
import { Learner } from "../../src/ensemble/learner.js";
import { sessionPassword } from "../../src/sessions/index.js";
import { snapshotPieces } from "../../src/storage/index.js";
import { EnsembleConfig } from "../../src/zab/index.js";
import { addWatch, create, read } from "../replica/requests.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { EnsembleWorld, type WorldOptions } from "./ensemble-world.js";
import { intBytes, type ScriptedPacket, ScriptedPeer } from "./scripted-peer.js";

/** A learner by itself, whose leader, server 3, the test plays. */
class LearnerAlone {
  readonly world: EnsembleWorld;
  readonly server: EnsembleServer;
  learner!: Learner;
  /** Why it follows no longer. */
  ended: string | undefined;
  /** Clients that are owed nothing stay when it follows no longer, as they do where there will be an election. */
  holdsClients = false;
  private nextConnection!: () => Promise<ScriptedPeer>;

  constructor(world: EnsembleWorld, sid: number) {
    this.world = world;
    this.server = world.server(sid);
  }

  static async led(options: WorldOptions = {}, sid = 1): Promise<{ alone: LearnerAlone; leader: ScriptedPeer }> {
    const alone = new LearnerAlone(new EnsembleWorld(options), sid);
    alone.nextConnection = await ScriptedPeer.accepting(alone.world, 3);
    return { alone, leader: await alone.start() };
  }

  /** The process starts, and follows. */
  async start(): Promise<ScriptedPeer> {
    this.server.startAlone();
    await this.world.until(() => this.server.process?.state !== undefined, "the state being loaded");
    return await this.follow();
  }

  async follow(): Promise<ScriptedPeer> {
    const { server } = this;
    this.ended = undefined;
    this.learner = new Learner(server.process!.roleParts, 3);
    this.learner.follow().then((reason) => {
      this.ended = reason;
      if (this.holdsClients) server.replica.pauseServing(reason);
      else server.replica.stopServing(reason);
    }, server.process!.onFatal);
    return await this.nextConnection();
  }

  async untilEnded(limitMs?: number): Promise<string> {
    await this.world.until(() => this.ended !== undefined, "the learner giving up", limitMs);
    return this.ended!;
  }

  /** Up to where the leader says DIFF, TRUNC or SNAP. */
  async discovered(leader: ScriptedPeer, epoch = 1): Promise<number> {
    await leader.until(this.isObserver ? PACKET.observerInfo : PACKET.followerInfo);
    leader.leaderInfo(epoch);
    return (await leader.next(PACKET.ackEpoch)).zxid;
  }

  /** All the way: it serves. */
  async upToDate(leader: ScriptedPeer, epoch = 1): Promise<void> {
    leader.send(PACKET.diff, await this.discovered(leader, epoch));
    await this.newLeader(leader, epoch);
    leader.send(PACKET.upToDate, -1);
    expect((await leader.next(PACKET.ack)).zxid).toBe(makeZxid(epoch, 0));
    expect(this.server.isServing).toBe(true);
  }

  async newLeader(leader: ScriptedPeer, epoch = 1): Promise<void> {
    leader.newLeader(epoch, this.world.config.text);
    expect((await leader.next(PACKET.ack)).zxid).toBe(makeZxid(epoch, 0));
  }

  get isObserver(): boolean {
    return this.world.config.roleOf(this.server.sid) === "observer";
  }

  epochOnDisk(name: "acceptedEpoch" | "currentEpoch"): string | undefined {
    const bytes = this.server.disk.surviving(`/data/version-2/${name}`);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  }
}

/** A txn that can be applied anywhere: a session is made. */
function txn(zxid: number): Uint8Array {
  const writer = new ByteWriter();
  txnHeader.encode(writer, { clientId: BigInt(zxid), cxid: 0, zxid: BigInt(zxid), time: 1n, type: OP.createSession });
  createSessionTxn.encode(writer, { timeOut: 4000 });
  return writer.view().slice();
}

/** The tree's digest as the txn's author had it. */
function withDigest(txn: Uint8Array, treeDigest: bigint): Uint8Array {
  const writer = new ByteWriter();
  writer.copy(txn, 0, txn.length);
  txnDigest.encode(writer, { version: 2, treeDigest });
  return writer.view().slice();
}

function createTxnBytes(zxid: number, dataBytes: number): Uint8Array {
  const writer = new ByteWriter();
  txnHeader.encode(writer, { clientId: 0n, cxid: 0, zxid: BigInt(zxid), time: 1n, type: OP.create });
  const acl = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
  const data = new Uint8Array(dataBytes);
  createTxn.encode(writer, { path: `/n${zxid}`, data, acl, ephemeral: false, parentCVersion: zxid });
  return writer.view().slice();
}

function propose(leader: ScriptedPeer, zxid: number): void {
  leader.send(PACKET.proposal, zxid, txn(zxid));
}

function historyTxn(leader: ScriptedPeer, zxid: number): void {
  propose(leader, zxid);
  leader.send(PACKET.commit, zxid);
}

const E1 = makeZxid(1, 0);

describe("connecting", () => {
  /** A learner that starts to follow server 3, whose addresses are these; and when it has come, or given up. */
  async function following(addresses: string, listen: boolean, more: Partial<PeerSettings> = {}, sid = 1) {
    const world = new EnsembleWorld({ observers: 1 });
    const server = world.server(sid);
    const nextConnection = listen ? await ScriptedPeer.accepting(world, 3) : undefined;
    server.startAlone();
    await world.until(() => server.process?.state !== undefined, "the state being loaded");
    const lines = world.config.text.replace(/^server\.3=.*$/m, `server.3=${addresses}:participant`);
    const { roleParts } = server.process!;
    const settings = { ...roleParts.settings, config: EnsembleConfig.parse(lines), ...more };
    // Packets to it are lost, and nobody says so.
    world.cut(server, world.server(2));
    const startedMs = world.nowMs;
    let ended: string | undefined;
    void new Learner({ ...roleParts, settings }, 3).follow().then((reason) => {
      ended = reason;
    });
    let come = false;
    void nextConnection?.().then(() => {
      come = true;
    });
    await world.until(() => ended !== undefined || come, "an end of it", 20_000);
    return { come, ended, tookMs: world.nowMs - startedMs };
  }

  test("a leader that does not listen is tried again for half a second, and then given up", async () => {
    const { ended, tookMs } = await following("host3:2888:3888", false);
    expect(ended).toContain("the leader, server 3, cannot be reached at host3:2888");
    expect(tookMs).toBeGreaterThan(300);
    expect(tookMs).toBeLessThan(700);
  });

  test("of a leader's several addresses the one that answers is taken", async () => {
    const { come, tookMs } = await following("host2:2888:3888|host3:2888:3888", true);
    expect(come).toBe(true);
    expect(tookMs).toBeLessThan(200);
  });

  test("an observer takes its time, by chance, so that not all come at once (observer.reconnectDelayMs); a voter does not", async () => {
    const late = { observerReconnectDelayMsMax: 10_000 };
    expect((await following("host3:2888:3888", true, late, 4)).tookMs).toBeGreaterThan(200);
    expect((await following("host3:2888:3888", true, late)).tookMs).toBeLessThan(100);
  });
});

describe("discovery", () => {
  test("it says who it is and what it has accepted; what it promises is on its disk before it says so", async () => {
    const { alone, leader } = await LearnerAlone.led();
    const { zxid, data } = await leader.next(PACKET.followerInfo);
    expect(zxid).toBe(0);
    const said = decodeLearnerInfo(data!, 0, data!.length);
    expect(said).toEqual({ sid: 1, protocolVersion: 0x10000, configVersion: 0 });
    alone.server.extraDiskMs = 50;
    leader.leaderInfo(5);
    await alone.world.pass(40);
    expect(leader.words).toEqual([]);
    const ack = await leader.next(PACKET.ackEpoch);
    expect([...ack.data!]).toEqual([...intBytes(0)]);
    expect(alone.epochOnDisk("acceptedEpoch")).toBe("5");
    expect(alone.epochOnDisk("currentEpoch")).toBe("0");
  });

  test("an epoch that it has accepted before is accepted again, and not to be counted (-1)", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.discovered(leader, 5);
    leader.close();
    await alone.untilEnded();
    const again = await alone.follow();
    expect((await again.next(PACKET.followerInfo)).zxid).toBe(makeZxid(5, 0));
    again.leaderInfo(5);
    expect([...(await again.next(PACKET.ackEpoch)).data!]).toEqual([...intBytes(-1)]);
  });

  test("a lower epoch than it has promised is refused", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.discovered(leader, 5);
    leader.close();
    await alone.untilEnded();
    const late = await alone.follow();
    await late.next(PACKET.followerInfo);
    late.leaderInfo(4);
    expect(await alone.untilEnded()).toContain("this server has promised epoch 5 to another");
    await late.untilClosed();
  });

  test("a leader that says nothing is given up after initLimit", async () => {
    const { alone } = await LearnerAlone.led();
    expect(await alone.untilEnded(6000)).toContain("nothing came");
  });
});

describe("synchronization", () => {
  test("history, then the epoch, then the first ACK: each waits for the disk", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    alone.server.extraDiskMs = 100;
    for (const counter of [1, 2, 3]) historyTxn(leader, makeZxid(0, counter));
    leader.newLeader(1, alone.world.config.text);
    await alone.world.pass(90);
    expect(alone.epochOnDisk("currentEpoch")).toBe("0");
    await alone.world.until(() => alone.epochOnDisk("currentEpoch") === "1", "the epoch on the disk");
    expect(alone.server.replica.pipeline.loggedZxid).toBe(3);
    expect((await leader.next(PACKET.ack)).zxid).toBe(E1);
    expect(leader.words).toEqual([]);
  });

  test("a log that fails on the way ends it: the epoch that its history does not reach is never on the disk (ZOOKEEPER-4643)", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    historyTxn(leader, 1);
    await alone.world.until(() => alone.server.replica.lastZxid === 1, "its log being begun");
    alone.server.disk.failWrite(1, "ENOSPC");
    historyTxn(leader, 2);
    leader.newLeader(1, alone.world.config.text);
    await alone.world.until(() => !alone.server.isRunning, "its end");
    expect(String(alone.server.failure)).toContain("ENOSPC");
    expect([alone.epochOnDisk("acceptedEpoch"), alone.epochOnDisk("currentEpoch")]).toEqual(["1", "0"]);
    expect(leader.words).toEqual([]);
  });

  test("the first ACK is that of NEWLEADER: what is not committed by then is logged and acknowledged behind UPTODATE (ZOOKEEPER-4685)", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    historyTxn(leader, 1);
    propose(leader, E1 + 1);
    await alone.newLeader(leader);
    propose(leader, E1 + 2);
    await alone.world.pass(200);
    expect(leader.words).toEqual([]);
    expect(alone.server.isServing).toBe(false);
    leader.send(PACKET.upToDate, -1);
    await alone.world.pass(100);
    expect(leader.words).toEqual(["ACK 0x100000000", "ACK 0x100000001", "ACK 0x100000002"]);
    expect(alone.server.replica.lastZxid).toBe(1);
    leader.send(PACKET.commit, E1 + 1);
    await alone.world.until(() => alone.server.replica.lastZxid === E1 + 1, "the commit being applied");
  });

  test("a COMMIT between NEWLEADER and UPTODATE, of what was proposed before, is kept for afterwards (ZOOKEEPER-4394)", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    propose(leader, E1 + 1);
    await alone.newLeader(leader);
    leader.send(PACKET.commit, E1 + 1);
    await alone.world.pass(100);
    expect(alone.server.replica.lastZxid).toBe(0);
    leader.send(PACKET.upToDate, -1);
    await alone.world.until(() => alone.server.replica.lastZxid === E1 + 1, "the commit being applied");
    await alone.world.pass(50);
    expect(leader.words).toEqual(["ACK 0x100000000", "ACK 0x100000001"]);
  });

  test("PING before UPTODATE is not answered; afterwards at once, with an empty buffer and not null", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    await alone.newLeader(leader);
    leader.send(PACKET.ping, E1);
    await alone.world.pass(100);
    expect(leader.pings).toBe(0);
    leader.send(PACKET.upToDate, -1);
    await leader.next(PACKET.ack);
    leader.send(PACKET.ping, E1);
    await alone.world.until(() => leader.pings === 1, "the answer to PING");
    expect(leader.lastPing).toEqual({ type: PACKET.ping, zxid: E1, data: new Uint8Array(0) });
  });

  test("the leader may be silent for initLimit before NEWLEADER, and for syncLimit behind it", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    await alone.world.pass(4000);
    await alone.newLeader(leader);
    await alone.world.pass(1900);
    expect(alone.ended).toBeUndefined();
    expect(await alone.untilEnded(200)).toContain("nothing came from it for 2000 ms");
  });

  test("a TRUNC that would cut nothing off is a mistake, and nothing is done", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    for (const zxid of [1, 2]) historyTxn(leader, zxid);
    await alone.world.pass(50);
    leader.close();
    await alone.untilEnded();
    const next = await alone.follow();
    await alone.discovered(next, 2);
    next.send(PACKET.trunc, 9);
    expect(await alone.untilEnded()).toContain("the leader sent TRUNC to 0x9, and this server's history ends at 0x2");
    expect(await alone.discovered(await alone.follow(), 3)).toBe(2);
  });

  test("of a history that its disk writes slowly it holds so much, and no more", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    alone.server.extraDiskMs = 2000;
    for (let zxid = 1; zxid <= 30; zxid++) {
      leader.send(PACKET.proposal, zxid, createTxnBytes(zxid, 1_000_000));
      leader.send(PACKET.commit, zxid);
    }
    leader.newLeader(1, alone.world.config.text);
    await alone.world.pass(1900);
    const { pipeline } = alone.server.replica;
    expect(pipeline.unappliedBytes).toBeGreaterThan(10_000_000);
    expect(pipeline.unappliedBytes).toBeLessThan(20_000_000);
    expect(leader.unsentBytes).toBeGreaterThan(5_000_000);
    alone.server.extraDiskMs = 0;
    await alone.world.until(() => leader.packets.length > 0, "the ACK of NEWLEADER");
    expect(alone.server.replica.lastZxid).toBe(30);
  });

  test("a tree that strays from the leader's is found out by its digests again behind a snapshot, whose own end they say nothing of", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await snapshotOf(leader, alone, 7);
    leader.send(PACKET.proposal, 8, withDigest(txn(8), 77n));
    leader.send(PACKET.commit, 8);
    await alone.newLeader(leader);
    leader.send(PACKET.upToDate, -1);
    await alone.world.until(() => alone.server.replica.lastZxid === 8, "the history being applied");
    expect(alone.server.replica.digestMismatches).toBe(0);
    leader.send(PACKET.proposal, E1 + 1, withDigest(txn(E1 + 1), 78n));
    leader.send(PACKET.commit, E1 + 1);
    await alone.world.until(() => alone.server.replica.lastZxid === E1 + 1, "the next txn being applied");
    expect(alone.server.replica.digestMismatches).toBe(1);
  });

  test("nor do digests say anything of the end of a snapshot that it was given before it crashed", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await snapshotOf(leader, alone, 7);
    await alone.world.until(() => alone.server.replica.lastZxid === 7, "the snapshot being taken over");
    alone.server.crash();
    const again = await alone.start();
    again.send(PACKET.diff, await alone.discovered(again, 2));
    again.send(PACKET.proposal, 8, withDigest(txn(8), 77n));
    again.send(PACKET.commit, 8);
    await alone.world.until(() => alone.server.replica.lastZxid === 8, "the history being applied");
    await alone.newLeader(again, 2);
    expect(alone.server.replica.digestMismatches).toBe(0);
    again.send(PACKET.upToDate, -1);
    const next = makeZxid(2, 1);
    again.send(PACKET.proposal, next, withDigest(txn(next), 78n));
    again.send(PACKET.commit, next);
    await alone.world.until(() => alone.server.replica.lastZxid === next, "the next txn being applied");
    expect(alone.server.replica.digestMismatches).toBe(1);
  });

  const violations: readonly [string, (leader: ScriptedPeer, config: string) => void, string][] = [
    [
      "a gap in the history",
      (leader) => {
        historyTxn(leader, 1);
        historyTxn(leader, 3);
      },
      "that is not the next txn",
    ],
    [
      "a COMMIT of what is not the oldest",
      (leader) => {
        propose(leader, 1);
        propose(leader, 2);
        leader.send(PACKET.commit, 2);
      },
      "is the oldest pending",
    ],
    ["a COMMIT of nothing", (leader) => leader.send(PACKET.commit, 1), "no proposal is pending"],
    ["UPTODATE before NEWLEADER", (leader) => leader.send(PACKET.upToDate, -1), "UPTODATE before NEWLEADER"],
    [
      "NEWLEADER of another epoch",
      (leader, config) => leader.newLeader(2, config),
      "the epoch that was agreed on is 1",
    ],
    [
      "NEWLEADER with a configuration that cannot be read",
      (leader) => leader.newLeader(1, "server.1=nonsense\nversion=0"),
      "configuration makes no sense",
    ],
    ["INFORM, which is for observers", (leader) => leader.send(PACKET.inform, 1, txn(1)), "INFORM 0x1 to a follower"],
    ["bytes that are no packet", (leader) => leader.sendBytes(Buffer.alloc(64, 0x7f)), "no quorum packet"],
  ];
  test.each(violations)("%s ends the connection, and nothing is acknowledged", async (_name, speak, reason) => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    speak(leader, alone.world.config.text);
    expect(await alone.untilEnded()).toContain(reason);
    await leader.untilClosed();
    expect(leader.words).toEqual([]);
    expect(alone.epochOnDisk("currentEpoch")).toBe("0");
    expect(alone.server.failure).toBeUndefined();
  });

  test("something else in place of DIFF, TRUNC and SNAP ends the connection", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.discovered(leader);
    leader.newLeader(1, alone.world.config.text);
    expect(await alone.untilEnded()).toContain("NEWLEADER in place of DIFF, TRUNC or SNAP");
  });

  test("a DIFF that breaks off leaves what was logged, and nothing that is not on the disk", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    historyTxn(leader, 1);
    historyTxn(leader, 2);
    propose(leader, 3);
    await alone.world.pass(50);
    leader.close();
    await alone.untilEnded();
    const again = await alone.follow();
    expect(await alone.discovered(again, 2)).toBe(2);
    alone.server.crash();
    expect(await alone.discovered(await alone.start(), 3)).toBe(2);
  });

  test("a TRUNC is on the disk before anything is acknowledged, and memory goes by it", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    for (const zxid of [1, 2, 3]) historyTxn(leader, zxid);
    await alone.world.pass(50);
    leader.close();
    await alone.untilEnded();
    const next = await alone.follow();
    expect(await alone.discovered(next, 2)).toBe(3);
    next.send(PACKET.trunc, 1);
    await alone.newLeader(next, 2);
    expect(alone.server.replica.lastZxid).toBe(1);
    expect(alone.server.replica.sessions.count).toBe(1);
    alone.server.crash();
    expect(await alone.discovered(await alone.start(), 3)).toBe(1);
  });

  test.each([
    ["begun while it was served", true],
    ["due while it is taken over", false],
  ])(
    "no snapshot holds what is cut off again: one that is %s waits for a leader whose history it is",
    async (_what, isServed) => {
      const { alone, leader } = await LearnerAlone.led({ diskMs: { min: 20, max: 20 }, server: { snapCount: 16 } });
      const { world, server } = alone;
      const applied = async (from: ScriptedPeer, first: number, last: number) => {
        for (let zxid = first; zxid <= last; zxid++) {
          from.send(PACKET.proposal, zxid, createTxnBytes(zxid, 270_000));
          from.send(PACKET.commit, zxid);
        }
        await world.until(() => server.replica.lastZxid === last, "its being applied");
      };
      const snapshots = async () =>
        (await server.disk.list("/data/version-2")).filter((name) => /^snapshot/.test(name));
      const base = isServed ? E1 : 0;
      let peer = leader;
      if (isServed) await alone.upToDate(leader);
      else leader.send(PACKET.diff, await alone.discovered(leader));
      await applied(leader, base + 1, base + 16);
      if (isServed) {
        leader.close();
        await alone.untilEnded();
        peer = await alone.follow();
        peer.send(PACKET.diff, await alone.discovered(peer, 2));
      }
      await applied(peer, base + 17, base + 18);
      await world.pass(2000);
      peer.close();
      await alone.untilEnded();

      const last = await alone.follow();
      expect(await alone.discovered(last, 3)).toBe(base + 18);
      last.send(PACKET.trunc, base + 17);
      await alone.newLeader(last, 3);
      expect(server.replica.lastZxid).toBe(base + 17);
      last.send(PACKET.upToDate, -1);
      await last.next(PACKET.ack);
      await applied(last, makeZxid(3, 1), makeZxid(3, 17));
      await world.pass(2000);
      const [first, ...others] = await snapshots();
      expect(first).toBe("snapshot.0");
      expect(others).not.toEqual([]);
      for (const name of others) expect(name).toMatch(/^snapshot\.3/);
      server.crash();
      expect(await alone.discovered(await alone.start(), 4)).toBe(makeZxid(3, 17));
    },
  );

  test("a TRUNC that its files do not allow: it asks for a snapshot the next time, and its vote still counts what it has", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await snapshotOf(leader, alone, makeZxid(0, 7));
    await alone.newLeader(leader);
    leader.close();
    await alone.untilEnded();
    const next = await alone.follow();
    expect(await alone.discovered(next, 2)).toBe(7);
    next.send(PACKET.trunc, 5);
    expect(await alone.untilEnded()).toContain("the history cannot be cut at 0x5");
    expect(alone.server.process!.state!.lastLoggedZxid).toBe(7);
    expect(await alone.discovered(await alone.follow(), 3)).toBe(-1);
  });

  test("a SNAP that breaks off leaves the history that was there (ZOOKEEPER-2872)", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    historyTxn(leader, 1);
    await alone.world.pass(50);
    leader.close();
    await alone.untilEnded();
    const next = await alone.follow();
    await alone.discovered(next, 2);
    next.send(PACKET.snap, 9);
    next.sendBytes(snapshotBytes(alone).subarray(0, 100));
    await alone.world.pass(50);
    next.close();
    await alone.untilEnded();
    expect(alone.server.replica.lastZxid).toBe(1);
    expect(await alone.discovered(await alone.follow(), 3)).toBe(1);
  });

  test("a SNAP that is no snapshot ends the connection", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.discovered(leader);
    leader.send(PACKET.snap, 9);
    leader.sendBytes(Buffer.alloc(200, 0xff));
    expect(await alone.untilEnded()).toContain("the snapshot that was received is damaged");
    expect(alone.server.failure).toBeUndefined();
  });

  test("what is logged behind a SNAP is there after a power cut, in a server that was writing its log before", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.upToDate(leader);
    historyTxn(leader, E1 + 1);
    await leader.next(PACKET.ack);
    leader.close();
    await alone.untilEnded();
    const next = await alone.follow();
    await alone.discovered(next, 2);
    next.send(PACKET.snap, E1 + 9);
    next.sendBytes(snapshotBytes(alone));
    await alone.newLeader(next, 2);
    next.send(PACKET.upToDate, -1);
    await next.next(PACKET.ack);
    historyTxn(next, makeZxid(2, 1));
    expect((await next.next(PACKET.ack)).zxid).toBe(makeZxid(2, 1));
    alone.server.crash();
    expect(await alone.discovered(await alone.start(), 3)).toBe(makeZxid(2, 1));
  });

  test("txns behind a SNAP that the snapshot holds already are passed over; the next goes on from it", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await snapshotOf(leader, alone, 7);
    for (const zxid of [6, 7, 8]) historyTxn(leader, zxid);
    await alone.newLeader(leader);
    expect(alone.server.replica.lastZxid).toBe(8);
    alone.server.crash();
    expect(await alone.discovered(await alone.start(), 2)).toBe(8);
  });
});

/** Discovery, and a snapshot of an empty tree by that name. */
async function snapshotOf(leader: ScriptedPeer, alone: LearnerAlone, zxid: number): Promise<void> {
  await alone.discovered(leader);
  leader.send(PACKET.snap, zxid);
  leader.sendBytes(snapshotBytes(alone));
}

function snapshotBytes({ server }: LearnerAlone): Buffer {
  return Buffer.concat([...snapshotPieces(server.replica.snapshot())]);
}

describe("broadcast", () => {
  test("W4: each PROPOSAL is acknowledged in order, when it is on the disk and not before", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.upToDate(leader);
    alone.server.extraDiskMs = 100;
    for (const counter of [1, 2, 3]) propose(leader, E1 + counter);
    await alone.world.pass(90);
    expect(leader.words).toEqual([]);
    await alone.world.pass(1000);
    expect(leader.words).toEqual(["ACK 0x100000001", "ACK 0x100000002", "ACK 0x100000003"]);
  });

  test("what was acknowledged with NEWLEADER is not acknowledged once more", async () => {
    const { alone, leader } = await LearnerAlone.led();
    leader.send(PACKET.diff, await alone.discovered(leader));
    for (const counter of [1, 2, 3]) historyTxn(leader, E1 + counter);
    await alone.newLeader(leader);
    leader.send(PACKET.upToDate, -1);
    propose(leader, E1 + 4);
    await alone.world.pass(100);
    expect(leader.words).toEqual(["ACK 0x100000000", "ACK 0x100000004"]);
  });

  test("a COMMIT that comes before its txn is on the disk is applied when it is", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.upToDate(leader);
    alone.server.extraDiskMs = 100;
    historyTxn(leader, E1 + 1);
    await alone.world.pass(90);
    expect(alone.server.replica.lastZxid).toBe(0);
    await alone.world.until(() => alone.server.replica.lastZxid === E1 + 1, "the commit being applied");
    expect(alone.world.witness.durableThrough(1)).toBe(E1 + 1);
  });

  const violations: readonly [string, (leader: ScriptedPeer) => void, string][] = [
    ["a PROPOSAL that leaves one out", (leader) => propose(leader, E1 + 2), "that is not the next txn"],
    [
      "a PROPOSAL that came before",
      (leader) => {
        propose(leader, E1 + 1);
        propose(leader, E1 + 1);
      },
      "that is not the next txn",
    ],
    [
      "a COMMIT out of order",
      (leader) => {
        propose(leader, E1 + 1);
        propose(leader, E1 + 2);
        leader.send(PACKET.commit, E1 + 2);
      },
      "is the oldest pending",
    ],
    ["a COMMIT of nothing", (leader) => leader.send(PACKET.commit, E1 + 1), "no proposal is pending"],
    [
      "a change of the ensemble",
      (leader) => leader.send(PACKET.commitAndActivate, E1 + 1, new Uint8Array(8)),
      "set reconfigEnabled=false",
    ],
    ["bytes that are no packet", (leader) => leader.sendBytes(Buffer.alloc(64, 0x7f)), "no quorum packet"],
    [
      "a REVALIDATE of no length",
      (leader) => leader.send(PACKET.revalidate, -1, new Uint8Array(3)),
      "REVALIDATE in another form",
    ],
  ];
  test.each(violations)(
    "%s ends the connection, and the server looks for a leader again",
    async (_name, speak, reason) => {
      const { alone, leader } = await LearnerAlone.led();
      await alone.upToDate(leader);
      speak(leader);
      expect(await alone.untilEnded()).toContain(reason);
      await leader.untilClosed();
      expect(alone.server.failure).toBeUndefined();
    },
  );

  test("words that mean nothing to it are passed over", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.upToDate(leader);
    for (const type of [PACKET.upToDate, PACKET.sync, 99]) leader.send(type, 0);
    const unknown = new ByteWriter();
    unknown.longParts(1, 2);
    unknown.bool(true);
    leader.send(PACKET.revalidate, -1, unknown.view());
    historyTxn(leader, E1 + 1);
    await alone.world.until(() => alone.server.replica.lastZxid === E1 + 1, "the commit being applied");
    expect(alone.ended).toBeUndefined();
  });

  test("a leader that says nothing for syncLimit is given up, with its clients", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.upToDate(leader);
    const client = alone.world.client();
    client.connect(alone.server);
    await leader.next(PACKET.request);
    expect(await alone.untilEnded(4000)).toContain("syncLimit");
    expect(client.isConnected).toBe(false);
    await leader.untilClosed();
  });

  test("a write of its client goes to the leader, with who asks, and is answered when it comes back committed", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.upToDate(leader);
    const client = alone.world.client();
    client.connect(alone.server, 4000);
    const { data } = await leader.next(PACKET.request);
    const sessionId = Buffer.from(data!).readBigInt64BE(0);
    leader.send(PACKET.proposal, E1 + 1, sessionTxn(sessionId, E1 + 1));
    await leader.next(PACKET.ack);
    expect(client.isOpen).toBe(false);
    leader.send(PACKET.commit, E1 + 1);
    await alone.world.until(() => client.isOpen, "the session");

    const pending = create(client, "/a");
    const request = await leader.next(PACKET.request);
    expect(Buffer.from(request.data!).readInt32BE(12)).toBe(OP.create);
    // What the leader made of it is an error, and that is its answer.
    leader.send(PACKET.proposal, E1 + 2, errorTxn(sessionId, 1, E1 + 2, -110));
    leader.send(PACKET.commit, E1 + 2);
    expect((await pending).err).toBe(-110);
  });

  describe("a client that waits for the next leader is not told what that leader's history holds", () => {
    /** It watches the root, where a child was proposed that nobody has seen committed; the leader is gone. */
    async function waiting({ outputBytesMax = 16 << 20 } = {}) {
      const { alone, leader } = await LearnerAlone.led({ server: { tickTimeMs: 1000, outputBytesMax } });
      alone.holdsClients = true;
      await alone.upToDate(leader);
      const client = alone.world.client();
      client.connect(alone.server, 4000);
      const { data } = await leader.next(PACKET.request);
      leader.send(PACKET.proposal, E1 + 1, sessionTxn(Buffer.from(data!).readBigInt64BE(0), E1 + 1));
      leader.send(PACKET.commit, E1 + 1);
      await alone.world.until(() => client.isOpen, "the session");
      await read(client, "getChildren", "/", true);
      await addWatch(client, "/", 1);
      leader.send(PACKET.proposal, E1 + 2, createTxnBytes(E1 + 2, 1));
      await leader.until(PACKET.ack);
      await leader.until(PACKET.ack);
      leader.close();
      await alone.untilEnded();
      const next = await alone.follow();
      next.send(PACKET.diff, await alone.discovered(next, 2));
      await alone.world.until(() => alone.server.replica.lastZxid === E1 + 2, "the history being applied");
      await alone.world.pass(20);
      expect([client.isConnected, client.events()]).toEqual([true, []]);
      return { alone, next, client };
    }

    test("until it is a quorum's", async () => {
      const { alone, next, client } = await waiting();
      await alone.newLeader(next, 2);
      expect(client.events()).toEqual([]);
      next.send(PACKET.upToDate, -1);
      await alone.world.until(() => client.frames.length > 0, "the events");
      const path = `/n${E1 + 2}`;
      expect(client.events()).toMatchObject([
        { type: 1, path },
        { type: 4, path: "/" },
      ]);
    });

    test("where it is cut off again", async () => {
      const { alone, next, client } = await waiting();
      next.close();
      await alone.untilEnded();
      const third = await alone.follow();
      await alone.discovered(third, 3);
      third.send(PACKET.trunc, E1 + 1);
      await alone.newLeader(third, 3);
      expect(alone.server.replica.lastZxid).toBe(E1 + 1);
      expect([client.isConnected, client.events()]).toEqual([false, []]);
    });

    test("where there is too much of it, so that the client has to go", async () => {
      const { alone, next, client } = await waiting({ outputBytesMax: 1000 });
      const sinceMs = alone.world.nowMs;
      for (let zxid = E1 + 3; zxid <= E1 + 40; zxid++) {
        next.send(PACKET.proposal, zxid, createTxnBytes(zxid, 1));
        next.send(PACKET.commit, zxid);
      }
      await alone.world.until(() => !client.isConnected, "its end");
      expect(alone.world.nowMs - sinceMs).toBeLessThan(100);
      await alone.newLeader(next, 2);
      next.send(PACKET.upToDate, -1);
      await next.next(PACKET.ack);
      expect(client.events()).toEqual([]);
    });

    test("where it has to go, because no role comes in time", async () => {
      const { alone, client } = await waiting();
      await alone.world.until(() => !client.isConnected, "its end");
      expect(client.events()).toEqual([]);
    });
  });

  test("a learner that is stopped while it tries to connect does not wait for that to come about", async () => {
    const world = new EnsembleWorld();
    const server = world.server(1);
    server.startAlone();
    await world.until(() => server.process?.state !== undefined, "the state being loaded");
    world.cut(server, world.server(3));
    const learner = new Learner(server.process!.roleParts, 3);
    let ended: string | undefined;
    void learner.follow().then((reason) => {
      ended = reason;
    });
    await world.pass(10);
    learner.resign("this server is being stopped");
    await world.pass(1);
    expect(ended).toBe("this server is being stopped");
  });

  test("thousands of writes, never all answered, are answered each by its own txn", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.upToDate(leader);
    const client = alone.world.client();
    client.connect(alone.server, 4000);
    const sessionId = Buffer.from((await leader.next(PACKET.request)).data!).readBigInt64BE(0);
    let zxid = E1;
    const commit = (data: Uint8Array) => {
      leader.send(PACKET.proposal, zxid, data);
      leader.send(PACKET.commit, zxid);
    };
    zxid += 1;
    commit(sessionTxn(sessionId, zxid));
    await alone.world.until(() => client.isOpen, "the session");
    const count = 5000;
    const waiting: ScriptedPacket[] = [];
    const errors = Array.from({ length: count }, (_, i) => -101 - (i % 7));
    for (let i = 0; i < count; i++) client.send("create", createRequest, { path: "/a", data: null, acl: [], flags: 0 });
    for (let answered = 0; answered < count; ) {
      await alone.world.until(() => leader.packets.length > 0, "requests");
      // Some always wait, so that there is no moment at which nobody is owed anything.
      const requests = leader.packets.splice(0).filter(({ type }) => type === PACKET.request);
      waiting.push(...requests);
      const last = answered + waiting.length === count;
      for (const { data } of waiting.splice(0, last ? waiting.length : waiting.length - 10)) {
        zxid += 1;
        commit(errorTxn(sessionId, Buffer.from(data!).readInt32BE(8), zxid, errors[answered]!));
        answered += 1;
      }
    }
    await alone.world.until(() => client.frames.length === count, "every answer");
    expect(client.frames.map(({ err }) => err)).toEqual(errors);
  });

  test("a session that expires is no answer to what its client has asked for", async () => {
    const { alone, leader } = await LearnerAlone.led();
    await alone.upToDate(leader);
    const client = alone.world.client();
    client.connect(alone.server, 4000);
    const sessionId = Buffer.from((await leader.next(PACKET.request)).data!).readBigInt64BE(0);
    leader.send(PACKET.proposal, E1 + 1, sessionTxn(sessionId, E1 + 1));
    leader.send(PACKET.commit, E1 + 1);
    await alone.world.until(() => client.isOpen, "the session");
    await leader.until(PACKET.ack);
    // The leader's own closing has cxid 0, and so may a client begin.
    Object.assign(client, { xid: -1 });
    client.send("create", createRequest, { path: "/a", data: null, acl: [], flags: 0 });
    await leader.until(PACKET.request);
    leader.send(PACKET.proposal, E1 + 2, closingTxn(sessionId, E1 + 2));
    leader.send(PACKET.commit, E1 + 2);
    await alone.world.until(() => !client.isConnected, "the end of the connection");
    expect(client.frames).toEqual([]);
  });

  describe("a session that was opened elsewhere and is not known here yet", () => {
    /** Comes with its password, and the leader is asked. */
    async function resumed() {
      const { alone, leader } = await LearnerAlone.led();
      await alone.upToDate(leader);
      const client = alone.world.client();
      Object.assign(client, { sessionId: ELSEWHERE, password: sessionPassword(ELSEWHERE) });
      client.connect(alone.server, 4000);
      const { data } = await leader.next(PACKET.revalidate);
      expect(Buffer.from(data!).readBigInt64BE(0)).toBe(ELSEWHERE);
      return { alone, leader, client };
    }

    test("is taken when the leader has it and its creation has come", async () => {
      const { alone, leader, client } = await resumed();
      leader.send(PACKET.revalidate, -1, revalidated(ELSEWHERE, true));
      await alone.world.pass(50);
      expect([client.isOpen, client.isConnected]).toEqual([false, true]);
      leader.send(PACKET.proposal, E1 + 1, sessionTxn(ELSEWHERE, E1 + 1));
      leader.send(PACKET.commit, E1 + 1);
      await alone.world.until(() => client.isOpen, "the session");
      const pending = create(client, "/a");
      expect((await leader.until(PACKET.request)).data!.length).toBeGreaterThan(16);
      leader.send(PACKET.proposal, E1 + 2, errorTxn(ELSEWHERE, 1, E1 + 2, -110));
      leader.send(PACKET.commit, E1 + 2);
      expect((await pending).err).toBe(-110);
    });

    test("is taken at once when its creation has come before the leader's word", async () => {
      const { alone, leader, client } = await resumed();
      leader.send(PACKET.proposal, E1 + 1, sessionTxn(ELSEWHERE, E1 + 1));
      leader.send(PACKET.commit, E1 + 1);
      leader.send(PACKET.revalidate, -1, revalidated(ELSEWHERE, true));
      await alone.world.until(() => client.isOpen, "the session");
    });

    test("has expired when the leader does not have it either", async () => {
      const { alone, leader, client } = await resumed();
      leader.send(PACKET.revalidate, -1, revalidated(ELSEWHERE, false));
      await alone.world.until(() => client.isExpired, "the refusal");
    });

    test("is told from another by its id, in whatever order the leader answers", async () => {
      const { alone, leader, client } = await resumed();
      const other = alone.world.client();
      Object.assign(other, { sessionId: ELSEWHERE + 1n, password: sessionPassword(ELSEWHERE + 1n) });
      other.connect(alone.server, 4000);
      await leader.next(PACKET.revalidate);
      leader.send(PACKET.revalidate, -1, revalidated(ELSEWHERE + 1n, false));
      await alone.world.until(() => other.isExpired, "the refusal");
      expect([client.isExpired, client.isConnected]).toEqual([false, true]);
    });

    test("is not even asked for with a wrong password", async () => {
      const { alone, leader } = await LearnerAlone.led();
      await alone.upToDate(leader);
      const thief = alone.world.client();
      Object.assign(thief, { sessionId: ELSEWHERE, password: new Uint8Array(16).fill(7) });
      thief.connect(alone.server, 4000);
      await alone.world.until(() => thief.isExpired, "the refusal");
      expect(leader.words).toEqual([]);
    });
  });

  test("an observer logs and applies what it is informed of, and acknowledges none of it", async () => {
    const { alone, leader } = await LearnerAlone.led({ observers: 1 }, 4);
    await alone.upToDate(leader);
    leader.send(PACKET.inform, E1 + 1, txn(E1 + 1));
    leader.send(PACKET.inform, E1 + 2, txn(E1 + 2));
    await alone.world.until(() => alone.server.replica.lastZxid === E1 + 2, "the txns being applied");
    await alone.world.pass(100);
    expect(leader.words).toEqual([]);
    alone.server.crash();
    expect(await alone.discovered(await alone.start(), 2)).toBe(E1 + 2);
  });
});

/** Made by server 2. */
const ELSEWHERE = 0x0200_0001_0000_0007n;

/** The leader's answer to REVALIDATE. */
function revalidated(sessionId: bigint, isValid: boolean): Uint8Array {
  const writer = new ByteWriter();
  writer.long(sessionId);
  writer.bool(isValid);
  return writer.view().slice();
}

function sessionTxn(sessionId: bigint, zxid: number): Uint8Array {
  const writer = new ByteWriter();
  txnHeader.encode(writer, { clientId: sessionId, cxid: 0, zxid: BigInt(zxid), time: 1n, type: OP.createSession });
  createSessionTxn.encode(writer, { timeOut: 4000 });
  return writer.view().slice();
}

/** The leader's own, of a session that has expired. */
function closingTxn(sessionId: bigint, zxid: number): Uint8Array {
  const writer = new ByteWriter();
  txnHeader.encode(writer, { clientId: sessionId, cxid: 0, zxid: BigInt(zxid), time: 1n, type: OP.closeSession });
  closeSessionTxn.encode(writer, { paths2Delete: [] });
  return writer.view().slice();
}

function errorTxn(sessionId: bigint, cxid: number, zxid: number, err: number): Uint8Array {
  const writer = new ByteWriter();
  txnHeader.encode(writer, { clientId: sessionId, cxid, zxid: BigInt(zxid), time: 1n, type: OP.error });
  writer.int(err);
  return writer.view().slice();
}
