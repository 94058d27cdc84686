import type { ResultHead } from "../report/results.js";
import { figure } from "../report/text-table.js";

/** One thing the client has promised to stay below. */
export interface Limit {
  readonly what: string;
  readonly unit: string;
  readonly allowed: number;
  readonly measured: number;
  /** How it was measured, and what else was seen. */
  readonly how: string;
}

export interface LimitsResult extends ResultHead {
  readonly limits: readonly Limit[];
}

export function limitRows({ limits }: LimitsResult): string[][] {
  const lines = limits.map(({ what, unit, allowed, measured, how }) => [
    what,
    figure(measured),
    figure(allowed),
    unit,
    how,
  ]);
  return [["what", "measured", "at most", "unit", "how"], ...lines];
}

export function exceeded({ limits }: LimitsResult): string[] {
  return limits
    .filter(({ measured, allowed }) => measured > allowed)
    .map(({ what, measured, allowed, unit }) => `${what}: ${figure(measured)} ${unit}, ${figure(allowed)} allowed`);
}
