import { HierarchicalQuorum, MajorityQuorum, type QuorumVerifier } from "../quorum/index.js";
import { formatHostPort } from "./host-name.js";
import { PropertiesError, parseProperties } from "./properties.js";
import {
  type Address,
  type PeerAddress,
  parseServerGroup,
  parseServerLine,
  parseServerWeight,
  type ServerGroup,
  type ServerLine,
  ServerLineError,
  type ServerRole,
  type ServerWeight,
} from "./server-lines.js";

/**
 * One configuration of the ensemble (Apache's `QuorumVerifier` with its members): who is in it, in which
 * role, and what a quorum of it is. It never changes; a changed ensemble is another configuration with a
 * higher version.
 */
export interface EnsembleMember {
  readonly id: number;
  readonly role: ServerRole;
  readonly addresses: readonly [PeerAddress, ...PeerAddress[]];
  /** Not there where the configuration file has it in keys of its own. */
  readonly client?: Address;
}

/** What a configuration is made of. Group or weight lines, even a single one, make its quorums hierarchical. */
export interface EnsembleConfigParts {
  readonly version: number;
  readonly servers: readonly ServerLine[];
  readonly groups: readonly ServerGroup[];
  readonly weights: readonly ServerWeight[];
}

/** A text that is no configuration, or lines that make none. */
export class EnsembleConfigError extends Error {
  override readonly name = "EnsembleConfigError";
}

interface Hierarchy {
  readonly groups: ReadonlyMap<number, readonly number[]>;
  /** Of every voter, and of whoever else was given one. */
  readonly weights: ReadonlyMap<number, number>;
}

export class EnsembleConfig {
  /** Ascending by id. */
  readonly members: ReadonlyMap<number, EnsembleMember>;
  /** Undefined where a majority of all voters is a quorum. */
  readonly hierarchy: Hierarchy | undefined;
  /** The zxid of the txn that made it; 0 at the beginning. */
  readonly version: number;
  readonly voters: ReadonlySet<number>;
  readonly observers: ReadonlySet<number>;
  readonly verifier: QuorumVerifier;
  /** The canonical text: in notifications, NEWLEADER, reconfig txns and `/zookeeper/config`. */
  readonly text: string;

  private constructor(members: ReadonlyMap<number, EnsembleMember>, hierarchy: Hierarchy | undefined, version: number) {
    this.members = members;
    this.hierarchy = hierarchy;
    this.version = version;
    this.voters = idsOf(members, "participant");
    this.observers = idsOf(members, "observer");
    this.verifier =
      hierarchy === undefined
        ? new MajorityQuorum(this.voters)
        : new HierarchicalQuorum(this.voters, hierarchy.groups, hierarchy.weights);
    this.text = formatConfig(this);
  }

  /** @throws EnsembleConfigError where the lines contradict each other or nobody may vote */
  static of({ version, servers, groups, weights }: EnsembleConfigParts): EnsembleConfig {
    const members = new Map<number, EnsembleMember>();
    for (const { id, role, addresses, client } of servers.toSorted((one, other) => one.id - other.id)) {
      members.set(id, { id, role, addresses, ...(client === undefined ? {} : { client }) });
    }
    if (idsOf(members, "participant").size === 0) throw new EnsembleConfigError("it names no server that votes");
    const isHierarchical = groups.length + weights.length > 0;
    return new EnsembleConfig(members, isHierarchical ? hierarchyOf(members, groups, weights) : undefined, version);
  }

  /**
   * Reads the canonical text, as Java properties: order and blanks mean nothing, the last of equal keys counts.
   *
   * @throws EnsembleConfigError whatever is wrong with it
   */
  static parse(text: string): EnsembleConfig {
    try {
      return EnsembleConfig.of(partsOf(text));
    } catch (error) {
      if (!(error instanceof ServerLineError || error instanceof PropertiesError)) throw error;
      throw new EnsembleConfigError(error.message, { cause: error });
    }
  }

  roleOf(sid: number): ServerRole | undefined {
    return this.members.get(sid)?.role;
  }

  withVersion(version: number): EnsembleConfig {
    return new EnsembleConfig(this.members, this.hierarchy, version);
  }

