/** What a server counts and measures: declared in one table, counted where it happens, printed by whoever is asked. */

export { Counter } from "./counter.js";
export { decimalText } from "./decimal-text.js";
export { type MetricDeclaration, type MetricKind, metricTable } from "./metric-table.js";
export { metricValues } from "./metric-values.js";
export { type Metrics, newMetrics, resetMetrics } from "./metrics.js";
export { SizeRange } from "./size-range.js";
export type { Summary } from "./summary.js";
