/**
 * By how much this process was late of late: on a busy machine a check must not hold against a client what
 * the operating system did to both.
 */
const BEAT_MS = 10;
const REMEMBERED_MS = 3000;

export class Stalls {
  private readonly timer: NodeJS.Timeout;
  private lastMs = performance.now();
  private recent: { readonly atMs: number; readonly lateMs: number }[] = [];

  constructor() {
    this.timer = setInterval(() => this.beat(), BEAT_MS);
  }

  /** The worst of the last seconds. */
  get worstMs(): number {
    const lateNowMs = performance.now() - this.lastMs - BEAT_MS;
    return this.recent.reduce((worst, { lateMs }) => Math.max(worst, lateMs), Math.max(0, lateNowMs));
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private beat(): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.lastMs - BEAT_MS;
    this.lastMs = nowMs;
    this.recent = this.recent.filter(({ atMs }) => atMs > nowMs - REMEMBERED_MS);
    if (lateMs > BEAT_MS) this.recent.push({ atMs: nowMs, lateMs });
  }
}
