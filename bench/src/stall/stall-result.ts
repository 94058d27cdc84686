import type { ResultHead } from "../report/results.js";
import { figure } from "../report/text-table.js";
import type { StallPhase } from "./stall-phases.js";

export interface StallResult extends ResultHead {
  readonly znodes: number;
  readonly load: string;
  readonly phases: readonly StallPhase[];
}

export function stallRows(result: StallResult): string[][] {
  const head = [
    "phase",
    "snapshots",
    "longest block ms",
    "p99.9 ms",
    "p99 ms",
    "ops/s",
    "client's p99 µs",
    "client's max µs",
  ];
  const lines = result.phases.map((phase) => [
    phase.phase,
    String(phase.snapshots),
    figure(phase.maxMs),
    figure(phase.p999Ms),
    figure(phase.p99Ms),
    figure(phase.opsPerSecond),
    figure(phase.p99Us),
    figure(phase.maxUs),
  ]);
  return [head, ...lines];
}
