import {
  type Clock,
  NetworkError,
  type PeerEndpoint,
  type PeerListener,
  type PeerNetwork,
  type PeerSocket,
  type Random,
  type Scheduler,
} from "../ports/index.js";
import { MemoryConnection } from "./memory-connection.js";

/**
 * A network in memory between machines that have names. It delays, and cuts what is sent into pieces, as it
 * likes; and between any two machines, for each direction by itself, it can be told to lose everything
 * silently, or to refuse. Time and chance come from outside, so that a run can be repeated.
 */
export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** How long anything takes from one machine to another. @default 1 to 10 ms */
  readonly latencyMs?: { readonly min: number; readonly max: number };
  /** What may be under way in one direction and not yet taken by the receiver: beyond it the sender has to wait. @default 64 KiB */
  readonly windowBytes?: number;
}

/**
 * `silent`: nothing arrives and nobody is told, as behind a dead switch; what was sent on a connection comes
 * when it is open again. `refused`: connections are reset, and new ones refused.
 */
export type LinkState = "open" | "silent" | "refused";

interface Listening {
  readonly machine: string;
  readonly port: number;
  readonly onSocket: (socket: PeerSocket) => void;
}

const OWN_NAMES = ["localhost", "127.0.0.1", "::1", "0.0.0.0", "::"];
const FIRST_FREE_PORT = 40_000;

export class MemoryNetwork {
  readonly options: MemoryNetworkOptions;
  private readonly links = new Map<string, LinkState>();
  private readonly listeners = new Set<Listening>();
  private readonly connections = new Set<MemoryConnection>();
  private nextPort = FIRST_FREE_PORT;

  constructor(options: MemoryNetworkOptions) {
    this.options = options;
  }

  /** The network as the machine of this name has it; other machines reach it by the name. */
  of(machine: string): PeerNetwork {
    return {
      dial: (endpoint, timeoutMs) => this.dial(machine, endpoint, timeoutMs),
      listen: (endpoint, onSocket) => this.listen(machine, endpoint, onSocket),
    };
  }

  linkState(from: string, to: string): LinkState {
    return this.links.get(linkName(from, to)) ?? "open";
  }

  /** One direction only. */
  setLink(from: string, to: string, state: LinkState): void {
    this.links.set(linkName(from, to), state);
    for (const connection of this.connections) {
      if (!connection.isBetween(from, to)) continue;
      if (state === "refused") connection.reset("the connection was reset (ECONNRESET)");
      else connection.carryOn();
    }
  }

  /** Both directions. */
  cut(one: string, other: string, state: "silent" | "refused" = "silent"): void {
    this.setLink(one, other, state);
    this.setLink(other, one, state);
  }

  mend(one: string, other: string): void {
    this.setLink(one, other, "open");
    this.setLink(other, one, "open");
  }

  /** The process on this machine ends: nothing of it is told anything any more, and the others are, if they can be. */
  crash(machine: string): void {
    for (const listener of this.listeners) if (listener.machine === machine) this.listeners.delete(listener);
    for (const connection of this.connections) connection.crash(machine);
  }

  get latencyMs(): number {
    const { random, latencyMs = { min: 1, max: 10 } } = this.options;
    return latencyMs.min + random.below(latencyMs.max - latencyMs.min + 1);
  }

  get windowBytes(): number {
    return this.options.windowBytes ?? 64 << 10;
  }

  forget(connection: MemoryConnection): void {
    this.connections.delete(connection);
  }

  private async listen(
    machine: string,
    { host, port }: PeerEndpoint,
    onSocket: (socket: PeerSocket) => void,
  ): Promise<PeerListener> {
    await Promise.resolve();
    if (host !== machine && !OWN_NAMES.includes(host)) {
      throw new NetworkError("EADDRNOTAVAIL", `${host} is no address of ${machine} (EADDRNOTAVAIL)`);
    }
    const listener = { machine, port: port === 0 ? this.nextPort++ : port, onSocket };
    if (this.listener(machine, listener.port) !== undefined) {
      throw new NetworkError("EADDRINUSE", `${host}:${port} is in use (EADDRINUSE)`);
    }
    this.listeners.add(listener);
    return {
      endpoint: { host, port: listener.port },
      close: async () => {
        this.listeners.delete(listener);
      },
    };
  }

  private listener(machine: string, port: number): Listening | undefined {
    return [...this.listeners].find((listener) => listener.machine === machine && listener.port === port);
  }

  private async dial(from: string, { host, port }: PeerEndpoint, timeoutMs: number): Promise<PeerSocket> {
    const to = OWN_NAMES.includes(host) ? from : host;
    const asked = this.latencyMs;
    const answered = asked + this.latencyMs;
    await this.pass(Math.min(asked, timeoutMs));
    const states = [this.linkState(from, to), this.linkState(to, from)];
    if (states.includes("silent") || answered > timeoutMs) {
      await this.pass(timeoutMs - Math.min(asked, timeoutMs));
      throw new NetworkError("ETIMEDOUT", `no connection to ${host}:${port} was made within ${timeoutMs} ms`);
    }
    const listener = states.includes("refused") ? undefined : this.listener(to, port);
    const connection =
      listener === undefined ? undefined : new MemoryConnection(this, from, { host: to, port: this.nextPort++ }, port);
    if (connection !== undefined) {
      this.connections.add(connection);
      listener?.onSocket(connection.accepted);
    }
    await this.pass(answered - asked);
    if (connection === undefined) throw new NetworkError("ECONNREFUSED", `connect ECONNREFUSED ${host}:${port}`);
    return connection.dialed;
  }

  private pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.options.scheduler.after(ms, resolve);
    });
  }
}

function linkName(from: string, to: string): string {
  return `${from} -> ${to}`;
}
