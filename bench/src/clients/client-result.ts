import { median } from "../ensemble/times.js";
import type { ResultHead } from "../report/results.js";
import { figure } from "../report/text-table.js";
import type { ClientOperation } from "./driver-messages.js";

export interface ClientMeasurement {
  readonly round: number;
  readonly server: string;
  readonly client: string;
  readonly operation: ClientOperation;
  readonly inFlight: number;
  /** Client and server were bound to one core. */
  readonly oneCore: boolean;
  readonly callsPerSecond: number;
  readonly cpuUsPerCall: number;
}

export interface ClientsResult extends ResultHead {
  /** The versions of the clients, by their names. */
  readonly clients: Readonly<Record<string, string>>;
  /** Those that are compared with the others. */
  readonly ours: readonly string[];
  readonly rounds: number;
  readonly secondsPerLoad: number;
  readonly rows: readonly ClientMeasurement[];
}

type Measure = "callsPerSecond" | "cpuUsPerCall";

/** Medians of one measure: a line for each load, a column for each client, and what ours is of the best other. */
export function clientRows(result: ClientsResult, measure: Measure): string[][] {
  const names = Object.keys(result.clients);
  const others = names.filter((name) => !result.ours.includes(name));
  const compared = others.length === 0 ? [] : result.ours;
  const best = measure === "callsPerSecond" ? Math.max : Math.min;
  const head = [
    "server",
    "operation",
    "in flight",
    ...names,
    ...compared.map((name) => `${name} / best of the others`),
  ];
  const lines = loadsOf(result).map(({ server, operation, inFlight, oneCore }) => {
    const of = (client: string): number =>
      median(
        result.rows
          .filter((row) => row.client === client && row.server === server)
          .filter((row) => row.operation === operation && row.inFlight === inFlight && row.oneCore === oneCore)
          .map((row) => row[measure]),
      );
    const bestOther = best(...others.map(of));
    return [
      server,
      operation,
      `${inFlight}${oneCore ? " on one core" : ""}`,
      ...names.map((name) => figure(of(name))),
      ...compared.map((name) => figure(of(name) / bestOther)),
    ];
  });
  return [head, ...lines];
}

function loadsOf({ rows }: ClientsResult): Pick<ClientMeasurement, "server" | "operation" | "inFlight" | "oneCore">[] {
  const loads = new Map(rows.map((row) => [`${row.server} ${row.operation} ${row.inFlight} ${row.oneCore}`, row]));
  return [...loads.values()];
}
