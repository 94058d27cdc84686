import type { HistogramParts } from "./latency-histogram.js";
import type { LoadSpec } from "./load-spec.js";
import type { Target } from "./server-connection.js";

/** What the parent and its load workers say to each other, in this order. */
export type ToWorker =
  | {
      readonly kind: "open";
      readonly target: Target;
      readonly spec: LoadSpec;
      readonly count: number;
      readonly first: number;
    }
  | { readonly kind: "begin" };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "warm" }
  | { readonly kind: "measured"; readonly cpuMs: number }
  | {
      readonly kind: "done";
      readonly histogram: HistogramParts;
      readonly errors: number;
      readonly lastError: number;
    }
  | { readonly kind: "failed"; readonly message: string };
