import type { LogBatch } from "../storage/index.js";

/**
 * The last txns that were applied, in memory, as they were logged: what a server that was away for a moment is
 * brought up to date from (the `committedLog` of Apache's `ZKDatabase`).
 *
 * The txns in it follow one another without a gap: it is filled by one pipeline, in order.
 */
export interface CommittedLogLimits {
  /** At least so many txns are kept; 0 keeps none, for a server without peers. */
  readonly txnsMin: number;
  /** Up to so many bytes more are kept. */
  readonly bytesWanted: number;
  /** Beyond this many bytes old txns go, even where fewer than `txnsMin` stay. */
  readonly bytesMax: number;
}

/** A txn's payload lies in `[start, end)`. */
export interface LoggedTxn {
  readonly zxid: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export class CommittedLog {
  private readonly limits: CommittedLogLimits;
  private readonly groups: KeptGroup[] = [];
  private txns = 0;
  private bytes = 0;

  constructor(limits: CommittedLogLimits) {
    this.limits = limits;
  }

  /** @returns undefined where it is empty */
  get firstZxid(): number | undefined {
    return this.groups[0]?.zxids[0];
  }

  /** Takes a copy of a batch: its own memory will be used again, and is far larger than a few txns. */
  keep(batch: LogBatch): void {
    const { txnsMin, bytesWanted, bytesMax } = this.limits;
    if (txnsMin === 0 || batch.count === 0) return;
    const group = new KeptGroup(batch);
    this.groups.push(group);
    this.txns += group.zxids.length;
    this.bytes += group.bytes.length;
    for (let first = this.groups[0]!; ; first = this.groups[0]!) {
      const isNeeded = this.txns - first.zxids.length < txnsMin && this.bytes <= bytesMax;
      if (isNeeded || this.bytes <= bytesWanted || this.groups.length === 1) return;
      this.groups.shift();
      this.txns -= first.zxids.length;
      this.bytes -= first.bytes.length;
    }
  }

  /** The txns after `zxid`, in order. */
  *after(zxid: number): Generator<LoggedTxn, void> {
    for (const { bytes, zxids, bounds } of this.groups) {
      if (zxids.at(-1)! <= zxid) continue;
      for (let i = 0; i < zxids.length; i++) {
        if (zxids[i]! > zxid) yield { zxid: zxids[i]!, bytes, start: bounds[2 * i]!, end: bounds[2 * i + 1]! };
      }
    }
  }
}

class KeptGroup {
  readonly bytes: Uint8Array;
  readonly zxids: Float64Array;
  /** Start and end of each payload in `bytes`. */
  readonly bounds: Int32Array;

  constructor(batch: LogBatch) {
    const { count } = batch;
    const base = batch.payloadStart(0);
    this.bytes = batch.writer.bytes.slice(base, batch.payloadEnd(count - 1));
    this.zxids = new Float64Array(count);
    this.bounds = new Int32Array(2 * count);
    for (let i = 0; i < count; i++) {
      this.zxids[i] = batch.zxid(i);
      this.bounds[2 * i] = batch.payloadStart(i) - base;
      this.bounds[2 * i + 1] = batch.payloadEnd(i) - base;
    }
  }
}
