import { describe, expect, test } from "vitest";
import { HierarchicalQuorum, MajorityQuorum, type QuorumVerifier } from "../../../src/zab/index.js";

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function subsets(sids: readonly number[]): Set<number>[] {
  return Array.from({ length: 2 ** sids.length }, (_, bits) => new Set(sids.filter((_sid, at) => (bits >> at) & 1)));
}

function expectIntersection(verifier: QuorumVerifier, sids: readonly number[]): number {
  const quorums = subsets(sids).filter((set) => verifier.containsQuorum(set));
  for (const one of quorums) {
    for (const other of quorums)
      if (![...one].some((sid) => other.has(sid))) expect.fail(`${[...one]} and ${[...other]} share no server`);
  }
  return quorums.length;
}

/** Every way to put the servers into groups, as the group of each. */
function groupings(count: number, groupsMax: number): number[][] {
  if (count === 0) return [[]];
  return groupings(count - 1, groupsMax).flatMap((head) => range(groupsMax).map((group) => [...head, group]));
}

function groupMap(groupOf: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const [at, group] of groupOf.entries()) groups.set(group, [...(groups.get(group) ?? []), at + 1]);
  return groups;
}

describe("majority", () => {
  test.each(range(7))("of %d voters: any two quorums share one, and all together are one", (count) => {
    const verifier = new MajorityQuorum(new Set(range(count)));
    expect(expectIntersection(verifier, range(count))).toBeGreaterThan(0);
    expect(verifier.containsQuorum(new Set(range(count)))).toBe(true);
    expect(verifier.containsQuorum(new Set(range(Math.floor(count / 2))))).toBe(false);
    expect(verifier.containsQuorum(new Set(range(Math.floor(count / 2) + 1)))).toBe(true);
  });

  test("servers that do not vote are not counted", () => {
    const verifier = new MajorityQuorum(new Set([1, 2, 3]));
    expect(verifier.containsQuorum(new Set([1, 7, 8, 9]))).toBe(false);
    expect(verifier.containsQuorum(new Set([1, 2, 7]))).toBe(true);
  });
});

describe("hierarchical", () => {
  test.each(range(5))("of %d voters in up to 3 groups with weights 0 to 2: any two quorums share one", (count) => {
    const sids = range(count);
    for (const groupOf of groupings(count, 3)) {
      for (const weightOf of groupings(count, 3).filter((_, at) => at % 7 === 0)) {
        const weights = new Map(sids.map((sid) => [sid, weightOf[sid - 1]! - 1]));
        const verifier = new HierarchicalQuorum(new Set(sids), groupMap(groupOf), weights);
        expectIntersection(verifier, sids);
        const isWeightless = [...weights.values()].every((weight) => weight === 0);
        if (verifier.containsQuorum(new Set(sids)) === isWeightless) {
          expect.fail(`all servers together: groups ${groupOf}, weights ${[...weights.values()]}`);
        }
      }
    }
  });

  test("three groups of three: a majority of two groups", () => {
    const groups = new Map([
      [1, [1, 2, 3]],
      [2, [4, 5, 6]],
      [3, [7, 8, 9]],
    ]);
    const verifier = new HierarchicalQuorum(new Set(range(9)), groups, new Map());
    expect(verifier.containsQuorum(new Set([1, 2, 4, 5]))).toBe(true);
    expect(verifier.containsQuorum(new Set([1, 2, 3, 4, 7]))).toBe(false);
    expect(verifier.containsQuorum(new Set([1, 2, 4, 7, 8]))).toBe(true);
  });

  test("a group that weighs nothing is not counted among the groups", () => {
    const groups = new Map([
      [1, [1]],
      [2, [2]],
    ]);
    const verifier = new HierarchicalQuorum(new Set([1, 2]), groups, new Map([[2, 0]]));
    expect(verifier.containsQuorum(new Set([1]))).toBe(true);
    expect(verifier.containsQuorum(new Set([2]))).toBe(false);
    expect(verifier.weightOf(2)).toBe(0);
    expect(verifier.weightOf(1)).toBe(1);
  });

  test("an observer's weight belongs to its group, and its word counts for nothing", () => {
    const verifier = new HierarchicalQuorum(new Set([1, 2]), new Map([[1, [1, 2, 3]]]), new Map([[3, 1]]));
    expect(verifier.containsQuorum(new Set([1, 3]))).toBe(false);
    expect(verifier.containsQuorum(new Set([1, 2]))).toBe(true);
  });
});