  /** Of one version, or the same ensemble whatever the versions: then nobody has to be told of a change. */
  equals(other: EnsembleConfig): boolean {
    if ((this.hierarchy === undefined) !== (other.hierarchy === undefined)) return false;
    return this.version === other.version || this.ensembleText() === other.ensembleText();
  }

  /** The members, groups and weights in one order, without the version. */
  private ensembleText(): string {
    return this.text.slice(0, this.text.lastIndexOf("version="));
  }
}

function idsOf(members: ReadonlyMap<number, EnsembleMember>, role: ServerRole): ReadonlySet<number> {
  return new Set([...members.values()].filter((member) => member.role === role).map(({ id }) => id));
}

function hierarchyOf(
  members: ReadonlyMap<number, EnsembleMember>,
  groupLines: readonly ServerGroup[],
  weightLines: readonly ServerWeight[],
): Hierarchy {
  const ascending = (one: number, other: number) => one - other;
  const groups = new Map(
    groupLines.toSorted((one, other) => one.id - other.id).map(({ id, members }) => [id, members.toSorted(ascending)]),
  );
  const weights = new Map(weightLines.map(({ id, weight }) => [id, weight]));
  for (const { id, role } of members.values()) if (role === "participant" && !weights.has(id)) weights.set(id, 1);
  checkGroups(members, [...groups.values()].flat(), weights);
  return { groups, weights: new Map([...weights].toSorted(([one], [other]) => ascending(one, other))) };
}

function checkGroups(
  members: ReadonlyMap<number, EnsembleMember>,
  grouped: readonly number[],
  weights: ReadonlyMap<number, number>,
): void {
  const placed = new Set<number>();
  for (const sid of grouped) {
    if (placed.has(sid)) throw new EnsembleConfigError(`server ${sid} is in two groups`);
    if (!weights.has(sid))
      throw new EnsembleConfigError(`server ${sid} is in a group, does not vote and has no weight`);
    placed.add(sid);
  }
  for (const { id, role } of members.values()) {
    if (role === "participant" && !placed.has(id))
      throw new EnsembleConfigError(`server ${id} votes and is in no group`);
  }
}

function partsOf(text: string): EnsembleConfigParts {
  const servers = new Map<number, ServerLine>();
  const groups = new Map<number, ServerGroup>();
  const weights = new Map<number, ServerWeight>();
  let version = 0;
  for (const { key, value } of parseProperties(text)) {
    const [, family, id = ""] = /^(server|group|weight)\.(.*)$/.exec(key) ?? [];
    if (family === "server") put(servers, parseServerLine(id, value));
    else if (family === "group") put(groups, parseServerGroup(id, value));
    else if (family === "weight") put(weights, parseServerWeight(id, value));
    else if (key === "version") version = parseVersion(value);
    else throw new EnsembleConfigError(`"${key}" is no key of an ensemble's configuration`);
  }
  return { version, servers: [...servers.values()], groups: [...groups.values()], weights: [...weights.values()] };
}

function put<T extends { readonly id: number }>(lines: Map<number, T>, line: T): void {
  lines.set(line.id, line);
}

function parseVersion(text: string): number {
  const version = /^[0-9a-fA-F]{1,16}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  if (!Number.isSafeInteger(version)) throw new EnsembleConfigError(`version "${text}" is no hexadecimal zxid`);
  return version;
}

function formatConfig({ members, hierarchy, version }: EnsembleConfig): string {
  const lines = [...members.values()].map(formatMember);
  for (const [id, sids] of hierarchy?.groups ?? []) lines.push(`group.${id}=${sids.join(":")}`);
  for (const [id, weight] of hierarchy?.weights ?? []) lines.push(`weight.${id}=${weight}`);
  return [...lines, `version=${version.toString(16)}`].join("\n");
}

/** Several addresses come in the order of their hosts, and the role once, behind the last: as Apache writes them. */
function formatMember({ id, role, addresses, client }: EnsembleMember): string {
  const peers = addresses
    .toSorted((one, other) => (one.host < other.host ? -1 : one.host > other.host ? 1 : 0))
    .map(({ host, quorumPort, electionPort }) => `${formatHostPort(host, quorumPort)}:${electionPort}`);
  const clientPart = client === undefined ? "" : `;${formatHostPort(client.host, client.port)}`;
  return `server.${id}=${peers.join("|")}:${role}${clientPart}`;
}
