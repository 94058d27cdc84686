import { LatencyHistogram } from "./latency-histogram.js";

/** Takes every reply of a run; only those inside the measured window count as operations. */
export class Recorder {
  readonly histogram = new LatencyHistogram();
  errors = 0;
  lastError = 0;
  private fromMs = Number.POSITIVE_INFINITY;
  private untilMs = Number.POSITIVE_INFINITY;

  measure(fromMs: number, untilMs: number): void {
    this.fromMs = fromMs;
    this.untilMs = untilMs;
  }

  record(sentAtMs: number, atMs: number): void {
    if (atMs >= this.fromMs && atMs <= this.untilMs) this.histogram.record((atMs - sentAtMs) * 1000);
  }

  fail(error: number): void {
    this.errors++;
    this.lastError = error;
  }
}
