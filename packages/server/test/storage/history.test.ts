import { describe, expect, test } from "vitest";
import { type HistoryEnd, readHistory, surveyHistory, TxnLog } from "../../src/storage/index.js";
import { TurnedClock } from "../../src/testing/turned-clock.js";
import { Scene } from "./scene.js";
import { batchOf, brief, entryPositions, logFile, noise, seenTxn, type TestTxn, txn, txns } from "./txns.js";

const EPOCH = 2 ** 32;
const E1 = EPOCH;
const E2 = 2 * EPOCH;
const E3 = 3 * EPOCH;
const LOGS = "/data/version-2";

async function read(
  { disk }: Scene,
  afterZxid: number,
  throughZxid: number,
  wholeFromZxid = Number.POSITIVE_INFINITY,
): Promise<{ txns: TestTxn[]; chunks: number; end: HistoryEnd }> {
  const seen: TestTxn[] = [];
  const history = readHistory({ disk, logDirectory: LOGS, afterZxid, throughZxid, wholeFromZxid });
  for (let chunks = 0; ; chunks++) {
    const next = await history.next();
    if (next.done === true) return { txns: seen, chunks, end: next.value };
    const { bytes, count, payloadStarts, payloadEnds, zxids } = next.value;
    for (let i = 0; i < count; i++) seen.push(seenTxn(bytes, payloadStarts[i]!, payloadEnds[i]!, zxids[i]!));
  }
}

async function zxidsRead(
  scene: Scene,
  afterZxid: number,
  throughZxid: number,
  wholeFromZxid?: number,
): Promise<number[] | "gap"> {
  const result = await read(scene, afterZxid, throughZxid, wholeFromZxid);
  return result.end.kind === "gap" ? "gap" : result.txns.map(({ zxid }) => zxid);
}

async function gap(scene: Scene, afterZxid: number, throughZxid: number): Promise<string> {
  const { end } = await read(scene, afterZxid, throughZxid);
  return end.kind === "gap" ? end.reason : "no gap";
}

function zxids(first: number, last: number): number[] {
  return txns(first, last).map(({ zxid }) => zxid);
}

