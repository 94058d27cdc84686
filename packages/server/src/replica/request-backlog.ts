import type { Counter } from "../metrics/index.js";
import type { Connection } from "./connection.js";

export interface BacklogLimits {
  /** `globalOutstandingLimit`: requests received and not answered, all connections together. 0 for no limit. */
  readonly globalOutstandingLimit: number;
  /** What those requests may take in memory: a few clients with large writes reach it before the count does. */
  readonly backlogBytesMax: number;
}

/**
 * How many requests of one connection wait behind its writes. When those are done all of them are answered at once,
 * however long the replies are and whether or not the client reads: the order of its own requests leaves no choice.
 * A program that keeps more under way on one connection waits for its writes a little more often.
 */
export const DEFERRED_PER_CONNECTION_MAX = 256;

/**
 * What has been received and not answered. Over its limits, connections that already have something
 * in it are not read from until there is less: a client that sends faster than the disk writes waits
 * in its own socket. Every request counts, whatever its xid; Apache counts positive ones only, so that
 * a client can avoid the limit by numbering from below zero.
 */
export class RequestBacklog {
  count = 0;
  private readonly limits: BacklogLimits;
  /** Bytes of the txns that are encoded and not applied. */
  private readonly txnBytes: () => number;
  /** Bytes of the requests that wait behind writes of their own connections. */
  private deferredBytes = 0;
  private readonly waiting = new Set<Connection>();
  /** How often one had to wait. */
  private readonly waits: Counter;

  constructor(limits: BacklogLimits, waits: Counter, txnBytes: () => number) {
    this.limits = limits;
    this.waits = waits;
    this.txnBytes = txnBytes;
  }

  /** Whether the connection's next request may come in; if not, its port is told to resume later. */
  admits(connection: Connection): boolean {
    const mayWait = connection.deferredCount < DEFERRED_PER_CONNECTION_MAX;
    if (mayWait && (connection.outstanding === 0 || !this.isFull)) return true;
    if (!this.waiting.has(connection)) this.waits.add(1);
    this.waiting.add(connection);
    return false;
  }

  onReceived(connection: Connection): void {
    connection.outstanding += 1;
    this.count += 1;
  }

  onAnswered(connection: Connection): void {
    connection.outstanding -= 1;
    this.count -= 1;
  }

  onDeferred(bytes: number): void {
    this.deferredBytes += bytes;
  }

  onDeferredTaken(bytes: number): void {
    this.deferredBytes -= bytes;
  }

  onDisconnect(connection: Connection): void {
    this.waiting.delete(connection);
    this.count -= connection.outstanding;
    this.deferredBytes -= connection.dropDeferred();
    connection.outstanding = 0;
  }

  /** Lets those in that wait, if there is room again. */
  release(): void {
    if (this.waiting.size === 0 || this.isFull) return;
    const admitted = [...this.waiting];
    this.waiting.clear();
    for (const connection of admitted) if (connection.isOpen) connection.port.resume();
  }

  private get isFull(): boolean {
    const { globalOutstandingLimit, backlogBytesMax } = this.limits;
    if (globalOutstandingLimit > 0 && this.count >= globalOutstandingLimit) return true;
    return this.deferredBytes + this.txnBytes() >= backlogBytesMax;
  }
}
