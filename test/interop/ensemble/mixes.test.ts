/**
 * Ensembles of Apache's servers and Watchkeeper in every mix, each led by either side: they form a quorum,
 * replicate, lose servers and bring them back, and every session lives through all of it.
 * `ENSEMBLE_MIXES=TTT` runs one; `INTEROP_TARGET=apache` makes every T an Apache server.
 */

import { type Client, connect } from "@watchkeeper/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../support/until.js";
import { disagreements } from "./support/agreement.js";
import { Ensemble } from "./support/ensemble.js";
import { KazooSession, ZkCliSession } from "./support/foreign-sessions.js";
import { acknowledgedBy, type LoadSession, startLoad } from "./support/load-session.js";
import type { Member } from "./support/member.js";
import { isWanted, kindsOf, targetKind } from "./support/mix.js";
import { StandingSession } from "./support/standing-sessions.js";
import { syncKindsOf } from "./support/sync-kind.js";
import { withClientOf } from "./support/tree-walk.js";
import { writeMixed } from "./support/write-mix.js";

const WRITES_PER_SERVER = 10_000;
const STANDING = 5;
const LOAD_SESSIONS = 6;
/** So many writes are acknowledged before, and again after a server is killed. */
const WRITES_AROUND = 300;
const SESSION_MS = 10_000;

/** The last letter is server 3, which leads first. */
const mixes = ["TTT", "TTA", "ATT", "TAA", "AAT"].filter(isWanted);

