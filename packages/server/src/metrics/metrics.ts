import { Counter } from "./counter.js";
import { metricTable } from "./metric-table.js";
import { PercentileSummary } from "./percentile-summary.js";
import { Summary } from "./summary.js";

interface MetricOfKind {
  readonly counter: Counter;
  readonly summary: Summary;
  readonly "summary with percentiles": PercentileSummary;
}

export type MetricName = keyof typeof metricTable;

/** One server's metrics, from its start, or the last `srst`, on. */
export type Metrics = { readonly [Name in MetricName]: MetricOfKind[(typeof metricTable)[Name]["kind"]] };

export const metricNames = Object.keys(metricTable) as readonly MetricName[];

const MAKERS = {
  counter: () => new Counter(),
  summary: () => new Summary(),
  "summary with percentiles": () => new PercentileSummary(),
} as const;

export function newMetrics(): Metrics {
  return Object.fromEntries(metricNames.map((name) => [name, MAKERS[metricTable[name].kind]()])) as unknown as Metrics;
}

export function resetMetrics(metrics: Metrics): void {
  for (const name of metricNames) metrics[name].reset();
}
