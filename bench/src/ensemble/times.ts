import type { ResultHead } from "../report/results.js";

/** Times of one kind of event, by server. */
export interface Times extends ResultHead {
  readonly what: string;
  readonly ms: Readonly<Record<string, readonly number[]>>;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this share of them lies; between two of them, their mean by distance. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function timesRows({ what, ms }: Times): string[][] {
  const head = [what, "trials", "median ms", "p90 ms", "least ms", "most ms"];
  const rows = Object.entries(ms).map(([server, values]) => [
    server,
    `${values.length}`,
    ...[median(values), quantile(values, 0.9), Math.min(...values), Math.max(...values)].map((value) =>
      value.toFixed(0),
    ),
  ]);
  return [head, ...rows];
}
