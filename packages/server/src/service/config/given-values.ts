import { PropertiesError, type Property, parseProperties } from "../../zab/index.js";
import { ConfigError, type ConfigWarning, type Origin, originFacts, originPhrase } from "./config-error.js";
import type { JvmProperty } from "./jvm-flags.js";
import { isZooKeeperProperty, type KeyMatch, type KeyRow, matchFileKey, matchProperty, propertyOf } from "./keys.js";
import { nearestKey } from "./nearest-key.js";

/**
 * What was said, key by key, before anybody asks whether it makes sense: JVM flags first, the file
 * over them as with Apache, the command line's or the embedding program's options over both.
 */
export interface GivenValue {
  readonly row: KeyRow;
  /** The key as a zoo.cfg has it: `server.3` for a row `server.N`. */
  readonly name: string;
  readonly text: string;
  readonly origin: Origin;
}

export interface FileEntries {
  readonly file: string;
  readonly entries: readonly Property[];
}

export interface OptionValue {
  readonly key: string;
  readonly value: string;
  /** What to call it in an error: "--port". */
  readonly option: string;
}

/** The entries of a configuration file; an error that its syntax raises names the file. */
export function readEntries(file: string, text: string): FileEntries {
  try {
    return { file, entries: parseProperties(text) };
  } catch (error) {
    if (!(error instanceof PropertiesError)) throw error;
    throw new ConfigError("MALFORMED", `${file} ${error.message}.`, { file, line: error.line, found: error.found });
  }
}

interface Given {
  readonly values: Map<string, GivenValue>;
  readonly warnings: ConfigWarning[];
}

export function collectGiven(
  flags: readonly JvmProperty[],
  file: FileEntries | undefined,
  options: readonly OptionValue[],
): Given {
  const given: Given = { values: new Map(), warnings: [] };
  for (const flag of flags) takeFlag(given, flag);
  if (file !== undefined) takeFile(given, file);
  for (const { key, value, option } of options) {
    const match = matchFileKey(key);
    const origin: Origin = { kind: "option", option };
    if (match === undefined) given.warnings.push(unknownKey(key, origin));
    else take(given, match, value, origin);
  }
  return given;
}

function take(given: Given, match: KeyMatch, text: string, origin: Origin): void {
  given.values.set(match.name, { row: match.row, name: match.name, text, origin });
}

function takeFlag(given: Given, flag: JvmProperty): void {
  const origin: Origin = { kind: "flags", variable: flag.variable };
  const match = matchProperty(flag.name);
  if (match === undefined) {
    if (isZooKeeperProperty(flag.name)) given.warnings.push(unknownKey(flag.name, origin));
    return;
  }
  if (readHere(match)) take(given, match, flag.value, origin);
  else given.warnings.push(misplaced(flag.name, match, origin));
}

function takeFile(given: Given, { file, entries }: FileEntries): void {
  const winners = new Map<string, Property>();
  for (const entry of inOrderOfWeight(entries)) {
    const origin: Origin = { kind: "file", file, line: entry.line };
    const match = matchFileKey(entry.key);
    if (match === undefined) given.warnings.push(unknownKey(entry.key, origin));
    else if (readHere(match)) {
      const overruled = winners.get(match.name);
      if (overruled !== undefined) given.warnings.push(setTwice(match.name, overruled, entry, file));
      winners.set(match.name, entry);
      take(given, match, entry.value, origin);
    } else given.warnings.push(misplaced(entry.key, match, origin));
  }
}

/** The last of two equal keys counts; a key without the prefix counts more than one with it, wherever it stands. */
function inOrderOfWeight(entries: readonly Property[]): Property[] {
  const prefixed = entries.filter(({ key }) => isZooKeeperProperty(key));
  return [...prefixed, ...entries.filter(({ key }) => !isZooKeeperProperty(key))];
}

/** What asks for protection is taken from wherever it stands: the refusal must not miss it. */
function readHere({ row, inPlace }: KeyMatch): boolean {
  return inPlace || row.support === "security";
}

function unknownKey(key: string, origin: Origin): ConfigWarning {
  const nearest = nearestKey(key);
  const hint = nearest.likely ? `did you mean ${nearest.key}?` : `the nearest known key is ${nearest.key}.`;
  const message = `${originPhrase(origin)}: unknown key "${key}", ignored; ${hint}`;
  return { code: "UNKNOWN_KEY", level: "warn", message, key, nearest: nearest.key, ...originFacts(origin) };
}

function misplaced(spelling: string, match: KeyMatch, origin: Origin): ConfigWarning {
  const { row, name } = match;
  const place =
    row.only === "file" ? `only from the configuration file, as ${name}` : `only as the JVM flag -D${propertyOf(row)}`;
  const message = `${originPhrase(origin)}: ${spelling} is ignored, as with Apache: it is read ${place}.`;
  return { code: "NOT_READ_HERE", level: "warn", message, key: name, ...originFacts(origin) };
}

export function setTwice(key: string, overruled: Property, winner: Property, file: string): ConfigWarning {
  const message = `${file} line ${winner.line}: ${key} is set twice; this line counts, not line ${overruled.line}.`;
  return { code: "SET_TWICE", level: "warn", message, key, file, line: winner.line };
}