describe.each(mixes)("an ensemble %s", (letters) => {
  let ensemble: Ensemble;
  let client: Client;
  let kazoo: KazooSession;
  let zkCli: ZkCliSession;
  const standing: StandingSession[] = [];

  beforeAll(async () => {
    // A leader whose followers are paused goes on leading for long enough to log what it is to log alone.
    ensemble = await Ensemble.prepare({ kinds: kindsOf(letters), configLines: ["syncLimit=30"] });
    await ensemble.startLedBy(3);
    client = await connect(ensemble.connectString, { sessionTimeoutMs: SESSION_MS, reconnectDelayMsMax: 50 });
  });

  afterAll(async () => {
    kazoo?.close();
    await Promise.allSettled([zkCli?.close(), client?.close(), ...standing.map((one) => one.client.close())]);
    await ensemble?.dispose();
  });

  /** Load before, during and after something that is done to the servers. */
  async function underLoad(parent: string, disturb: (more: () => Promise<void>) => Promise<void>): Promise<void> {
    const load = await startLoad(ensemble.connectString, parent, LOAD_SESSIONS);
    const more = (): Promise<void> => moreWrites(load);
    try {
      await more();
      await disturb(more);
      await more();
    } finally {
      await Promise.all(load.map((session) => session.stop()));
    }
    expect(load.filter((session) => session.isLost).length).toBe(0);
    await client.sync();
    for (const member of ensemble.running) expect(await lostWrites(member, load), member.name).toEqual([]);
    for (const session of load)
      expect((await client.exists(session.ephemeral))?.ephemeralOwner).toBe(session.client.sessionId);
    await Promise.all(load.map((session) => session.client.close()));
    expect(await disagreements(ensemble)).toEqual([]);
  }

  /** Where there is one, the follower that something is done to is Watchkeeper. */
  async function followersOfTargetFirst(): Promise<Member[]> {
    const followers = await ensemble.followers();
    return followers.toSorted((a, b) => Number(b.kind === targetKind) - Number(a.kind === targetKind));
  }

  test("forms a quorum, led by the server that started with the largest id", async () => {
    expect((await ensemble.leader()).sid).toBe(3);
    const modes = await Promise.all(ensemble.members.map(async (member) => (await member.view())?.mode));
    expect(modes).toEqual(["follower", "follower", "leader"]);
  });

  test("W1, W2: takes 10,000 writes through every server, and all trees are the same", async () => {
    for (const member of ensemble.members) {
      const done = await withClientOf(member.connectString, (one) =>
        writeMixed(one, `/by-${member.sid}`, WRITES_PER_SERVER),
      );
      expect(done).toBe(WRITES_PER_SERVER);
    }
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("takes sessions of three clients, each with an ephemeral node", async () => {
    await client.create("/standing");
    for (let id = 0; id < STANDING; id++)
      standing.push(await StandingSession.open(ensemble.connectString, "/standing", id));
    kazoo = await KazooSession.open(ensemble.connectString, "/standing/kazoo");
    zkCli = await ZkCliSession.open(ensemble.connectString, "/standing/zkcli");
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("W7, W9: survives kill -9 of its leader under load, which comes back as a follower", async () => {
    await underLoad("/leader-killed", async (more) => {
      const leader = await ensemble.leader();
      await leader.kill();
      await more();
      await leader.start();
      await ensemble.untilAllServe();
      expect((await leader.view())?.mode).toBe("follower");
      expect(syncKindsOf(leader).length).toBeGreaterThan(0);
    });
  });

  test("W7: survives kill -9 of a follower under load, which catches up by DIFF", async () => {
    await underLoad("/follower-killed", async (more) => {
      const [follower] = await followersOfTargetFirst();
      await follower!.kill();
      await more();
      await follower!.start();
      await follower!.untilServing(["follower"]);
      expect(syncKindsOf(follower!), follower!.logTail()).not.toContain("SNAP");
    });
  });

  test("W9: what a leader alone had logged is cut off again by TRUNC", async () => {
    await client.sync();
    await ensemble.untilInStep();
    const leader = await ensemble.leader();
    const followers = await ensemble.followers();
    await logAlone(leader, followers, "nobody-else-has-this");
    // Not one txn may come before the old leader is back: a cut never reaches across an epoch's txns.
    await Promise.all(followers.map((follower) => follower.start()));
    await ensemble.untilAllServe();
    await leader.start();
    await leader.untilServing(["follower"]);
    expect(syncKindsOf(leader), leader.logTail()).toContain("TRUNC");
    for (const member of ensemble.members)
      expect(await withClientOf(member.connectString, (one) => one.exists("/nobody-else-has-this"))).toBe(null);
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("a server with an empty disk is given a SNAP under load", async () => {
    await underLoad("/disk-replaced", async (more) => {
      const [follower] = await followersOfTargetFirst();
      await follower!.kill();
      follower!.wipe();
      await more();
      await follower!.start();
      await follower!.untilServing(["follower"]);
      expect(syncKindsOf(follower!), follower!.logTail()).toContain("SNAP");
    });
  });

  test("what was cut off and what was copied outlives another restart of every server", async () => {
    await Promise.all(ensemble.members.map((member) => member.kill()));
    await ensemble.startAll();
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("M13, M14: every session, ephemeral node and watch of before is still there", async () => {
    const other = await connect(ensemble.connectString);
    const faults = await Promise.all(standing.map((session) => session.faults(other)));
    expect([...faults.flat(), ...(await kazoo.faults()), ...(await zkCli.faults())]).toEqual([]);
    await other.close();
    expect(await disagreements(ensemble)).toEqual([]);
  });
});

async function moreWrites(load: readonly LoadSession[]): Promise<void> {
  const before = acknowledgedBy(load);
  await until(
    `${WRITES_AROUND} more writes to be acknowledged`,
    () => acknowledgedBy(load) >= before + WRITES_AROUND,
    30_000,
  );
}

function lostWrites(member: Member, load: readonly LoadSession[]): Promise<string[]> {
  return withClientOf(member.connectString, async (one) => {
    await one.sync();
    return (await Promise.all(load.map((session) => session.ledger.faults(one)))).flat();
  });
}

/**
 * Makes a leader log a node that nobody else ever has, and ends all of them. The followers are paused, so
 * that proposals reach no further than their sockets, and killed without waking up.
 */
async function logAlone(leader: Member, followers: readonly Member[], name: string): Promise<void> {
  const client = await connect(leader.connectString, { sessionTimeoutMs: SESSION_MS });
  // The session's own txn must have reached everybody.
  await client.sync();
  for (const follower of followers) follower.pause();
  await until("the followers to stand still", () => followers.every(({ standsStill }) => standsStill));
  const write = client.create(`/${name}`, name).catch(() => {});
  await until("the leader to log the write", () => leader.hasLogged(name), 10_000);
  await leader.kill();
  await Promise.all(followers.map((follower) => follower.kill()));
  await write;
  await client.close().catch(() => {});
}
