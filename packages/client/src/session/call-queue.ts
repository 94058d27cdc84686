import type { Call } from "./call.js";

/** Below this many taken entries the array is not worth compacting. */
const COMPACT_MIN = 1024;

/** Calls in the order they were submitted. Taking the first costs the same however many wait. */
export class CallQueue {
  private calls: Call[] = [];
  private head = 0;

  get size(): number {
    return this.calls.length - this.head;
  }

  push(call: Call): void {
    this.calls.push(call);
  }

  first(): Call | undefined {
    return this.calls[this.head];
  }

  shift(): Call | undefined {
    const call = this.calls[this.head];
    if (call === undefined) return undefined;
    this.head++;
    if (this.head === this.calls.length) {
      this.calls.length = 0;
      this.head = 0;
    } else if (this.head >= COMPACT_MIN && this.head * 2 >= this.calls.length) {
      this.calls = this.calls.slice(this.head);
      this.head = 0;
    }
    return call;
  }

  /** Keeps only the calls that are `wanted`, in their order; returns the others. */
  keep(wanted: (call: Call) => boolean): Call[] {
    const others: Call[] = [];
    const kept: Call[] = [];
    for (let call = this.shift(); call !== undefined; call = this.shift()) (wanted(call) ? kept : others).push(call);
    this.calls = kept;
    return others;
  }
}
