import { DeliveryQueue, type ListenerErrorHandler, type Turn } from "../listeners/delivery-queue.js";
import type { Call, WatchEvent } from "../session/index.js";
import { SessionMachine, type SessionOptions } from "../session/index.js";
import type { Dial, Transport } from "./tcp.js";

export interface ConnectionOptions {
  readonly session: SessionOptions;
  readonly dial: Dial;
  readonly stateListeners: ReadonlySet<(event: WatchEvent) => unknown>;
  readonly onListenerError: ListenerErrorHandler;
}

/** Node's own order: what `nextTick` is given runs after the present code, before any other event. */
const nodeTurn: Turn = {
  soon: (run) => process.nextTick(run),
  // From inside a tick the next one would run before the promises' continuations; from inside a
  // continuation it runs after all of them.
  afterContinuations: (run) => queueMicrotask(() => process.nextTick(run)),
};

/**
 * Gives the session machine a clock, one timer and a socket. Requests submitted in one turn of the
 * program leave in one write; there is no timer per request: the machine's next deadline is looked at
 * when the one timer fires, which traffic may have put off meanwhile.
 */
export class Connection {
  readonly machine: SessionMachine;
  private readonly queue: DeliveryQueue;
  private readonly dial: Dial;
  private transport: Transport | undefined;
  private timer: NodeJS.Timeout | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;
  private flushScheduled = false;

  constructor(options: ConnectionOptions) {
    this.dial = options.dial;
    this.queue = new DeliveryQueue(nodeTurn, options.stateListeners, options.onListenerError);
    this.machine = new SessionMachine(options.session, performance.now());
    this.scheduleFlush();
  }

  submit(call: Call): void {
    this.machine.submit(call);
    this.scheduleFlush();
  }

  addCredential(scheme: string, auth: Uint8Array, call: Call): void {
    this.machine.addCredential(scheme, auth, call);
    this.scheduleFlush();
  }

  close(): void {
    this.machine.close(performance.now());
    this.flush();
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    process.nextTick(this.flush);
  }

  private readonly flush = (): void => {
    this.flushScheduled = false;
    const nowMs = performance.now();
    this.machine.onTick(nowMs);
    for (let output = this.machine.takeOutput(nowMs); output !== undefined; output = this.machine.takeOutput(nowMs)) {
      if (output.hangUp) this.hangUp();
      if (output.dial !== undefined) this.open(output.dial);
      if (output.bytes !== undefined) this.transport?.write(output.bytes);
      if (output.deliveries.length > 0) this.queue.push(output.deliveries);
    }
    this.armTimer(nowMs);
  };

  private open(server: Parameters<Dial>[0]): void {
    this.transport = this.dial(server, {
      opened: () => {
        this.machine.onOpened(performance.now());
        this.flush();
      },
      chunk: (bytes) => {
        this.machine.onChunk(bytes, performance.now());
        this.flush();
      },
      closed: (reason) => {
        this.transport = undefined;
        this.machine.onClosed(reason, performance.now());
        this.flush();
      },
    });
  }

  private hangUp(): void {
    this.transport?.destroy();
    this.transport = undefined;
  }

  /** Only ever moves the timer forward: one that fires too early finds nothing to do and is set again. */
  private armTimer(nowMs: number): void {
    const deadlineMs = this.machine.nextDeadlineMs;
    if (this.timer !== undefined && this.timerAtMs <= deadlineMs && deadlineMs !== Number.POSITIVE_INFINITY) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    this.timerAtMs = deadlineMs;
    this.timer = setTimeout(this.onTimer, Math.max(1, Math.ceil(deadlineMs - nowMs)));
  }

  private readonly onTimer = (): void => {
    this.timer = undefined;
    this.flush();
  };
}
