import type { Random } from "./random.js";

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConnectTarget {
  readonly servers: readonly ServerAddress[];
  /** "" for none, else a path that stands before every path of the application. */
  readonly chroot: string;
}

const PORT_DEFAULT = 2181;

/**
 * Reads `host:port,host:port/chroot`. The port defaults to 2181; an IPv6 address stands in brackets.
 *
 * @throws RangeError that says which part is not what
 */
export function parseConnectString(text: string): ConnectTarget {
  const slash = text.indexOf("/");
  const hosts = slash < 0 ? text : text.slice(0, slash);
  const chroot = slash < 0 ? "" : text.slice(slash);
  const servers = hosts
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(parseAddress);
  if (servers.length === 0)
    throw new RangeError(`connect string "${text}": a server such as "127.0.0.1:2181" expected`);
  return { servers, chroot: chroot === "/" ? "" : chroot };
}

function parseAddress(part: string): ServerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(part);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? PORT_DEFAULT : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new RangeError(`server "${part}": host, host:port or [IPv6 address]:port expected, port from 1 to 65535`);
  }
  return { host, port };
}

export function formatAddress(address: ServerAddress): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The servers in an order of the client's own, so that a thousand clients do not all dial the first. */
export class ServerList {
  private servers: ServerAddress[];
  private readonly random: Random;
  private cursor = 0;
  private probeCursor = 0;
  /** Attempts since the last one that succeeded. */
  private attempts = 0;

  constructor(servers: readonly ServerAddress[], random: Random) {
    this.random = random;
    this.servers = this.shuffled(servers);
  }

  get size(): number {
    return this.servers.length;
  }

  /** How often the whole list was tried since the last success. */
  get fruitlessRounds(): number {
    return Math.floor(this.attempts / this.servers.length);
  }

  next(): ServerAddress {
    const server = this.servers[this.cursor]!;
    this.cursor = (this.cursor + 1) % this.servers.length;
    return server;
  }

  /** The next server to ask whether it is a full one; undefined if there is no other than the present one. */
  nextToProbe(present: ServerAddress): ServerAddress | undefined {
    for (let i = 0; i < this.servers.length; i++) {
      const server = this.servers[this.probeCursor % this.servers.length]!;
      this.probeCursor++;
      if (!isSame(server, present)) return server;
    }
    return undefined;
  }

  /** Dials this server next, if it is (still) in the list. */
  prefer(server: ServerAddress): void {
    const index = this.servers.findIndex((one) => isSame(one, server));
    if (index >= 0) this.cursor = index;
  }

  onAttemptFailed(): void {
    this.attempts++;
  }

  onConnected(): void {
    this.attempts = 0;
  }

  /**
   * Replaces the list. True if the client should leave its present server, so that all clients of an
   * ensemble that has grown or shrunk come to be spread over it evenly, with as few moves as can be. The
   * probabilities are StaticHostProvider's (updateServerList).
   */
  replace(servers: readonly ServerAddress[], present: ServerAddress | undefined): boolean {
    const isOld = (server: ServerAddress): boolean => this.servers.some((one) => isSame(one, server));
    const old = servers.filter(isOld);
    const added = servers.filter((server) => !isOld(server));
    const before = this.servers.length;
    const after = servers.length;
    const isKept = present !== undefined && servers.some((server) => isSame(server, present));
    let oldFirst = false;
    let moves = present !== undefined && !isKept;
    if (after > before) {
      if (isKept) moves = this.happens(1 - before / after);
    } else if (moves && before > old.length) {
      oldFirst = this.happens((old.length * (before - after)) / (after * (before - old.length)));
    }
    const [first, second] = oldFirst ? [old, added] : [added, old];
    this.servers = [...this.shuffled(first), ...this.shuffled(second)];
    if (present === undefined) this.servers = this.shuffled(servers);
    this.cursor = 0;
    this.attempts = 0;
    return moves;
  }

  private shuffled(servers: readonly ServerAddress[]): ServerAddress[] {
    const order = [...servers];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.random.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  private happens(probability: number): boolean {
    return this.random.below(PROBABILITY_STEPS) < probability * PROBABILITY_STEPS;
  }
}

const PROBABILITY_STEPS = 1_000_000;

function isSame(one: ServerAddress, other: ServerAddress): boolean {
  return one.host === other.host && one.port === other.port;
}
