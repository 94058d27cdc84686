import { describe, expect, test } from "vitest";
import {
  CANNOT_LEAD,
  ensemble,
  following,
  leading,
  looking,
  OneServer,
  type OneServerOptions,
  observing,
} from "./one-server.js";

/** Server 2 of three, in round 1 with (2, zxid 5, epoch 1), after its first broadcast. */
function lookingServer(options: OneServerOptions = {}): OneServer {
  const server = new OneServer(options).start();
  server.takeSent();
  return server;
}

/** Follows or leads; all it says afterwards is in `takeSent`. */
function decidedServer(leader: number): OneServer {
  const server = lookingServer();
  server.hear(leader === 2 ? 1 : leader, { leader });
  server.turn(200);
  expect(server.decided?.vote.leader).toBe(leader);
  server.takeSent();
  return server;
}

describe("receiving, in whatever state", () => {
  test("R1: a newer configuration is reported, and the vote beside it counts if nothing comes of it", () => {
    const server = lookingServer();
    const newer = ensemble([1, 2, 3, 4], [], "version=9");
    server.hear(3, { leader: 3, config: newer.text });
    expect(server.newerConfigs.map(({ text }) => text)).toEqual([newer.text]);
    expect(server.takeSent()).toMatchObject([{ to: [1, 3], leader: 3 }]);
  });

  test("R1: an election that was stopped over a newer configuration does not go on", () => {
    const server = lookingServer();
    server.onNewer = () => server.election.stop();
    server.hear(3, { leader: 3, config: ensemble([1, 2, 3, 4], [], "version=9").text });
    server.turn(60_000);
    expect(server.takeSent()).toEqual([]);
  });

  test.each([
    ["the same", ensemble([1, 2, 3]).text],
    ["another of the same version", ensemble([1, 2]).text],
    ["no configuration", "server.1=nonsense"],
    ["one in which nobody votes", "server.1=a:1:2:observer\nversion=9"],
  ])("R1: a configuration that is not newer is passed over, its vote counts: %s", (_what, config) => {
    const server = lookingServer();
    server.hear(3, { leader: 3, config });
    expect(server.newerConfigs).toEqual([]);
    expect(server.takeSent()).toMatchObject([{ leader: 3 }]);
  });

  test("R2: a newer configuration means nothing to a server that is not looking", () => {
    const server = decidedServer(3);
    server.hear(1, { config: ensemble([1, 2, 3, 4], [], "version=9").text });
    expect(server.newerConfigs).toEqual([]);
  });

  test("R3: while there is no leader a server that does not vote is told this server's own vote", () => {
    const server = lookingServer({ config: ensemble([1, 2, 3], [7]) });
    server.hear(3, { leader: 3 });
    server.takeSent();
    for (const stranger of [7, 9, -1]) {
      server.hear(stranger, { leader: CANNOT_LEAD, zxid: CANNOT_LEAD, peerEpoch: CANNOT_LEAD });
      expect(server.takeSent()).toEqual([
        { to: [stranger], state: looking, leader: 2, zxid: 5, electionEpoch: 1, peerEpoch: 1 },
      ]);
    }
  });

  test("R3: whoever asked while there was no leader is told when there is one", () => {
    const server = lookingServer();
    server.hear(7, {});
    server.hear(3, { leader: 3 });
    server.takeSent();
    server.turn(200);
    expect(server.takeSent()).toEqual([
      { to: [7], state: following, leader: 3, zxid: 5, electionEpoch: 1, peerEpoch: 1 },
    ]);
  });

  test("R3: a server that does not vote is told the leader, whatever its own state, with the round of this server", () => {
    const server = decidedServer(3);
    server.election.setState(following, { leader: 1, zxid: 8, round: -1, peerEpoch: 4 });
    server.hear(7, { state: observing });
    expect(server.takeSent()).toEqual([
      { to: [7], state: following, leader: 1, zxid: 8, electionEpoch: 1, peerEpoch: 4 },
    ]);
  });

  test("R3: what a server that does not vote says is not counted", () => {
    const server = lookingServer();
    for (const stranger of [7, 8, 9]) server.hear(stranger, { leader: 3, zxid: 9 });
    server.turn(300);
    expect(server.decided).toBeUndefined();
    expect(server.election.round).toBe(1);
  });

  test("R6: a voter that looks for a leader is answered, and told of, once this server has one", () => {
    const server = lookingServer();
    server.hear(1, { leader: 2, electionEpoch: 1 });
    server.turn(200);
    expect(server.heardLooking).toEqual([]);
    server.hear(3, { leader: 3, electionEpoch: 2 });
    server.hear(7, { leader: 7 });
    server.hear(1, { leader: 2, state: following });
    expect(server.heardLooking).toEqual([3]);
  });

  test("R5: a voter in an earlier round is told of this one", () => {
    const server = lookingServer();
    server.hear(3, { electionEpoch: 4, leader: 1, zxid: 3 });
    server.takeSent();
    server.hear(1, { electionEpoch: 2, zxid: 9 });
    expect(server.takeSent()).toEqual([
      { to: [1], state: looking, leader: 2, zxid: 5, electionEpoch: 4, peerEpoch: 1 },
    ]);
  });

  test.each([
    [2, leading],
    [3, following],
  ])("R6: a voter that looks is told the leader with the round and epoch of the vote: leader %d", (leader, state) => {
    const server = decidedServer(leader);
    server.election.updateElectionVote(6);
    server.hear(1, { electionEpoch: 12 });
    expect(server.takeSent()).toEqual([{ to: [1], state, leader, zxid: 5, electionEpoch: 1, peerEpoch: 6 }]);
    expect(server.configText).toBe(ensemble([1, 2, 3]).text);
  });

  test.each([following, leading, observing])("R7: nobody that has a leader is answered: state %d", (state) => {
    const server = decidedServer(3);
    server.hear(1, { state });
    expect(server.takeSent()).toEqual([]);
  });

  test("before its first election a server says nothing, and neither when it was stopped", () => {
    const server = new OneServer();
    server.hear(1, {});
    server.start();
    server.takeSent();
    server.election.stop();
    server.hear(1, {});
    server.turn(10_000);
    expect(server.takeSent()).toEqual([]);
    expect(server.election.nextTimerMs).toBeUndefined();
  });
});

