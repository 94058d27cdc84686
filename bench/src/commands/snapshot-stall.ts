import { writePage } from "../report/page.js";
import { resultFolder, writeResult } from "../report/results.js";
import { textTable } from "../report/text-table.js";
import { environmentOf, versionOf } from "../servers/environment.js";
import type { ServerHome } from "../servers/server-process.js";
import { type StallPhase, stallPhases } from "../stall/stall-phases.js";
import { type StallResult, stallRows } from "../stall/stall-result.js";
import { type Command, commandLine, numberOption, parseOptions, progress } from "./command.js";

const LOAD = "mixed -c 50 -p 10";

const options = {
  znodes: { type: "string" },
  seconds: { type: "string" },
  load: { type: "string" },
  workers: { type: "string" },
  quick: { type: "boolean" },
  out: { type: "string" },
} as const;

export const snapshotStall: Command = {
  help: `The longest time Watchkeeper's event loop is blocked while a snapshot is written, with and without load,
and for comparison without a snapshot. Measured inside the server's process by perf_hooks
(monitorEventLoopDelay, resolution 1 ms, taken off again), from a module preloaded by NODE_OPTIONS.
Time in which the system gave the core to another process counts as a block too: run it on a quiet machine.

  --znodes N     in the tree (1000000)
  --seconds S    of each phase under load (20)
  --load LOAD    the load (${LOAD})
  --workers N    load generator processes (1)
  --quick        10,000 znodes, five seconds, nothing written unless --out is given
  --out FOLDER   where results go (docs/bench)`,
  async run(args) {
    const { values } = parseOptions(args, options);
    const quick = values.quick === true;
    const versions: Record<string, string> = {};
    const plan = {
      znodes: Math.floor(numberOption("znodes", values.znodes ?? (quick ? "10000" : "1000000"), 1, 1e6)),
      seconds: numberOption("seconds", values.seconds ?? (quick ? "5" : "20"), 0.5, 120),
      load: values.load ?? LOAD,
      workers: numberOption("workers", values.workers ?? "1", 1, 16),
      progress,
      onServer: async ({ kind, target }: ServerHome) => {
        versions[kind.name] = await versionOf(target);
      },
    };
    const phases: StallPhase[] = [];
    for await (const phase of stallPhases(plan)) {
      phases.push(phase);
      progress(`${phase.phase}: longest block ${phase.maxMs.toFixed(1)} ms, ${phase.snapshots} snapshots`);
    }
    const result: StallResult = {
      command: commandLine("snapshot-stall", args),
      environment: environmentOf(versions),
      znodes: plan.znodes,
      load: plan.load,
      phases,
    };
    process.stdout.write(`${textTable(stallRows(result))}\n`);
    const folder = resultFolder(values.out, quick);
    if (folder === undefined) return;
    writeResult(folder, "snapshot-stall", result, undefined);
    writePage(folder);
  },
};
