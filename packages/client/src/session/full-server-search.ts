const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 60_000;

/**
 * When a client that is served by a read-only server asks the next one whether it is a full one: soon at
 * first, then ever more seldom. Source: ClientCnxn.pingRwServer.
 */
export class FullServerSearch {
  private delayMs = FIRST_DELAY_MS;
  /** Infinity while an answer is awaited. */
  dueMs: number;

  constructor(nowMs: number) {
    this.dueMs = nowMs + this.delayMs;
  }

  onAsked(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  onRefused(nowMs: number): void {
    this.delayMs = Math.min(this.delayMs * 2, DELAY_MS_MAX);
    this.dueMs = nowMs + this.delayMs;
  }
}
