import { Summary } from "./summary.js";

/**
 * A summary that also tells below which value a share of all values lies. Every value counts (Apache's keeps
 * a random sample of 4096): the buckets hold one whole number each up to 63, and above that there are 32 to
 * each power of two, so that what is told is at most a thirty-second too high, and never above the greatest.
 */
export class PercentileSummary extends Summary {
  private readonly buckets = new Float64Array(BUCKETS);

  override add(value: number): void {
    super.add(value);
    const bucket = bucketOf(value);
    this.buckets[bucket] = this.buckets[bucket]! + 1;
  }

  /** The least value told that at least this share of all values does not exceed; 0 before the first. */
  percentile(share: number): number {
    const wanted = Math.ceil(this.count * share);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.buckets[bucket]!;
      if (seen >= wanted && seen > 0) return Math.min(highestOf(bucket), this.max);
    }
    return 0;
  }

  override reset(): void {
    super.reset();
    this.buckets.fill(0);
  }
}

/** Values up to here have a bucket of their own. */
const EXACT_BITS = 6;
const EXACT = 1 << EXACT_BITS;
/** Buckets to a power of two, above. */
const PARTS_BITS = 5;
const PARTS = 1 << PARTS_BITS;
const VALUE_MAX = 0x7fff_ffff;
const BUCKETS = EXACT + (31 - EXACT_BITS) * PARTS;

function bucketOf(value: number): number {
  const whole = value < VALUE_MAX ? value | 0 : VALUE_MAX;
  if (whole < EXACT) return Math.max(0, whole);
  const power = 31 - Math.clz32(whole);
  return EXACT + (power - EXACT_BITS) * PARTS + ((whole >>> (power - PARTS_BITS)) & (PARTS - 1));
}

function highestOf(bucket: number): number {
  if (bucket < EXACT) return bucket;
  const power = EXACT_BITS + ((bucket - EXACT) >>> PARTS_BITS);
  const part = (bucket - EXACT) & (PARTS - 1);
  return 2 ** power + (part + 1) * 2 ** (power - PARTS_BITS) - 1;
}
