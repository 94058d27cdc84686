import type { Delivery, WatchEvent } from "../session/index.js";

/** When to run: handed in, so that a test can turn it by hand. */
export interface Turn {
  /** Runs `run` soon, after the code that is running now. */
  soon(run: () => void): void;
  /** Runs `run` when everything that waits for a settled promise has had its turn. */
  afterContinuations(run: () => void): void;
}

/** Node's own order: what `nextTick` is given runs after the present code, before any other event. */
export const nodeTurn: Turn = {
  soon: (run) => process.nextTick(run),
  // From inside a tick the next one would run before the promises' continuations; from inside a
  // continuation it runs after all of them.
  afterContinuations: (run) => queueMicrotask(() => process.nextTick(run)),
};

export type ListenerErrorHandler = (error: unknown, event: WatchEvent) => void;

/**
 * The listener half of a client (M1): hands events and completions to the application, in order, apart
 * from the connection half. A listener that throws is reported and the next one called; one that
 * returns a promise is not waited for.
 *
 * Settling a promise only queues what awaits it, calling a listener runs it now. So between the two
 * kinds the queue lets all continuations run: `await getData(path, { watch })` goes on before that
 * watch's first event is delivered, and a listener has run before a later reply's caller goes on.
 */
export class DeliveryQueue {
  private queue: Delivery[] = [];
  private next = 0;
  private scheduled = false;
  private readonly turn: Turn;
  private readonly stateListeners: ReadonlySet<(event: WatchEvent) => unknown>;
  private readonly onListenerError: ListenerErrorHandler;

  constructor(
    turn: Turn,
    stateListeners: ReadonlySet<(event: WatchEvent) => unknown>,
    onListenerError: ListenerErrorHandler,
  ) {
    this.turn = turn;
    this.stateListeners = stateListeners;
    this.onListenerError = onListenerError;
  }

  push(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.queue.push(delivery);
    if (this.scheduled) return;
    this.scheduled = true;
    this.turn.soon(this.run);
  }

  private readonly run = (): void => {
    const kind = this.queue[this.next]?.kind;
    for (let delivery = this.queue[this.next]; delivery?.kind === kind; delivery = this.queue[this.next]) {
      if (delivery === undefined) break;
      this.next++;
      if (delivery.kind === "call") delivery.settle();
      else this.tell(delivery.event, delivery.listeners);
    }
    if (this.next < this.queue.length) {
      this.turn.afterContinuations(this.run);
      return;
    }
    this.queue = [];
    this.next = 0;
    this.scheduled = false;
  };

  private tell(event: WatchEvent, listeners: ReadonlySet<(event: WatchEvent) => unknown>): void {
    if (event.kind === "session") for (const listener of this.stateListeners) this.call(listener, event);
    for (const listener of listeners) this.call(listener, event);
  }

  private call(listener: (event: WatchEvent) => unknown, event: WatchEvent): void {
    try {
      const returned = listener(event);
      if (returned instanceof Promise) returned.catch((error: unknown) => this.onListenerError(error, event));
    } catch (error) {
      this.onListenerError(error, event);
    }
  }
}
