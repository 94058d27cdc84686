import type { Logger, Scheduler, Timer } from "../ports/index.js";

/** Of one kind at most one line in this time, with the count of those that were left out. */
const INTERVAL_MS = 10_000;

interface Silence {
  leftOut: number;
  readonly timer: Timer;
}

/** Warnings about what others do, and may do very often. */
export class RareWarnings {
  private readonly logger: Logger;
  private readonly scheduler: Scheduler;
  /** By kind, since the line that was written. */
  private readonly silences = new Map<string, Silence>();
  /** By kind, in the silence that ended last. */
  private readonly leftOut = new Map<string, number>();

  constructor(logger: Logger, scheduler: Scheduler) {
    this.logger = logger;
    this.scheduler = scheduler;
  }

  /** @param kind one of few: it is remembered */
  warn(kind: string, facts: object, sentence: string): void {
    const silence = this.silences.get(kind);
    if (silence !== undefined) {
      silence.leftOut++;
      return;
    }
    const leftOut = this.leftOut.get(kind) ?? 0;
    this.logger.warn(leftOut === 0 ? facts : { ...facts, alikeBefore: leftOut }, sentence);
    this.silences.set(kind, { leftOut: 0, timer: this.scheduler.after(INTERVAL_MS, () => this.endSilence(kind)) });
  }

  stop(): void {
    for (const { timer } of this.silences.values()) timer.cancel();
    this.silences.clear();
  }

  private endSilence(kind: string): void {
    this.leftOut.set(kind, this.silences.get(kind)?.leftOut ?? 0);
    this.silences.delete(kind);
  }
}
