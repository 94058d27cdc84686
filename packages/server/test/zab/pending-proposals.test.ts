import { describe, expect, test } from "vitest";
import { makeZxid, PendingProposals, ProtocolViolation, type ViolationCode } from "../../src/zab/index.js";

const E1 = makeZxid(1, 0);
const E2 = makeZxid(2, 0);
const E3 = makeZxid(3, 0);

function violation(act: () => unknown): { code: ViolationCode; message: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolViolation) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a learner's pending proposals", () => {
  test("come one after the other and are committed oldest first", () => {
    const pending = new PendingProposals(2, E1 + 7);
    for (const zxid of [E1 + 8, E2 + 1, E2 + 2]) pending.proposal(zxid);
    expect([pending.count, pending.lastProposed, pending.lastCommitted]).toEqual([3, E2 + 2, E1 + 7]);
    for (const zxid of [E1 + 8, E2 + 1, E2 + 2]) {
      pending.commit(zxid);
      expect(pending.lastCommitted).toBe(zxid);
    }
    expect(pending.count).toBe(0);
  });

  test("may be committed as they come, over several epochs", () => {
    const pending = new PendingProposals(3, 0);
    for (const zxid of [1, 2, E1 + 1, E1 + 2, E3 + 1]) {
      pending.proposal(zxid);
      pending.commit(zxid);
    }
    expect(pending.lastCommitted).toBe(E3 + 1);
  });

  test.each([
    ["skips one", E2 + 7],
    ["comes again", E2 + 5],
    ["goes back", E2 + 1],
    ["begins an epoch with counter 0", E3],
    ["begins an epoch with counter 2", E3 + 2],
    ["is of an older epoch", E1 + 6],
    ["is of an epoch beyond the leader's", makeZxid(4, 1)],
  ])("are refused where a proposal %s", (_what, zxid) => {
    const pending = new PendingProposals(3, E2 + 5);
    expect(violation(() => pending.proposal(zxid)).code).toBe("GAP");
    pending.proposal(E2 + 6);
  });

  test("are refused where a commit is not of the oldest", () => {
    const pending = new PendingProposals(2, E1 + 5);
    expect(violation(() => pending.commit(E1 + 6))).toEqual({
      code: "COMMIT_OUT_OF_ORDER",
      message: "the leader of epoch 2 committed 0x100000006, but no proposal is pending",
    });
    for (const zxid of [E2 + 1, E2 + 2]) pending.proposal(zxid);
    for (const zxid of [E1 + 6, E2 + 2, E2 + 3, E1 + 5]) {
      expect(violation(() => pending.commit(zxid)).message).toContain("but 0x200000001 is the oldest pending");
    }
    pending.commit(E2 + 1);
    expect(violation(() => pending.commit(E2 + 1)).code).toBe("COMMIT_OUT_OF_ORDER");
  });

  test("say what is missing", () => {
    const pending = new PendingProposals(2, E2 + 5);
    expect(violation(() => pending.proposal(E2 + 9)).message).toBe(
      "the leader of epoch 2 proposed 0x200000009 after 0x200000005: that is not the next txn, so some would be missing here",
    );
  });

  test("leave older epochs behind when the leader's begins", () => {
    const pending = new PendingProposals(2, E1 + 5);
    pending.beginEpoch();
    expect(violation(() => pending.proposal(E1 + 6)).code).toBe("GAP");
    expect(pending.lastCommitted).toBe(E1 + 5);
    pending.proposal(E2 + 1);
    pending.commit(E2 + 1);
  });

  test("keep what is pending when the leader's epoch begins", () => {
    const pending = new PendingProposals(2, E1 + 5);
    pending.proposal(E1 + 6);
    pending.beginEpoch();
    pending.beginEpoch();
    pending.proposal(E2 + 1);
    pending.commit(E1 + 6);
    pending.commit(E2 + 1);
    expect([pending.count, pending.lastCommitted]).toEqual([0, E2 + 1]);
  });
});
