import { type Address, EnsembleConfig, type ServerRole } from "../../zab/index.js";
import { type ConfigWarning, type Origin, originFacts, originPhrase } from "./config-error.js";
import { memberLines, type ReadText } from "./dynamic-file.js";
import type { GivenValue } from "./given-values.js";
import { conflict, type GivenValues } from "./key-verdicts.js";
import { type LineRules, type Member, readMembers } from "./members.js";
import { readQuorumGroups } from "./quorum-groups.js";

/**
 * Whether the server lines describe one server or an ensemble, and what a server takes from its own
 * line. The checks and their order are those of Apache's QuorumPeerConfig.
 */
export interface MembershipSource extends LineRules {
  readonly values: GivenValues;
  readonly standaloneEnabled: boolean;
  readonly readText: ReadText;
}

/** A single server, as far as the lines go. */
export interface SingleServer {
  readonly kind: "single";
  /** The one line that there may be. */
  readonly member: Member | undefined;
  readonly warnings: readonly ConfigWarning[];
}

export interface Ensemble {
  readonly kind: "ensemble";
  readonly config: EnsembleConfig;
  readonly members: readonly Member[];
  readonly warnings: readonly ConfigWarning[];
}

/** Where a server line wants clients. */
export interface ClientPart {
  readonly address: Address;
  readonly origin: Origin;
  readonly isOwn: boolean;
}

export function readMembership(source: MembershipSource): SingleServer | Ensemble {
  const { lines, version, warnings } = memberLines(source.values, source.readText);
  const members = readMembers(lines, source);
  const { groups, weights } = readQuorumGroups(lines, members);
  const voters = members.filter(({ line }) => line.role === "participant");
  const [voter] = voters;
  if (voter === undefined) {
    checkNoVoters(members, source);
    return { kind: "single", member: undefined, warnings };
  }
  if (voters.length === 1 && source.standaloneEnabled) return singleVoter(voter, members, warnings);
  return {
    kind: "ensemble",
    config: EnsembleConfig.of({ version, servers: members.map(({ line }) => line), groups, weights }),
    members,
    warnings: [...warnings, ...advice(voters)],
  };
}

function checkNoVoters(members: readonly Member[], source: MembershipSource): void {
  if (!source.standaloneEnabled) {
    const given = source.values.get("standaloneEnabled")!;
    throw conflict(given, "standaloneEnabled=false needs at least one server line of a participant, and there is none");
  }
  if (members.length === 0) return;
  throw conflict(members[0]!.given, "Observers w/o participants is an invalid configuration: no server can ever lead");
}

function singleVoter(member: Member, members: readonly Member[], warnings: readonly ConfigWarning[]): SingleServer {
  const observer = members.find(({ line }) => line.role === "observer");
  if (observer !== undefined) {
    const sentence = "Observers w/o quorum is an invalid configuration: with one participant the server runs alone";
    throw conflict(observer.given, sentence);
  }
  const { given } = member;
  const message =
    `${originPhrase(given.origin)}: Invalid configuration, only one server specified (ignoring): ` +
    `${given.name} runs as a single server.`;
  const ignored = { code: "TAKEN_AS", level: "warn", message, key: given.name, ...originFacts(given.origin) } as const;
  return { kind: "single", member, warnings: [...warnings, ignored] };
}

/** Apache's words on how many servers are of use. */
function advice(voters: readonly Member[]): ConfigWarning[] {
  const { given } = voters[0]!;
  const sentence = adviceOn(voters.length);
  if (sentence === undefined) return [];
  const message = `${originPhrase(given.origin)}: ${sentence}`;
  return [{ code: "RECOMMENDED", level: "warn", message, key: given.name, ...originFacts(given.origin) }];
}

function adviceOn(count: number): string | undefined {
  if (count <= 2) {
    const voting = count === 1 ? "1 voting server" : `${count} voting servers`;
    return `No server failure will be tolerated. You need at least 3 servers, and here are ${voting}.`;
  }
  if (count % 2 === 1) return undefined;
  return (
    "Non-optimal configuration, consider an odd number of servers: " +
    `${count} voting servers survive the loss of no more of them than ${count - 1}.`
  );
}

/** The client part of this server's line, or of the only line there is. */
export function clientPart(membership: SingleServer | Ensemble, myid: number | undefined): ClientPart | undefined {
  const member =
    membership.kind === "single" ? membership.member : membership.members.find(({ line }) => line.id === myid);
  if (member?.line.client === undefined) return undefined;
  return { address: member.line.client, origin: member.given.origin, isOwn: member.line.id === myid };
}

/** What peerType says is only looked at: the server lines decide, and a single server takes part. */
export function peerTypeWarnings(
  given: GivenValue | undefined,
  asked: ServerRole,
  actual: ServerRole,
): ConfigWarning[] {
  if (given === undefined || asked === actual) return [];
  const message =
    `${originPhrase(given.origin)}: Peer type from servers list (${actual}) doesn't match peerType (${asked}). ` +
    "Defaulting to servers list.";
  return [{ code: "TAKEN_AS", level: "warn", message, key: "peerType", ...originFacts(given.origin) }];
}
