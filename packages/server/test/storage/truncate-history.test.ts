import { describe, expect, test } from "vitest";
import { DataDirectoryError, discardHistory, TxnLog, truncateHistory } from "../../src/storage/index.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { TurnedClock } from "../../src/testing/turned-clock.js";
import { contentOf } from "./contents.js";
import { Scene } from "./scene.js";
import { batchOf, entryPositions, logFile, type TestTxn, txns } from "./txns.js";

const EPOCH = 2 ** 32;
const SNAPSHOT_PATH = "/data/version-2/snapshot";

/** snapshot.0, snapshot.6; log.1 up to 4, log.5 up to 9, log.a up to 12. */
async function scene(): Promise<Scene> {
  const made = (await Scene.make()).log(txns(1, 4)).log(txns(5, 9)).log(txns(10, 12));
  return await (await made.snapshot(0)).snapshot(6);
}

async function names({ disk }: Scene): Promise<string[]> {
  return (await disk.list("/data/version-2")).sort();
}

async function recoveredThrough(made: Scene): Promise<{ from: number | undefined; txns: TestTxn[]; lastZxid: number }> {
  const { snapshot, txns: seen, lastZxid } = await made.recover();
  return { from: snapshot?.zxid, txns: seen, lastZxid };
}

describe("truncating the history", () => {
  test.each([
    [12, ["log.1", "log.5", "log.a", "snapshot.0", "snapshot.6"]],
    [11, ["log.1", "log.5", "log.a", "snapshot.0", "snapshot.6"]],
    [9, ["log.1", "log.5", "snapshot.0", "snapshot.6"]],
    [6, ["log.1", "log.5", "snapshot.0", "snapshot.6"]],
    [5, ["log.1", "log.5", "snapshot.0"]],
    [4, ["log.1", "snapshot.0"]],
    [1, ["log.1", "snapshot.0"]],
    [0, ["snapshot.0"]],
  ])("keeps what leads to %d and nothing beyond", async (zxid, left) => {
    const made = await scene();
    expect(await truncateHistory(made.disk, made.directory, zxid)).toBe("cut");
    expect(await names(made)).toEqual(left);
    const base = zxid >= 6 ? 6 : 0;
    expect(await recoveredThrough(made)).toEqual({ from: base, txns: txns(base + 1, zxid), lastZxid: zxid });
  });

  test("leaves a file that ends with the last txn kept", async () => {
    const made = await scene();
    await truncateHistory(made.disk, made.directory, 7);
    expect(made.disk.contents("/data/version-2/log.5")).toEqual(logFile(txns(5, 7)));
  });

  test("makes room for another history under the same zxids", async () => {
    const made = await scene();
    await truncateHistory(made.disk, made.directory, 7);
    const { disk, logger, directory } = made;
    const log = new TxnLog({ disk, directory: directory.logDirectory, clock: new TurnedClock(), logger });
    const other = txns(8, 10).map(({ zxid }) => ({ zxid, data: Uint8Array.of(1) }));
    await log.append(batchOf(other));
    await log.close();
    expect((await recoveredThrough(made)).txns).toEqual([...txns(7, 7), ...other]);
  });

  test("cuts a torn tail away with the rest", async () => {
    const made = (await Scene.make()).log(txns(1, 9), (bytes) => bytes.slice(0, entryPositions(txns(1, 9))[8]! + 9));
    await made.snapshot(0);
    expect(await truncateHistory(made.disk, made.directory, 8)).toBe("cut");
    expect((await made.recover()).tornTails).toEqual([]);
  });

  test("removes a file that a crash left without an entry", async () => {
    const made = (await Scene.make()).log(txns(1, 6)).file("log.5", new Uint8Array(0));
    await made.snapshot(0);
    expect(await truncateHistory(made.disk, made.directory, 6)).toBe("cut");
    expect(await names(made)).toEqual(["log.1", "snapshot.0"]);
  });

  test("goes back over an epoch's beginning, in one file or between two", async () => {
    const list = [...txns(1, 3), ...txns(EPOCH + 1, EPOCH + 2)];
    for (const made of [
      (await Scene.make()).log(list),
      (await Scene.make()).log(list.slice(0, 3)).log(list.slice(3)),
    ]) {
      await made.snapshot(0);
      expect(await truncateHistory(made.disk, made.directory, EPOCH + 1)).toBe("cut");
      expect((await made.recover()).lastZxid).toBe(EPOCH + 1);
      expect(await truncateHistory(made.disk, made.directory, 2)).toBe("cut");
      expect((await made.recover()).lastZxid).toBe(2);
    }
  });

  test("keeps a snapshot alone where it is what the leader has", async () => {
    const made = await (await Scene.make()).log(txns(EPOCH + 1, EPOCH + 3)).snapshot(EPOCH);
    expect(await truncateHistory(made.disk, made.directory, EPOCH)).toBe("cut");
    expect(await names(made)).toEqual(["snapshot.100000000"]);
  });

  test.each([
    ["the log ends before", async () => await scene(), 13],
    ["the zxid is no txn of it", async () => await (await Scene.make()).log(txns(1, 3)).snapshot(0), EPOCH],
    ["it lies in a gap", async () => await (await Scene.make()).log([...txns(1, 3), ...txns(7, 9)]).snapshot(0), 5],
    ["a gap lies before it", async () => await (await Scene.make()).log([...txns(1, 3), ...txns(7, 9)]).snapshot(0), 8],
    ["there is no snapshot", async () => (await Scene.make()).log(txns(1, 9)), 5],
    ["all snapshots are beyond", async () => await (await Scene.make()).log(txns(1, 9)).snapshot(6), 5],
    [
      "the log does not reach back to a snapshot",
      async () => await (await Scene.make()).log(txns(4, 9)).snapshot(0),
      5,
    ],
  ])("is impossible and changes nothing where %s", async (_where, make, zxid) => {
    const made = await make();
    const before = await contents(made);
    expect(await truncateHistory(made.disk, made.directory, zxid)).toBe("impossible");
    expect(await contents(made)).toEqual(before);
  });

  test("is impossible where the snapshot to go by is broken: an older one may lie before a gap", async () => {
    const made = await scene();
    made.disk.setContents(`${SNAPSHOT_PATH}.6`, made.disk.contents(`${SNAPSHOT_PATH}.6`).slice(0, 90));
    expect(await truncateHistory(made.disk, made.directory, 7)).toBe("impossible");
    expect(await truncateHistory(made.disk, made.directory, 5)).toBe("cut");
  });

  test("in a crash leaves the history up to the old end, the new one, or a point between", async () => {
    const outcomes = new Set<number>();
    for (let seed = 0; seed < 300; seed++) {
      const random = new SeededRandom(seed);
      const made = await scene();
      await made.snapshot(9);
      const zxid = 1 + random.below(11);
      let operationsLeft = random.below(40);
      made.disk.beforeOperation = () => {
        if (operationsLeft-- === 0) made.disk.crash(random);
        return undefined;
      };
      const result = await truncateHistory(made.disk, made.directory, zxid).catch(() => "crashed");
      if (result === "cut" && operationsLeft >= 0) made.disk.crash(random);
      made.disk.beforeOperation = undefined;
      const { from, txns: seen, lastZxid } = await recoveredThrough(made);
      expect(seen, `seed ${seed}`).toEqual(txns(from! + 1, lastZxid));
      expect(lastZxid).toBeGreaterThanOrEqual(zxid);
      if (result === "cut") expect(lastZxid).toBe(zxid);
      outcomes.add(lastZxid - zxid);
      expect(await truncateHistory(made.disk, made.directory, zxid)).toBe("cut");
      expect((await recoveredThrough(made)).lastZxid).toBe(zxid);
    }
    expect(outcomes.size).toBeGreaterThan(4);
  });

  test("has not happened where the disk fails", async () => {
    for (let nth = 1; nth <= 4; nth++) {
      const made = await scene();
      made.disk.failSync(nth, "EIO");
      const failed = truncateHistory(made.disk, made.directory, 3);
      await expect(failed, `sync ${nth}`).rejects.toMatchObject({ code: "EIO" });
    }
  });
});

