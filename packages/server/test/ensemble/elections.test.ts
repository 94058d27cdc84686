import { ByteWriter, decodeNotification, type VoteReport, writeNotificationFrame } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { ElectionConnections } from "../../src/ensemble/election-connections.js";
import type { Timer } from "../../src/ports/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { Election, EnsembleConfig, initialProposal, type Vote } from "../../src/zab/index.js";
import { ELECTION_PORT, ElectionMachines } from "./election-machine.js";

/** Elections as they really go over connections: the machine of `zab/election` and the connections under it. */
class Voter {
  vote: Vote | undefined;
  readonly sid: number;
  private readonly machines: ElectionMachines;
  private readonly zxid: number;
  private connections: ElectionConnections | undefined;
  private election: Election | undefined;
  private timer: Timer | undefined;

  constructor(machines: ElectionMachines, sid: number, zxid: number) {
    this.machines = machines;
    this.sid = sid;
    this.zxid = zxid;
  }

  async start(): Promise<void> {
    const { config, network, time } = this.machines;
    const connections = new ElectionConnections({
      myid: this.sid,
      config,
      network: network.of(`host${this.sid}`),
      scheduler: time.scheduler,
      logger: new KeptLines(),
      connectTimeoutMs: 5000,
      handshakeTimeoutMs: 3000,
      bindRetries: 3,
      listensOnAllAddresses: false,
      multiAddress: false,
    });
    const election: Election = new Election(this.sid, config, {
      send: (sids, report, text) => send(connections, sids, report, text),
      haveDelivered: () => connections.haveDelivered(),
      connectAll: () => connections.connectAll(),
      onNewerConfig: () => {},
      onVoterLooking: () => {},
      onDecided: (_state, vote) => {
        this.vote = vote;
      },
    });
    connections.onMessage = (sid, bytes, start, end) => {
      const said = decodeNotification(bytes, start, end - start);
      if (said !== undefined) election.onNotification(sid, said, time.nowMs);
      this.schedule();
    };
    this.connections = connections;
    this.election = election;
    await connections.start();
    this.lookForLeader();
  }

  lookForLeader(): void {
    this.vote = undefined;
    this.election!.start(initialProposal(this.sid, this.machines.config, this.zxid, 1), this.machines.time.nowMs);
    this.schedule();
  }

  async crash(): Promise<void> {
    this.machines.network.crash(`host${this.sid}`);
    this.vote = undefined;
    this.election?.stop();
    this.timer?.cancel();
    await this.connections?.stop();
  }

  private schedule(): void {
    const { scheduler, clock } = this.machines.time;
    this.timer?.cancel();
    const next = this.election?.nextTimerMs;
    if (next === undefined) return;
    this.timer = scheduler.after(next - clock.monotonicMs(), () => {
      this.election?.onTimer(clock.monotonicMs());
      this.schedule();
    });
  }
}

function send(connections: ElectionConnections, sids: readonly number[], report: VoteReport, config: string): void {
  const writer = new ByteWriter(512);
  writeNotificationFrame(writer, report, config);
  for (const sid of sids) connections.send(sid, writer.view());
}

const threeAndObserver = EnsembleConfig.parse(
  [2, 3, 4].map((sid) => `server.${sid}=host${sid}:2888:${ELECTION_PORT}`).join("\n") +
    `\nserver.1=host1:2888:${ELECTION_PORT}:observer\nserver.5=host5:2888:${ELECTION_PORT}:observer`,
);

const ensembles = [
  { name: "3 servers", config: new ElectionMachines({ sids: [1, 2, 3] }).config },
  { name: "5 servers", config: new ElectionMachines({ sids: [1, 2, 3, 4, 5] }).config },
  { name: "3 servers, an observer below and one above them", config: threeAndObserver },
];
const SEEDS = 20;

describe.each(ensembles)("elections over connections: $name", ({ config }) => {
  async function voters(seed: number): Promise<{ machines: ElectionMachines; all: Voter[]; best: number }> {
    const machines = new ElectionMachines({ config, seed });
    const random = new SeededRandom(seed);
    const zxids = new Map([...config.members.keys()].map((sid) => [sid, random.below(3)]));
    const all = [...zxids].map(([sid, zxid]) => new Voter(machines, sid, zxid));
    const votes = [...config.voters].map((sid) => ({ sid, zxid: zxids.get(sid)! }));
    const best = votes.reduce((one, other) => (other.zxid >= one.zxid ? other : one)).sid;
    return { machines, all, best };
  }

  function agree(servers: readonly Voter[], leader?: number): boolean {
    const expected = leader ?? servers[0]!.vote?.leader;
    return expected !== undefined && servers.every(({ vote }) => vote?.leader === expected);
  }

  test("all that start together elect the best, within a second", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { machines, all, best } = await voters(seed);
      for (const voter of all) await voter.start();
      await machines.time.until(
        () => agree(all, best),
        () => `seed ${seed}: a decision for ${best}, but ${all.map(({ vote }) => vote?.leader)}`,
        1000,
      );
    }
  });

  test("one that comes late, and one that comes again, join", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { machines, all } = await voters(seed);
      const late = all[seed % all.length]!;
      const others = all.filter((voter) => voter !== late);
      for (const voter of others) await voter.start();
      await machines.time.until(() => agree(others), undefined, 1000);
      await machines.time.pass(5000);
      for (let life = 0; life < 2; life++) {
        await late.start();
        await machines.time.until(
          () => agree(all),
          () => `seed ${seed}: server ${late.sid} to join`,
          1000,
        );
        await late.crash();
      }
    }
  });

  test("those that lose their leader, or the way to it, elect another", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { machines, all, best } = await voters(seed);
      for (const voter of all) await voter.start();
      await machines.time.until(() => agree(all, best), undefined, 1000);
      const left = all.filter(({ sid }) => sid !== best);
      if (seed % 2 === 0) await all.find(({ sid }) => sid === best)!.crash();
      else
        for (const { sid } of left)
          machines.network.cut(`host${sid}`, `host${best}`, seed % 4 === 1 ? "silent" : "refused");
      for (const voter of left) {
        await machines.time.pass(machines.network.latencyMs);
        voter.lookForLeader();
      }
      await machines.time.until(
        () => agree(left) && left[0]!.vote!.leader !== best,
        () => `seed ${seed}: another leader, but ${left.map(({ vote }) => vote?.leader)}`,
        5000,
      );
      expect(left[0]!.vote!.round).toBeGreaterThan(1);
    }
  });

  test("a minority elects nobody, until it is joined with the rest", async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { machines, all, best } = await voters(seed);
      const alone = [...config.voters].slice(0, (config.voters.size - 1) / 2);
      for (const one of config.members.keys()) {
        for (const other of config.members.keys()) {
          if (alone.includes(one) !== alone.includes(other)) machines.network.cut(`host${one}`, `host${other}`);
        }
      }
      for (const voter of all) await voter.start();
      await machines.time.pass(100_000);
      expect(all.filter(({ sid }) => alone.includes(sid)).map(({ vote }) => vote)).toEqual(alone.map(() => undefined));
      for (const one of config.members.keys()) {
        for (const other of config.members.keys()) machines.network.mend(`host${one}`, `host${other}`);
      }
      await machines.time.until(
        () => agree(all),
        () => `seed ${seed}: all to agree; the best would be ${best}`,
        70_000,
      );
    }
  });
});
