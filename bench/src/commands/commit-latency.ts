import { commitLatency as measure } from "../ensemble/commit-latency.js";
import { median } from "../ensemble/times.js";
import { figure, textTable } from "../report/text-table.js";
import { type Command, numberOption, parseOptions, progress } from "./command.js";
import { kindsOf } from "./ensemble-times.js";

const options = {
  rounds: { type: "string" },
  seconds: { type: "string" },
  load: { type: "string" },
  only: { type: "string" },
} as const;

const SIZES = [3, 5] as const;

export const commitLatency: Command = {
  help: `The latency of writes at the leader of three and of five servers, in turn, and how much it grows.

  --rounds N     (3)      --seconds S   per measurement, after half of that to warm up (4)
  --load LOAD    (set -c 1)
  --only NAME    watchkeeper or apache alone`,
  async run(args) {
    const { values } = parseOptions(args, options);
    const rounds = numberOption("rounds", values.rounds ?? "3", 1, 50);
    const seconds = numberOption("seconds", values.seconds ?? "4", 0.1, 120);
    const load = values.load ?? "set -c 1";
    const rows = [["commit latency", "3 servers p50 us", "5 servers p50 us", "ratio"]];
    for (const kind of kindsOf(values.only)) {
      const p50Us: Record<number, number[]> = { 3: [], 5: [] };
      for (let round = 1; round <= rounds; round++) {
        for (const size of SIZES) {
          const figures = await measure(kind, size, load, seconds);
          p50Us[size]!.push(figures.p50Us);
          progress(
            `round ${round} of ${rounds}  ${kind.name.padEnd(12)} ${size} servers  p50 ${figure(figures.p50Us)} us`,
          );
        }
      }
      const [three, five] = SIZES.map((size) => median(p50Us[size]!));
      rows.push([kind.name, figure(three), figure(five), figure(five! / three!)]);
    }
    process.stdout.write(`${textTable(rows)}\n`);
  },
};
