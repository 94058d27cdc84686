import { DeliveryQueue, type ListenerErrorHandler, nodeTurn } from "../listeners/delivery-queue.js";
import type { SaslDriver } from "../sasl/sasl-driver.js";
import type {
  Call,
  Chroot,
  Delivery,
  ServerAddress,
  SessionOptions,
  SessionOutput,
  WatchEvent,
  WatchKind,
  WatchListener,
  WatchTable,
} from "../session/index.js";
import { SessionMachine } from "../session/index.js";
import type { ConnectionHalf } from "./connection-half.js";
import type { Dial, Probe, Transport } from "./transport.js";

export interface ConnectionOptions {
  readonly session: SessionOptions;
  readonly dial: Dial;
  /** Asks a server whether it is a full one; needed where `session.readOnly` is allowed. */
  readonly probe?: Probe | undefined;
  /** Needed where `session.sasl` is set. */
  readonly sasl?: SaslDriver | undefined;
  /** The listener half's end: takes what is to be delivered, in order. */
  readonly deliver: (deliveries: readonly Delivery[]) => void;
  readonly afterFlush?: (() => void) | undefined;
}

/** The usual way to `deliver`: into a queue of the same thread. */
export function deliverInto(
  stateListeners: ReadonlySet<(event: WatchEvent) => unknown>,
  onListenerError: ListenerErrorHandler,
): (deliveries: readonly Delivery[]) => void {
  const queue = new DeliveryQueue(nodeTurn, stateListeners, onListenerError);
  return (deliveries) => queue.push(deliveries);
}

/**
 * Gives the session machine a clock, one timer and a socket. Requests submitted in one turn of the
 * program leave in one write; there is no timer per request: the machine's next deadline is looked at
 * when the one timer fires, which traffic may have put off meanwhile.
 */
export class Connection implements ConnectionHalf {
  readonly session: SessionMachine;
  private readonly options: ConnectionOptions;
  private transport: Transport | undefined;
  private timer: NodeJS.Timeout | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;
  private flushScheduled = false;
  /** The time of this turn, for calls with a deadline. */
  private turnMs = 0;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.session = new SessionMachine(options.session, performance.now());
    this.scheduleFlush();
  }

  get chroot(): Chroot {
    return this.session.chroot;
  }

  get watches(): WatchTable {
    return this.session.watches;
  }

  submit(call: Call): void {
    this.scheduleFlush();
    this.session.submit(call, this.turnMs);
  }

  cancel(call: Call): void {
    this.scheduleFlush();
    this.session.cancel(call);
  }

  addCredential(scheme: string, auth: Uint8Array, call: Call): void {
    this.scheduleFlush();
    this.session.addCredential(scheme, auth, call, this.turnMs);
  }

  dropWatch(kind: WatchKind, serverPath: string, listener: WatchListener): void {
    this.session.watches.drop(kind, serverPath, listener);
  }

  updateServers(servers: readonly ServerAddress[]): void {
    this.session.updateServers(servers, performance.now());
    this.scheduleFlush();
  }

  close(): void {
    this.session.close(performance.now());
    this.flush();
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    this.turnMs = performance.now();
    process.nextTick(this.flushTurn);
  }

  private readonly flushTurn = (): void => {
    this.flushScheduled = false;
    this.flushAt(this.turnMs);
  };

  private readonly flush = (): void => this.flushAt(performance.now());

  /** `nowMs` may lie in the past, where this turn began: a request counts as sent a little too early, never too late. */
  private flushAt(nowMs: number): void {
    const { session } = this;
    session.onTick(nowMs);
    for (let output = session.takeOutput(nowMs); output !== undefined; output = session.takeOutput(nowMs)) {
      this.carryOut(output);
    }
    this.armTimer();
    this.options.afterFlush?.();
  }

  private carryOut({ hangUp, dial, bytes, sasl, probe, deliveries }: SessionOutput): void {
    if (hangUp) this.hangUp();
    if (dial !== undefined) this.open(dial);
    if (bytes !== undefined && this.transport?.write(bytes) === true) this.session.onWritten();
    if (sasl !== undefined) this.options.sasl?.(sasl, this.session, this.flush);
    if (probe !== undefined) this.ask(probe);
    if (deliveries.length > 0) this.options.deliver(deliveries);
  }

  private open(server: ServerAddress): void {
    this.transport = this.options.dial(server, {
      opened: () => {
        this.session.onOpened(performance.now());
        this.flush();
      },
      chunk: (bytes) => {
        const nowMs = performance.now();
        this.session.onChunk(bytes, nowMs);
        this.flushAt(nowMs);
      },
      closed: (reason) => {
        this.transport = undefined;
        this.session.onClosed(reason, performance.now());
        this.flush();
      },
    });
  }

  private ask(server: ServerAddress): void {
    this.options.probe?.(server, (isFull) => {
      this.session.onProbed(server, isFull, performance.now());
      this.flush();
    });
  }

  private hangUp(): void {
    this.transport?.destroy();
    this.transport = undefined;
  }

  /** Only ever moves the timer forward: one that fires too early finds nothing to do and is set again. */
  private armTimer(): void {
    const deadlineMs = this.session.nextDeadlineMs;
    if (this.timer !== undefined && this.timerAtMs <= deadlineMs && deadlineMs !== Number.POSITIVE_INFINITY) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    this.timerAtMs = deadlineMs;
    const delayMs = Math.ceil(deadlineMs - performance.now());
    this.timer = setTimeout(this.onTimer, Math.min(Math.max(1, delayMs), TIMER_MS_MAX));
  }

  private readonly onTimer = (): void => {
    this.timer = undefined;
    this.flush();
  };
}

/** Node takes a longer timer for none at all and fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;