describe("reading history from the log", () => {
  test("gives the txns behind a learner's last one, across files, as they were logged", async () => {
    const scene = (await Scene.make())
      .log(txns(E1 + 1, E1 + 6))
      .log(txns(E1 + 7, E1 + 9))
      .log(txns(E1 + 10, E1 + 15));
    for (let after = E1 + 1; after < E1 + 14; after++) {
      const { txns: seen, end } = await read(scene, after, E1 + 14);
      expect(seen).toEqual(txns(after + 1, E1 + 14));
      const positions = entryPositions(seen);
      expect(end).toEqual({ kind: "whole", txns: seen.length, txnBytes: positions.at(-1)! - 16 });
    }
  });

  test("goes over into later epochs, where the log is known to have no hole", async () => {
    const list = [...txns(E1 + 1, E1 + 3), ...txns(E2 + 1, E2 + 2), ...txns(E3 + 1, E3 + 1)];
    const scene = (await Scene.make()).log(list);
    expect(await zxidsRead(scene, E1 + 2, E3 + 1, E1 + 3)).toEqual([E1 + 3, E2 + 1, E2 + 2, E3 + 1]);
    expect(await zxidsRead(scene, E1 + 2, E3 + 1, E2 + 1)).toBe("gap");
    expect(await zxidsRead(scene, E2, E3 + 1, 0)).toEqual([E2 + 1, E2 + 2, E3 + 1]);
    const split = (await Scene.make()).log(list.slice(0, 3)).log(list.slice(3));
    expect(await zxidsRead(split, E1 + 2, E3 + 1, E1 + 1)).toEqual([E1 + 3, E2 + 1, E2 + 2, E3 + 1]);
  });

  test("does not go over into a later epoch elsewhere: a snapshot may lie between", async () => {
    const scene = (await Scene.make()).log(txns(E1 + 1, E1 + 5)).log(txns(E2 + 1, E2 + 5));
    expect(await gap(scene, E1 + 3, E2 + 5)).toBe(
      "the log goes on from 0x100000005 with 0x200000001, where 0x100000003 is to be continued",
    );
    expect(await zxidsRead(scene, E2 + 1, E2 + 5)).toEqual(zxids(E2 + 2, E2 + 5));
    expect(await zxidsRead(scene, E2, E2 + 5)).toEqual(zxids(E2 + 1, E2 + 5));
  });

  test("finds the hole that a snapshot from the leader left within an epoch", async () => {
    const scene = (await Scene.make()).log(txns(E1 + 1, E1 + 5)).log(txns(E1 + 0x33, E1 + 0x40));
    expect(await gap(scene, E1 + 3, E1 + 0x40)).toContain("goes on from 0x100000005 with 0x100000033");
    const inFile = (await Scene.make()).log([...txns(E1 + 1, E1 + 5), ...txns(E1 + 0x33, E1 + 0x40)]);
    expect(await zxidsRead(inFile, E1 + 3, E1 + 0x40)).toBe("gap");
    expect(await zxidsRead(inFile, E1 + 0x33, E1 + 0x40)).toEqual(zxids(E1 + 0x34, E1 + 0x40));
  });

  test("says where the log does not reach back, does not hold the learner's last txn, or ends too early", async () => {
    const scene = (await Scene.make()).log([...txns(E1 + 5, E1 + 8), ...txns(E2 + 1, E2 + 3)]);
    expect(await gap(scene, E1 + 4, E2 + 3)).toBe("no log reaches back to 0x100000004");
    expect(await gap(scene, 0, E2 + 3)).toBe("no log reaches back to 0x0");
    expect(await zxidsRead(scene, E1 + 9, E2 + 3)).toBe("gap");
    expect((await read(scene, E1 + 6, E2 + 4, 0)).end).toMatchObject({ reason: "the log ends before 0x200000004" });
    expect(await gap(scene, E1 + 6, E1 + 9)).toBe("0x100000009 is not in the log, which has 0x200000001");
    expect(await gap(await Scene.make(), E1 + 6, E1 + 9)).toBe("no log reaches back to 0x100000006");
  });

  test("joins a learner that holds the beginning of an epoch only to what is seen to follow", async () => {
    const scene = (await Scene.make()).log([...txns(E1 + 1, E1 + 2), ...txns(E3 + 1, E3 + 2)]);
    expect(await zxidsRead(scene, E2, E3 + 2, 0)).toEqual([E3 + 1, E3 + 2]);
    const split = (await Scene.make()).log(txns(E1 + 1, E1 + 2)).log(txns(E3 + 1, E3 + 2));
    expect(await zxidsRead(split, E2, E3 + 2)).toBe("gap");
    expect(await zxidsRead(split, E3, E3 + 2)).toEqual([E3 + 1, E3 + 2]);
    expect(await zxidsRead((await Scene.make()).log(txns(E3 + 1, E3 + 2)), E3, E3 + 2)).toEqual([E3 + 1, E3 + 2]);
  });

  test("passes a torn tail which the next file goes on from, and not one that lost a txn", async () => {
    const list = txns(E1 + 1, E1 + 6);
    const torn = (bytes: Uint8Array) => bytes.slice(0, entryPositions(list)[5]! + 20);
    const scene = (await Scene.make()).log(list, torn).log(txns(E1 + 6, E1 + 9));
    expect(await zxidsRead(scene, E1 + 2, E1 + 9)).toEqual(zxids(E1 + 3, E1 + 9));
    const lost = (await Scene.make()).log(list, torn).log(txns(E1 + 7, E1 + 9));
    expect(await zxidsRead(lost, E1 + 2, E1 + 9)).toBe("gap");
  });

  test("gives large histories in pieces, so that whoever sends them can wait", async () => {
    const list = Array.from({ length: 400 }, (_, i) => txn(E1 + 1 + i, noise(20_000, i)));
    const { txns: seen, chunks } = await read((await Scene.make()).log(list), E1 + 1, E1 + 400);
    expect(brief(seen)).toEqual(brief(list.slice(1)));
    expect(chunks).toBeGreaterThan(4);
  });

  test("reads a log that is being appended to, up to what was asked for", async () => {
    const scene = await Scene.make();
    const { disk, logger } = scene;
    const log = new TxnLog({ disk, directory: LOGS, clock: new TurnedClock(), logger });
    await log.append(batchOf(txns(E1 + 1, E1 + 50)));
    const history = readHistory({
      disk,
      logDirectory: LOGS,
      afterZxid: E1 + 10,
      throughZxid: E1 + 50,
      wholeFromZxid: E1,
    });
    const writing = log.append(batchOf(txns(E1 + 51, E1 + 90)));
    const first = await history.next();
    expect(first.done).toBe(false);
    expect((await history.next()).value).toMatchObject({ kind: "whole", txns: 40 });
    await writing;
    expect(await zxidsRead(scene, E1 + 10, E1 + 90)).toEqual(zxids(E1 + 11, E1 + 90));
    await log.close();
  });

  test("ends with the disk's error where a file goes away, and leaves none open", async () => {
    const scene = (await Scene.make()).log(txns(E1 + 1, E1 + 5)).log(txns(E1 + 6, E1 + 9));
    const history = readHistory({
      disk: scene.disk,
      logDirectory: LOGS,
      afterZxid: E1 + 1,
      throughZxid: E1 + 9,
      wholeFromZxid: E1,
    });
    await history.next();
    await scene.disk.remove(`${LOGS}/log.${(E1 + 6).toString(16)}`);
    await expect(history.next()).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("surveying history", () => {
  test("says how much it is, or that it is more than a snapshot", async () => {
    const scene = (await Scene.make()).log(txns(E1 + 1, E1 + 9));
    const range = {
      disk: scene.disk,
      logDirectory: LOGS,
      afterZxid: E1 + 2,
      throughZxid: E1 + 9,
      wholeFromZxid: E1,
    };
    const bytes = logFile(txns(E1 + 3, E1 + 9)).length - 16;
    expect(await surveyHistory(range, bytes)).toEqual({ kind: "whole", txns: 7, txnBytes: bytes });
    expect(await surveyHistory(range, bytes - 1)).toEqual({ kind: "too-large" });
    expect(await surveyHistory(range, Number.POSITIVE_INFINITY)).toMatchObject({ kind: "whole" });
    expect(await surveyHistory({ ...range, throughZxid: E1 + 10 }, bytes)).toMatchObject({ kind: "gap" });
  });

  test("reads no more than it needs to say so", async () => {
    const list = Array.from({ length: 600 }, (_, i) => txn(E1 + 1 + i, noise(20_000, i)));
    const scene = (await Scene.make()).log(list);
    let bytesRead = 0;
    scene.disk.beforeOperation = ({ kind, byteCount }) => {
      if (kind === "read") bytesRead += byteCount ?? 0;
      return undefined;
    };
    const range = {
      disk: scene.disk,
      logDirectory: LOGS,
      afterZxid: E1 + 1,
      throughZxid: E1 + 600,
      wholeFromZxid: E1,
    };
    expect(await surveyHistory(range, 1_000_000)).toEqual({ kind: "too-large" });
    expect(bytesRead).toBeLessThan(4 << 20);
  });
});