describe("the election loop", () => {
  test("E0: every election begins a new round, with this server's own vote to all voters", () => {
    const server = new OneServer({ config: ensemble([1, 2, 3], [7]) }).start(5, 1);
    const own = { to: [1, 3], state: looking, leader: 2, zxid: 5, peerEpoch: 1 };
    expect(server.takeSent()).toEqual([{ ...own, electionEpoch: 1 }]);
    server.start(6, 3);
    expect(server.takeSent()).toEqual([{ ...own, zxid: 6, peerEpoch: 3, electionEpoch: 2 }]);
  });

  test("E0: votes of the election before do not count", () => {
    const server = lookingServer();
    server.hear(3, { leader: 3 });
    server.start();
    server.turn(10_000);
    expect(server.decided).toBeUndefined();
  });

  test("E0: voters of a proposed configuration are asked too", () => {
    const server = new OneServer({ lastSeen: ensemble([2, 3, 4], [], "version=9") }).start();
    expect(server.takeSent()).toMatchObject([{ to: [1, 3, 4] }]);
  });

  test("E1: without a word it says everything again, after waits that double up to the maximum", () => {
    const server = lookingServer({ maxNotificationIntervalMs: 1000 });
    const waits = Array.from({ length: 5 }, () => {
      const beforeMs = server.nowMs;
      server.turn(server.election.nextTimerMs! - beforeMs);
      expect(server.takeSent()).toMatchObject([{ to: [1, 3], leader: 2 }]);
      return server.nowMs - beforeMs;
    });
    expect(waits).toEqual([200, 400, 800, 1000, 1000]);
  });

  test("E1: where nothing was delivered it asks for connections instead", () => {
    const server = lookingServer();
    server.delivered = false;
    server.turn(200);
    expect(server.takeSent()).toEqual([]);
    expect(server.connectAlls).toBe(1);
  });

  test("E2: a vote for somebody who does not vote is ignored", () => {
    const server = lookingServer({ config: ensemble([1, 2, 3], [7]) });
    server.hear(3, { leader: 7, zxid: 99 });
    server.hear(1, { leader: CANNOT_LEAD, zxid: 99, electionEpoch: 9 });
    expect(server.takeSent()).toEqual([]);
    expect(server.election.round).toBe(1);
  });

  test("E3: a server that lost its data elects nobody by its own", () => {
    const server = lookingServer();
    server.hear(3, { zxid: -1, peerEpoch: 9, electionEpoch: 9 });
    expect(server.election.round).toBe(1);
    expect(server.takeSent()).toEqual([]);
  });

  test("E3: a server without data takes no part, and joins a leader that is there", () => {
    const server = lookingServer({ zxid: -1 });
    server.hear(1, { leader: 3 });
    server.hear(3, { leader: 3 });
    server.turn(250);
    expect(server.decided).toBeUndefined();
    server.hear(1, { state: following, leader: 3 });
    server.hear(3, { state: leading, leader: 3 });
    expect(server.decided).toMatchObject({ state: following, vote: { leader: 3 } });
  });

  test("E4: a later round is joined, starting from this server's own vote again", () => {
    const server = lookingServer();
    server.hear(3, { zxid: 9 });
    expect(server.takeSent()).toMatchObject([{ leader: 3, zxid: 9, electionEpoch: 1 }]);
    server.turn(100); // two of three: about to decide, were it not for a better vote
    server.hear(1, { leader: 1, zxid: 4, electionEpoch: 1 });
    server.takeSent();
    server.hear(1, { leader: 1, zxid: 12, electionEpoch: 5 });
    expect(server.takeSent()).toMatchObject([{ leader: 1, zxid: 12, electionEpoch: 5 }]);
    const other = lookingServer();
    other.hear(3, { leader: 1, zxid: 4, electionEpoch: 7 });
    expect(other.takeSent()).toMatchObject([{ to: [1, 3], leader: 2, zxid: 5, electionEpoch: 7 }]);
  });

  test("E4: votes of the earlier round do not count in the later one", () => {
    const server = lookingServer({ config: ensemble([1, 2, 3, 4, 5]) });
    server.hear(1, { leader: 2 });
    server.hear(3, { leader: 1, zxid: 4, electionEpoch: 2 });
    server.hear(4, { leader: 2, electionEpoch: 2 });
    server.turn(5000);
    expect(server.decided).toBeUndefined();
    server.hear(5, { leader: 2, electionEpoch: 2 });
    server.turn(200);
    expect(server.decided).toMatchObject({ state: leading, vote: { leader: 2, round: 2 } });
  });

  test("E4: followers of the earlier round do not count in the later one, unless their epoch is the leader's", () => {
    const server = lookingServer({ config: ensemble([1, 2, 3, 4, 5]) });
    server.hear(1, { state: following, leader: 5 });
    server.hear(3, { state: following, leader: 5 });
    server.hear(4, { leader: 4, zxid: 4, electionEpoch: 2 });
    server.hear(5, { state: leading, leader: 5, electionEpoch: 2, peerEpoch: 2 });
    expect(server.decided).toBeUndefined();
  });

  test("E5: a vote of an earlier round is not counted", () => {
    const server = lookingServer();
    server.start();
    server.takeSent();
    server.hear(3, { leader: 2, electionEpoch: 1 });
    server.turn(10_000);
    expect(server.decided).toBeUndefined();
  });

  test.each([
    ["a later epoch", { leader: 1, zxid: 1, peerEpoch: 2 }, true],
    ["a later zxid", { leader: 1, zxid: 6 }, true],
    ["a higher server", { leader: 3 }, true],
    ["an earlier epoch", { leader: 3, zxid: 9, peerEpoch: 0 }, false],
    ["an earlier zxid", { leader: 3, zxid: 4 }, false],
    ["a lower server", { leader: 1 }, false],
  ])("E6: what is better is adopted and told to all, what is worse is answered: %s", (_what, vote, adopted) => {
    const server = lookingServer();
    server.hear(3, vote);
    expect(server.takeSent()).toMatchObject([adopted ? { to: [1, 3], ...vote } : { to: [3], leader: 2, zxid: 5 }]);
  });

  test("E6: a server that weighs nothing is never adopted", () => {
    const server = lookingServer({ config: ensemble([1, 2, 3], [], "group.1=1:2:3", "weight.3=0") });
    server.hear(3, { leader: 3, zxid: 99, peerEpoch: 9 });
    expect(server.takeSent().filter(({ leader }) => leader !== 2)).toEqual([]);
  });

  test("E6: who does not vote does not answer votes", () => {
    const server = lookingServer({ config: ensemble([1, 3], [2]) });
    server.hear(3, { leader: 3 });
    server.takeSent();
    server.hear(1, { leader: 1 });
    expect(server.takeSent()).toEqual([]);
  });

  test("E6: the same proposal is not answered", () => {
    const server = lookingServer();
    server.hear(3, { leader: 2 });
    expect(server.takeSent()).toEqual([]);
  });

  test("E9: a decision names those who voted for it, and nobody else", () => {
    const server = new OneServer({ config: ensemble([1, 2, 3, 4, 5]) }).start();
    server.hear(5, { leader: 1, electionEpoch: 0 });
    server.hear(4, { leader: 2 });
    server.hear(3, { leader: 1 });
    server.hear(1, { leader: 2 });
    server.turn(200);
    expect(server.decided?.vote.leader).toBe(2);
    expect(server.voters).toEqual([1, 2, 4]);
  });

  test("E7, E9: a quorum for its own proposal, and 200 ms of quiet: it leads", () => {
    const server = lookingServer();
    server.hear(1, { leader: 2 });
    server.turn(199);
    expect(server.decided).toBeUndefined();
    server.turn(1);
    expect(server.decided).toEqual({ state: leading, vote: { leader: 2, zxid: 5, round: 1, peerEpoch: 1 } });
    expect(server.election.nextTimerMs).toBeUndefined();
    expect(server.takeSent()).toEqual([]);
  });

  test.each([
    ["zxid", { leader: 2, zxid: 4 }],
    ["epoch", { leader: 2, peerEpoch: 0 }],
    ["leader", { leader: 1 }],
  ])("E7: only votes that match wholly are a quorum: another %s", (_what, vote) => {
    const server = lookingServer();
    server.hear(1, vote);
    server.turn(10_000);
    expect(server.decided).toBeUndefined();
  });

  test("E7: while a configuration is proposed a quorum of each is needed", () => {
    const server = lookingServer({ lastSeen: ensemble([2, 3, 4, 5], [], "version=9") });
    server.hear(1, { leader: 2 });
    server.hear(4, { leader: 2 });
    server.turn(250);
    expect(server.decided).toBeUndefined();
    server.hear(5, { leader: 2 });
    server.turn(200);
    expect(server.decided?.vote.leader).toBe(2);
  });

  test("E8: something better within the wait puts the decision off", () => {
    const server = lookingServer();
    server.hear(1, { leader: 2 });
    server.turn(150);
    server.hear(3, { leader: 3 });
    server.turn(199);
    expect(server.decided).toBeUndefined();
    server.turn(1);
    expect(server.decided).toMatchObject({ state: following, vote: { leader: 3 } });
  });

  test("E8: the same vote said again does not put it off", () => {
    const server = lookingServer();
    server.hear(1, { leader: 2 });
    server.turn(150);
    server.hear(1, { leader: 2 });
    server.turn(50);
    expect(server.decided?.vote.leader).toBe(2);
  });

  test("E8: what is said within the wait is kept: an ensemble that others have found counts as soon as its leader says so", () => {
    const server = lookingServer({ config: ensemble([1, 2, 3, 4, 5]) });
    server.hear(1, { leader: 2 });
    server.hear(3, { leader: 2 });
    server.hear(3, { state: following, leader: 5, zxid: 4, electionEpoch: 7 });
    server.hear(4, { state: following, leader: 5, zxid: 4, electionEpoch: 7 });
    server.turn(100);
    server.hear(5, { state: leading, leader: 5, zxid: 4, electionEpoch: 7 });
    expect(server.decided).toMatchObject({ state: following, vote: { leader: 5, round: 7 } });
  });

  test("E8: a worse vote of a later round does not disturb the decision, and is answered after it", () => {
    const server = lookingServer();
    server.hear(1, { leader: 2 });
    server.hear(3, { leader: 3, zxid: 2, electionEpoch: 8 });
    server.turn(200);
    expect(server.decided).toMatchObject({ state: leading, vote: { leader: 2, round: 1 } });
    expect(server.takeSent()).toEqual([
      { to: [3], state: leading, leader: 2, zxid: 5, electionEpoch: 1, peerEpoch: 1 },
    ]);
  });

  test("E8: a worse vote of a later round counts if the decision falls through", () => {
    const server = lookingServer({ config: ensemble([1, 2, 3, 4, 5]) });
    server.hear(1, { leader: 2 });
    server.hear(3, { leader: 2 });
    server.hear(4, { leader: 4, zxid: 2, electionEpoch: 8 });
    server.takeSent();
    server.hear(5, { leader: 5, zxid: 9 });
    expect(server.takeSent()).toMatchObject([
      { leader: 5, electionEpoch: 1 },
      { leader: 2, electionEpoch: 8 },
    ]);
  });

  test("E9: one voter alone leads by its own vote", () => {
    const server = lookingServer({ config: ensemble([2]) });
    server.turn(200);
    expect(server.decided?.state).toBe(leading);
  });

  test("E9: an observer observes, a server that is in no configuration follows", () => {
    for (const [config, state] of [
      [ensemble([1, 3], [2]), observing],
      [ensemble([1, 3]), following],
    ] as const) {
      const server = new OneServer({ config }).start();
      expect(server.takeSent()).toMatchObject([{ to: [1, 3], leader: CANNOT_LEAD }]);
      server.hear(1, { leader: 3 });
      server.hear(3, { leader: 3 });
      server.turn(200);
      expect(server.decided?.state).toBe(state);
    }
  });

  test("E10: what an observer follows is no vote", () => {
    const server = lookingServer();
    server.hear(1, { state: observing, leader: 3 });
    server.hear(3, { state: observing, leader: 3 });
    server.turn(300);
    expect(server.decided).toBeUndefined();
  });

  test("E11: an election of this round that is over elsewhere is over here, with the leader's own word", () => {
    const server = lookingServer({ config: ensemble([1, 2, 3, 4, 5]) });
    server.hear(1, { state: following, leader: 5 });
    server.hear(3, { state: following, leader: 5 });
    server.hear(4, { state: following, leader: 5 });
    expect(server.decided).toBeUndefined();
    server.hear(5, { state: leading, leader: 5, peerEpoch: 2 }); // of this round: the epoch is not compared
    expect(server.decided).toEqual({ state: following, vote: { leader: 5, zxid: 5, round: 1, peerEpoch: 2 } });
  });

  test("E11: this server itself leads if a quorum of its own round says so", () => {
    const server = lookingServer();
    server.hear(1, { state: following, leader: 2 });
    server.hear(3, { state: following, leader: 2 });
    expect(server.decided).toMatchObject({ state: leading });
  });

  test("E12: it does not lead because followers of another round say so", () => {
    const server = lookingServer();
    server.hear(1, { state: following, leader: 2, electionEpoch: 4 });
    server.hear(3, { state: following, leader: 2, electionEpoch: 4 });
    expect(server.decided).toBeUndefined();
  });

  test("E12: an ensemble of another round is joined, and its round taken over", () => {
    const server = lookingServer();
    server.hear(1, { state: following, leader: 3, electionEpoch: 8, zxid: 2, peerEpoch: 4 });
    expect(server.decided).toBeUndefined();
    server.hear(3, { state: leading, leader: 3, electionEpoch: 3, zxid: 7, peerEpoch: 4 });
    expect(server.decided).toEqual({ state: following, vote: { leader: 3, zxid: 7, round: 3, peerEpoch: 4 } });
    expect(server.election.round).toBe(3);
  });

  test("E12: votes of different epochs are not the same leadership", () => {
    const server = lookingServer();
    server.hear(1, { state: following, leader: 3, electionEpoch: 8, peerEpoch: 4 });
    server.hear(3, { state: leading, leader: 3, electionEpoch: 8, peerEpoch: 5 });
    expect(server.decided).toBeUndefined();
    server.hear(1, { state: following, leader: 3, electionEpoch: 8, peerEpoch: 5 });
    server.hear(3, { state: leading, leader: 3, electionEpoch: 8, peerEpoch: 5 });
    expect(server.decided?.vote.leader).toBe(3);
  });

  test("E12: a leader reached without an election has round -1", () => {
    const server = lookingServer();
    server.hear(1, { state: following, leader: 3, electionEpoch: -1, peerEpoch: 4 });
    server.hear(3, { state: leading, leader: 3, electionEpoch: 2, peerEpoch: 4 });
    expect(server.decided?.vote).toMatchObject({ leader: 3, round: 2 });
  });

  test("E12: an old release names no epoch: the leader alone is compared", () => {
    const server = lookingServer();
    server.hear(1, { state: following, leader: 3, electionEpoch: 8, peerEpoch: 0, version: 0 });
    server.hear(3, { state: leading, leader: 3, electionEpoch: 8, peerEpoch: 5 });
    expect(server.decided?.vote.leader).toBe(3);
  });
});
