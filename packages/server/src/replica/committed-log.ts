import type { LogBatch } from "../storage/index.js";

/**
 * The last txns that were applied, in memory, as they were logged: what a server that was away for a
 * moment is brought up to date from (the `committedLog` of Apache's `ZKDatabase`). It keeps the very
 * batches that were written, so that keeping a txn costs no copy.
 *
 * The txns in it follow one another without a gap: it is filled by one pipeline, in order.
 */
export interface CommittedLogLimits {
  /** At least so many txns are kept; 0 keeps none, for a server without peers. */
  readonly txnsMin: number;
  /** Beyond this many bytes old txns go, even where fewer than `txnsMin` stay. */
  readonly bytesMax: number;
}

export class CommittedLog {
  private readonly limits: CommittedLogLimits;
  private readonly batches: LogBatch[] = [];
  private txns = 0;
  private bytes = 0;

  constructor(limits: CommittedLogLimits) {
    this.limits = limits;
  }

  /** @returns undefined where it is empty */
  get firstZxid(): number | undefined {
    return this.batches[0]?.firstZxid;
  }

  get lastZxid(): number | undefined {
    return this.batches.at(-1)?.lastZxid;
  }

  /** Takes a batch in. @returns those that are not kept any more and may be used again, perhaps this one */
  keep(batch: LogBatch, byteLength: number): LogBatch[] {
    this.batches.push(batch);
    this.txns += batch.count;
    this.bytes += byteLength;
    const released: LogBatch[] = [];
    for (let first = this.batches[0]; first !== undefined; first = this.batches[0]) {
      const isEnough = this.txns - first.count >= this.limits.txnsMin;
      if (!isEnough && this.bytes <= this.limits.bytesMax) break;
      this.batches.shift();
      this.txns -= first.count;
      this.bytes -= first.byteLength;
      released.push(first);
    }
    return released;
  }

  /** The txns after `zxid`, in order. */
  *after(zxid: number): Generator<{ readonly batch: LogBatch; readonly entry: number }, void> {
    for (const batch of this.batches) {
      if (batch.lastZxid <= zxid) continue;
      for (let entry = 0; entry < batch.count; entry++) if (batch.zxid(entry) > zxid) yield { batch, entry };
    }
  }
}
