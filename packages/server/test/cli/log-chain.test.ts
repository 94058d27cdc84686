import { describe, expect, test } from "vitest";
import { type CheckedLog, judgeLogs } from "../../src/cli/log-chain.js";
import type { LogVerdict } from "../../src/storage/index.js";

const EPOCH = 2 ** 32;
const WHOLE: LogVerdict = { kind: "complete", end: 500 };
const TORN: LogVerdict = { kind: "torn", position: 500, reason: "the file ends early" };
const DAMAGED: LogVerdict = { kind: "damaged", position: 500, reason: "a checksum does not match" };

function log(firstZxid: number, lastZxid: number, verdict: LogVerdict = WHOLE): CheckedLog {
  const check = { verdict, txnCount: lastZxid - firstZxid + 1, firstZxid, lastZxid, gaps: [] };
  return { path: `log.${firstZxid.toString(16)}`, nameZxid: firstZxid, check };
}

function logWithoutTxns(nameZxid: number, verdict: LogVerdict): CheckedLog {
  const check = { verdict, txnCount: 0, firstZxid: undefined, lastZxid: undefined, gaps: [] };
  return { path: `log.${nameZxid.toString(16)}`, nameZxid, check };
}

/** What is found, file by file, a "!" where it keeps a server from starting or txns are missing. */
function judged(logs: readonly CheckedLog[], snapshotZxid?: number): string[] {
  return judgeLogs(logs, snapshotZxid).map(({ findings }) =>
    findings.map(({ kind, sound }) => `${kind}${sound ? "" : "!"}`).join(" "),
  );
}

describe("the next log", () => {
  test.each([
    ["goes on with the following zxid", [log(1, 5), log(6, 9)], ["", ""]],
    ["begins a new epoch", [log(1, 5), log(EPOCH + 1, EPOCH + 3)], ["", ""]],
    ["begins within a new epoch", [log(1, 5), log(EPOCH + 7, EPOCH + 9)], ["", "gap!"]],
    ["leaves txns out", [log(1, 5), log(8, 9)], ["", "gap!"]],
    ["goes back", [log(1, 5), log(4, 9)], ["", "repeats!"]],
    ["goes on from a torn one", [log(1, 5, TORN), log(6, 9)], ["torn", ""]],
    ["begins a new epoch behind a torn one", [log(1, 5, TORN), log(EPOCH + 1, EPOCH + 2)], ["torn", ""]],
    ["leaves txns out behind a torn one", [log(1, 5, TORN), log(8, 9)], ["torn!", ""]],
    ["goes on from a damaged one", [log(1, 5, DAMAGED), log(6, 9)], ["damaged", ""]],
    [
      "begins a new epoch behind damage, which proves nothing",
      [log(1, 5, DAMAGED), log(EPOCH + 1, EPOCH + 2)],
      ["damaged!", ""],
    ],
    ["has no txn but the right name", [log(1, 5, TORN), logWithoutTxns(6, WHOLE)], ["torn", ""]],
    ["has no txn and another name", [log(1, 5), logWithoutTxns(8, TORN)], ["", "gap! torn"]],
    ["comes behind one without a txn", [log(1, 5), logWithoutTxns(6, WHOLE), log(7, 8)], ["", "", "gap!"]],
  ])("%s", (_, logs, expected) => {
    expect(judged(logs)).toEqual(expected);
  });
});

describe("a snapshot", () => {
  test.each([
    ["stands for a gap up to it", [log(1, 5), log(21, 29)], 20, ["", "gap"]],
    ["does not stand for a txn behind it", [log(1, 5), log(22, 29)], 20, ["", "gap!"]],
    [
      "of a new epoch's beginning stands for the epochs before",
      [log(1, 5), log(EPOCH + 1, EPOCH + 2)],
      EPOCH,
      ["", ""],
    ],
    ["stands for what a torn tail and a gap leave out", [log(1, 5, TORN), log(21, 29)], 20, ["torn", ""]],
    ["makes damage before it needless, not whole", [log(1, 5, DAMAGED), log(21, 29)], 20, ["damaged!", ""]],
    ["is what the oldest log goes on from", [log(21, 29)], 20, [""]],
    ["is missing txns where the oldest log begins later", [log(22, 29)], 20, ["gap!"]],
  ])("%s", (_, logs, snapshotZxid, expected) => {
    expect(judged(logs, snapshotZxid)).toEqual(expected);
  });
});

test("the last log may be torn, not damaged", () => {
  expect(judged([log(1, 5), log(6, 9, TORN)])).toEqual(["", "torn"]);
  expect(judged([log(1, 5), log(6, 9, DAMAGED)])).toEqual(["", "damaged!"]);
});

test("a log is misnamed where its name is not its first zxid", () => {
  expect(judged([{ ...log(5, 9), nameZxid: 4 }])).toEqual(["misnamed"]);
});
