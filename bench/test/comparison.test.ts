import { expect, test } from "vitest";
import {
  type Comparison,
  comparisonPicture,
  comparisonRows,
  type Measurement,
  ratiosOf,
} from "../src/compare/comparison.js";
import { parseVersion } from "../src/servers/environment.js";

function row(round: number, server: string, opsPerSecond: number, cpuUsPerOp: number): Measurement {
  const latencies = { p50Us: 1, p90Us: 2, p99Us: 3, p999Us: 4, maxUs: 5 };
  return {
    round,
    server,
    load: "get -c 50",
    opsPerSecond,
    cpuUsPerOp,
    rssMib: 100,
    generatorPercent: 50,
    ...latencies,
  };
}

function comparison(rows: readonly Measurement[], servers: readonly string[]): Comparison {
  const startupMs = Object.fromEntries(servers.map((server) => [server, [100]]));
  const environment = { date: "2026-01-01", node: "20", cores: 2, servers: {} };
  return { command: "npm run bench", environment, rounds: 3, secondsPerLoad: 4, startupMs, rows };
}

const both = comparison(
  [
    row(1, "ours", 300, 2),
    row(1, "theirs", 100, 8),
    row(2, "ours", 9000, 2),
    row(2, "theirs", 1, 8),
    row(3, "ours", 200, 2),
    row(3, "theirs", 150, 8),
  ],
  ["ours", "theirs"],
);

test("ratios are of medians, and above 1 where the first server is better, for CPU too", () => {
  expect(ratiosOf(both)).toEqual([{ load: "get -c 50", throughput: 3, economy: 4, memory: 1 }]);
});

test("a server measured alone has figures, no ratios and no picture", () => {
  const alone = comparison([row(1, "ours", 300, 2)], ["ours"]);
  expect(comparisonRows(alone)[1]!.slice(0, 4)).toEqual(["get -c 50", "ours", "300", ""]);
  expect(comparisonPicture(alone)).toBeUndefined();
});

test.each([
  ["Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on 2022-02-25", "3.8.0"],
  ["Zookeeper version: 3.9.4-watchkeeper-0.1.0, built on 2026-11-23 00:00 UTC", "0.1.0"],
  ["", "of unknown version"],
])("the version in %j is %s", (answer, version) => {
  expect(parseVersion(answer)).toBe(version);
});
