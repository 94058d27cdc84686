import { ConfigError, type Origin, originFacts, originPhrase } from "./config-error.js";
import { type GivenValue, readEntries } from "./given-values.js";
import { conflict, type GivenValues } from "./key-verdicts.js";
import { type KeyMatch, matchFileKey } from "./keys.js";

/** The text of another file; throws what opening it threw. A relative path starts at the working directory. */
export type ReadText = (path: string) => string;

const MEMBER_KEYS = ["server.N", "group.G", "weight.N"];

/**
 * The server, group and weight lines: of the configuration file, or, where it names one, of a
 * dynamic file, which holds nothing else and is the only place for them then.
 */
export function memberLines(values: GivenValues, readText: ReadText): GivenValue[] {
  const here = [...values.values()].filter(({ row }) => MEMBER_KEYS.includes(row.key));
  const pointer = values.get("dynamicConfigFile");
  if (pointer === undefined) return here;
  const [first] = here;
  if (first !== undefined) throw conflict(first, `parameter: ${first.name} must be in a separate dynamic config file`);
  return dynamicLines(pointer, readText);
}

function dynamicLines(pointer: GivenValue, readText: ReadText): GivenValue[] {
  const file = pointer.text;
  const lines = new Map<string, GivenValue>();
  for (const { key, value, line } of readEntries(file, textOf(pointer, readText)).entries) {
    const origin: Origin = { kind: "file", file, line };
    const { row, name } = memberKey(key, origin);
    lines.set(name, { row, name, text: value, origin });
  }
  return [...lines.values()];
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
