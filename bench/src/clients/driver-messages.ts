/** What a client that is measured is told on its standard input and answers on its standard output: JSON, a line each. */

export const CLIENT_OPERATIONS = ["get", "set"] as const;
export type ClientOperation = (typeof CLIENT_OPERATIONS)[number];

/** How a driver is started: everything it needs, as the last argument. */
export interface DriverSetup {
  readonly host: string;
  readonly port: number;
  /** The nodes that are read and written, which lie there already. */
  readonly paths: readonly string[];
  readonly valueBytes: number;
  /** Where the npm packages that are compared with lie. */
  readonly peerFolder: string;
  /** Watchkeeper's client: with its connection in a thread of its own. */
  readonly connectionThread?: boolean;
}

export interface DriverLoad {
  readonly operation: ClientOperation;
  readonly inFlight: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** "ready" comes first, once the session stands; then one answer to each load. */
export type DriverAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "measured"; readonly calls: number; readonly seconds: number; readonly cpuUs: number };
