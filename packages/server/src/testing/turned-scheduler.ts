import type { Scheduler } from "../ports/index.js";

/** Ends a turn of the event loop when it is told to, and not before. */
export class TurnedScheduler implements Scheduler {
  private tasks: (() => void)[] = [];

  get isIdle(): boolean {
    return this.tasks.length === 0;
  }

  soon(task: () => void): void {
    this.tasks.push(task);
  }

  /** What was asked for by now; tasks that these ask for come with the next turn. */
  endTurn(): void {
    const { tasks } = this;
    this.tasks = [];
    for (const task of tasks) task();
  }
}
