import { Counter } from "./counter.js";
import { decimalText } from "./decimal-text.js";
import { type Metrics, metricNames } from "./metrics.js";
import { PercentileSummary } from "./percentile-summary.js";
import type { Summary } from "./summary.js";

export type MetricValue = readonly [name: string, value: number | string];

/** All metrics as Apache's default metrics provider names and formats their values: a summary has several. */
export function metricValues(metrics: Metrics): MetricValue[] {
  return metricNames.flatMap((name) => {
    const metric = metrics[name];
    if (metric instanceof Counter) return [[name, metric.value]];
    const values = summaryValues(name, metric);
    return metric instanceof PercentileSummary ? [...values, ...percentileValues(name, metric)] : values;
  });
}

function summaryValues(name: string, { average, min, max, count, sum }: Summary): MetricValue[] {
  return [
    [`avg_${name}`, decimalText(average)],
    [`min_${name}`, min],
    [`max_${name}`, max],
    [`cnt_${name}`, count],
    [`sum_${name}`, sum],
  ];
}

function percentileValues(name: string, metric: PercentileSummary): MetricValue[] {
  return SHARES.map(([prefix, share]) => [`${prefix}_${name}`, metric.percentile(share)]);
}

const SHARES = [
  ["p50", 0.5],
  ["p95", 0.95],
  ["p99", 0.99],
  ["p999", 0.999],
] as const;
