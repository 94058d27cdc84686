import { ConfigError, type ConfigWarning, originFacts, originPhrase } from "./config-error.js";
import type { GivenValue } from "./given-values.js";
import { kinds } from "./kinds.js";
import { redactValue } from "./redact.js";

/**
 * What the table has to say about the values given: a value that cannot be read ends the start, one
 * that asks for missing protection ends it too, one without effect is named.
 */
export type GivenValues = ReadonlyMap<string, GivenValue>;

export function judgeValues(values: GivenValues): ConfigWarning[] {
  return [...values.values()].flatMap((given) => {
    const warnings = checkSyntax(given);
    const verdict = judge(given, values);
    return verdict === undefined ? warnings : [...warnings, verdict];
  });
}

/** `key=value` as it may be shown. */
function shown({ name, text }: GivenValue): string {
  return `${name}=${redactValue(name, text)}`;
}

export function malformed(given: GivenValue, expected: string): ConfigError {
  const found = redactValue(given.name, given.text);
  const message = `${originPhrase(given.origin)}: ${given.name}: expected ${expected}, found "${found}".`;
  return new ConfigError("MALFORMED", message, { ...originFacts(given.origin), key: given.name, expected, found });
}

/** Values that are fine by themselves and not together. */
export function conflict({ origin, name }: GivenValue, sentence: string): ConfigError {
  return new ConfigError("CONFLICT", `${originPhrase(origin)}: ${sentence}.`, { ...originFacts(origin), key: name });
}

export function warning(
  given: GivenValue,
  code: ConfigWarning["code"],
  sentence: string,
  level: ConfigWarning["level"] = "warn",
): ConfigWarning {
  const message = `${originPhrase(given.origin)}: ${shown(given)} ${sentence}.`;
  return { code, level, message, key: given.name, ...originFacts(given.origin) };
}

function checkSyntax(given: GivenValue): ConfigWarning[] {
  const { row, text } = given;
  if (row.support !== "supported" && text === row.default) return [];
  const kind = kinds[row.kind];
  const reading = kind.read(text, row.default);
  if (reading === undefined) throw malformed(given, kind.expected);
  if (reading.understoodAs === undefined) return [];
  return [warning(given, "TAKEN_AS", `is taken as ${reading.understoodAs}, as with Apache`)];
}

function judge(given: GivenValue, values: GivenValues): ConfigWarning | undefined {
  const { row } = given;
  switch (row.support) {
    case "supported":
      return undefined;
    case "irrelevant":
      return warning(given, "NO_EFFECT", `has no effect: ${row.because}`, "info");
    case "not-yet":
      if (spokenFor(given, values) || asksForNothing(row.same ?? [row.default], given.text)) return undefined;
      return warning(given, "NOT_SUPPORTED_YET", `is not supported yet: ${row.instead}`);
    case "security":
      if (spokenFor(given, values) || isOff(given)) return undefined;
      throw refusal(given, row.asksFor);
  }
}

/** A detail of something that is itself given: what is said of that covers this one. */
function spokenFor({ row }: GivenValue, values: GivenValues): boolean {
  return row.partOf !== undefined && values.has(row.partOf);
}

function asksForNothing(harmless: readonly string[], text: string): boolean {
  return harmless.some((value) => value.toLowerCase() === text.toLowerCase());
}

const OFF_VALUES = ["", "false", "no", "off", "none", "0"];

/** Built in whatever the file says, so that naming them as providers asks for nothing. */
const BUILT_IN_PROVIDERS = [
  "org.apache.zookeeper.server.auth.DigestAuthenticationProvider",
  "org.apache.zookeeper.server.auth.IPAuthenticationProvider",
];

function isOff({ row, text }: GivenValue): boolean {
  if (asksForNothing(OFF_VALUES, text)) return true;
  return row.family === "authProvider." && BUILT_IN_PROVIDERS.includes(text);
}

/** The sentence that says why the server does not start: never run open what was meant to be closed. */
export function refusal(given: GivenValue, asksFor: string): ConfigError {
  const message =
    `${originPhrase(given.origin)}: ${shown(given)} asks for ${asksFor}. This release has none, and does not start ` +
    "rather than run open what was meant to be closed. Remove the setting only if it may run without.";
  return new ConfigError("SECURITY", message, { ...originFacts(given.origin), key: given.name });
}
