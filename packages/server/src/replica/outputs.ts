import type { Scheduler } from "../ports/index.js";
import type { Connection } from "./connection.js";

/** The connections whose output has grown, until it is handed to them: one socket write for all that gathered. */
export class Outputs {
  private readonly scheduler: Scheduler;
  private readonly dirty: Connection[] = [];
  private flushScheduled = false;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  mark(connection: Connection): void {
    if (connection.dirty) return;
    connection.dirty = true;
    this.dirty.push(connection);
  }

  flush(): void {
    const { dirty } = this;
    for (let i = 0; i < dirty.length; i++) {
      const connection = dirty[i]!;
      connection.dirty = false;
      if (connection.phase !== "closed") connection.port.flush();
    }
    dirty.length = 0;
  }

  flushSoon(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    this.scheduler.soon(() => {
      this.flushScheduled = false;
      this.flush();
    });
  }
}
