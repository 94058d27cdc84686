import type { ServerHome } from "../servers/server-process.js";

/**
 * A curve: figures of a server as one thing in it grows. Each is declared once; its table, its picture
 * and its paragraph in the page come from the declaration.
 */
export interface Curve {
  readonly name: string;
  readonly title: string;
  /** What grows. */
  readonly sizeLabel: string;
  /** How it was measured, for the page. */
  readonly method: string;
  readonly sizes: readonly number[];
  readonly panels: readonly CurvePanel[];
  /** Measures the sizes in ascending order on a fresh server, each when the loop asks for it. */
  measure(home: ServerHome, run: CurveRun): AsyncGenerator<CurvePoint>;
}

export interface CurvePanel {
  readonly title: string;
  readonly unit: string;
  /** For what grows with the size itself. */
  readonly logarithmic?: boolean;
  readonly measures: readonly { readonly key: string; readonly label: string }[];
}

export interface CurveRun {
  readonly sizes: readonly number[];
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly workers: number;
}

export interface CurvePoint {
  readonly size: number;
  readonly values: Readonly<Record<string, number>>;
}

/** The panels of every curve over a load of gets and one of sets. */
export const GET_SET_PANELS: readonly CurvePanel[] = [
  {
    title: "Throughput",
    unit: "operations/s",
    measures: [
      { key: "getsPerSecond", label: "gets" },
      { key: "setsPerSecond", label: "sets" },
    ],
  },
  {
    title: "Latency p99",
    unit: "µs",
    measures: [
      { key: "getP99Us", label: "gets" },
      { key: "setP99Us", label: "sets" },
    ],
  },
];

export const RESIDENT_PANEL: CurvePanel = {
  title: "Resident memory",
  unit: "MiB",
  measures: [{ key: "rssMib", label: "after the loads" }],
};
