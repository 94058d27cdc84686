import { type ClientCounters, newCounters } from "../session/index.js";

const NAMES = Object.keys(newCounters()) as (keyof ClientCounters)[];

/** Memory that both threads see: true at any moment, however long the application has been blocked. */
export class SharedFigures {
  private readonly numbers: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.numbers = new Float64Array(memory);
  }

  /** Enough of it for both threads, with no session yet. */
  static memory(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * (1 + NAMES.length));
    new SharedFigures(memory).aliveUntilMs = Number.POSITIVE_INFINITY;
    return memory;
  }

  /** Until when the session is certain to live. Every thread's clock begins with itself, so that 1970 is what both know. */
  get aliveUntilMs(): number {
    return this.numbers[0]! - performance.timeOrigin;
  }

  set aliveUntilMs(value: number) {
    this.numbers[0] = performance.timeOrigin + value;
  }

  get counters(): ClientCounters {
    const counters = newCounters();
    for (let i = 0; i < NAMES.length; i++) counters[NAMES[i]!] = this.numbers[i + 1]!;
    return counters;
  }

  set counters(counters: ClientCounters) {
    for (let i = 0; i < NAMES.length; i++) this.numbers[i + 1] = counters[NAMES[i]!];
  }
}
