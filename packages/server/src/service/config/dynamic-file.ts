import type { Property } from "../../zab/index.js";
import { ConfigError, type ConfigWarning, type Origin, originFacts, originPhrase } from "./config-error.js";
import { type GivenValue, readEntries, setTwice } from "./given-values.js";
import { conflict, type GivenValues, malformed } from "./key-verdicts.js";
import { type KeyMatch, matchFileKey } from "./keys.js";

/** The text of another file; throws what opening it threw. A relative path starts at the working directory. */
export type ReadText = (path: string) => string;

const MEMBER_KEYS = ["server.N", "group.G", "weight.N"];

export interface MemberLines {
  readonly lines: readonly GivenValue[];
  /** The configuration's version: 0 in a configuration file, in a dynamic file the end of its name. */
  readonly version: number;
  readonly warnings: readonly ConfigWarning[];
}

/**
 * The server, group and weight lines: of the configuration file, or, where it names one, of a
 * dynamic file, which holds nothing else and is the only place for them then.
 */
export function memberLines(values: GivenValues, readText: ReadText): MemberLines {
  const here = [...values.values()].filter(({ row }) => MEMBER_KEYS.includes(row.key));
  const pointer = values.get("dynamicConfigFile");
  if (pointer === undefined) return { lines: here, version: 0, warnings: [] };
  const [first] = here;
  if (first !== undefined) throw conflict(first, `parameter: ${first.name} must be in a separate dynamic config file`);
  return dynamicLines(pointer, readText);
}

function dynamicLines(pointer: GivenValue, readText: ReadText): MemberLines {
  const file = pointer.text;
  const entries = new Map<string, Property>();
  const lines = new Map<string, GivenValue>();
  const warnings: ConfigWarning[] = [];
  for (const entry of readEntries(file, textOf(pointer, readText)).entries) {
    const origin: Origin = { kind: "file", file, line: entry.line };
    const { row, name } = memberKey(entry.key, origin);
    const overruled = entries.get(name);
    if (overruled !== undefined) warnings.push(setTwice(name, overruled, entry, file));
    entries.set(name, entry);
    lines.set(name, { row, name, text: entry.value, origin });
  }
  return { lines: [...lines.values()], version: versionIn(pointer), warnings };
}

/** What follows the last dot of the file's name, if that is a hexadecimal number, as with Apache. */
function versionIn(pointer: GivenValue): number {
  const suffix = /\.([0-9a-f]+)$/i.exec(pointer.text)?.[1];
  const version = suffix === undefined ? 0 : Number.parseInt(suffix, 16);
  if (Number.isSafeInteger(version)) return version;
  throw malformed(pointer, "a file whose name ends in a version below 2^53, in hexadecimal");
}

function textOf({ origin, text: file, name }: GivenValue, readText: ReadText): string {
  try {
    return readText(file);
  } catch (cause) {
    const message = `${originPhrase(origin)}: ${name}=${file}: this file cannot be read.`;
    throw new ConfigError("UNREADABLE", message, { file, key: name }, { cause });
  }
}

function memberKey(key: string, origin: Origin): KeyMatch {
  const match = matchFileKey(key);
  if (match !== undefined && MEMBER_KEYS.includes(match.row.key)) return match;
  const sentence =
    key === "version"
      ? "dynamic file shouldn't have version inside; its name ends with it"
      : `Unrecognised parameter: ${key}; a dynamic file holds only server, group and weight lines`;
  throw new ConfigError("MALFORMED", `${originPhrase(origin)}: ${sentence}.`, { ...originFacts(origin), key });
}
