import { readInt } from "@watchkeeper/wire";
import { elapsedMs, type Summary } from "../metrics/index.js";

/**
 * When the last few thousand txns were made, by their own headers: what a latency is measured from that ends
 * here, as far as the clocks of two servers agree.
 */
export class ProposalTimes {
  private readonly zxids = new Float64Array(KEPT);
  private readonly timesMs = new Float64Array(KEPT);

  /** Notes the txn that begins at `start`. @returns when it was made */
  note(zxid: number, bytes: Uint8Array, start: number): number {
    const timeMs = readInt(bytes, start + TIME_OFFSET) * 2 ** 32 + (readInt(bytes, start + TIME_OFFSET + 4) >>> 0);
    const place = zxid & (KEPT - 1);
    this.zxids[place] = zxid;
    this.timesMs[place] = timeMs;
    return timeMs;
  }

  /** What the txns from `first` to `last` have reached at `wallMs`; those that are not kept any more are passed over. */
  measure(latencies: Summary, first: number, last: number, wallMs: number): void {
    for (let zxid = Math.max(first, last - KEPT + 1); zxid <= last; zxid++) {
      const place = zxid & (KEPT - 1);
      if (this.zxids[place] === zxid) latencies.add(elapsedMs(this.timesMs[place]!, wallMs));
    }
  }
}

/** A power of two, more than are outstanding at any time but the worst. */
const KEPT = 1 << 12;
/** In a txn's header. */
const TIME_OFFSET = 20;
