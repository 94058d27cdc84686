import type { LoadFigures } from "../load/run-load.js";
import { ratioBars } from "../picture/ratio-bars.js";
import type { ResultHead } from "../report/results.js";
import { figure } from "../report/text-table.js";
import { describeEnvironment } from "../servers/environment.js";

export interface Measurement extends LoadFigures {
  readonly round: number;
  readonly server: string;
}

export interface Comparison extends ResultHead {
  readonly rounds: number;
  readonly secondsPerLoad: number;
  readonly startupMs: Readonly<Record<string, readonly number[]>>;
  readonly rows: readonly Measurement[];
}

/** One load on both servers: medians over the rounds, and what is better by how much. */
export interface LoadRatio {
  readonly load: string;
  readonly throughput: number;
  /** Operations for the same CPU time. */
  readonly economy: number;
  /** How many times less memory. */
  readonly memory: number;
}

export function serversOf(comparison: Comparison): string[] {
  return Object.keys(comparison.startupMs);
}

export function loadsOf(comparison: Comparison): string[] {
  return [...new Set(comparison.rows.map((row) => row.load))];
}

export function medianOf(
  comparison: Comparison,
  server: string,
  load: string,
  pick: (row: Measurement) => number | undefined,
): number {
  const rows = comparison.rows.filter((row) => row.server === server && row.load === load);
  return median(rows.map((row) => pick(row) ?? Number.NaN));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The first server against the second; nothing where there is no second. */
export function ratiosOf(comparison: Comparison): LoadRatio[] {
  const [ours, theirs] = serversOf(comparison);
  if (ours === undefined || theirs === undefined) return [];
  return loadsOf(comparison).map((load) => {
    const of = (server: string, pick: (row: Measurement) => number | undefined) =>
      medianOf(comparison, server, load, pick);
    return {
      load,
      throughput: of(ours, (row) => row.opsPerSecond) / of(theirs, (row) => row.opsPerSecond),
      economy: of(theirs, (row) => row.cpuUsPerOp) / of(ours, (row) => row.cpuUsPerOp),
      memory: of(theirs, (row) => row.rssMib) / of(ours, (row) => row.rssMib),
    };
  });
}

/** The table: a line for each load and server, the ratios on the first server's line. */
export function comparisonRows(comparison: Comparison): string[][] {
  const ratios = new Map(ratiosOf(comparison).map((ratio) => [ratio.load, ratio]));
  const head = [
    "load",
    "server",
    "ops/s",
    "ratio",
    "p50 µs",
    "p99 µs",
    "CPU µs/op",
    "ratio",
    "RSS MiB",
    "ratio",
    "generator %",
  ];
  const lines = loadsOf(comparison).flatMap((load) =>
    serversOf(comparison).map((server, i) => {
      const ratio = i === 0 ? ratios.get(load) : undefined;
      const of = (pick: (row: Measurement) => number | undefined) => figure(medianOf(comparison, server, load, pick));
      return [
        load,
        server,
        of((row) => row.opsPerSecond),
        times(ratio?.throughput),
        of((row) => row.p50Us),
        of((row) => row.p99Us),
        of((row) => row.cpuUsPerOp),
        times(ratio?.economy),
        of((row) => row.rssMib),
        times(ratio?.memory),
        of((row) => row.generatorPercent),
      ];
    }),
  );
  return [head, ...lines];
}

export function startupLines(comparison: Comparison): string[] {
  return Object.entries(comparison.startupMs).map(
    ([server, values]) => `start to first session, ${server}: ${figure(median(values))} ms`,
  );
}

export function comparisonPicture(comparison: Comparison): string | undefined {
  const ratios = ratiosOf(comparison);
  if (ratios.length === 0) return undefined;
  const [ours, theirs] = serversOf(comparison);
  return ratioBars({
    title: `${ours} compared with ${theirs}`,
    unit: `how many times ${theirs}'s figure, ${describeRounds(comparison)}; to the right of the line is better`,
    caption: describeEnvironment(comparison.environment),
    series: ["operations per second", "operations per CPU second"],
    groups: ratios.map(({ load, throughput, economy }) => ({ label: load, ratios: [throughput, economy] })),
  });
}

export function describeRounds({ rounds }: Comparison): string {
  return rounds === 1 ? "one round" : `medians of ${rounds} rounds`;
}

function times(ratio: number | undefined): string {
  return ratio === undefined || Number.isNaN(ratio) ? "" : `${ratio.toFixed(2)}x`;
}
