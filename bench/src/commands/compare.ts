import {
  type Comparison,
  comparisonPicture,
  comparisonRows,
  type Measurement,
  startupLines,
} from "../compare/comparison.js";
import { type LoadSpec, parseLoad } from "../load/load-spec.js";
import { layNodes } from "../load/nodes.js";
import { type LoadFigures, runLoad } from "../load/run-load.js";
import { writePage } from "../report/page.js";
import { resultFolder, writeResult } from "../report/results.js";
import { figure, textTable } from "../report/text-table.js";
import { WHAT_FIGURES_MEAN } from "../report/what-figures-mean.js";
import { environmentOf, versionOf } from "../servers/environment.js";
import { apache, isApacheInstalled, type ServerKind, watchkeeper } from "../servers/server-kind.js";
import { ServerHome } from "../servers/server-process.js";
import { type Command, commandLine, numberOption, parseOptions, progress } from "./command.js";

const LOADS = [
  "get -c 50",
  "get -c 50 -p 10",
  "exists -c 50 -p 10",
  "children -c 50 -k 100",
  "set -c 50",
  "set -c 50 -p 10",
  "mixed -c 50 -p 10",
  "create -c 50 -p 10",
  "churn -c 50",
  "connect -c 20",
  "fanout -c 500",
];

const options = {
  rounds: { type: "string" },
  seconds: { type: "string" },
  warmup: { type: "string" },
  workers: { type: "string" },
  loads: { type: "string" },
  quick: { type: "boolean" },
  "no-apache": { type: "boolean" },
  out: { type: "string" },
} as const;

export const compare: Command = {
  help: `Runs the same loads against Watchkeeper and, where Debian's package zookeeper is installed, Apache's
server, in turn (A B A B ...) in one run; prints ratios of medians; writes compare.json and compare.svg.

  --rounds N     how often each server is measured (3)
  --seconds S    per load, after the warm-up (4)     --warmup S   before each load (2)
  --loads LIST   "get -c 50;set -c 50" instead of the eleven of the documentation
  --workers N    load generator processes (1)
  --no-apache    Watchkeeper alone: figures without ratios
  --quick        one round of one second per load, nothing written unless --out is given
  --out FOLDER   where results go (docs/bench)

${WHAT_FIGURES_MEAN}`,
  async run(args) {
    const { values } = parseOptions(args, options);
    const quick = values.quick === true;
    const rounds = numberOption("rounds", values.rounds ?? (quick ? "1" : "3"), 1, 50);
    const seconds = numberOption("seconds", values.seconds ?? (quick ? "1" : "4"), 0.1, 120);
    const warmup = numberOption("warmup", values.warmup ?? (quick ? "0.5" : "2"), 0, 60);
    const workers = numberOption("workers", values.workers ?? "1", 1, 16);
    const texts = values.loads === undefined ? LOADS : values.loads.split(";").filter((load) => load.trim() !== "");
    const loads = texts.map((load, i) => ({ ...parseLoad(load.trim(), warmup, seconds), root: `/bench-${i}` }));
    const plan = { kinds: kindsFor(values["no-apache"] === true), loads, rounds, workers };
    const comparison = await measure(plan, commandLine("", args));
    process.stdout.write(`${textTable(comparisonRows(comparison))}\n${startupLines(comparison).join("\n")}\n`);
    const folder = resultFolder(values.out, quick);
    if (folder === undefined) return;
    writeResult(folder, "compare", comparison, comparisonPicture(comparison));
    writePage(folder);
  },
};

interface Plan {
  readonly kinds: readonly ServerKind[];
  readonly loads: readonly LoadSpec[];
  readonly rounds: number;
  readonly workers: number;
}

function kindsFor(withoutApache: boolean): ServerKind[] {
  if (withoutApache) return [watchkeeper];
  if (isApacheInstalled()) return [watchkeeper, apache];
  progress("Apache's server is not here (Debian's package zookeeper): Watchkeeper alone, no ratios and no picture");
  return [watchkeeper];
}

async function measure(plan: Plan, command: string): Promise<Comparison> {
  const rows: Measurement[] = [];
  const versions: Record<string, string> = {};
  const startupMs: Record<string, number[]> = {};
  for (let round = 1; round <= plan.rounds; round++) {
    for (const kind of plan.kinds) {
      const home = await ServerHome.start(kind);
      versions[kind.name] = await versionOf(home.target);
      startupMs[kind.name] = [...(startupMs[kind.name] ?? []), home.startupMs];
      for (const load of plan.loads) {
        const figures = await measureLoad(home, load, plan.workers);
        rows.push({ round, server: kind.name, ...figures });
        progress(
          `round ${round} of ${plan.rounds}  ${kind.name.padEnd(12)} ${load.text.padEnd(24)} ${figure(figures.opsPerSecond)} ops/s`,
        );
      }
      await home.remove();
    }
  }
  const { seconds } = plan.loads[0]!;
  return {
    command,
    environment: environmentOf(versions),
    rounds: plan.rounds,
    secondsPerLoad: seconds,
    startupMs,
    rows,
  };
}

async function measureLoad(home: ServerHome, load: LoadSpec, workers: number): Promise<LoadFigures> {
  const clear = await layNodes(home.target, load, workers);
  const figures = await runLoad({ target: home.target, pid: home.pid, workers }, load);
  await clear();
  return figures;
}
