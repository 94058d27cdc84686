import { ZkError } from "./errors.js";
import { isFinal, type NodeEvent, type SessionEvent, type WatchEvent } from "./session/index.js";

/** Events came faster than they were taken, and this many were dropped here: read again what matters. */
export interface OverflowEvent {
  readonly kind: "overflow";
  readonly dropped: number;
}

export type WatchStreamEvent = NodeEvent | SessionEvent | OverflowEvent;

/** What a stream needs of the client it belongs to. */
export interface WatchStreamHost {
  /** Registers the stream's listener; rejects where the server refuses the watch. */
  open(listener: (event: WatchEvent) => void): Promise<void>;
  close(listener: (event: WatchEvent) => void): Promise<void>;
}

interface Waiter {
  resolve(result: IteratorResult<WatchStreamEvent, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorResult<WatchStreamEvent, undefined> = { done: true, value: undefined };

/**
 * The events of a persistent watch, as an async iterator. Leaving the loop takes the watch away.
 *
 * Events wait in a queue with a bound. When it is full, further ones are counted instead of kept, and
 * an `overflow` event stands where they are missing. Across a reconnect the watch is registered again
 * without the application's doing, but what happened meanwhile is lost, as persistent watches are made:
 * after a session event "connected", read again what matters.
 */
export class WatchStream implements AsyncIterableIterator<WatchStreamEvent, undefined> {
  /** Resolves when the server has the watch: no change after that goes unnoticed while connected. */
  readonly ready: Promise<void>;
  private readonly host: WatchStreamHost;
  private readonly path: string;
  private readonly queueMax: number;
  private readonly queue: WatchStreamEvent[] = [];
  private readonly waiters: Waiter[] = [];
  /** What `next` answers once the queue is empty; undefined while more may come. */
  private end: { readonly error: unknown } | "done" | undefined;
  private closing: Promise<void> | undefined;

  constructor(host: WatchStreamHost, path: string, queueMax: number) {
    this.host = host;
    this.path = path;
    this.queueMax = queueMax;
    this.ready = host.open(this.listener);
    this.ready.catch((error: unknown) => this.finish({ error })); // it also rejects the next `next`
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WatchStreamEvent, undefined>> {
    const event = this.queue.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.end === "done") return Promise.resolve(DONE);
    if (this.end !== undefined) {
      const { error } = this.end;
      this.end = "done";
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<WatchStreamEvent, undefined>> {
    await this.close();
    return DONE;
  }

  /** Takes the watch away and ends the iteration; events not taken yet are dropped. Can be called again. */
  close(): Promise<void> {
    this.closing ??= this.host.close(this.listener);
    this.queue.length = 0;
    this.finish("done");
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private readonly listener = (event: WatchEvent): void => {
    if (this.end !== undefined) return;
    if (event.kind === "removed") {
      this.finish("done");
      return;
    }
    this.offer(event);
    if (event.kind !== "session" || !isFinal(event.state)) return;
    if (event.state === "closed") this.finish("done");
    else this.finish({ error: this.sessionError(event.state) });
  };

  private offer(event: NodeEvent | SessionEvent): void {
    const waiter = this.waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: event });
      return;
    }
    if (this.queue.length < this.queueMax) {
      this.queue.push(event);
      return;
    }
    const last = this.queue[this.queue.length - 1];
    if (last?.kind === "overflow") this.queue[this.queue.length - 1] = { kind: "overflow", dropped: last.dropped + 1 };
    else this.queue.push({ kind: "overflow", dropped: 1 });
  }

  private finish(end: NonNullable<WatchStream["end"]>): void {
    if (this.end !== undefined) return;
    this.end = end;
    for (const waiter of this.waiters.splice(0)) {
      if (end === "done") waiter.resolve(DONE);
      else waiter.reject(end.error);
    }
  }

  private sessionError(state: "lost" | "auth-failed"): ZkError {
    return new ZkError({
      code: state === "lost" ? "SESSION_EXPIRED" : "AUTH_FAILED",
      outcome: "not-applied",
      operation: "watch",
      path: this.path,
    });
  }
}
