import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  COUNTER_MAX,
  HierarchicalQuorum,
  MajorityQuorum,
  makeZxid,
  Proposals,
  type QuorumVerifier,
} from "../../src/zab/index.js";

const EPOCH = 2;
const three = new MajorityQuorum(new Set([1, 2, 3]));

/** Counter to zxid: of the epoch that all these tests are in. */
function z(counter: number): number {
  return makeZxid(EPOCH, counter);
}

function leading(verifiers: readonly QuorumVerifier[], proposed: number, learners: readonly number[] = []): Proposals {
  const proposals = new Proposals(1, EPOCH, verifiers);
  for (const sid of learners) {
    proposals.startForwarding(sid);
    proposals.newLeaderAcked(sid);
  }
  for (let counter = 1; counter <= proposed; counter++) proposals.propose(z(counter));
  return proposals;
}

describe("a proposal is committed", () => {
  test("when a quorum has acknowledged it, the leader among them or not", () => {
    const proposals = leading([three], 3, [2, 3]);
    expect(proposals.ack(1, z(1))).toBe(z(0));
    expect(proposals.ack(2, z(2))).toBe(z(1));
    expect(proposals.ack(3, z(3))).toBe(z(2));
    expect(proposals.ack(2, z(3))).toBe(z(3));
    expect(proposals.outstandingCount).toBe(0);
  });

  test("together with all before it, since an ack of a log without a hole is one of them all", () => {
    const proposals = leading([three], 500, [2]);
    proposals.ack(1, z(500));
    expect(proposals.ack(2, z(420))).toBe(z(420));
    expect(proposals.outstandingCount).toBe(80);
  });

  test("not by servers without a vote", () => {
    const proposals = leading([three], 1, [7, 8]);
    for (const sid of [1, 7, 8]) proposals.ack(sid, z(1));
    expect(proposals.lastCommitted).toBe(z(0));
  });

  test("not by one server acknowledging again and again", () => {
    const proposals = leading([three], 2, [2]);
    for (let i = 0; i < 5; i++) proposals.ack(2, z(2));
    expect(proposals.lastCommitted).toBe(z(0));
  });

  test("at once where the leader is the only voter", () => {
    const proposals = leading([new MajorityQuorum(new Set([1]))], 4);
    expect(proposals.ack(1, z(4))).toBe(z(4));
  });
});

describe("an ack is ignored", () => {
  test.each([
    ["of NEWLEADER or UPTODATE", makeZxid(EPOCH, 0)],
    ["of what is committed", z(1)],
    ["of what was never proposed", z(4)],
    ["of an older epoch", makeZxid(EPOCH - 1, 900)],
    ["of a later epoch", makeZxid(EPOCH + 1, 1)],
  ])("%s", (_what, zxid) => {
    const proposals = leading([three], 3, [2, 3]);
    proposals.ack(1, z(1));
    expect(proposals.ack(2, z(1))).toBe(z(1));
    expect(proposals.ack(2, zxid)).toBe(z(1));
    expect(proposals.ack(3, zxid)).toBe(z(1));
  });

  test("that comes from a server which nothing is forwarded to", () => {
    const proposals = leading([three], 1);
    proposals.ack(1, z(1));
    expect(proposals.ack(2, z(1))).toBe(z(0));
  });

  test("that goes back", () => {
    const proposals = leading([three], 3, [2]);
    proposals.ack(2, z(3));
    proposals.ack(2, z(1));
    expect(proposals.ack(1, z(3))).toBe(z(3));
  });
});

describe("a learner's acks", () => {
  test("before its NEWLEADER ack are remembered and count with it", () => {
    const proposals = leading([three], 3);
    proposals.startForwarding(2);
    proposals.ack(1, z(3));
    expect(proposals.ack(2, z(1))).toBe(z(0));
    expect(proposals.ack(2, z(2))).toBe(z(0));
    expect(proposals.newLeaderAcked(2)).toBe(z(2));
    expect(proposals.ack(2, z(3))).toBe(z(3));
  });

  test("of an earlier connection are forgotten when it is synchronized anew: it may have been told to cut its log", () => {
    const proposals = leading([three], 5, [2]);
    proposals.ack(2, z(5));
    proposals.startForwarding(2);
    expect(proposals.ack(1, z(5))).toBe(z(0));
    proposals.newLeaderAcked(2);
    expect(proposals.lastCommitted).toBe(z(0));
    expect(proposals.ack(2, z(4))).toBe(z(4));
  });

  test("that are forgotten take no commit back", () => {
    const proposals = leading([three], 5, [2]);
    proposals.ack(1, z(3));
    expect(proposals.ack(2, z(3))).toBe(z(3));
    proposals.startForwarding(2);
    expect(proposals.lastCommitted).toBe(z(3));
  });
});

