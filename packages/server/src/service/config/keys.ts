/**
 * Every key of Apache ZooKeeper's configuration, in one table. Reading, warnings, refusals and the
 * operators' documentation come from it; a key that is not here is unknown to the server.
 *
 * Apache reads a key from zoo.cfg, or from a Java property, mostly `zookeeper.<key>`, or from both,
 * and then the file wins. A few properties have no such prefix and no place in the file.
 */
import { accessKeys } from "./keys/access-keys.js";
import { adminKeys, otherProgramsKeys } from "./keys/admin-keys.js";
import { basicKeys } from "./keys/basic-keys.js";
import { ensembleKeys } from "./keys/ensemble-keys.js";
import type { KeyRow, Support } from "./keys/key-row.js";
import { loadKeys } from "./keys/load-keys.js";
import { tlsKeys } from "./keys/tls-keys.js";
import { kinds } from "./kinds.js";

export type { KeyRow } from "./keys/key-row.js";

const groups = {
  Basics: basicKeys,
  Ensemble: ensembleKeys,
  "Authentication and access": accessKeys,
  TLS: tlsKeys,
  Load: loadKeys,
  "Administration, metrics and audit": adminKeys,
  "Of other programs": otherProgramsKeys,
} as const satisfies Readonly<Record<string, readonly KeyRow[]>>;

type LiteralRow =
  | (typeof basicKeys | typeof ensembleKeys | typeof accessKeys)[number]
  | (typeof loadKeys | typeof adminKeys)[number];

/** The keys that do something here, by name. */
export type SupportedKeyName = Extract<LiteralRow, { support: "supported" }>["key"];
/** The row of such a key, with its own kind. */
export type SupportedRow<K extends SupportedKeyName> = Extract<LiteralRow, { key: K }>;

export const keyTable: readonly KeyRow[] = Object.values(groups).flat();

const PREFIX = "zookeeper.";

/** The Java property that Apache reads the key from. */
export function propertyOf(row: KeyRow): string {
  return row.property ?? `${PREFIX}${row.key}`;
}

const rowsByKey = new Map(keyTable.map((row) => [row.key, row]));
const rowsByProperty = new Map(
  keyTable.flatMap((row) =>
    [propertyOf(row), row.alsoProperty].flatMap((property) =>
      property === undefined ? [] : [[property, row] as const],
    ),
  ),
);
const families = keyTable
  .filter((row) => row.family !== undefined)
  .sort((one, other) => other.family!.length - one.family!.length);

export function keyRow<K extends SupportedKeyName>(key: K): SupportedRow<K> {
  return rowsByKey.get(key) as SupportedRow<K>;
}

function findRow(name: string): KeyRow | undefined {
  const row = rowsByKey.get(name);
  if (row !== undefined && row.family === undefined) return row;
  return families.find(({ family }) => name.startsWith(family!) && name.length > family!.length);
}

/** Which key a name was meant for, and whether Apache would read it in this place under this spelling. */
export interface KeyMatch {
  readonly row: KeyRow;
  /** The name as a zoo.cfg has it: `server.3` for a row `server.N`. */
  readonly name: string;
  /** False for a property-only key in the file, and for a file-only key among the flags. */
  readonly inPlace: boolean;
}

/**
 * A name from a zoo.cfg. `zookeeper.snapCount` is taken for `snapCount`: it stands where properties
 * may stand without the prefix, and there is nothing else it could mean.
 */
export function matchFileKey(name: string): KeyMatch | undefined {
  const direct = findRow(name);
  if (direct !== undefined) return { row: direct, name, inPlace: direct.only !== "property" };
  const alias = rowsByProperty.get(name) ?? rowsByProperty.get(`${PREFIX}${name}`);
  if (alias !== undefined) return { row: alias, name: alias.key, inPlace: alias.only !== "property" };
  return name.startsWith(PREFIX) ? matchFileKey(name.slice(PREFIX.length)) : undefined;
}

/** The name of a `-D` property; undefined for one that is neither ZooKeeper's nor meant to be. */
export function matchProperty(name: string): KeyMatch | undefined {
  const exact = rowsByProperty.get(name);
  if (exact !== undefined) return { row: exact, name: exact.key, inPlace: exact.only !== "file" };
  if (!name.startsWith(PREFIX)) return undefined;
  const bare = name.slice(PREFIX.length);
  const row = findRow(bare);
  if (row === undefined) return undefined;
  const spelledRight = row.property === undefined && row.only !== "file";
  return { row, name: bare, inPlace: spelledRight };
}

/** Whether a property that matches no key was meant for ZooKeeper all the same. */
export function isZooKeeperProperty(name: string): boolean {
  return name.startsWith(PREFIX);
}

export interface KeyDescription {
  readonly group: string;
  readonly key: string;
  /** The Java properties, in the order in which they are looked for; none for a key of the file alone. */
  readonly properties: readonly string[];
  /** False for a key that only a property can set. */
  readonly inFile: boolean;
  readonly unit: string;
  readonly expected: string;
  readonly default: string;
  /** The default where the server is started without a configuration file. */
  readonly defaultWithoutFile: string;
  readonly support: Support;
  readonly meaning: string;
  /** What happens instead, why it has no effect, or what it asks for; empty for a supported key. */
  readonly remark: string;
}

/** The table as documentation shows it. */
export function describeKeys(): KeyDescription[] {
  return Object.entries(groups).flatMap(([group, rows]) =>
    rows.map((row: KeyRow) => ({
      group,
      key: row.key,
      properties:
        row.only === "file" ? [] : [propertyOf(row), row.alsoProperty].filter((property) => property !== undefined),
      inFile: row.only !== "property",
      unit: kinds[row.kind].unit,
      expected: kinds[row.kind].expected,
      default: row.default,
      defaultWithoutFile: row.withoutFile ?? row.default,
      support: row.support,
      meaning: row.meaning,
      remark: remarkOf(row),
    })),
  );
}

function remarkOf(row: KeyRow): string {
  switch (row.support) {
    case "supported":
      return "";
    case "not-yet":
      return row.instead;
    case "irrelevant":
      return row.because;
    case "security":
      return `asks for ${row.asksFor}; refused`;
  }
}
