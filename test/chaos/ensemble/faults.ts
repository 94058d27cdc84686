/** What can be done to an ensemble that must survive it: to a minority of its servers, or to all at once. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ensemble } from "../../interop/ensemble/support/ensemble.js";
import type { Member } from "../../interop/ensemble/support/member.js";
import type { SeededRandom } from "../../support/seeded-random.js";
import { within } from "../../support/within.js";
import { fillWithBallast } from "../disk/ballast.js";
import type { Links } from "./links.js";
import type { PowerLoss } from "./power-loss/power-loss.js";

export interface Stage {
  readonly ensemble: Ensemble;
  readonly links: Links;
  readonly random: SeededRandom;
  readonly powerLoss: PowerLoss;
  /** Whether this server's unsynced log is torn off when it is killed. */
  readonly isTorn: (member: Member) => boolean;
  /** The server whose disk is small, where there is one. */
  readonly onSmallDisk: Member | undefined;
}

export interface Fault {
  readonly name: string;
  /** How often it is drawn, against the others. */
  readonly weight: number;
  readonly isPossible?: (stage: Stage) => boolean;
  readonly strike: (stage: Stage) => Promise<void>;
}

const HOLD_MS_MIN = 200;
const HOLD_MS_MAX = 3_500;
const DISK_FULL_MS_MAX = 6_000;
const SLOW_MS = 150;

export const faults: readonly Fault[] = [
  { name: "kill a server", weight: 4, strike: (stage) => killAndRestart(stage, [anyOf(stage)]) },
  {
    name: "kill the leader",
    weight: 4,
    strike: async (stage) => killAndRestart(stage, [(await stage.ensemble.currentLeader()) ?? anyOf(stage)]),
  },
  { name: "kill a minority", weight: 2, strike: (stage) => killAndRestart(stage, minority(stage)) },
  {
    name: "kill all, as a power cut does",
    weight: 2,
    strike: (stage) => killAndRestart(stage, stage.ensemble.members),
  },
  { name: "pause a server", weight: 2, strike: (stage) => pause(stage, anyOf(stage)) },
  {
    name: "pause the leader",
    weight: 2,
    strike: async (stage) => pause(stage, (await stage.ensemble.currentLeader()) ?? anyOf(stage)),
  },
  { name: "cut off a server", weight: 2, strike: (stage) => cut(stage, [anyOf(stage)], "both") },
  {
    name: "cut off the leader",
    weight: 2,
    strike: async (stage) => cut(stage, [(await stage.ensemble.currentLeader()) ?? anyOf(stage)], "both"),
  },
  { name: "nothing reaches a server", weight: 1, strike: (stage) => cut(stage, [anyOf(stage)], "towards") },
  { name: "nothing comes from a server", weight: 1, strike: (stage) => cut(stage, [anyOf(stage)], "from") },
  { name: "cut into halves", weight: 2, strike: (stage) => cut(stage, minority(stage), "both") },
  { name: "slow links", weight: 1, strike: slowLinks },
  { name: "fill a disk", weight: 1, isPossible: (stage) => stage.onSmallDisk !== undefined, strike: fillDisk },
];

function anyOf({ ensemble, random }: Stage): Member {
  return random.pick(ensemble.members);
}

function minority({ ensemble, random }: Stage): Member[] {
  const all = [...ensemble.members];
  const count = Math.floor((all.length - 1) / 2);
  while (all.length > count) all.splice(random.below(all.length), 1);
  return all;
}

/** So long the fault lasts. */
async function hold({ random }: Stage): Promise<void> {
  await sleep(HOLD_MS_MIN + random.below(HOLD_MS_MAX - HOLD_MS_MIN));
}

async function killAndRestart(stage: Stage, victims: readonly Member[]): Promise<void> {
  await Promise.all(victims.map((member) => member.kill()));
  for (const member of victims) if (stage.isTorn(member)) stage.powerLoss.tear(member, stage.random);
  if (victims.length < stage.ensemble.members.length) await hold(stage);
  await Promise.all(victims.map((member) => member.start()));
}

async function pause(stage: Stage, member: Member): Promise<void> {
  member.pause();
  await hold(stage);
  member.resume();
}

async function cut(stage: Stage, side: readonly Member[], direction: "both" | "towards" | "from"): Promise<void> {
  const { ensemble, links } = stage;
  for (const { sid } of side) {
    for (const { sid: other } of ensemble.members.filter((member) => !side.includes(member))) {
      if (direction !== "from") links.flow(other, sid).hold();
      if (direction !== "towards") links.flow(sid, other).hold();
    }
  }
  await hold(stage);
  links.heal();
}

async function slowLinks(stage: Stage): Promise<void> {
  const { ensemble, links, random } = stage;
  const slow = anyOf(stage);
  for (const { sid } of ensemble.members.filter((member) => member !== slow)) {
    links.flow(slow.sid, sid).slow(1 + random.below(SLOW_MS));
    links.flow(sid, slow.sid).slow(1 + random.below(SLOW_MS));
  }
  await hold(stage);
  links.heal();
}

/** The disk is full until the server has noticed, or for a while; then there is room again. */
async function fillDisk(stage: Stage): Promise<void> {
  const member = stage.onSmallDisk!;
  const ballast = join(member.dataDir, "ballast");
  const ended = member.ended;
  fillWithBallast(ballast);
  await within(DISK_FULL_MS_MAX, ended);
  await member.kill();
  rmSync(ballast);
  await member.start();
}
