import { expect, test } from "vitest";
import { metricTable, metricValues, newMetrics } from "../../src/metrics/index.js";

const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99, p999: 0.999 };

/** What `mntr` would tell of `readlatency` after these values. */
function told(values: readonly number[]): Map<string, number> {
  const metrics = newMetrics();
  for (const value of values) metrics.readlatency.add(value);
  return new Map(
    metricValues(metrics)
      .filter(([name]) => name.endsWith("_readlatency"))
      .map(([name, value]) => [name.slice(0, -"_readlatency".length), Number(value)]),
  );
}

test("without a value everything is 0", () => {
  expect([...told([]).values()]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("short times are told exactly", () => {
  const values = Array.from({ length: 1000 }, (_, i) => i % 50);
  expect(Object.fromEntries(told(values))).toEqual({
    avg: 24.5,
    min: 0,
    max: 49,
    cnt: 1000,
    sum: 24_500,
    p50: 24,
    p95: 47,
    p99: 49,
    p999: 49,
  });
});

test("a percentile is never too low, at most a thirty-second too high, and never above the greatest value", () => {
  for (const scale of [1, 3, 70, 997, 40_000, 1_000_003]) {
    const values = Array.from({ length: 2000 }, (_, i) => ((i * 7919) % 2000) * scale);
    const sorted = values.toSorted((one, other) => one - other);
    const found = told(values);
    for (const [name, share] of Object.entries(SHARES)) {
      const exact = sorted[Math.ceil(sorted.length * share) - 1]!;
      expect(found.get(name)).toBeGreaterThanOrEqual(exact);
      expect(found.get(name)).toBeLessThanOrEqual(Math.min(exact * (1 + 1 / 32), sorted.at(-1)!));
    }
  }
});

test("the averages have Java's decimals", () => {
  const metrics = newMetrics();
  const average = () => metricValues(metrics).find(([name]) => name === "avg_fsynctime")?.[1];
  expect(average()).toBe("0.0");
  for (const ms of [1, 1, 2]) metrics.fsynctime.add(ms);
  expect(average()).toBe("1.3333");
  metrics.fsynctime.add(2);
  expect(average()).toBe("1.5");
});

test("every metric has a name of Apache's kind and a sentence", () => {
  for (const [name, { help }] of Object.entries(metricTable)) {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(help).toMatch(/^\S.*[^.\s]$/);
  }
});