async function contents(made: Scene): Promise<[string, Uint8Array][]> {
  return (await names(made)).map((name) => [name, made.disk.contents(`/data/version-2/${name}`)]);
}

describe("discarding the history", () => {
  test("removes logs and snapshots and nothing else", async () => {
    const made = (await scene()).file("acceptedEpoch", Uint8Array.of(0x31)).file("log.1.bak", Uint8Array.of(1));
    await discardHistory(made.disk, made.directory);
    expect(await names(made)).toEqual(["acceptedEpoch", "log.1.bak"]);
  });

  test("keeps the leader's snapshot, which every start then goes by", async () => {
    const made = await (await scene()).snapshot(20);
    await discardHistory(made.disk, made.directory, `${SNAPSHOT_PATH}.14`);
    expect(await names(made)).toEqual(["snapshot.14"]);
    expect(await recoveredThrough(made)).toEqual({ from: 20, txns: [], lastZxid: 20 });
  });

  test("removes a packed snapshot of the same zxid, too", async () => {
    const made = await (await Scene.make()).snapshot(20);
    made.file("snapshot.14.gz", Uint8Array.of(0x1f, 0x8b));
    await discardHistory(made.disk, made.directory, `${SNAPSHOT_PATH}.14`);
    expect(await names(made)).toEqual(["snapshot.14"]);
  });

  /**
   * The old history is 1 to 12. Where the leader's snapshot is beyond it, that is what every start reads
   * once it is written. Where it is before the end (which the leader does not have), the old history may
   * come back, whole or shorter, but never a mixture.
   */
  test.each([20, 8])("in a crash leaves the leader's snapshot or an old history: snapshot at %d", async (zxid) => {
    let crashes = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = new SeededRandom(seed);
      const made = await scene();
      await made.snapshot(11);
      await made.snapshot(zxid, contentOf(40));
      const kept = `${SNAPSHOT_PATH}.${zxid.toString(16)}`;
      let operationsLeft = random.below(24);
      made.disk.beforeOperation = () => {
        if (operationsLeft-- === 0) made.disk.crash(random);
        return undefined;
      };
      const crashed = await discardHistory(made.disk, made.directory, kept).then(
        () => false,
        () => true,
      );
      if (crashed) crashes++;
      made.disk.beforeOperation = undefined;
      const recovered = await made.recover().catch((error: unknown) => error);
      if (recovered instanceof DataDirectoryError) continue;
      const { snapshot, txns: seen, sink, lastZxid } = recovered as Awaited<ReturnType<Scene["recover"]>>;
      const isLeaders = sink?.content.nodes.length === 41;
      expect(snapshot?.zxid).toBe(isLeaders ? zxid : 11);
      if (!crashed || zxid > 12) expect(isLeaders).toBe(true);
      if (isLeaders) expect([lastZxid, seen]).toEqual([zxid, []]);
      else expect(seen).toEqual(txns(12, lastZxid));
      await discardHistory(made.disk, made.directory, kept);
      expect((await made.recover()).lastZxid).toBe(zxid);
    }
    expect(crashes).toBeGreaterThan(50);
  });
});
