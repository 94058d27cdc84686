import { readHost } from "../../zab/index.js";

/**
 * The kinds of value a configuration key takes: how the text is read, what to tell someone whose
 * text cannot be read, and the unit that documentation names. A kind knows syntax only; ranges and
 * relations between values are the business of the settings schema.
 */
interface Reading<T> {
  readonly value: T;
  /** Set where the text is odd but Apache reads it all the same: how it was understood. */
  readonly understoodAs?: string;
}

interface Kind<T> {
  /** Completes "expected ...". */
  readonly expected: string;
  readonly unit: string;
  /** Undefined for text that is not of this kind. `fallback` is the key's default. */
  read(text: string, fallback: string): Reading<T> | undefined;
}

const INT_MAX = 2_147_483_647;
const KIB_MAX = 2 ** 40;

/** Decimal as Java's parseInt takes it, or hexadecimal: `-Djute.maxbuffer=0x9fffff` is a common idiom. */
function readWhole(text: string, max: number): number | undefined {
  if (!/^[+-]?(\d+|0[xX][0-9a-fA-F]+)$/.test(text)) return undefined;
  const magnitude = Number(text.replace(/^[+-]/, ""));
  const value = text.startsWith("-") && magnitude !== 0 ? -magnitude : magnitude;
  return value <= max && value >= -max - 1 ? value : undefined;
}

function whole(expected: string, unit: string, max = INT_MAX): Kind<number> {
  return {
    expected,
    unit,
    read(text) {
      const value = readWhole(text, max);
      return value === undefined ? undefined : { value };
    },
  };
}

function words(expected: string): Kind<string> {
  return { expected, unit: "", read: (value) => ({ value }) };
}

const port: Kind<number> = {
  expected: "a port from 1 to 65535",
  unit: "port",
  read(text) {
    const value = readWhole(text, 65_535);
    return value === undefined || value < 0 ? undefined : { value };
  },
};

const ratio: Kind<number> = {
  expected: "a number such as 0.33",
  unit: "ratio",
  read: (text) => (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? { value: Number(text) } : undefined),
};

const boolean: Kind<boolean> = {
  expected: "true or false",
  unit: "",
  read(text) {
    const lower = text.toLowerCase();
    return lower === "true" || lower === "false" ? { value: lower === "true" } : undefined;
  },
};

/** A Java property that is true when it says "true" and false whatever else it says. */
const looseBoolean: Kind<boolean> = {
  expected: boolean.expected,
  unit: "",
  read(text) {
    return boolean.read(text, "") ?? { value: false, understoodAs: `false, because only "true" is true here` };
  },
};

/** Only the very word that is not the default changes anything: `skipACL=true` skips nothing. */
const yesNo: Kind<boolean> = {
  expected: "yes or no",
  unit: "",
  read(text, fallback) {
    if (text === "yes" || text === "no") return { value: text === "yes" };
    return { value: fallback === "yes", understoodAs: `"${fallback}", because only yes and no are understood here` };
  },
};

const path: Kind<string> = {
  expected: "a path",
  unit: "path",
  read: (value) => (value === "" ? undefined : { value }),
};

const address: Kind<string> = {
  expected: "an IP address or a host name",
  unit: "address",
  read(text) {
    if (text === "") return { value: "127.0.0.1", understoodAs: "the loopback address" };
    const value = readHost(text);
    return value === undefined ? undefined : { value };
  },
};

const list: Kind<readonly string[]> = {
  expected: "a list separated by commas",
  unit: "",
  read(text) {
    const parts = text.split(",").map((part) => part.trim());
    return { value: parts.filter((part) => part !== "") };
  },
};

const METRICS_PACKAGE = "org.apache.zookeeper.metrics";
const metricsProviders = [
  `${METRICS_PACKAGE}.impl.DefaultMetricsProvider`,
  `${METRICS_PACKAGE}.impl.NullMetricsProvider`,
  `${METRICS_PACKAGE}.prometheus.PrometheusMetricsProvider`,
];

/** No other class can be found here, and Apache does not start without finding it. */
const metricsProvider: Kind<string> = {
  expected: `one of ${metricsProviders.join(", ")}`,
  unit: "",
  read: (value) => (metricsProviders.includes(value) ? { value } : undefined),
};

const durationUnitsMs: Readonly<Record<string, number>> = {
  "": 3_600_000,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Hours, as always; newer releases of Apache also take a unit behind the number. */
const duration: Kind<number> = {
  expected: "a whole number of hours, or one with a unit: 90m, 12h, 1d",
  unit: "hours, or ms s m h d",
  read(text) {
    const parts = /^([+-]?\d+)\s*(ms|s|m|h|d|)$/i.exec(text);
    const count = parts?.[1] === undefined ? undefined : readWhole(parts[1], INT_MAX);
    if (parts === null || count === undefined) return undefined;
    return { value: Math.max(0, count) * durationUnitsMs[parts[2]!.toLowerCase()]! };
  },
};

export const kinds = {
  port,
  milliseconds: whole("a whole number of milliseconds", "ms"),
  seconds: whole("a whole number of seconds", "s"),
  ticks: whole("a whole number of ticks", "ticks"),
  count: whole("a whole number", "count"),
  bytes: whole("a whole number of bytes", "bytes"),
  kibibytes: whole("a whole number of KiB", "KiB", KIB_MAX),
  duration,
  ratio,
  boolean,
  looseBoolean,
  yesNo,
  path,
  address,
  list,
  text: words("text"),
  className: words("the name of a Java class"),
  metricsProvider,
  secret: words("text"),
  serverLine: words("host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort]"),
  groupLine: words("server ids separated by colons, such as 1:2:3"),
  weightLine: words("a whole number, 0 or more"),
} as const;

export type KindName = keyof typeof kinds;
/** What reading a value of the kind gives. */
export type KindValue<K extends KindName> = (typeof kinds)[K] extends Kind<infer T> ? T : never;
