import type { PeerSocket, PeerSocketHandler, Timer } from "../ports/index.js";
import type { MemoryNetwork } from "./memory-network.js";

interface Ends {
  readonly network: MemoryNetwork;
  readonly machine: string;
  readonly remote: string;
  readonly connection: MemoryConnection;
}

/** One connection: two ends, and a stream in each direction. */
export class MemoryConnection {
  readonly dialed: MemorySocket;
  readonly accepted: MemorySocket;
  private readonly network: MemoryNetwork;

  constructor(
    network: MemoryNetwork,
    from: string,
    to: { readonly host: string; readonly port: number },
    listenPort: number,
  ) {
    this.network = network;
    const ends = { network, connection: this };
    this.dialed = new MemorySocket({ ...ends, machine: from, remote: `${to.host}:${listenPort}` });
    this.accepted = new MemorySocket({ ...ends, machine: to.host, remote: `${from}:${to.port}` });
    this.dialed.other = this.accepted;
    this.accepted.other = this.dialed;
  }

  isBetween(one: string, other: string): boolean {
    const machines = [this.dialed.machine, this.accepted.machine];
    return machines.includes(one) && machines.includes(other);
  }

  reset(reason: string): void {
    this.dialed.end(reason);
    this.accepted.end(reason);
  }

  carryOn(): void {
    this.dialed.deliverLater();
    this.accepted.deliverLater();
  }

  crash(machine: string): void {
    for (const socket of [this.dialed, this.accepted]) if (socket.machine === machine) socket.vanish();
  }

  endMet(): void {
    if (this.dialed.isClosed && this.accepted.isClosed) this.network.forget(this);
  }
}

interface Segment {
  /** Undefined for the end of the stream. */
  readonly bytes: Uint8Array | undefined;
  readonly reason: string;
  readonly arrivesMs: number;
}

class MemorySocket implements PeerSocket {
  readonly remote: string;
  readonly machine: string;
  isClosed = false;
  unsentBytes = 0;
  other!: MemorySocket;
  private readonly ends: Ends;
  private handler: PeerSocketHandler | undefined;
  private isPaused = false;
  private isClosing = false;
  private endSent = false;
  private closedReason: string | undefined;
  private readonly outbox: Uint8Array[] = [];
  private takeScheduled = false;
  /** Under way to this end. */
  private readonly incoming: Segment[] = [];
  private incomingBytes = 0;
  private lastArrivalMs = 0;
  private timer: Timer | undefined;

  constructor(ends: Ends) {
    this.ends = ends;
    this.machine = ends.machine;
    this.remote = ends.remote;
  }

  private get nowMs(): number {
    return this.ends.network.options.clock.monotonicMs();
  }

  start(handler: PeerSocketHandler): void {
    this.handler = handler;
    if (this.isClosed) this.tellClosed();
    this.deliverLater();
  }

  send(bytes: Uint8Array): void {
    if (this.isClosed || this.isClosing || bytes.length === 0) return;
    this.outbox.push(bytes);
    this.unsentBytes += bytes.length;
    this.takeLater();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.deliverLater();
  }

  close(): void {
    if (this.isClosed || this.isClosing) return;
    this.isClosing = true;
    this.takeLater();
    this.ends.network.options.scheduler.soon(() => this.finish("this side closed the connection"));
  }

  /** The connection is over for this end; it learns of it in the next turn. */
  end(reason: string): void {
    this.outbox.length = 0;
    this.unsentBytes = 0;
    this.ends.network.options.scheduler.soon(() => this.finish(reason));
  }

  /** The process of this end is gone. What the system had taken from it still arrives. */
  vanish(): void {
    if (!this.isClosed) this.other.arrive(undefined, "the connection was reset (ECONNRESET)");
    this.handler = undefined;
    this.isClosed = true;
    this.outbox.length = 0;
    this.drop();
  }

  /** Delivers what has arrived, and waits for what has not. */
  deliverLater(): void {
    const [head] = this.incoming;
    if (head === undefined || this.timer !== undefined || this.isPaused || this.isClosed) return;
    if (this.handler === undefined || this.isCutOff) return;
    const { scheduler } = this.ends.network.options;
    this.timer = scheduler.after(Math.max(0, head.arrivesMs - this.nowMs), () => {
      this.timer = undefined;
      this.deliver();
      this.deliverLater();
    });
  }

  private get isCutOff(): boolean {
    return this.ends.network.linkState(this.other.machine, this.machine) !== "open";
  }

  private deliver(): void {
    const [head] = this.incoming;
    if (head === undefined || this.isPaused || this.isClosed || this.isCutOff) return;
    if (head.bytes === undefined) {
      this.finish(head.reason);
      return;
    }
    const { random } = this.ends.network.options;
    const count = random.below(2) === 0 ? head.bytes.length : 1 + random.below(head.bytes.length);
    if (count === head.bytes.length) this.incoming.shift();
    else this.incoming[0] = { ...head, bytes: head.bytes.subarray(count) };
    this.incomingBytes -= count;
    this.other.takeLater();
    if (!this.isClosing) this.handler?.onBytes(head.bytes.slice(0, count));
  }

  private arrive(bytes: Uint8Array | undefined, reason: string): void {
    if (this.isClosed) return;
    this.lastArrivalMs = Math.max(this.lastArrivalMs, this.nowMs + this.ends.network.latencyMs);
    this.incoming.push({ bytes, reason, arrivesMs: this.lastArrivalMs });
    this.incomingBytes += bytes?.length ?? 0;
    this.deliverLater();
  }

  /** At the end of the turn the network takes what there is room for. */
  private takeLater(): void {
    if (this.takeScheduled || (this.outbox.length === 0 && !this.isClosing)) return;
    this.takeScheduled = true;
    this.ends.network.options.scheduler.soon(() => {
      this.takeScheduled = false;
      this.take();
    });
  }

  private take(): void {
    const hadUnsent = this.unsentBytes > 0;
    for (let next = this.outbox[0]; next !== undefined && this.roomBytes > 0; next = this.outbox[0]) {
      const taken = next.subarray(0, this.roomBytes);
      if (taken.length === next.length) this.outbox.shift();
      else this.outbox[0] = next.subarray(taken.length);
      this.unsentBytes -= taken.length;
      this.other.arrive(taken, "");
    }
    if (this.outbox.length > 0) return;
    if (this.isClosing) this.sendEnd();
    else if (hadUnsent && !this.isClosed) this.handler?.onDrained();
  }

  /** To a closed end everything goes: it is thrown away there. */
  private get roomBytes(): number {
    return this.other.isClosed ? Number.POSITIVE_INFINITY : this.ends.network.windowBytes - this.other.incomingBytes;
  }

  private sendEnd(): void {
    if (this.endSent) return;
    this.endSent = true;
    this.other.arrive(undefined, "the other side closed the connection");
  }

  private finish(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.closedReason = reason;
    if (!this.isClosing) this.unsentBytes = 0;
    this.drop();
    if (this.handler !== undefined) this.tellClosed();
    this.other.takeLater();
  }

  private tellClosed(): void {
    const { handler, closedReason } = this;
    this.ends.network.options.scheduler.soon(() => handler?.onClosed(closedReason ?? ""));
  }

  private drop(): void {
    this.timer?.cancel();
    this.incoming.length = 0;
    this.incomingBytes = 0;
    this.ends.connection.endMet();
  }
}
