/** What a server counts and measures: declared in one table, counted where it happens, printed by whoever is asked. */

export { Counter } from "./counter.js";
export { decimalText } from "./decimal-text.js";
export { elapsedMs } from "./elapsed.js";
export { type MetricDeclaration, type MetricKind, metricTable } from "./metric-table.js";
export { type MetricValue, metricValues } from "./metric-values.js";
export { type Metrics, newMetrics, resetMetrics } from "./metrics.js";
export { SizeRange } from "./size-range.js";
export type { Summary } from "./summary.js";
