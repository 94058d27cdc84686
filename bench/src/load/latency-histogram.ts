/**
 * Latencies in whole microseconds, counted in log-linear buckets: 64 steps to every doubling, so that a
 * percentile is off by at most 1.6 % whatever its size, and recording costs one increment and no memory.
 */
const STEP_BITS = 6;
const STEPS = 1 << STEP_BITS;
const LATENCY_US_MAX = 0x7fffffff;
const BUCKETS = (31 - STEP_BITS + 1) * STEPS;

/** What a worker process sends of its histogram. */
export interface HistogramParts {
  readonly counts: Float64Array;
  readonly maxUs: number;
}

export class LatencyHistogram {
  private readonly counts = new Float64Array(BUCKETS);
  private total = 0;
  private largestUs = 0;

  get count(): number {
    return this.total;
  }

  get maxUs(): number {
    return this.largestUs;
  }

  record(latencyUs: number): void {
    const us = Math.min(Math.max(0, Math.floor(latencyUs)), LATENCY_US_MAX);
    this.counts[bucketOf(us)]!++;
    this.total++;
    if (us > this.largestUs) this.largestUs = us;
  }

  parts(): HistogramParts {
    return { counts: this.counts, maxUs: this.largestUs };
  }

  add(parts: HistogramParts): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = parts.counts[bucket] ?? 0;
      this.counts[bucket]! += count;
      this.total += count;
    }
    this.largestUs = Math.max(this.largestUs, parts.maxUs);
  }

  /** The latency that `fraction` of all were no slower than: its bucket's upper end, so that it never flatters. */
  percentileUs(fraction: number): number {
    const wanted = Math.max(1, Math.ceil(fraction * this.total));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.counts[bucket]!;
      if (seen >= wanted) return Math.min(bucketEnd(bucket), this.largestUs);
    }
    return this.largestUs;
  }
}

function bucketOf(us: number): number {
  if (us < STEPS) return us;
  const exponent = 31 - Math.clz32(us);
  return (exponent - STEP_BITS) * STEPS + (us >>> (exponent - STEP_BITS));
}

function bucketEnd(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (STEPS + (bucket % STEPS) + 1) * 2 ** shift - 1;
}
