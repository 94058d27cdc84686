/**
 * `mntr` beside Apache's: every name that is printed is one that Apache prints in the same role, with a value of the
 * same kind. Which of Apache's are not printed stands in docs/metrics.md, with the reasons.
 */
import { expect, onTestFinished, test } from "vitest";
import { Ensemble } from "./ensemble/support/ensemble.js";
import { countersOf } from "./ensemble/support/four-letter-words.js";
import { kindsOf, targetKind } from "./ensemble/support/mix.js";
import { withClientOf } from "./ensemble/support/tree-walk.js";
import { startApache } from "./support/apache.js";
import { target } from "./support/target.js";

const CONFIG_LINES = ["4lw.commands.whitelist=*"];

/** Apache's servers printed it until 3.5. */
const ONLY_HERE = targetKind === "watchkeeper" ? ["zk_fsync_threshold_exceed_count"] : [];

type Figures = ReadonlyMap<string, string>;

/** What a value is, by its text. */
function kindOfValue(text: string): string {
  if (/^-?\d+$/.test(text)) return "whole number";
  return /^-?\d+\.\d+(E-?\d+)?$/.test(text) ? "decimal" : "text";
}

/** Names with kinds; what only one server of several can have, by its namespaces and followers, is left out. */
function shapeOf(figures: Figures): Map<string, string> {
  const own = [...figures].filter(([name]) => name !== "" && !/_per_namespace$|_\d+_learner_handler_/.test(name));
  return new Map(own.map(([name, value]) => [name, kindOfValue(value)]));
}

function compare(own: Figures, apache: Figures): void {
  const known = shapeOf(apache);
  const found = [...shapeOf(own)].filter(([name]) => !ONLY_HERE.includes(name));
  expect(found.length).toBeGreaterThan(150);
  expect(found.filter(([name, kind]) => known.get(name) !== kind)).toEqual([]);
}

async function busy(connectString: string): Promise<void> {
  await withClientOf(connectString, async (client) => {
    await client.create("/busy", "1");
    await client.getData("/busy", { watch: () => {} });
    await client.setData("/busy", "2");
    await client.delete("/busy");
  });
}

test("a single server's", async () => {
  const [own, apache] = [
    await target.start({ configLines: CONFIG_LINES }),
    await startApache({ configLines: CONFIG_LINES }),
  ];
  for (const server of [own, apache]) onTestFinished(() => server.stop("SIGKILL"));
  for (const server of [own, apache]) await busy(server.connectString);
  compare(await countersOf(own.clientPort), await countersOf(apache.clientPort));
});

test("a leader's and a follower's", async () => {
  const ledByTarget = await figuresOf("ATT");
  const ledByApache = await figuresOf("TAA");
  compare(ledByTarget.get("leader T")!, ledByApache.get("leader A")!);
  compare(ledByTarget.get("follower T")!, ledByTarget.get("follower A")!);
  compare(ledByApache.get("follower T")!, ledByApache.get("follower A")!);
  expect(Number(ledByTarget.get("leader T")!.get("zk_commit_count"))).toBeGreaterThan(0);
  for (const name of ["zk_proposal_count", "zk_commit_count", "zk_cnt_quorum_ack_latency", "zk_request_commit_queued"])
    expect([name, ledByTarget.get("leader T")!.get(name)]).toEqual([
      name,
      ledByTarget.get("leader T")!.get("zk_proposal_count"),
    ]);
});

/** By role and letter, as "leader T". */
async function figuresOf(letters: string): Promise<ReadonlyMap<string, Figures>> {
  const ensemble = await Ensemble.prepare({ kinds: kindsOf(letters), configLines: CONFIG_LINES });
  onTestFinished(() => ensemble.dispose());
  await ensemble.startLedBy(letters.length);
  await busy(ensemble.connectString);
  await ensemble.untilInStep();
  const found = new Map<string, Figures>();
  for (const [index, member] of ensemble.voters.entries()) {
    const figures = await countersOf(Number(member.connectString.split(":")[1]));
    found.set(`${figures.get("zk_server_state")} ${letters[index]}`, figures);
  }
  await ensemble.dispose();
  return found;
}
