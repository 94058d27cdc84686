import type { Clock, Logger, Random } from "../../src/ports/index.js";

/** Keeps what was logged. */
export class MemoryLogger implements Logger {
  readonly lines: { level: string; facts: object; sentence: string }[] = [];

  debug(facts: object, sentence: string): void {
    this.lines.push({ level: "debug", facts, sentence });
  }
  info(facts: object, sentence: string): void {
    this.lines.push({ level: "info", facts, sentence });
  }
  warn(facts: object, sentence: string): void {
    this.lines.push({ level: "warn", facts, sentence });
  }
  error(facts: object, sentence: string): void {
    this.lines.push({ level: "error", facts, sentence });
  }

  get warnings(): string[] {
    return this.lines.filter(({ level }) => level === "warn").map(({ sentence }) => sentence);
  }
}

/** A clock that moves when it is told to. */
export class TurnedClock implements Clock {
  nowMs = 0;

  wallMs(): number {
    return this.nowMs;
  }
  monotonicMs(): number {
    return this.nowMs;
  }
}

/** mulberry32 */
export class SeededRandom implements Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }
}

/** Waits until what is asked for has come about through microtasks alone. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (condition()) return;
    await Promise.resolve();
  }
  throw new Error("it did not come about");
}
