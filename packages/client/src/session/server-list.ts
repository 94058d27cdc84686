import type { Random } from "./random.js";

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
  private readonly servers: ServerAddress[];
  private cursor = 0;
  /** Attempts since the last one that succeeded. */
  private attempts = 0;

  constructor(servers: readonly ServerAddress[], random: Random) {
    this.servers = [...servers];
    for (let i = this.servers.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [this.servers[i], this.servers[j]] = [this.servers[j]!, this.servers[i]!];
    }
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

  onAttemptFailed(): void {
    this.attempts++;
  }

  onConnected(): void {
    this.attempts = 0;
  }
}
