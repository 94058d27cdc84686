import { formatHostPort, parseServerLine, type ServerLine, ServerLineError } from "../../zab/index.js";
import { originPhrase } from "./config-error.js";
import type { GivenValue } from "./given-values.js";
import { conflict, malformed, refusal } from "./key-verdicts.js";

/** A server line and where it stands. */
export interface Member {
  readonly line: ServerLine;
  readonly given: GivenValue;
}

export interface LineRules {
  readonly multiAddressEnabled: boolean;
  readonly extendedTypesEnabled: boolean;
}

/** The servers among the lines, each checked by itself and against the others. */
export function readMembers(lines: readonly GivenValue[], rules: LineRules): Member[] {
  const members = lines
    .filter(({ row }) => row.key === "server.N")
    .map((given) => ({ given, line: readMember(given, rules) }))
    .sort((one, other) => one.line.id - other.line.id);
  checkNumbers(members);
  checkAddresses(members);
  return members;
}

function readMember(given: GivenValue, { multiAddressEnabled, extendedTypesEnabled }: LineRules): ServerLine {
  const line = reading(given, () => parseServerLine(suffix(given), given.text));
  if (line.addresses.length > 1 && !multiAddressEnabled) {
    const sentence = `Multiple address feature is disabled, but multiple addresses were specified for sid ${line.id}`;
    throw conflict(given, `${sentence}: set multiAddress.enabled=true or give one address`);
  }
  if (line.id > 254 && extendedTypesEnabled) {
    throw conflict(given, "with extendedTypesEnabled=true a server id is at most 254");
  }
  if (line.secureClient !== undefined) throw refusal(given, "a TLS port for clients");
  return line;
}

/** `server.1` and `server.01` are two keys and one server. */
function checkNumbers(members: readonly Member[]): void {
  const byId = new Map<number, GivenValue>();
  for (const { line, given } of members) {
    const other = byId.get(line.id);
    if (other !== undefined) {
      throw conflict(given, `${given.name} and ${other.name} (${originPhrase(other.origin)}) are the same server`);
    }
    byId.set(line.id, given);
  }
}

/** Two servers cannot listen in one place; a copied line that was not changed is found here, not in a strange election. */
function checkAddresses(members: readonly Member[]): void {
  const owners = new Map<string, GivenValue>();
  for (const { line, given } of members) {
    for (const { host, quorumPort, electionPort } of line.addresses) {
      for (const port of [quorumPort, electionPort]) {
        const address = formatHostPort(host, port);
        const other = owners.get(address);
        if (other !== undefined && other !== given) {
          throw conflict(given, `${address} is given to ${other.name} (${originPhrase(other.origin)}) already`);
        }
        owners.set(address, given);
      }
    }
  }
}

/** What stands behind the dot of `server.3`. */
export function suffix({ name, row }: GivenValue): string {
  return name.slice(row.family!.length);
}

/** What a line's text says, or where it stops saying anything. */
export function reading<T>(given: GivenValue, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ServerLineError)) throw error;
    const where = error.found === given.text ? "" : ` where "${error.found}" stands`;
    throw malformed(given, `${error.expected}${where}`);
  }
}
