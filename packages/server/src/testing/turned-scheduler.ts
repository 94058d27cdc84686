import type { Scheduler, Timer } from "../ports/index.js";
import type { TurnedClock } from "./turned-clock.js";

interface Alarm {
  readonly atMs: number;
  readonly task: () => void;
}

/** Ends a turn of the event loop when it is told to, and not before; its timers go by a clock that is turned. */
export class TurnedScheduler implements Scheduler {
  private readonly clock: TurnedClock | undefined;
  private tasks: (() => void)[] = [];
  private readonly alarms = new Set<Alarm>();

  /** @param clock needed for timers only */
  constructor(clock?: TurnedClock) {
    this.clock = clock;
  }

  get isIdle(): boolean {
    return this.tasks.length === 0;
  }

  /** When the next timer is due, by the monotonic clock. */
  get nextAlarmMs(): number | undefined {
    return this.nextAlarm()?.atMs;
  }

  soon(task: () => void): void {
    this.tasks.push(task);
  }

  after(delayMs: number, task: () => void): Timer {
    if (this.clock === undefined) throw new Error("a turned scheduler without a clock has no timers");
    const alarm = { atMs: this.clock.monotonicMs() + Math.max(0, delayMs), task };
    this.alarms.add(alarm);
    return { cancel: () => this.alarms.delete(alarm) };
  }

  /** What was asked for by now; tasks that these ask for come with the next turn. */
  endTurn(): void {
    const { tasks } = this;
    this.tasks = [];
    for (const task of tasks) task();
  }

  /** Calls the timers that are due by now, in the order of their times. */
  ring(): void {
    for (
      let next = this.nextAlarm();
      next !== undefined && next.atMs <= this.clock!.monotonicMs();
      next = this.nextAlarm()
    ) {
      this.alarms.delete(next);
      next.task();
    }
  }

  private nextAlarm(): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.alarms) if (next === undefined || alarm.atMs < next.atMs) next = alarm;
    return next;
  }
}
