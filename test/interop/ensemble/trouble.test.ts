/**
 * Servers that are wrong in themselves: ids, configurations, epochs, logs, peers that do not read. Each
 * must be told what is wrong, in a sentence an operator can act on, and must not hold up the others.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { type Client, connect } from "@watchkeeper/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { reservePorts } from "../../support/ports.js";
import { until } from "../../support/until.js";
import { disagreements } from "./support/agreement.js";
import { Ensemble } from "./support/ensemble.js";
import { countersOf } from "./support/four-letter-words.js";
import type { Member } from "./support/member.js";
import { isWanted, kindsOf } from "./support/mix.js";

const letters = ["TTT"].filter(isWanted);
const SESSION_MS = 10_000;

describe.each(letters)("in an ensemble %s", (mix) => {
  let ensemble: Ensemble;
  let client: Client;
  let troubled: Member;
  let leader: Member;
  let epoch: number;

  beforeEach(async () => {
    ensemble = await Ensemble.prepare({ kinds: kindsOf(mix) });
    await ensemble.startLedBy(3);
    troubled = ensemble.member(1);
    leader = ensemble.member(3);
    client = await connect(`${ensemble.member(2).connectString},${leader.connectString}`, {
      sessionTimeoutMs: SESSION_MS,
    });
    await client.create("/counter", "0");
    epoch = await epochOf(leader);
  });

  afterEach(async () => {
    await client?.close();
    await ensemble?.dispose();
  });

  /** The other two have gone on under the same leader, in the same epoch. */
  async function othersWereNotHeldUp(): Promise<void> {
    await client.setData("/counter", "1");
    expect(await epochOf(leader)).toBe(epoch);
    expect((await leader.view())?.mode).toBe("leader");
  }

  test("a server whose id is in no server line does not start as a member, and says so", async () => {
    await troubled.kill();
    troubled.myId = 9;
    await troubled.start();
    await until(
      "a word about the id",
      () => /my ?id/i.test(troubled.log()) && troubled.log().includes("9"),
      20_000,
      () => troubled.logTail(),
    );
    await othersWereNotHeldUp();
    troubled.myId = 1;
    await troubled.kill();
    await troubled.start();
    await troubled.untilServing(["follower"]);
  });

  test("a second server with the id of another does not shake the quorum", async () => {
    const [quorum, election] = await reservePorts(2);
    await troubled.kill();
    const double = await Ensemble.prepare({ kinds: kindsOf(mix) });
    try {
      const impostor = double.member(2);
      // The lines of the others are true; its own has ports of its own, where it listens as server 2.
      impostor.configLines = troubled.configLines.map((line) =>
        line.startsWith("server.2=") ? `server.2=127.0.0.1:${quorum}:${election}:participant` : line,
      );
      await impostor.start();
      await until("the second server 2 to have tried", () => impostor.log().length > 500, 20_000);
      for (let i = 0; i < 50; i++) await othersWereNotHeldUp();
    } finally {
      await double.dispose();
    }
    await troubled.start();
    await ensemble.untilAllServe();
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("a server that has accepted a future epoch stays out, and comes in with the next election", async () => {
    await troubled.kill();
    troubled.writeEpochFile("acceptedEpoch", 1000);
    await troubled.start();
    await until(
      "a word about the epoch",
      () => /epoch/i.test(troubled.log()),
      20_000,
      () => troubled.logTail(),
    );
    for (let i = 0; i < 20; i++) await othersWereNotHeldUp();
    await leader.kill();
    await leader.start();
    await ensemble.untilAllServe(60_000);
    await client.setData("/counter", "in the new epoch");
    expect(await epochOf(await ensemble.leader())).toBeGreaterThan(1000);
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("a stranger that claims a future epoch at the quorum port changes nothing", async () => {
    const socket = connectSocket({ host: "127.0.0.1", port: leader.ports.quorum });
    socket.on("error", () => {});
    socket.write(learnerGreeting(200n, 0x7fffffff));
    for (let i = 0; i < 20; i++) await othersWereNotHeldUp();
    socket.destroy();
  });

  test("a server whose log is damaged in the middle does not start, names the file, and recovers from an empty disk", async () => {
    for (let i = 0; i < 200; i++) await client.setData("/counter", `${i}`);
    await ensemble.untilInStep();
    await troubled.kill();
    const file = troubled.logFiles().at(-1)!;
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.findLastIndex((byte) => byte !== 0) / 2)]! ^= 0xff;
    writeFileSync(file, bytes);
    await troubled.start();
    expect(await troubled.ended).toMatch(/^exit code [^0]/);
    if (troubled.kind === "watchkeeper") expect(troubled.log()).toContain(file.split("/").at(-1));
    await othersWereNotHeldUp();
    await troubled.kill();
    troubled.wipe();
    await troubled.start();
    await troubled.untilServing(["follower"]);
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("a server with other ports for the others stays out and holds up nobody", async () => {
    await troubled.kill();
    const right = troubled.configLines;
    const [quorum, election] = await reservePorts(2);
    troubled.configLines = right.map((line) =>
      /^server\.[23]=/.test(line) ? line.replace(/:\d+:\d+:/, `:${quorum}:${election}:`) : line,
    );
    await troubled.start();
    for (let i = 0; i < 50; i++) await othersWereNotHeldUp();
    await troubled.kill();
    troubled.configLines = right;
    await troubled.start();
    await ensemble.untilAllServe();
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("a follower that stops reading is let go, and the leader's memory stays bounded", async () => {
    const before = residentMib(leader.pid);
    troubled.pause();
    const data = Buffer.alloc(50_000, "x");
    // More than a socket buffers, for longer than syncLimit allows.
    await until(
      "the leader to let go of the follower",
      async () => {
        await Promise.all(Array.from({ length: 20 }, () => client.setData("/counter", data)));
        const followers = await syncedFollowers(leader);
        return followers < 2;
      },
      20_000,
    );
    expect(residentMib(leader.pid) - before).toBeLessThan(600);
    await othersWereNotHeldUp();
    troubled.resume();
    await ensemble.untilAllServe(60_000);
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("strangers that ask to be brought up to date and never read hold up nobody", async () => {
    const data = Buffer.alloc(500_000, "x");
    for (let i = 0; i < 20; i++) await client.create(`/large-${i}`, data);
    const sockets = Array.from({ length: 20 }, () => deafLearner(leader.ports.quorum));
    for (let i = 0; i < 50; i++) await othersWereNotHeldUp();
    for (const socket of sockets) socket.destroy();
    await othersWereNotHeldUp();
  });
});

/** Of the last txn it has applied: there must have been one in the epoch. */
async function epochOf(member: Member): Promise<number> {
  return Math.floor(((await member.view())?.zxid ?? 0) / 2 ** 32);
}

async function syncedFollowers(leader: Member): Promise<number> {
  return Number((await countersOf(leader.ports.client)).get("zk_synced_followers"));
}

function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** OBSERVERINFO with a LearnerInfo. */
function learnerGreeting(sid: bigint, acceptedEpoch: number): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.writeInt32BE(16, 0);
  bytes.writeBigInt64BE(BigInt(acceptedEpoch) << 32n, 4);
  bytes.writeInt32BE(20, 12);
  bytes.writeBigInt64BE(sid, 16);
  bytes.writeInt32BE(0x10000, 24);
  bytes.writeInt32BE(-1, 36);
  return bytes;
}

/** An observer with no data at all, which is sent the whole tree. */
function deafLearner(port: number): Socket {
  const socket = connectSocket({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  socket.write(learnerGreeting(201n, 0));
  const ackEpoch = Buffer.alloc(24);
  ackEpoch.writeInt32BE(18, 0);
  ackEpoch.writeInt32BE(4, 12);
  ackEpoch.writeInt32BE(-1, 20);
  socket.write(ackEpoch);
  socket.pause();
  return socket;
}
