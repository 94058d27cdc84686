/** However long the timeout, a connection is not left silent for longer: middleboxes forget silent ones. */
const SILENCE_MS_MAX = 10_000;
/** A tick that comes this late was held up by the application, which then has unread input as well. */
const LATE_TICK_MS = 50;
const GRACE_MS = 250;

/**
 * When to ping and when to give a connection up, from the negotiated timeout T (ClientCnxn): after 2T/3
 * without an answer the server is taken for dead; after T/3 without sending anything, a second
 * earlier where there is time, a ping goes out.
 */
export class KeepAlive {
  private readonly readTimeoutMs: number;
  private readonly pingAfterMs: number;
  private lastHeardMs: number;
  private lastSentMs: number;
  /** Non-zero while a late tick has put off the end, see `onReadDeadline`. */
  private graceUntilMs = 0;

  constructor(sessionTimeoutMs: number, nowMs: number) {
    this.readTimeoutMs = (sessionTimeoutMs * 2) / 3;
    const half = this.readTimeoutMs / 2;
    this.pingAfterMs = Math.min(half > 1000 ? half - 1000 : half, SILENCE_MS_MAX);
    this.lastHeardMs = nowMs;
    this.lastSentMs = nowMs;
  }

  onHeard(nowMs: number): void {
    this.lastHeardMs = nowMs;
    this.graceUntilMs = 0;
  }

  onSent(nowMs: number): void {
    this.lastSentMs = nowMs;
  }

  get pingDeadlineMs(): number {
    return this.lastSentMs + this.pingAfterMs;
  }

  get readDeadlineMs(): number {
    return this.graceUntilMs === 0 ? this.lastHeardMs + this.readTimeoutMs : this.graceUntilMs;
  }

  /**
   * The read deadline has passed. True if the server was really silent; false if the tick itself came
   * late, so that what the server sent may lie unread in the socket: then the end is put off a little,
   * once, and the input gets its turn. Without it an application that computes for a few seconds would
   * lose a healthy connection (timers run before sockets are read).
   */
  isServerSilent(nowMs: number): boolean {
    if (this.graceUntilMs !== 0 || nowMs - this.readDeadlineMs <= LATE_TICK_MS) return true;
    this.graceUntilMs = nowMs + GRACE_MS;
    return false;
  }

  silentMs(nowMs: number): number {
    return Math.round(nowMs - this.lastHeardMs);
  }
}
