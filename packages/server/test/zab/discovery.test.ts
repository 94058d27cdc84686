import { describe, expect, test } from "vitest";
import {
  acceptEpoch,
  EPOCH_ALREADY_ACCEPTED,
  EpochAcks,
  EpochProposal,
  HierarchicalQuorum,
  MajorityQuorum,
  makeZxid,
} from "../../src/zab/index.js";

const three = new MajorityQuorum(new Set([1, 2, 3]));

describe("the epoch a leader proposes", () => {
  test("is one more than any epoch accepted by its quorum", () => {
    const proposal = new EpochProposal(3, 4, three);
    expect(proposal.epoch).toBeUndefined();
    expect(proposal.contribute(1, 7)).toBe(8);
    expect(proposal.epoch).toBe(8);
  });

  test("is raised by learners without a vote, which do not complete the quorum", () => {
    const proposal = new EpochProposal(3, 4, three);
    expect(proposal.contribute(9, 20)).toBeUndefined();
    expect(proposal.contribute(-1, 10)).toBeUndefined();
    expect(proposal.contribute(2, 5)).toBe(21);
  });

  test("does not change when a learner comes late with a higher one", () => {
    const proposal = new EpochProposal(3, 0, three);
    proposal.contribute(2, 0);
    expect(proposal.contribute(1, 50)).toBe(1);
    expect(proposal.epoch).toBe(1);
  });

  test("needs the leader itself among the voters that are counted", () => {
    const proposal = new EpochProposal(9, 0, three);
    expect([1, 2, 3].map((sid) => proposal.contribute(sid, 0))).toEqual([undefined, undefined, undefined]);
  });

  test("is fixed at once where the leader is the only voter", () => {
    expect(new EpochProposal(1, 6, new MajorityQuorum(new Set([1]))).epoch).toBe(7);
  });

  test("counts a server once however often it reconnects", () => {
    const five = new MajorityQuorum(new Set([1, 2, 3, 4, 5]));
    const proposal = new EpochProposal(3, 0, five);
    expect([1, 1, 1, 3].map((sid) => proposal.contribute(sid, 0))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(proposal.contribute(2, 0)).toBe(1);
  });
});

describe("the acks of an epoch", () => {
  const summary = { currentEpoch: 5, lastZxid: makeZxid(5, 10) };

  test("finish with a quorum that has no longer history than the leader", () => {
    const acks = new EpochAcks(3, summary, three);
    expect(acks.finished).toBe(false);
    expect(acks.contribute(2, 5, makeZxid(5, 10))).toBe("counted");
    expect(acks.finished).toBe(true);
  });

  test.each([
    [6, 0],
    [6, makeZxid(6, 1)],
    [5, makeZxid(5, 11)],
  ])("refuse a learner of epoch %d with zxid %d, voter or not", (currentEpoch, lastZxid) => {
    const acks = new EpochAcks(3, summary, three);
    expect(acks.contribute(2, currentEpoch, lastZxid)).toBe("refused");
    expect(acks.contribute(9, currentEpoch, lastZxid)).toBe("refused");
    expect(acks.finished).toBe(false);
  });

  test("take a longer log of an older epoch: the epoch decides first", () => {
    const acks = new EpochAcks(3, summary, three);
    expect(acks.contribute(2, 4, makeZxid(5, 99))).toBe("counted");
  });

  test("let in, and do not count, who has accepted before, who has no database and who has no vote", () => {
    const acks = new EpochAcks(3, summary, three);
    expect(acks.contribute(1, EPOCH_ALREADY_ACCEPTED, makeZxid(9, 9))).toBe("not-counted");
    expect(acks.contribute(1, 0, -1)).toBe("not-counted");
    expect(acks.contribute(9, 5, 0)).toBe("not-counted");
    expect(acks.finished).toBe(false);
  });

  test("compare nobody any more once they are finished", () => {
    const acks = new EpochAcks(3, summary, three);
    acks.contribute(2, 5, 0);
    expect(acks.contribute(1, 7, makeZxid(7, 1))).toBe("not-counted");
    expect(acks.finished).toBe(true);
  });

  test("follow the configuration's own idea of a quorum", () => {
    const groups = new Map([
      [1, [1, 2, 3]],
      [2, [4, 5, 6]],
    ]);
    const acks = new EpochAcks(1, summary, new HierarchicalQuorum(new Set([1, 2, 3, 4, 5, 6]), groups, new Map()));
    for (const sid of [2, 3, 4]) acks.contribute(sid, 5, 0);
    expect(acks.finished).toBe(false);
    acks.contribute(5, 5, 0);
    expect(acks.finished).toBe(true);
  });
});

test("a learner accepts a higher epoch, repeats its promise of the same one and refuses a lower", () => {
  expect(acceptEpoch(4, 5)).toBe("accept");
  expect(acceptEpoch(5, 5)).toBe("accept-again");
  expect(acceptEpoch(6, 5)).toBe("refuse");
});
