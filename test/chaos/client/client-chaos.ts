/**
 * The client's fault scripts on real sockets, some at a time, against a server or an ensemble of either kind.
 * A script's seed is told with whatever it found: `--scripts 1 --seed` runs that one again.
 */
import { Ensemble } from "../../interop/ensemble/support/ensemble.js";
import type { ServerKind } from "../../interop/ensemble/support/member.js";
import { startApache } from "../../interop/support/apache.js";
import { startWatchkeeper } from "../../interop/support/watchkeeper.js";
import type { FaultReport, Progress } from "../support/fault-report.js";
import { ClientScript, type ScriptFigures } from "./client-script.js";
import { Stalls } from "./stalls.js";

export interface ClientChaosOptions {
  readonly scripts: number;
  readonly seed: number;
  readonly against: ServerKind;
  /** 1: standalone; else the voters of an ensemble. */
  readonly servers: number;
  readonly atOnce: number;
}

const FAULTS_TOLD_MAX = 20;
const TELL_EVERY = 25;

export async function clientChaos(options: ClientChaosOptions, progress: Progress): Promise<FaultReport> {
  const rig = await startRig(options.against, options.servers);
  const stalls = new Stalls();
  const faults: string[] = [];
  const sums: ScriptFigures = { calls: 0, unknown: 0, timedOut: 0, events: 0, reconnects: 0, lost: 0 };
  let next = options.seed;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < options.seed + options.scripts && faults.length < FAULTS_TOLD_MAX) {
      const seed = next++;
      const script = new ClientScript(seed, rig.ports, stalls);
      await script.run();
      faults.push(...script.violations.map((violation) => `seed ${seed}: ${violation}`));
      for (const key of Object.keys(sums) as (keyof ScriptFigures)[]) sums[key] += script.figures[key];
      if (++done % TELL_EVERY === 0) progress(`${done} scripts, ${faults.length} violations`);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.atOnce }, lane));
  } finally {
    stalls.stop();
    await rig.stop();
  }
  const figures =
    `${sums.calls} calls, of which ${sums.timedOut} passed their deadline and ${sums.unknown} creations ended unknown, ` +
    `${sums.events} events, ${sums.reconnects} reconnects, ${sums.lost} sessions expired`;
  const where = `${options.servers} of ${options.against}`;
  return { summary: `${done} scripts from seed ${options.seed} against ${where}: ${figures}`, faults };
}

interface Rig {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

async function startRig(kind: ServerKind, servers: number): Promise<Rig> {
  if (servers === 1) {
    const start = kind === "apache" ? startApache : startWatchkeeper;
    const server = await start({ configLines: ["maxClientCnxns=0"] });
    return { ports: [server.clientPort], stop: () => server.stop("SIGKILL") };
  }
  const ensemble = await Ensemble.prepare({ kinds: Array.from({ length: servers }, () => kind) });
  try {
    await ensemble.startAll();
  } catch (error) {
    await ensemble.dispose();
    throw error;
  }
  return { ports: ensemble.members.map(({ ports }) => ports.client), stop: () => ensemble.dispose() };
}
