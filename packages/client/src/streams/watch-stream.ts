import { ZkError } from "../errors.js";
import { whenAborted } from "../operations/when-aborted.js";
import { isLastEvent, type NodeEvent, type SessionEvent, type WatchEvent } from "../session/index.js";

/** Events came faster than they were taken, and this many were dropped here: read again what matters. */
export interface OverflowEvent {
  readonly kind: "overflow";
  readonly dropped: number;
}

/** Whatever a stream can tell; `kind` says which. */
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
  private readonly signal: AbortSignal | undefined;
  private readonly unheed: () => void = () => undefined; // until it is known: the signal may have been aborted before
  private queue: WatchStreamEvent[] = [];
  /** The next one to take; those before it were taken. */
  private head = 0;
  private readonly waiters: Waiter[] = [];
  /** What `next` answers once the queue is empty; undefined while more may come. */
  private end: { readonly error: unknown } | "done" | undefined;
  private closing: Promise<void> | undefined;
  private droppedCount = 0;

  /** Made by `client.watch`. @internal */
  constructor(host: WatchStreamHost, path: string, queueMax: number, signal?: AbortSignal) {
    this.host = host;
    this.path = path;
    this.queueMax = queueMax;
    this.signal = signal;
    this.ready = host.open(this.listener);
    this.ready.catch((error: unknown) => this.finish({ error })); // it also rejects the next `next`
    this.unheed = whenAborted(signal, this.onAbort);
  }

  /** How many events were dropped so far because the queue was full. */
  get dropped(): number {
    return this.droppedCount;
  }

  /** Itself: `for await` takes it as it is, once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event, waiting for one. @throws what ended the stream, once: SESSION_EXPIRED; AUTH_FAILED; ABORTED; what the server refused */
  next(): Promise<IteratorResult<WatchStreamEvent, undefined>> {
    const event = this.take();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.end === "done") return Promise.resolve(DONE);
    if (this.end !== undefined) {
      const { error } = this.end;
      this.end = "done";
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
  }

  /** What `for await` does when the loop is left: as `close`. */
  async return(): Promise<IteratorResult<WatchStreamEvent, undefined>> {
    await this.close();
    return DONE;
  }

  /** Takes the watch away and ends the iteration; events not taken yet are dropped. Can be called again. */
  close(): Promise<void> {
    this.closing ??= this.host.close(this.listener);
    this.queue = [];
    this.head = 0;
    this.finish("done");
    return this.closing;
  }

  /** As `close`, for `await using`. */
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
    if (event.kind !== "session" || !isLastEvent(event)) return;
    if (event.state === "closed") this.finish("done");
    else this.finish({ error: this.sessionError(event.state === "lost" ? "SESSION_EXPIRED" : "AUTH_FAILED") });
  };

  private readonly onAbort = (): void => {
    this.closing ??= this.host.close(this.listener);
    this.closing.catch(() => undefined);
    this.finish({ error: this.sessionError("ABORTED") });
  };

  private take(): WatchStreamEvent | undefined {
    const event = this.queue[this.head];
    if (event === undefined) return undefined;
    this.head++;
    if (this.head === this.queue.length) {
      this.queue = [];
      this.head = 0;
    } else if (this.head >= COMPACT_MIN && this.head * 2 >= this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return event;
  }

  private offer(event: NodeEvent | SessionEvent): void {
    const waiter = this.waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: event });
      return;
    }
    if (this.queue.length - this.head < this.queueMax) {
      this.queue.push(event);
      return;
    }
    this.droppedCount++;
    const last = this.queue.at(-1);
    if (last?.kind === "overflow") this.queue[this.queue.length - 1] = { kind: "overflow", dropped: last.dropped + 1 };
    else this.queue.push({ kind: "overflow", dropped: 1 });
  }

  private finish(end: NonNullable<WatchStream["end"]>): void {
    if (this.end !== undefined) return;
    this.unheed();
    this.end = end;
    for (const waiter of this.waiters.splice(0)) {
      if (end === "done") waiter.resolve(DONE);
      else waiter.reject(end.error);
    }
  }

  private sessionError(code: "SESSION_EXPIRED" | "AUTH_FAILED" | "ABORTED"): ZkError {
    const { path, signal } = this;
    return new ZkError({ code, outcome: "not-applied", operation: "watch", path, cause: signal?.reason });
  }
}

/** Below this many taken events the array is not worth compacting. */
const COMPACT_MIN = 1024;
