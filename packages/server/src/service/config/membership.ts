import { ConfigError, type ConfigWarning, type Origin, originFacts, originPhrase } from "./config-error.js";
import { memberLines, type ReadText } from "./dynamic-file.js";
import type { GivenValue } from "./given-values.js";
import { conflict, type GivenValues, malformed, refusal } from "./key-verdicts.js";
import {
  type Address,
  parseRole,
  parseServerGroup,
  parseServerLine,
  parseServerWeight,
  type ServerLine,
  ServerLineError,
} from "./server-lines.js";

/**
 * Whether the server lines describe one server or an ensemble, and what a single server takes from
 * them: its client address. The checks and their order are those of Apache's QuorumPeerConfig.
 */
export interface MembershipSource {
  readonly values: GivenValues;
  readonly multiAddressEnabled: boolean;
  readonly standaloneEnabled: boolean;
  readonly extendedTypesEnabled: boolean;
  /** The number in the data directory's myid file, where there is one. */
  readonly myid: number | undefined;
  readonly readText: ReadText;
}

export interface SingleServer {
  /** Where its server line wants clients, if it says so. */
  readonly client?: { readonly address: Address; readonly origin: Origin; readonly isOwn: boolean };
  readonly warnings: readonly ConfigWarning[];
}

interface Member {
  readonly line: ServerLine;
  readonly given: GivenValue;
}

export function readSingleServer(source: MembershipSource): SingleServer {
  const lines = memberLines(source.values, source.readText);
  const members = lines
    .filter(({ row }) => row.key === "server.N")
    .map((given) => ({ given, line: readMember(given, source) }));
  for (const given of lines) checkQuorumLine(given);
  const voters = members.filter(({ line }) => line.role === "participant");
  if (voters.length === 0) {
    checkNoVoters(members, source);
    return { warnings: roleWarnings(source) };
  }
  const [voter] = voters;
  if (voters.length > 1 || !source.standaloneEnabled) throw ensembleRefusal(members, voters.length, source);
  return singleVoter(voter!, members, source);
}

function checkNoVoters(members: readonly Member[], source: MembershipSource): void {
  if (!source.standaloneEnabled) {
    const given = source.values.get("standaloneEnabled")!;
    throw conflict(given, "standaloneEnabled=false needs at least one server line of a participant, and there is none");
  }
  if (members.length === 0) return;
  throw conflict(members[0]!.given, "Observers w/o participants is an invalid configuration: no server can ever lead");
}

function singleVoter({ line, given }: Member, members: readonly Member[], source: MembershipSource): SingleServer {
  const observer = members.find((member) => member.line.role === "observer");
  if (observer !== undefined) {
    const sentence = "Observers w/o quorum is an invalid configuration: with one participant the server runs alone";
    throw conflict(observer.given, sentence);
  }
  const message =
    `${originPhrase(given.origin)}: Invalid configuration, only one server specified (ignoring): ` +
    `${given.name} runs as a single server.`;
  const warnings: ConfigWarning[] = [
    { code: "TAKEN_AS", level: "warn", message, key: given.name, ...originFacts(given.origin) },
    ...roleWarnings(source),
  ];
  if (line.client === undefined) return { warnings };
  return { warnings, client: { address: line.client, origin: given.origin, isOwn: line.id === source.myid } };
}

/** peerType must be a role; where it differs from the server lines they decide, and a single server takes part. */
function roleWarnings({ values }: MembershipSource): ConfigWarning[] {
  const given = values.get("peerType");
  if (given === undefined || reading(given, () => parseRole(given.text)) === "participant") return [];
  const message = `${originPhrase(given.origin)}: peerType=observer is ignored: a single server is a participant.`;
  return [{ code: "TAKEN_AS", level: "warn", message, key: "peerType", ...originFacts(given.origin) }];
}

function ensembleRefusal(members: readonly Member[], voters: number, source: MembershipSource): ConfigError {
  const { origin, name } = members[0]!.given;
  const asked = source.standaloneEnabled
    ? `the server lines describe an ensemble of ${voters} voting servers`
    : "standaloneEnabled=false asks for an ensemble, if only of one server";
  const message =
    `${originPhrase(origin)}: ${asked}. This release serves single servers; ensembles come in a later one. ` +
    "To run this server alone, on its own data, remove the server lines.";
  return new ConfigError("ENSEMBLE", message, { ...originFacts(origin), key: name });
}

function readMember(given: GivenValue, source: MembershipSource): ServerLine {
  const line = reading(given, () => parseServerLine(suffix(given), given.text));
  if (line.addresses.length > 1 && !source.multiAddressEnabled) {
    const sentence = `Multiple address feature is disabled, but multiple addresses were specified for sid ${line.id}`;
    throw conflict(given, `${sentence}: set multiAddress.enabled=true or give one address`);
  }
  if (line.id > 254 && source.extendedTypesEnabled) {
    throw conflict(given, "with extendedTypesEnabled=true a server id is at most 254");
  }
  if (line.secureClient !== undefined) throw refusal(given, "a TLS port for clients");
  return line;
}

function checkQuorumLine(given: GivenValue): void {
  if (given.row.key === "group.G") reading(given, () => parseServerGroup(suffix(given), given.text));
  if (given.row.key === "weight.N") reading(given, () => parseServerWeight(suffix(given), given.text));
}

function suffix({ name, row }: GivenValue): string {
  return name.slice(row.family!.length);
}

function reading<T>(given: GivenValue, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ServerLineError)) throw error;
    const where = error.found === given.text ? "" : ` where "${error.found}" stands`;
    throw malformed(given, `${error.expected}${where}`);
  }
}
