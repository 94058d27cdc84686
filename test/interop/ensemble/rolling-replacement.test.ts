/**
 * The servers of a running ensemble are replaced one by one on the same configuration and data, Apache's
 * by Watchkeeper and back again, while fifty sessions write.
 */
import { type Client, connect } from "@watchkeeper/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../support/until.js";
import { disagreements } from "./support/agreement.js";
import { Ensemble } from "./support/ensemble.js";
import { acknowledgedBy, type LoadSession, startLoad } from "./support/load-session.js";
import type { ServerKind } from "./support/member.js";
import { kindsOf, targetKind } from "./support/mix.js";
import { withClientOf } from "./support/tree-walk.js";

const SESSIONS = 50;
const PAUSE_MS = 20;
/** So many writes are acknowledged between two replacements. */
const WRITES_BETWEEN = 200;

describe("a rolling replacement under load", () => {
  let ensemble: Ensemble;
  let load: LoadSession[];

  beforeAll(async () => {
    ensemble = await Ensemble.prepare({ kinds: kindsOf("AAA") });
    await ensemble.startLedBy(3);
    load = await startLoad(ensemble.connectString, "/rolling", SESSIONS, PAUSE_MS);
  });

  afterAll(async () => {
    await Promise.allSettled((load ?? []).map((session) => session.stop()));
    await Promise.allSettled((load ?? []).map((session) => session.client.close()));
    await ensemble?.dispose();
  });

  /** The leader last, as the operator's page advises. */
  async function replaceAll(kind: ServerKind): Promise<void> {
    const leader = await ensemble.leader();
    for (const member of [...ensemble.members.filter((one) => one !== leader), leader]) {
      await moreWrites();
      await member.stop();
      await member.start(kind);
      await ensemble.untilAllServe();
    }
    await moreWrites();
    expect(ensemble.members.map((member) => member.kind)).toEqual([kind, kind, kind]);
  }

  async function moreWrites(): Promise<void> {
    const before = acknowledgedBy(load);
    await until("writes to go on", () => acknowledgedBy(load) >= before + WRITES_BETWEEN, 30_000);
  }

  test("Apache's servers are replaced by Watchkeeper", () => replaceAll(targetKind));

  test("Watchkeeper's are replaced by Apache's again", () => replaceAll("apache"));

  test("no session expired, no acknowledged write is lost, and all servers agree", async () => {
    await Promise.all(load.map((session) => session.stop()));
    expect(load.filter((session) => session.isLost).length).toBe(0);
    for (const member of ensemble.members) {
      const faults = await withClientOf(member.connectString, async (one) => {
        await one.sync();
        return (await Promise.all(load.map((session) => session.ledger.faults(one)))).flat();
      });
      expect(faults, member.name).toEqual([]);
    }
    const other: Client = await connect(ensemble.connectString);
    for (const { ephemeral, client } of load)
      expect((await other.exists(ephemeral))?.ephemeralOwner).toBe(client.sessionId);
    await other.close();
    expect(await disagreements(ensemble)).toEqual([]);
  });
});
