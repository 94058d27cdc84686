import { TurnedClock } from "../../src/testing/turned-clock.js";
import { TurnedScheduler } from "../../src/testing/turned-scheduler.js";

/** A clock and a scheduler that go as fast as their tasks let them. */
export class TurnedTime {
  readonly clock = new TurnedClock();
  readonly scheduler = new TurnedScheduler(this.clock);

  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  /** Goes on, task by task and timer by timer, until the condition holds. @throws where it does not within `limitMs` of simulated time */
  async until(condition: () => boolean, what: () => string = () => "the condition", limitMs = 60_000): Promise<void> {
    if (!(await this.run(limitMs, condition))) throw new Error(`${limitMs} ms went by without ${what()}`);
  }

  /** Goes on for so long. */
  async pass(ms: number): Promise<void> {
    await this.run(ms, () => false);
  }

  private async run(limitMs: number, condition: () => boolean): Promise<boolean> {
    const endMs = this.nowMs + limitMs;
    for (;;) {
      await settled();
      if (condition()) return true;
      if (!this.scheduler.isIdle) {
        this.scheduler.endTurn();
        continue;
      }
      const next = this.scheduler.nextAlarmMs ?? Number.POSITIVE_INFINITY;
      if (next > endMs) {
        this.clock.turn(endMs - this.nowMs);
        return condition();
      }
      this.clock.turn(Math.max(0, next - this.nowMs));
      this.scheduler.ring();
    }
  }
}

/** Every promise that could be settled has told who waits for it. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
