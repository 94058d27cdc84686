import type { Clock, Scheduler, Timer } from "../ports/index.js";

interface Alarm {
  readonly atMs: number;
  readonly task: () => void;
  timer: NodeJS.Timeout | undefined;
}

/**
 * A server's time: it passes as the machine's does, can be turned on ahead of it, and can be stopped, as for a
 * process that is not scheduled any more. When it goes on, all the time that it missed has passed.
 */
export class ServerTime implements Clock, Scheduler {
  private aheadMs = 0;
  private stoppedMs: number | undefined;
  private hasEnded = false;
  private readonly alarms = new Set<Alarm>();
  private held: (() => void)[] = [];

  wallMs(): number {
    return performance.timeOrigin + this.monotonicMs();
  }

  monotonicMs(): number {
    return this.stoppedMs ?? performance.now() + this.aheadMs;
  }

  soon(task: () => void): void {
    setImmediate(() => {
      if (this.hasEnded) return;
      if (this.stoppedMs === undefined) task();
      else this.held.push(task);
    });
  }

  after(delayMs: number, task: () => void): Timer {
    if (delayMs <= 0) return this.afterThisTurn(task);
    const alarm: Alarm = { atMs: this.monotonicMs() + delayMs, task, timer: undefined };
    this.alarms.add(alarm);
    this.arm(alarm);
    return {
      cancel: () => {
        this.alarms.delete(alarm);
        clearTimeout(alarm.timer);
      },
    };
  }

  /** Time passes at once; timers that are due by then ring, in their order, each of them once. */
  turn(ms: number): void {
    this.aheadMs += ms;
    if (this.stoppedMs !== undefined) return;
    const nowMs = this.monotonicMs();
    const due = [...this.alarms].filter((alarm) => alarm.atMs <= nowMs).sort((one, other) => one.atMs - other.atMs);
    for (const alarm of due) this.ring(alarm);
    for (const alarm of this.alarms) this.arm(alarm);
  }

  stop(): void {
    if (this.stoppedMs !== undefined) return;
    this.stoppedMs = this.monotonicMs();
    for (const alarm of this.alarms) clearTimeout(alarm.timer);
  }

  goOn(): void {
    if (this.stoppedMs === undefined) return;
    this.stoppedMs = undefined;
    for (const task of this.held.splice(0)) this.soon(task);
    for (const alarm of this.alarms) this.arm(alarm);
  }

  /** Nothing that was asked for is done any more. */
  end(): void {
    this.hasEnded = true;
    for (const alarm of this.alarms) clearTimeout(alarm.timer);
    this.alarms.clear();
  }

  private afterThisTurn(task: () => void): Timer {
    let isCancelled = false;
    this.soon(() => {
      if (!isCancelled) task();
    });
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }

  private arm(alarm: Alarm): void {
    clearTimeout(alarm.timer);
    if (this.stoppedMs !== undefined || this.hasEnded) return;
    alarm.timer = setTimeout(() => this.ring(alarm), Math.max(0, alarm.atMs - this.monotonicMs()));
  }

  private ring(alarm: Alarm): void {
    if (!this.alarms.delete(alarm)) return;
    clearTimeout(alarm.timer);
    alarm.task();
  }
}
