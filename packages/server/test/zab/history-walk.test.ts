import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HistoryWalk, makeZxid, planSync } from "../../src/zab/index.js";

const E1 = makeZxid(1, 0);
const E2 = makeZxid(2, 0);
const E3 = makeZxid(3, 0);

function walk(peerLastZxid: number, history: readonly number[]): { sent: number[]; walk: HistoryWalk } | "give-up" {
  const walk = new HistoryWalk(peerLastZxid);
  const sent: number[] = [];
  for (const zxid of history) {
    const step = walk.next(zxid);
    if (step === "give-up") return step;
    if (step === "send") sent.push(zxid);
  }
  return walk.hasJoined ? { sent, walk } : "give-up";
}

function sent(peerLastZxid: number, history: readonly number[]): number[] | "give-up" {
  const result = walk(peerLastZxid, history);
  return result === "give-up" ? result : result.sent;
}

describe("walking the leader's history for a learner", () => {
  const history = [E1 + 1, E1 + 2, E1 + 3, E2 + 1, E2 + 2, E3 + 1];

  test("sends what is behind its last txn, over epochs", () => {
    for (const [index, zxid] of history.entries()) expect(sent(zxid, history)).toEqual(history.slice(index + 1));
  });

  test("says how far the learner is brought", () => {
    expect(walk(E1 + 2, history)).toMatchObject({ walk: { covered: E3 + 1 } });
    expect(walk(E3 + 1, history)).toMatchObject({ walk: { covered: E3 + 1 } });
    expect(new HistoryWalk(E1 + 2).covered).toBe(E1 + 2);
  });

  test("gives up where the learner has a txn of an epoch which ended without it", () => {
    expect(sent(E1 + 4, history)).toBe("give-up");
    expect(sent(E2 + 3, history)).toBe("give-up");
  });

  test("gives up where the learner's last txn is not reached or lies before the first", () => {
    expect(sent(E3 + 2, history)).toBe("give-up");
    expect(sent(E1 + 1, [E1 + 3, E1 + 4])).toBe("give-up");
    expect(sent(5, [])).toBe("give-up");
  });

  test("joins a learner that holds the beginning of an epoch", () => {
    expect(sent(E2, history)).toEqual([E2 + 1, E2 + 2, E3 + 1]);
    expect(sent(E2, [E1 + 3, E3 + 1])).toEqual([E3 + 1]);
    expect(sent(E2, [E2 + 1])).toEqual([E2 + 1]);
    expect(sent(E2, [E2 + 2])).toBe("give-up");
    expect(sent(E2, [E3 + 1])).toBe("give-up");
    expect(sent(E2, [E1 + 3, E2 + 2])).toBe("give-up");
  });

  test("never crosses a hole, which the learner could not see", () => {
    expect(
      sent(
        E1 + 3,
        [1, 2, 3, 4, 5, 0x33, 0x34].map((counter) => E1 + counter),
      ),
    ).toBe("give-up");
    expect(sent(E1 + 3, [E1 + 2, E1 + 3, E2 + 2])).toBe("give-up");
    expect(sent(E1 + 5, [E1 + 3, E1 + 5, E1 + 6])).toEqual([E1 + 6]);
  });

  test("takes log and memory one after the other, with what is in both", () => {
    const inMemory = [E2 + 1, E2 + 2, E3 + 1];
    expect(sent(E1 + 2, [...history.slice(0, 5), ...inMemory])).toEqual(history.slice(2));
    expect(sent(E1 + 2, [...history.slice(0, 4), ...inMemory])).toEqual(history.slice(2));
    expect(sent(E1 + 2, [...history.slice(0, 2), E2 + 2, E3 + 1])).toBe("give-up");
  });
});

