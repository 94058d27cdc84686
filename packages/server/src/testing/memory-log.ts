import type { LogBatch } from "../storage/index.js";

interface HeldAppend {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * A log, as a replica writes to it, that keeps its entries in memory and can be told when they are durable, or that they never
 * will be. Entries count as logged from the moment `append` is called, as bytes do that a disk has not
 * confirmed yet.
 */
export class MemoryLog {
  /** The payload of each entry, header and digest included, in the order of appending. */
  readonly entries: Uint8Array[] = [];
  /** While set, appends wait for `release` or `fail`. */
  isHeld = false;
  private held: HeldAppend[] = [];

  append(batch: LogBatch): Promise<void> {
    for (let i = 0; i < batch.count; i++) {
      this.entries.push(batch.writer.bytes.slice(batch.payloadStart(i), batch.payloadEnd(i)));
    }
    if (!this.isHeld) return Promise.resolve();
    return new Promise((resolve, reject) => this.held.push({ resolve, reject }));
  }

  /** What was held back becomes durable, and what follows is not held. */
  release(): void {
    this.isHeld = false;
    for (const append of this.held.splice(0)) append.resolve();
  }

  /** What was held back fails. */
  fail(error: unknown): void {
    for (const append of this.held.splice(0)) append.reject(error);
  }
}
