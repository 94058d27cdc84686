/**
 * Until when the session is certain to live. The servers end a session when they have heard nothing for
 * its timeout; what they have certainly heard is what they answered, and they heard it after it was
 * sent. So from the time at which the last answered request was *sent* the timeout runs, by this
 * client's clock: its end is at or before the servers' own.
 *
 * Requests are only counted, and one at a time is timed: when as many have been answered as had been
 * sent by then, the server has read that far, since it reads in order.
 */
export class SessionLease {
  private confirmedMs = Number.POSITIVE_INFINITY;
  private sent = 0;
  private answered = 0;
  private timedCount = 0;
  private timedMs = 0;
  private counts = true;

  /** A connection stands, whose handshake was sent at `sentMs`. A read-only server keeps no session alive. */
  onEstablished(sentMs: number, readOnly: boolean): void {
    if (!readOnly) this.confirmedMs = sentMs;
    this.counts = !readOnly;
    this.sent = 0;
    this.answered = 0;
    this.timedCount = 0;
  }

  /** There is no session any more. */
  onEnded(): void {
    this.confirmedMs = Number.POSITIVE_INFINITY;
  }

  onRequest(): void {
    this.sent++;
  }

  /** The requests counted so far leave at `nowMs`. */
  onFlushed(nowMs: number): void {
    if (this.timedCount !== 0 || this.sent === this.answered) return;
    this.timedCount = this.sent;
    this.timedMs = nowMs;
  }

  onAnswer(): void {
    this.answered++;
    if (this.timedCount === 0 || this.answered < this.timedCount) return;
    if (this.counts) this.confirmedMs = this.timedMs;
    this.timedCount = 0;
  }

  /** Infinity while there is no session. */
  untilMs(sessionTimeoutMs: number): number {
    return this.confirmedMs + sessionTimeoutMs;
  }
}
