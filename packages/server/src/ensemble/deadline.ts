import type { Scheduler, Timer } from "../ports/index.js";

/** What was waited for did not come about in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Something that comes about once, or fails, for everybody who waits: an epoch that is fixed, a quorum that is
 * reached.
 */
export class Gate<T> {
  private readonly promise: Promise<T>;
  private settle!: { resolve(value: T): void; reject(error: unknown): void };
  private settled = false;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.promise.catch(() => {}); // whoever waits is told; nobody has to
  }

  get isOpen(): boolean {
    return this.settled;
  }

  open(value: T): void {
    this.settled = true;
    this.settle.resolve(value);
  }

  fail(error: unknown): void {
    this.settled = true;
    this.settle.reject(error);
  }

  wait(): Promise<T> {
    return this.promise;
  }

  /** @throws DeadlineError with `what` where it takes longer than `timeoutMs` */
  async within(scheduler: Scheduler, timeoutMs: number, what: string): Promise<T> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = scheduler.after(timeoutMs, () => reject(new DeadlineError(what)));
    });
    try {
      return await Promise.race([this.promise, late]);
    } finally {
      timer?.cancel();
    }
  }
}
