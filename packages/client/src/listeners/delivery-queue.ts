import type { Delivery, WatchEvent } from "../session/index.js";

/**
 * Runs `run` when everything that waits for a settled promise has had its turn. Handed in, so that a test
 * can turn it by hand.
 */
export type AfterContinuations = (run: () => void) => void;

/** A tick asked for now could run before the promises' continuations; one asked for by a continuation runs after all. */
export const nodeTurn: AfterContinuations = (run) => queueMicrotask(() => process.nextTick(run));

/** Called when a listener throws or its promise rejects, with what it was told of. */
export type ListenerErrorHandler = (error: unknown, event: WatchEvent) => void;

/**
 * The listener half of a client (M1): hands events and completions to the application, in order, apart
 * from the connection half. A listener that throws is reported and the next one called; one that
 * returns a promise is not waited for.
 *
 * Settling a promise only queues what awaits it, so that it is done at once; calling a listener runs it
 * now. So between the two kinds the queue lets all continuations run: `await getData(path, { watch })` goes
 * on before that watch's first event is delivered, and a listener, with what awaits it, before a later
 * reply's caller goes on.
 */
export class DeliveryQueue {
  private queue: Delivery[] = [];
  private next = 0;
  private scheduled = false;
  private readonly afterContinuations: AfterContinuations;
  private readonly stateListeners: ReadonlySet<(event: WatchEvent) => unknown>;
  private readonly onListenerError: ListenerErrorHandler;

  constructor(
    afterContinuations: AfterContinuations,
    stateListeners: ReadonlySet<(event: WatchEvent) => unknown>,
    onListenerError: ListenerErrorHandler,
  ) {
    this.afterContinuations = afterContinuations;
    this.stateListeners = stateListeners;
    this.onListenerError = onListenerError;
  }

  push(deliveries: readonly Delivery[]): void {
    if (!this.scheduled) {
      const settled = settleFirst(deliveries, 0);
      if (settled === deliveries.length) return;
      this.scheduled = true;
      this.queue = deliveries.slice(settled);
      this.afterContinuations(this.run);
      return;
    }
    for (const delivery of deliveries) this.queue.push(delivery);
  }

  /** Delivers what stands first and all of its kind behind it: events, or calls. */
  private readonly run = (): void => {
    const { queue } = this;
    if (queue[this.next]?.kind === "call") this.next = settleFirst(queue, this.next);
    else {
      for (let first = queue[this.next]; first?.kind === "event"; first = queue[this.next]) {
        this.next++;
        this.tell(first.event, first.listeners);
      }
    }
    if (this.next < queue.length) {
      this.afterContinuations(this.run);
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
      // Apart: a handler that throws in its turn is an unhandled rejection, and the queue goes on.
      Promise.reject(error).catch((reason: unknown) => this.onListenerError(reason, event));
    }
  }
}

/** Settles the calls that stand from `from` on, up to the first event; returns where that stands. */
function settleFirst(deliveries: readonly Delivery[], from: number): number {
  let next = from;
  for (let first = deliveries[next]; first?.kind === "call"; first = deliveries[next]) {
    next++;
    first.settle();
  }
  return next;
}
