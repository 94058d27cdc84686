import fc from "fast-check";
import { expect, test } from "vitest";
import { LatencyHistogram } from "../src/load/latency-histogram.js";

const FRACTIONS = [0.5, 0.9, 0.99, 0.999, 1];

/** The same question, answered by sorting. */
function exactPercentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1]!;
}

test("a percentile is never below the exact one and at most 1/64 above it", () => {
  const latencies = fc.array(fc.oneof(fc.nat(200), fc.nat(1_000_000), fc.nat(0x7fffffff)), { minLength: 1 });
  fc.assert(
    fc.property(latencies, (values) => {
      const histogram = new LatencyHistogram();
      for (const value of values) histogram.record(value);
      for (const fraction of FRACTIONS) {
        const exact = exactPercentile(values, fraction);
        expect(histogram.percentileUs(fraction)).toBeGreaterThanOrEqual(exact);
        expect(histogram.percentileUs(fraction)).toBeLessThanOrEqual(exact * (1 + 1 / 64));
      }
    }),
  );
});

test("the histograms of two workers add up to the histogram of both", () => {
  const [first, second, both] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
  for (const value of [1, 70, 5000]) {
    first.record(value);
    both.record(value);
  }
  for (const value of [2, 900_000]) {
    second.record(value);
    both.record(value);
  }
  first.add(second.parts());
  expect(first.count).toBe(5);
  expect(first.maxUs).toBe(900_000);
  expect(FRACTIONS.map((fraction) => first.percentileUs(fraction))).toEqual(
    FRACTIONS.map((fraction) => both.percentileUs(fraction)),
  );
});

test("a latency beyond the last bucket counts in the last bucket", () => {
  const histogram = new LatencyHistogram();
  histogram.record(1e12);
  histogram.record(-5);
  expect([histogram.count, histogram.percentileUs(0.5), histogram.percentileUs(1)]).toEqual([2, 0, 0x7fffffff]);
});
