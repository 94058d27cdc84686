import { LOAD_OPTIONS_HELP, loadOptions, parseLoad, workloads } from "../load/load-spec.js";
import { layNodes } from "../load/nodes.js";
import { runLoad } from "../load/run-load.js";
import type { Target } from "../load/server-connection.js";
import { resultText } from "../report/results.js";
import { WHAT_FIGURES_MEAN } from "../report/what-figures-mean.js";
import { UsageError } from "../usage-error.js";
import { type Command, numberOption, parseOptions, progress } from "./command.js";

const options = {
  ...loadOptions,
  seconds: { type: "string", short: "t" },
  warmup: { type: "string", short: "W" },
  workers: { type: "string" },
  pid: { type: "string" },
} as const;

const WORKLOAD_LINES = Object.entries(workloads).map(([name, meaning]) => `  ${name.padEnd(10)} ${meaning}`);

export const load: Command = {
  help: `Runs one load against a server that is already running: load HOST:PORT WORKLOAD [options].
Prints one line of JSON.

${WORKLOAD_LINES.join("\n")}

${LOAD_OPTIONS_HELP}
  -t, --seconds S   measured (10)      -W, --warmup S   before that (2)
  --pid PID         the server's process here, for its CPU time and memory
  --workers N       load generator processes (1)

${WHAT_FIGURES_MEAN}`,
  async run(args) {
    const { values, positionals } = parseOptions(args, options, true);
    const [address, workload, extra] = positionals;
    if (address === undefined || workload === undefined || extra !== undefined) {
      throw new UsageError("expected: load HOST:PORT WORKLOAD [options]");
    }
    const target = parseTarget(address);
    const seconds = numberOption("seconds", values.seconds ?? "10", 0.1, 120);
    const warmup = numberOption("warmup", values.warmup ?? "2", 0, 60);
    const workers = numberOption("workers", values.workers ?? "1", 1, 16);
    const given = Object.entries(values).filter(([name]) => name in loadOptions);
    const text = [workload, ...given.map(([name, value]) => `-${name} ${value}`)].join(" ");
    const spec = parseLoad(text, warmup, seconds);
    const pid = values.pid === undefined ? {} : { pid: numberOption("pid", values.pid, 1, 2 ** 22) };
    progress(`${spec.text}: laying nodes below ${spec.root}, then ${warmup + seconds} s of load`);
    const clear = await layNodes(target, spec, workers);
    const figures = await runLoad({ target, workers, ...pid }, spec);
    await clear();
    process.stdout.write(`${resultText(figures)}\n`);
  },
};

function parseTarget(address: string): Target {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UsageError(`${address}: expected HOST:PORT`);
  }
  return { host: address.slice(0, colon), port };
}
