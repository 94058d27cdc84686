import { describe, expect, test } from "vitest";
import { askWord } from "../../../src/cli/ensemble/ask.js";
import { lagBehind, observationIn } from "../../../src/cli/ensemble/observation.js";
import { FakeWords, NOT_SERVING, srvr } from "./fake-servers.js";

describe("a server is asked by a four-letter word", () => {
  test("and told apart by its answer", async () => {
    const words = await FakeWords.listen(srvr("leader", 0x20000000a, 4));
    const ask = () => askWord("127.0.0.1", words.port, "srvr", 5000);
    expect(observationIn(await ask())).toEqual({ kind: "serving", mode: "leader", zxid: 0x20000000a, connections: 3 });
    words.answer = NOT_SERVING;
    expect(observationIn(await ask())).toEqual({ kind: "looking" });
  });

  test("a server that accepts and says nothing, as a paused one does, is silent", async () => {
    const words = await FakeWords.listen();
    expect(await askWord("127.0.0.1", words.port, "srvr", 20)).toBeUndefined();
    expect(observationIn(undefined)).toEqual({ kind: "silent" });
  });

  test("a port where nobody listens is silent at once", async () => {
    expect(await askWord("127.0.0.1", 1, "srvr", 60_000)).toBeUndefined();
  });

  test("what no server would say is silence too", () => {
    expect(observationIn("HTTP/1.1 400 Bad Request\r\n")).toEqual({ kind: "silent" });
    expect(observationIn("")).toEqual({ kind: "silent" });
  });
});

describe("lag", () => {
  test.each([
    [0x100000007, 0x100000007, "0"],
    [0x100000007, 0x100000002, "5"],
    [0x100000007, 0x100000009, "0"], // the follower was asked a moment later
    [0x200000000, 0x100000007, "0"], // a new leader's epoch has no txn yet
    [0x200000001, 0x100000007, "an epoch"],
  ])("of 0x%i behind: %i is %s", (leader, own, lag) => {
    expect(lagBehind(leader, own)).toBe(lag);
  });
});
