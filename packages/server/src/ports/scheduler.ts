/** When pure code wants to go on later, without knowing what a turn of the event loop is. */
export interface Scheduler {
  /** Calls at the end of this turn: after everything that has arrived by now was handled. */
  soon(task: () => void): void;
}
