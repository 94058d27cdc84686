import { readHost } from "./host-name.js";

/**
 * The grammar of an ensemble's members, as it stands in a zoo.cfg and in a dynamic file:
 *
 *     server.N = address[|address...][;client[;secureClient]]
 *     address  = host:quorumPort:electionPort[:participant|:observer]
 *     client   = [host:]port
 *     group.G  = id:id:...
 *     weight.N = count
 *
 * An IPv6 host stands in brackets. Addresses without a role take that of the others. The third `;` part
 * is known to Apache's coming release only.
 */
export type ServerRole = "participant" | "observer";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a server is reached by the others. */
export interface PeerAddress {
  readonly host: string;
  readonly quorumPort: number;
  readonly electionPort: number;
}

export interface ServerLine {
  readonly id: number;
  readonly role: ServerRole;
  /** At least one; several only where multiAddress.enabled allows it. */
  readonly addresses: readonly [PeerAddress, ...PeerAddress[]];
  readonly client?: Address;
  readonly secureClient?: Address;
}

export interface ServerGroup {
  readonly id: number;
  readonly members: readonly number[];
}

export interface ServerWeight {
  readonly id: number;
  readonly weight: number;
}

/** A line that does not follow the grammar. */
export class ServerLineError extends Error {
  override readonly name = "ServerLineError";
  /** Completes "expected ...". */
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}, found "${found}"`);
    this.expected = expected;
    this.found = found;
  }
}

/** Apache keeps the id in one byte of a session id. */
const SERVER_ID_MAX = 255;
const GROUP_ID_MAX = Number.MAX_SAFE_INTEGER;
const WEIGHT_MAX = Number.MAX_SAFE_INTEGER;

/** Reads `server.<id>=<value>`, of which `id` is the text behind the dot. */
export function parseServerLine(id: string, value: string): ServerLine {
  const parts = value.split(";").map((part) => part.trim());
  if (parts.length > 3) {
    throw new ServerLineError("at most two parts after the server's addresses, each behind a semicolon", value);
  }
  const [peers, client, secureClient] = parts;
  const members = peers!.split("|").map((address) => parsePeer(address.trim()));
  // Apache itself writes the role behind the last address only.
  const [role = "participant", ...otherRoles] = new Set(members.flatMap((member) => member.role ?? []));
  if (otherRoles.length > 0) throw new ServerLineError("the same role at every address of a server", value);
  const [first, ...others] = members.map((member) => member.address);
  return {
    id: wholeNumber(id, SERVER_ID_MAX, `a server id from 0 to ${SERVER_ID_MAX}`),
    role,
    addresses: [first!, ...others],
    ...(client ? { client: parseClient(client) } : {}),
    ...(secureClient ? { secureClient: parseClient(secureClient) } : {}),
  };
}

function parsePeer(text: string): { address: PeerAddress; role: ServerRole | undefined } {
  const { host, rest } = splitHost(text);
  const [quorumPort, electionPort, role, ...more] = rest;
  if (host === undefined || quorumPort === undefined || electionPort === undefined || more.length > 0) {
    throw new ServerLineError(
      "host:quorumPort:electionPort, with :participant or :observer at the end if wanted",
      text,
    );
  }
  const address = { host, quorumPort: parsePort(quorumPort), electionPort: parsePort(electionPort) };
  if (address.quorumPort === address.electionPort) {
    throw new ServerLineError("two different ports, one for the quorum and one for elections", text);
  }
  return { address, role: role === undefined ? undefined : parseRole(role) };
}

/** The role of a server line or of peerType, in any case. */
export function parseRole(text: string): ServerRole {
  const role = text.toLowerCase();
  if (role !== "participant" && role !== "observer") throw new ServerLineError("participant or observer", text);
  return role;
}

function parseClient(text: string): Address {
  if (/^\d+$/.test(text)) return { host: "0.0.0.0", port: parsePort(text) };
  const { host, rest } = splitHost(text);
  if (host === undefined || rest.length !== 1) throw new ServerLineError("a client port, or host:port", text);
  return { host, port: parsePort(rest[0]!) };
}

/** The host, without the brackets of an IPv6 address, and what follows it colon by colon. */
function splitHost(text: string): { host: string | undefined; rest: string[] } {
  const parts = /^(\[[^\]]*\]|[^:[\]]+)((?::[^:]*)*)$/.exec(text);
  if (parts === null) return { host: undefined, rest: [] };
  return { host: readHost(parts[1]!), rest: parts[2]!.split(":").slice(1) };
}

function parsePort(text: string): number {
  const expected = "a port from 1 to 65535";
  const port = wholeNumber(text, 65_535, expected);
  if (port === 0) throw new ServerLineError(expected, text);
  return port;
}

function wholeNumber(text: string, max: number, expected: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) throw new ServerLineError(expected, text);
  return value;
}

/** Reads `group.<id>=<value>`. */
export function parseServerGroup(id: string, value: string): ServerGroup {
  const members = value.split(":").map((member) => {
    return wholeNumber(member.trim(), SERVER_ID_MAX, "server ids from 0 to 255, separated by colons");
  });
  return { id: wholeNumber(id, GROUP_ID_MAX, "a group's number"), members };
}

/** Reads `weight.<id>=<value>`. */
export function parseServerWeight(id: string, value: string): ServerWeight {
  return {
    id: wholeNumber(id, SERVER_ID_MAX, `a server id from 0 to ${SERVER_ID_MAX}`),
    weight: wholeNumber(value, WEIGHT_MAX, "a weight of 0 or more"),
  };
}