describe("while the configuration changes", () => {
  const next = new MajorityQuorum(new Set([3, 4, 5]));

  test("what was proposed before needs the old quorum alone, what comes then a quorum of both", () => {
    const proposals = leading([three], 2, [2, 3, 4, 5]);
    proposals.changeQuorums([three, next]);
    for (let counter = 3; counter <= 5; counter++) proposals.propose(z(counter));
    proposals.ack(1, z(5));
    expect(proposals.ack(2, z(4))).toBe(z(2));
    expect(proposals.ack(4, z(5))).toBe(z(2));
    expect(proposals.ack(5, z(3))).toBe(z(3));
    expect(proposals.ack(3, z(5))).toBe(z(5));
  });

  test("a quorum of the new configuration alone commits nothing", () => {
    const proposals = leading([three], 0, [3, 4, 5]);
    proposals.changeQuorums([three, next]);
    proposals.propose(z(1));
    for (const sid of [3, 4, 5]) proposals.ack(sid, z(1));
    expect(proposals.lastCommitted).toBe(z(0));
    expect(proposals.ack(1, z(1))).toBe(z(1));
  });

  test("a stretch in which nothing was proposed is passed over", () => {
    const proposals = leading([three], 1, [2, 4, 5]);
    proposals.changeQuorums([three, next]);
    proposals.changeQuorums([next]);
    proposals.propose(z(2));
    proposals.ack(1, z(2));
    expect(proposals.ack(2, z(2))).toBe(z(1));
    proposals.ack(4, z(2));
    expect(proposals.ack(5, z(2))).toBe(z(2));
  });
});

test("a proposal out of order, or beyond the last counter, is a bug that is told", () => {
  const proposals = leading([three], 1);
  expect(() => proposals.propose(z(3))).toThrow("proposed 0x200000003 after 0x200000001");
  expect(() => proposals.propose(z(1))).toThrow("proposed");
  expect(proposals.isExhausted).toBe(false);
  expect(COUNTER_MAX).toBe(0xfffffffe);
  (proposals as unknown as { proposed: number }).proposed = z(COUNTER_MAX);
  expect(proposals.isExhausted).toBe(true);
  expect(() => proposals.propose(z(COUNTER_MAX + 1))).toThrow("proposed");
});

/** As the reference has it: a set of servers for every proposal. */
class NaiveProposals {
  committed = 0;
  private readonly proposals: { verifiers: readonly QuorumVerifier[]; acks: Set<number> }[] = [];

  propose(verifiers: readonly QuorumVerifier[]): void {
    this.proposals.push({ verifiers, acks: new Set() });
  }

  ackThrough(sid: number, counter: number): void {
    for (let i = 0; i < counter; i++) this.proposals[i]!.acks.add(sid);
  }

  /** The proposals that are outstanding and so sent anew are not acknowledged any more. */
  forget(sid: number): void {
    for (const { acks } of this.proposals.slice(this.committed)) acks.delete(sid);
  }

  tryToCommit(): number {
    for (;;) {
      const next = this.proposals[this.committed];
      if (next === undefined) return this.committed;
      const reached = next.verifiers.every(({ voters, containsQuorum }, i) =>
        containsQuorum.call(next.verifiers[i], new Set([...next.acks].filter((sid) => voters.has(sid)))),
      );
      if (!reached) return this.committed;
      this.committed++;
    }
  }
}

const systems: readonly QuorumVerifier[] = [
  three,
  new MajorityQuorum(new Set([1, 2, 3, 4, 5])),
  new HierarchicalQuorum(
    new Set([1, 2, 3, 4, 5]),
    new Map([
      [1, [1, 2]],
      [2, [3]],
      [3, [4, 5]],
    ]),
    new Map([
      [1, 3],
      [4, 0],
    ]),
  ),
];
const verifierLists = fc.subarray([...systems], { minLength: 1, maxLength: 2 });
const servers = fc.integer({ min: 1, max: 6 });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ step: fc.constant("ack" as const), sid: servers, ahead: fc.nat({ max: 6 }) }) },
    { weight: 4, arbitrary: fc.record({ step: fc.constant("propose" as const) }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant("quorums" as const), verifiers: verifierLists }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant("sync" as const), sid: fc.integer({ min: 2, max: 6 }) }) },
  ),
  { minLength: 40, maxLength: 120, size: "max" },
);

test("property: the commit point is that of a set of acks for every proposal", () => {
  let commits = 0;
  const check = (first: readonly QuorumVerifier[], list: readonly Step[]) => {
    const naive = new NaiveProposals();
    const proposals = leading(first, 0, [2, 3, 4, 5, 6]);
    const acked = new Map<number, number>();
    let verifiers = first;
    let proposed = 0;
    for (const step of list) {
      if (step.step === "propose") {
        proposals.propose(z(++proposed));
        naive.propose(verifiers);
      } else if (step.step === "quorums") {
        verifiers = step.verifiers;
        proposals.changeQuorums(verifiers);
      } else if (step.step === "sync") {
        proposals.startForwarding(step.sid);
        proposals.newLeaderAcked(step.sid);
        naive.forget(step.sid);
        acked.set(step.sid, naive.committed);
      } else {
        const through = Math.min(proposed, (acked.get(step.sid) ?? 0) + step.ahead);
        acked.set(step.sid, through);
        naive.ackThrough(step.sid, through);
        proposals.ack(step.sid, z(through));
        expect(proposals.lastCommitted).toBe(z(naive.tryToCommit()));
      }
    }
    commits += naive.committed;
  };
  fc.assert(fc.property(verifierLists, steps, check), { numRuns: 300, seed: 1 });
  expect(commits).toBeGreaterThan(1000);
});

type Step =
  | { step: "ack"; sid: number; ahead: number }
  | { step: "propose" }
  | { step: "quorums"; verifiers: QuorumVerifier[] }
  | { step: "sync"; sid: number };
