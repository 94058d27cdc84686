import { describe, expect, test } from "vitest";
import {
  MajorityQuorum,
  makeZxid,
  NewLeaderAcks,
  ProtocolViolation,
  type SyncBeginning,
  SyncIntake,
} from "../../src/zab/index.js";

const E1 = makeZxid(1, 0);
const E2 = makeZxid(2, 0);
const E3 = makeZxid(3, 0);

function intake(beginning: Partial<SyncBeginning> = {}): SyncIntake {
  return new SyncIntake({ role: "follower", mode: "diff", epoch: 2, baseZxid: E1 + 5, ...beginning });
}

function violation(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.code;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a learner that is synchronized", () => {
  test.each(["diff", "trunc", "snap"] as const)(
    "logs what is committed before NEWLEADER, the rest after UPTODATE: %s",
    (mode) => {
      const sync = intake({ mode });
      for (const zxid of [E1 + 6, E1 + 7]) {
        expect(sync.proposal(zxid)).toBe("take");
        expect(sync.commit(zxid)).toBe("take");
        expect(sync.committedThrough).toBe(zxid);
      }
      sync.proposal(E2 + 1);
      sync.proposal(E2 + 2);
      sync.commit(E2 + 1);
      expect(sync.newLeader(E2)).toBe(E2 + 1);
      sync.proposal(E2 + 3);
      sync.commit(E2 + 2);
      const pending = sync.upToDate();
      expect([pending.lastCommitted, pending.lastProposed, pending.count]).toEqual([E2 + 2, E2 + 3, 1]);
      pending.commit(E2 + 3);
    },
  );

  test("takes a commit between NEWLEADER and UPTODATE of a proposal from before", () => {
    const sync = intake();
    sync.proposal(E2 + 1);
    expect(sync.newLeader(E2)).toBe(E1 + 5);
    sync.commit(E2 + 1);
    expect(sync.upToDate().lastCommitted).toBe(E2 + 1);
  });

  test("needs nothing logged where it was in step", () => {
    const sync = intake();
    expect(sync.newLeader(E2)).toBe(E1 + 5);
    const pending = sync.upToDate();
    pending.proposal(E2 + 1);
    expect(pending.count).toBe(1);
  });

  test("refuses a history with a hole, at its beginning, within it and behind NEWLEADER", () => {
    expect(violation(() => intake().proposal(E1 + 7))).toBe("GAP");
    expect(violation(() => intake().proposal(E1 + 5))).toBe("GAP");
    expect(violation(() => intake({ mode: "trunc" }).proposal(E1 + 4))).toBe("GAP");
    expect(violation(() => intake({ mode: "snap" }).proposal(E1 + 7))).toBe("GAP");
    const sync = intake();
    sync.proposal(E1 + 6);
    expect(violation(() => sync.proposal(E1 + 8))).toBe("GAP");
    sync.commit(E1 + 6);
    sync.newLeader(E2);
    expect(violation(() => sync.proposal(E1 + 7))).toBe("GAP");
    expect(violation(() => sync.proposal(E2 + 2))).toBe("GAP");
    sync.proposal(E2 + 1);
  });

  test("refuses commits of anything but the oldest pending proposal", () => {
    const sync = intake();
    expect(violation(() => sync.commit(E1 + 6))).toBe("COMMIT_OUT_OF_ORDER");
    sync.proposal(E1 + 6);
    sync.proposal(E1 + 7);
    expect(violation(() => sync.commit(E1 + 7))).toBe("COMMIT_OUT_OF_ORDER");
  });

  test("passes over what the snapshot holds: Apache begins to forward before it takes the snapshot's zxid", () => {
    const sync = intake({ mode: "snap", baseZxid: E2 + 10 });
    expect(sync.proposal(E2 + 9)).toBe("covered");
    expect(sync.commit(E2 + 9)).toBe("covered");
    expect(sync.proposal(E2 + 10)).toBe("covered");
    expect(sync.proposal(E2 + 11)).toBe("take");
    expect(sync.commit(E2 + 10)).toBe("covered");
    expect(sync.commit(E2 + 11)).toBe("take");
    expect(violation(() => sync.proposal(E2 + 10))).toBe("GAP");
    expect(sync.newLeader(E2)).toBe(E2 + 11);
  });

  test("takes INFORM as an observer, each one continuing the last", () => {
    const sync = intake({ role: "observer" });
    sync.proposal(E1 + 6);
    sync.commit(E1 + 6);
    expect(sync.inform(E1 + 7)).toBe("take");
    expect(sync.newLeader(E2)).toBe(E1 + 7);
    expect(sync.inform(E2 + 1)).toBe("take");
    expect(sync.inform(E2 + 2)).toBe("take");
    expect(violation(() => sync.inform(E2 + 4))).toBe("GAP");
    expect(sync.upToDate().lastCommitted).toBe(E2 + 2);
  });

  test("passes over an INFORM of what the snapshot holds", () => {
    const sync = intake({ role: "observer", mode: "snap" });
    expect(sync.inform(E1 + 5)).toBe("covered");
    expect(sync.inform(E1 + 6)).toBe("take");
  });

  test("refuses INFORM as a follower, and proposals left without a commit as an observer", () => {
    expect(violation(() => intake().inform(E1 + 6))).toBe("UNEXPECTED_PACKET");
    const sync = intake({ role: "observer" });
    sync.proposal(E1 + 6);
    sync.newLeader(E2);
    expect(violation(() => sync.upToDate())).toBe("UNEXPECTED_PACKET");
  });

  test("refuses another epoch's NEWLEADER, a second one, and UPTODATE before it or again", () => {
    const sync = intake();
    expect(violation(() => sync.upToDate())).toBe("UNEXPECTED_PACKET");
    for (const zxid of [E1, E3, E2 + 1]) expect(violation(() => sync.newLeader(zxid))).toBe("FOREIGN_EPOCH");
    sync.newLeader(E2);
    expect(violation(() => sync.newLeader(E2))).toBe("UNEXPECTED_PACKET");
    sync.upToDate();
    expect(violation(() => sync.upToDate())).toBe("UNEXPECTED_PACKET");
    expect(() => sync.proposal(E2 + 1)).toThrow("PROPOSAL was given to a synchronization that is over");
  });

  test("refuses a snapshot and proposals from beyond the leader's epoch", () => {
    expect(violation(() => intake({ mode: "snap", baseZxid: E3 + 1 }))).toBe("FOREIGN_EPOCH");
    expect(violation(() => intake().proposal(E3 + 1))).toBe("GAP");
  });
});

describe("the acks of NEWLEADER", () => {
  const three = new MajorityQuorum(new Set([1, 2, 3]));

  test("establish a leader with a quorum of voters, each counted once", () => {
    const acks = new NewLeaderAcks(2, [three]);
    expect(acks.ack(1, E2)).toBe("counted");
    acks.ack(1, E2);
    expect(acks.ack(9, E2)).toBe("not-counted");
    expect(acks.established).toBe(false);
    acks.ack(3, E2);
    expect(acks.established).toBe(true);
  });

  test("do not count for anything but the epoch's beginning", () => {
    const acks = new NewLeaderAcks(2, [three]);
    acks.ack(1, E2);
    for (const zxid of [E1, E3, E2 + 1, -1]) expect(acks.ack(2, zxid)).toBe("not-counted");
    expect(acks.established).toBe(false);
  });

  test("must be a quorum of every configuration", () => {
    const acks = new NewLeaderAcks(2, [three, new MajorityQuorum(new Set([3, 4, 5]))]);
    for (const sid of [1, 2, 4]) expect(acks.ack(sid, E2)).toBe("counted");
    expect(acks.established).toBe(false);
    acks.ack(3, E2);
    expect(acks.established).toBe(true);
  });
});
