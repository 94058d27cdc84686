import { parseArgs } from "node:util";
import { UsageError } from "../usage-error.js";
import { flatKeys, type KeySpace, nestedKeys } from "./key-space.js";

export const workloads = {
  get: "getData of a random key",
  exists: "exists of a random key",
  children: "getChildren of the keys' parent",
  set: "setData of a random key",
  mixed: "getData (90 %, see -r) and setData of random keys",
  create: "create a persistent sequential node",
  churn: "create an ephemeral node, delete it, again",
  connect: "open a session, close it, again",
  fanout: "every connection watches one node; it is set, all are notified, all watch again; counts notifications",
} as const;

export type WorkloadName = keyof typeof workloads;

export interface LoadSpec {
  /** As a person writes it: `get -c 50 -p 10`. */
  readonly text: string;
  readonly workload: WorkloadName;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly depth: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly readPercent: number;
  readonly root: string;
  /** Whether keys lie a thousand to a directory instead of all below the root. */
  readonly nested: boolean;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export const LOAD_OPTIONS_HELP = `  -c N   connections (10)              -p N   requests in flight on each (1)
  -k N   keys (1000)                   -s N   bytes of a value (100)
  -r N   percent of reads of mixed (90)`;

export const loadOptions = {
  c: { type: "string", short: "c" },
  p: { type: "string", short: "p" },
  k: { type: "string", short: "k" },
  s: { type: "string", short: "s" },
  r: { type: "string", short: "r" },
} as const;

const CONNECTIONS_MAX = 20_000;
const KEYS_MAX = 1_000_000;

/** Reads a load as a person writes it. */
export function parseLoad(text: string, warmupSeconds: number, seconds: number): LoadSpec {
  const { values, positionals } = parseLoadArguments(text);
  const [workload] = positionals;
  if (workload === undefined || !(workload in workloads) || positionals.length > 1) {
    throw new UsageError(`load "${text}": expected one of ${Object.keys(workloads).join(", ")}, then options`);
  }
  return {
    text,
    workload: workload as WorkloadName,
    connections: wholeNumber("-c", values.c ?? "10", 1, CONNECTIONS_MAX),
    depth: wholeNumber("-p", values.p ?? "1", 1, 1000),
    keys: wholeNumber("-k", values.k ?? "1000", 1, KEYS_MAX),
    valueBytes: wholeNumber("-s", values.s ?? "100", 0, 1_000_000),
    readPercent: wholeNumber("-r", values.r ?? "90", 0, 100),
    root: "/bench",
    nested: false,
    warmupSeconds,
    seconds,
  };
}

function parseLoadArguments(text: string) {
  try {
    return parseArgs({ args: text.trim().split(/\s+/), options: loadOptions, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`load "${text}": ${(error as Error).message}`);
  }
}

export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new UsageError(`${option} ${text}: expected a whole number from ${min} to ${max}`);
  }
  return value;
}

export function keySpaceOf(spec: LoadSpec): KeySpace {
  return spec.nested ? nestedKeys(spec.root) : flatKeys(spec.root);
}