describe("the plan for a learner", () => {
  /** reference 7.2, observed with 3.8.0 */
  const leader = { lastProcessed: E1 + 8, committed: { min: E1 + 1, max: E1 + 8 }, logReachesPeer: false };

  test.each([
    [E1 + 8, { kind: "diff", zxid: E1 + 8, from: "nothing" }],
    [E1 + 3, { kind: "diff", zxid: E1 + 8, from: "memory" }],
    [E1 + 1, { kind: "diff", zxid: E1 + 8, from: "memory" }],
    [E1 + 9, { kind: "trunc", zxid: E1 + 8 }],
    [E2 + 1, { kind: "trunc", zxid: E1 + 8 }],
    [0, { kind: "snap", zxid: E1 + 8 }],
    [E1, { kind: "snap", zxid: E1 + 8 }],
    [5, { kind: "snap", zxid: E1 + 8 }],
    [E2, { kind: "snap", zxid: E1 + 8 }],
    [-1, { kind: "snap", zxid: E1 + 8 }],
  ] as const)("is Apache's for the last zxid %d", (peerLastZxid, plan) => {
    expect(planSync({ ...leader, peerLastZxid })).toEqual(plan);
  });

  test("uses the log only below what is in memory", () => {
    const inputs = { ...leader, committed: { min: E1 + 5, max: E1 + 8 }, logReachesPeer: true };
    expect(planSync({ ...inputs, peerLastZxid: E1 + 3 })).toEqual({ kind: "diff", zxid: E1 + 8, from: "log" });
    expect(planSync({ ...inputs, peerLastZxid: E1 + 5 })).toMatchObject({ from: "memory" });
    expect(planSync({ ...inputs, peerLastZxid: -1 })).toMatchObject({ kind: "snap" });
    expect(planSync({ ...inputs, logReachesPeer: false, peerLastZxid: E1 + 3 })).toMatchObject({ kind: "snap" });
  });

  test("knows a leader that has begun its epoch and proposed nothing yet", () => {
    const begun = { lastProcessed: E2, committed: { min: E1 + 1, max: E1 + 8 }, logReachesPeer: false };
    expect(planSync({ ...begun, peerLastZxid: E2 })).toEqual({ kind: "diff", zxid: E2, from: "nothing" });
    expect(planSync({ ...begun, peerLastZxid: E1 + 8 })).toEqual({ kind: "diff", zxid: E1 + 8, from: "memory" });
    expect(planSync({ ...begun, peerLastZxid: E1 + 9 })).toEqual({ kind: "trunc", zxid: E1 + 8 });
    const empty = { lastProcessed: E1, committed: undefined, logReachesPeer: false };
    expect(planSync({ ...empty, peerLastZxid: 0 })).toEqual({ kind: "snap", zxid: E1 });
    expect(planSync({ ...empty, lastProcessed: 0, peerLastZxid: 0 })).toMatchObject({ kind: "diff", from: "nothing" });
    expect(planSync({ ...empty, peerLastZxid: E1 + 1 })).toEqual({ kind: "trunc", zxid: E1 });
  });
});

/** Txns per epoch, so that histories share beginnings as those of one ensemble do. */
const histories = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 5 });

function historyOf(lengths: readonly number[]): number[] {
  return lengths.flatMap((length, epoch) => Array.from({ length }, (_, i) => makeZxid(epoch + 1, i + 1)));
}

/**
 * Two histories of one ensemble are the same up to some epoch, in which one may be longer; what differs
 * after that was never committed on one of the sides.
 */
test("property: whatever a plan and a walk tell a learner to do makes its history the leader's", () => {
  const kinds = new Map<string, number>();
  const check = (lengths: number[], shared: number, extra: number, keptInMemory: number, logReaches: boolean) => {
    const leader = historyOf(lengths);
    const sharedLengths = lengths.slice(0, shared);
    const last = sharedLengths.length;
    const learner = historyOf(
      last === 0 ? [] : [...sharedLengths.slice(0, -1), Math.max(0, sharedLengths[last - 1]! + extra)],
    );
    const memory = leader.slice(-keptInMemory);
    const peerLastZxid = learner.at(-1) ?? 0;
    const plan = planSync({
      peerLastZxid,
      lastProcessed: leader.at(-1) ?? 0,
      committed: memory.length === 0 ? undefined : { min: memory[0]!, max: memory.at(-1)! },
      logReachesPeer: logReaches && (leader[0] ?? Number.POSITIVE_INFINITY) <= peerLastZxid,
    });
    let result = plan.kind === "trunc" ? learner.filter((zxid) => zxid <= plan.zxid) : learner;
    let kind: string = plan.kind;
    if (plan.kind === "diff" && plan.from !== "nothing") {
      const toSend = sent(peerLastZxid, plan.from === "memory" ? memory : [...leader.slice(0, -1), ...memory]);
      if (toSend === "give-up") kind = "snap";
      else result = [...result, ...toSend];
    }
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (kind !== "snap") expect(result).toEqual(leader);
  };
  fc.assert(
    fc.property(
      histories,
      fc.nat({ max: 5 }),
      fc.integer({ min: -3, max: 2 }),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      check,
    ),
    { numRuns: 3000, seed: 1 },
  );
  for (const kind of ["diff", "trunc", "snap"]) expect(kinds.get(kind)).toBeGreaterThan(100);
});
