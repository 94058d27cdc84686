import { join } from "node:path";
import { type BulkSession, closeSessions, openSessions } from "../load/bulk-session.js";
import { nestedKeys } from "../load/key-space.js";
import { parseLoad } from "../load/load-spec.js";
import { createNode, layKeys, withSession } from "../load/nodes.js";
import { frames, KeyedFrame, nodeData } from "../load/request-frames.js";
import { runLoad } from "../load/run-load.js";
import { untilQuiet } from "../servers/process-figures.js";
import { watchkeeper } from "../servers/server-kind.js";
import { ServerHome } from "../servers/server-process.js";
import { type LoopDelay, preloadEnvironment, takeLoopDelay } from "./loop-delay.js";

export interface StallPlan {
  readonly znodes: number;
  readonly seconds: number;
  readonly load: string;
  readonly workers: number;
  readonly progress: (line: string) => void;
  readonly onServer: (home: ServerHome) => Promise<void>;
}

export interface StallPhase extends LoopDelay {
  readonly phase: string;
  /** Snapshots that were completed within the phase. */
  readonly snapshots: number;
  readonly opsPerSecond?: number;
  readonly p99Us?: number;
  readonly maxUs?: number;
}

const ROOT = "/bench";
const VALUE_BYTES = 100;
/** So many txns that no snapshot comes on its own. */
const NEVER = 1_000_000_000;
/** Under load a snapshot is due again about as soon as the last one is written. */
const OFTEN_UNDER_LOAD = 10_000;
const SOON_WHEN_IDLE = 2000;
const SNAPSHOT_MS_MAX = 120_000;

/** The four phases, each alone in a server started anew over the same tree: idle or under load, with or without snapshots. */
export async function* stallPhases(plan: StallPlan): AsyncGenerator<StallPhase> {
  const home = await ServerHome.start(watchkeeper, { config: { snapCount: NEVER } });
  await plan.onServer(home);
  plan.progress(`laying ${plan.znodes.toLocaleString("en-US")} znodes of ${VALUE_BYTES} bytes`);
  await withSession(home.target, async (session) => {
    await createNode(session, ROOT, nodeData(VALUE_BYTES));
    await layKeys(session, nestedKeys(ROOT), 0, plan.znodes, nodeData(VALUE_BYTES));
  });
  yield await phase(home, "idle", NEVER, () => pause(plan.seconds));
  yield await phase(home, "a snapshot, else idle", SOON_WHEN_IDLE, () => trickleUntilSnapshot(home, plan));
  yield await phase(home, "load", NEVER, () => underLoad(home, plan));
  yield await phase(home, "snapshots under load", OFTEN_UNDER_LOAD, () => underLoad(home, plan));
  await home.remove();
}

type Observed = Pick<StallPhase, "opsPerSecond" | "p99Us" | "maxUs">;

async function phase(
  home: ServerHome,
  name: string,
  snapCount: number,
  act: () => Promise<Observed | undefined>,
): Promise<StallPhase> {
  const file = join(home.directory, "loop-delay.json");
  await home.stopServer();
  await home.startServer({ config: { snapCount }, environment: preloadEnvironment(file) });
  await untilQuiet(home.pid);
  const snapshotsBefore = snapshotsIn(home);
  await takeLoopDelay(home.pid, file); // the start and the recovery are not part of it
  const observed = await act();
  const delay = await takeLoopDelay(home.pid, file);
  const snapshots = snapshotsIn(home) - snapshotsBefore;
  if (snapCount !== NEVER && snapshots === 0)
    throw new Error(`${name}: no snapshot was completed, give it more --seconds`);
  return { phase: name, ...delay, snapshots, ...observed };
}

function snapshotsIn(home: ServerHome): number {
  return home.log.split("Snapshot taken in").length - 1;
}

async function pause(seconds: number): Promise<undefined> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

async function underLoad(home: ServerHome, plan: StallPlan): Promise<Observed> {
  const spec = { ...parseLoad(plan.load, 0, plan.seconds), root: ROOT, keys: plan.znodes, nested: true };
  const { opsPerSecond, p99Us, maxUs } = await runLoad({ target: home.target, workers: plan.workers }, spec);
  return { opsPerSecond, p99Us, maxUs };
}

/** Single sets, one after the other, make a snapshot due; it is then written with nothing else to do. */
async function trickleUntilSnapshot(home: ServerHome, plan: StallPlan): Promise<undefined> {
  const before = snapshotsIn(home);
  const deadlineMs = performance.now() + SNAPSHOT_MS_MAX;
  const [session] = await openSessions(home.target, 1);
  await setOneByOne(session!, SOON_WHEN_IDLE + 1, plan.znodes);
  while (snapshotsIn(home) === before) {
    if (performance.now() > deadlineMs) throw new Error(`no snapshot in ${SNAPSHOT_MS_MAX / 1000} s`);
    await pause(0.05);
  }
  await closeSessions([session!]);
}

async function setOneByOne(session: BulkSession, count: number, znodes: number): Promise<void> {
  const set = new KeyedFrame(nestedKeys(ROOT), (path) => frames.setData(path, nodeData(VALUE_BYTES)));
  for (let i = 0; i < count; i++) await session.pipeline(1, (writer) => set.appendTo(writer, i % znodes));
}
