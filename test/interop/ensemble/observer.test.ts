/** An observer on an ensemble of Apache's voters: it follows, serves and forwards, and no election needs it. */
import { type Client, connect } from "@watchkeeper/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../support/until.js";
import { disagreements } from "./support/agreement.js";
import { Ensemble } from "./support/ensemble.js";
import { acknowledgedBy, startLoad } from "./support/load-session.js";
import type { Member } from "./support/member.js";
import { kindsOf, targetKind } from "./support/mix.js";
import { syncKindsOf } from "./support/sync-kind.js";
import { withClientOf } from "./support/tree-walk.js";
import { writeMixed } from "./support/write-mix.js";

const WRITES = 10_000;
const SESSION_MS = 10_000;

describe("an observer on three voters of Apache's", () => {
  let ensemble: Ensemble;
  let observer: Member;
  let client: Client;

  beforeAll(async () => {
    ensemble = await Ensemble.prepare({ kinds: kindsOf("AAA"), observers: [targetKind] });
    observer = ensemble.member(4);
    await ensemble.startLedBy(3);
    client = await connect(ensemble.connectString, { sessionTimeoutMs: SESSION_MS, reconnectDelayMsMax: 50 });
  });

  afterAll(async () => {
    await client?.close();
    await ensemble?.dispose();
  });

  test("joins as observer", async () => {
    expect((await observer.view())?.mode).toBe("observer");
  });

  test("W1, W2, W5: takes 10,000 writes and passes them on, and has the same tree as the voters", async () => {
    expect(await withClientOf(observer.connectString, (one) => writeMixed(one, "/by-4", WRITES))).toBe(WRITES);
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("M12: a watch in the observer fires for a change made elsewhere", async () => {
    await client.create("/watched", "before");
    const fired = withClientOf(observer.connectString, async (one) => {
      await one.sync();
      let event: string | undefined;
      await one.getData("/watched", {
        watch: ({ kind }) => {
          event = kind;
        },
      });
      await withClientOf(ensemble.member(1).connectString, (other) => other.setData("/watched", "after"));
      await until("the watch to fire", () => event !== undefined);
      return event;
    });
    expect(await fired).toBe("dataChanged");
  });

  test("the voters go on without it, and it catches up when it is back", async () => {
    const load = await startLoad(ensemble.connectString, "/without-observer", 4);
    await observer.kill();
    const before = acknowledgedBy(load);
    await until("writes to go on", () => acknowledgedBy(load) >= before + 300, 30_000);
    await observer.start();
    await observer.untilServing(["observer"]);
    expect(syncKindsOf(observer)).not.toContain("SNAP");
    await Promise.all(load.map((session) => session.stop()));
    expect(load.filter((session) => session.isLost).length).toBe(0);
    await Promise.all(load.map((session) => session.client.close()));
    expect(await disagreements(ensemble)).toEqual([]);
  });

  test("follows the next leader, and gets a SNAP on an empty disk", async () => {
    const leader = await ensemble.leader();
    await leader.kill();
    await ensemble.untilAllServe();
    await observer.kill();
    observer.wipe();
    await observer.start();
    await leader.start();
    await ensemble.untilAllServe();
    expect((await observer.view())?.mode).toBe("observer");
    expect(syncKindsOf(observer), observer.logTail()).toContain("SNAP");
    expect(await disagreements(ensemble)).toEqual([]);
  });
});
