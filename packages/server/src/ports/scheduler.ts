/** When pure code wants to go on later, without knowing what a turn of the event loop is. */
export interface Scheduler {
  /** Calls at the end of this turn: after everything that has arrived by now was handled. */
  soon(task: () => void): void;
  /** Calls once, `delayMs` from now by the monotonic clock, unless cancelled before. */
  after(delayMs: number, task: () => void): Timer;
}

export interface Timer {
  /** The task will not be called any more; nothing happens where it was already. */
  cancel(): void;
}
