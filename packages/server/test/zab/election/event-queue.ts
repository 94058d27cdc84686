interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** Simulated time: tasks in the order of their times, and of their making where the times are equal. */
export class EventQueue {
  nowMs = 0;
  private readonly heap: Event[] = [];
  private made = 0;

  at(atMs: number, task: () => void): void {
    const event = { atMs: Math.max(atMs, this.nowMs), order: this.made++, task };
    let index = this.heap.push(event) - 1;
    for (let parent = (index - 1) >> 1; index > 0 && precedes(event, this.heap[parent]!); parent = (index - 1) >> 1) {
      this.heap[index] = this.heap[parent]!;
      index = parent;
    }
    this.heap[index] = event;
  }

  after(delayMs: number, task: () => void): void {
    this.at(this.nowMs + delayMs, task);
  }

  /** Runs until nothing is left, the time is up, or `isDone`. Returns whether it was done. */
  run(untilMs: number, isDone: () => boolean = () => false): boolean {
    while (!isDone()) {
      const next = this.heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = untilMs;
        return isDone();
      }
      this.removeFirst();
      this.nowMs = next.atMs;
      next.task();
    }
    return true;
  }

  private removeFirst(): void {
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.heap.length) break;
      if (child + 1 < this.heap.length && precedes(this.heap[child + 1]!, this.heap[child]!)) child++;
      if (!precedes(this.heap[child]!, last)) break;
      this.heap[index] = this.heap[child]!;
      index = child;
    }
    this.heap[index] = last;
  }
}

function precedes(one: Event, other: Event): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}
