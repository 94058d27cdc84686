import { describe, expect, test } from "vitest";
import { DataDirectoryError, prepareDataDirectory, TxnLog } from "../../src/storage/index.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { TurnedClock } from "../../src/testing/turned-clock.js";
import { contentOf } from "./contents.js";
import { Scene } from "./scene.js";
import { batchOf, brief, entryPositions, flipped, logFile, noise, type TestTxn, txn, txns } from "./txns.js";

const EPOCH = 2 ** 32;

function at(name: string, offset: number | undefined) {
  return { file: `/data/version-2/${name}`, offset };
}

describe("a start from a snapshot and logs", () => {
  test("takes the newest snapshot and the txns behind it, from the log before it too", async () => {
    const scene = await (await (await Scene.make()).log(txns(1, 7)).log(txns(8, 12)).snapshot(0)).snapshot(6);
    const recovered = await scene.recover();
    expect(recovered.txns).toEqual(txns(7, 12));
    expect(recovered).toMatchObject({ lastZxid: 12, txnsLoaded: 6, tornTails: [], warnings: [] });
    expect(recovered.snapshot).toEqual({ path: "/data/version-2/snapshot.6", zxid: 6 });
    expect(recovered.sink?.content.nodes.length).toBe(3);
  });

  test("needs no log that ends before the snapshot", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7)).log(txns(500, 501)).snapshot(499);
    expect((await scene.recover()).txns).toEqual(txns(500, 501));
    const learner = await (await Scene.make()).log(txns(1, 50)).snapshot(499);
    expect(await learner.recover()).toMatchObject({ lastZxid: 499, txnsLoaded: 0 });
  });

  test("goes on over the beginning of an epoch", async () => {
    const newEpoch = [txn(3 * EPOCH + 1), txn(3 * EPOCH + 2)];
    const scene = await (await Scene.make()).log([...txns(1, 3), ...newEpoch]).snapshot(0);
    expect((await scene.recover()).txns).toEqual([...txns(1, 3), ...newEpoch]);
    const led = await (await Scene.make())
      .log(txns(1, 3))
      .log(newEpoch)
      .snapshot(3 * EPOCH);
    expect((await led.recover()).txns).toEqual(newEpoch);
  });

  test("tells when the digest of a fuzzy snapshot can be compared", async () => {
    const scene = await (await Scene.make()).log(txns(1, 9)).snapshot(6, contentOf(1), 8);
    expect(await scene.recover()).toMatchObject({ pendingDigestZxid: 8, warnings: [] });
    const unknown = await (await Scene.make()).snapshot(6, contentOf(1), 0);
    expect((await unknown.recover()).pendingDigestZxid).toBeUndefined();
  });

  test("refuses a fuzzy snapshot that holds more than the logs do", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7)).snapshot(6, contentOf(1), 8);
    const failure = await scene.failure();
    expect(failure).toMatchObject(at("snapshot.6", undefined));
    expect(failure.message).toContain("the end of the log is missing");
  });

  test("falls back to an older snapshot where the logs lead up to the newer one", async () => {
    const scene = await (await (await Scene.make()).log(txns(1, 7)).log(txns(8, 12)).snapshot(2)).snapshot(9);
    const newest = "/data/version-2/snapshot.9";
    scene.disk.setContents(newest, flipped(scene.disk.contents(newest), 100, 1));
    const recovered = await scene.recover();
    expect(recovered.txns).toEqual(txns(3, 12));
    expect(recovered.snapshot?.zxid).toBe(2);
    expect(scene.logger.warnings.join()).toContain("snapshot.9");
  });

  test("does not fall back to a history that is shorter than what the newer snapshot held", async () => {
    const scene = await (await (await Scene.make()).log(txns(1, 7)).snapshot(2)).snapshot(9);
    scene.disk.setContents("/data/version-2/snapshot.9", new Uint8Array(50));
    expect(await scene.failure()).toMatchObject(at("snapshot.9", undefined));
  });

  test("passes over a snapshot that a crash of Apache's left half written", async () => {
    const scene = await (await Scene.make()).log(txns(1, 12)).snapshot(2);
    scene.file("snapshot.9", new Uint8Array(50)).file("snapshot.500000000", new Uint8Array(0));
    expect(await scene.recover()).toMatchObject({ lastZxid: 12, snapshot: { zxid: 2 } });
  });

  test("does not start where no snapshot can be read", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7)).snapshot(2);
    scene.disk.setContents(
      "/data/version-2/snapshot.2",
      flipped(scene.disk.contents("/data/version-2/snapshot.2"), 100, 1),
    );
    const error = await scene.failure();
    expect(error.file).toBe("/data/version-2");
    expect(error.message).toContain("snapshot.2");
  });

  test("passes over names that only look like live files", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7)).snapshot(2);
    scene
      .file("log.1.fixed", logFile(txns(1, 9)))
      .file("snapshot.5.bak", new Uint8Array(3))
      .file("log.8.chopped5", new Uint8Array(9));
    scene.file("snapshot.ffffffffffffffff", new Uint8Array(100));
    expect(await scene.recover()).toMatchObject({ lastZxid: 7 });
    await prepareDataDirectory(scene.disk, scene.directory, true, scene.logger);
    expect(scene.logger.warnings.join()).toContain("log.1.fixed");
  });
});

describe("an empty directory", () => {
  test("is an empty database, unless db.autocreate is off", async () => {
    expect(await (await Scene.make()).recover()).toMatchObject({ lastZxid: 0, snapshot: undefined, txns: [] });
    expect(await (await Scene.make()).recover({ autocreateDatabase: false })).toMatchObject({ lastZxid: -1 });
  });

  test("is an empty database by the marker initialize, which is taken away", async () => {
    const scene = await Scene.make();
    scene.disk.setContents("/data/initialize", new Uint8Array(0));
    expect(await scene.recover({ autocreateDatabase: false })).toMatchObject({ lastZxid: 0 });
    expect(await scene.disk.list("/data")).toEqual(["version-2"]);
  });

  test("but for logs is none, unless the empty snapshot is trusted", async () => {
    const scene = (await Scene.make()).log(txns(1, 5));
    const error = await scene.failure();
    expect(error).toMatchObject(at("log.1", undefined));
    expect(error.message).toContain("snapshot.trust.empty");
    expect((await scene.recover({ trustEmptySnapshot: true })).txns).toEqual(txns(1, 5));
  });

  test("but for a snapshot that is not whole is none", async () => {
    const scene = (await Scene.make()).file("snapshot.64", new Uint8Array(500));
    expect(await scene.failure()).toMatchObject(at("snapshot.64", undefined));
    expect(await (await Scene.make()).file("snapshot.0", new Uint8Array(50)).recover()).toMatchObject({ lastZxid: 0 });
  });
});

describe("torn tails", () => {
  const cut = (count: number) => (bytes: Uint8Array) => bytes.slice(0, bytes.length - 600 - count);

  test("of the last log are cut, with a warning", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7), cut(9)).snapshot(0);
    const recovered = await scene.recover();
    expect(recovered.txns).toEqual(txns(1, 6));
    expect(recovered.tornTails).toEqual([
      { file: "/data/version-2/log.1", position: entryPositions(txns(1, 7))[6], reason: expect.any(String) },
    ]);
    expect(recovered.warnings.length).toBe(1);
  });

  test("of an earlier log are accepted where the next goes on with the zxid that was cut, without a warning", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7), cut(9)).log(txns(7, 9)).snapshot(0);
    const recovered = await scene.recover();
    expect(recovered.txns).toEqual(txns(1, 9));
    expect(recovered).toMatchObject({ tornTails: [{ file: "/data/version-2/log.1" }], warnings: [] });
  });

  test("of an earlier log are accepted where the next begins an epoch", async () => {
    const scene = await (await Scene.make())
      .log(txns(1, 7), cut(9))
      .log([txn(EPOCH + 1)])
      .snapshot(0);
    expect((await scene.recover()).txns).toEqual([...txns(1, 6), txn(EPOCH + 1)]);
  });

  test("of an earlier log stop the start where the next goes on with any other zxid", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7), cut(9)).log(txns(8, 9)).snapshot(0);
    const error = await scene.failure();
    expect(error).toMatchObject(at("log.1", entryPositions(txns(1, 7))[6]));
    expect(error.message).toContain("goes on with zxid 0x8 where 0x7 was to follow");
  });

  test("several one after the other, as of a server that crashed at each start, are accepted", async () => {
    const scene = await (await Scene.make())
      .log(txns(1, 4), cut(1))
      .log(txns(4, 6), cut(1))
      .log(txns(6, 6), cut(1))
      .snapshot(0);
    expect((await scene.recover()).txns).toEqual(txns(1, 5));
  });

  test("empty last logs of Apache's are accepted, of any length below a header's", async () => {
    for (const size of [0, 1, 15, 16]) {
      const scene = await (await Scene.make()).log(txns(1, 4)).file("log.5", logFile([]).slice(0, size)).snapshot(0);
      expect((await scene.recover()).txns).toEqual(txns(1, 4));
    }
  });

  test("an empty log whose name leaves a gap stops the start", async () => {
    const scene = await (await Scene.make()).log(txns(1, 4)).file("log.7", logFile([])).snapshot(0);
    expect(await scene.failure()).toMatchObject(at("log.7", 0));
  });
});

describe("damage and gaps", () => {
  test("in the last log stop the start at the damaged entry", async () => {
    const positions = entryPositions(txns(1, 7));
    const scene = await (await Scene.make())
      .log(txns(1, 7), (bytes) => flipped(bytes, positions[3]! + 50, 4))
      .snapshot(0);
    const error = await scene.failure();
    expect(error).toMatchObject(at("log.1", positions[3]));
    expect(error.message).toContain(`offset ${positions[3]}`);
    expect(error.message).toContain("watchkeeper log cut");
  });

  test("in an earlier log that a later one does not make good stop the start, over a new epoch too", async () => {
    const positions = entryPositions(txns(1, 7));
    const damage = (bytes: Uint8Array) => flipped(bytes, positions[3]! + 50, 4);
    for (const next of [txns(8, 9), [txn(EPOCH + 1)]]) {
      const scene = await (await Scene.make()).log(txns(1, 7), damage).log(next).snapshot(0);
      expect(await scene.failure()).toMatchObject(at("log.1", positions[3]));
    }
  });

  test("a missing log stops the start", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7)).log(txns(12, 15)).snapshot(0);
    expect(await scene.failure()).toMatchObject(at("log.c", 16));
    const first = await (await Scene.make()).log(txns(5, 7)).snapshot(2);
    expect(await first.failure()).toMatchObject(at("log.5", 16));
  });

  test("a missing txn within a log stops the start", async () => {
    const list = [...txns(1, 3), ...txns(5, 6)];
    const scene = await (await Scene.make()).log(list).snapshot(0);
    expect(await scene.failure()).toMatchObject(at("log.1", entryPositions(list)[3]));
  });

  test("an epoch that does not begin at its beginning stops the start", async () => {
    const scene = await (await Scene.make()).log([...txns(1, 3), txn(EPOCH + 2)]).snapshot(0);
    expect((await scene.failure()).file).toBe("/data/version-2/log.1");
  });

  test("txns that come twice are passed over if they are the same, and stop the start if not", async () => {
    const scene = await (await Scene.make()).log(txns(1, 7)).log(txns(5, 9)).snapshot(0);
    const recovered = await scene.recover();
    expect(recovered.txns).toEqual(txns(1, 9));
    expect(recovered.warnings.join()).toContain("repeats 3 txns");
    const other = await (await Scene.make())
      .log(txns(1, 7))
      .log([txn(6, "another"), txn(7)])
      .snapshot(0);
    expect(await other.failure()).toMatchObject(at("log.6", 16));
  });

  test("a name beyond 2^53-1 is refused", async () => {
    const scene = (await Scene.make()).file("log.20000000000000", logFile([]));
    expect(await scene.failure()).toMatchObject(at("log.20000000000000", undefined));
  });

  test("of any one byte never give a history with a hole or a change", async () => {
    const lists = [txns(1, 4), txns(5, 7), txns(8, 9)];
    const files = lists.map((list) => logFile(list, 40));
    for (const [index, file] of files.entries()) {
      for (let position = 0; position < file.length; position++) {
        const scene = await (await Scene.make()).snapshot(0);
        for (const [i, bytes] of files.entries()) {
          scene.file(`log.${lists[i]![0]!.zxid}`, i === index ? flipped(bytes, position, 1 << (position % 8)) : bytes);
        }
        await expectWholeOrRefused(scene, [`log.${lists[index]![0]!.zxid}`], txns(1, 9), index === 2 ? 8 : 9);
      }
    }
  });

  test("cut at any byte never give a history with a hole", async () => {
    const lists = [txns(1, 4), txns(5, 7), txns(8, 9)];
    const files = lists.map((list) => logFile(list, 20));
    for (const [index, file] of files.entries()) {
      for (let size = 0; size < file.length; size++) {
        const scene = await (await Scene.make()).snapshot(0);
        for (const [i, bytes] of files.entries()) {
          scene.file(`log.${lists[i]![0]!.zxid}`, i === index ? bytes.slice(0, size) : bytes);
        }
        const names = lists.slice(index, index + 2).map((list) => `log.${list[0]!.zxid}`);
        await expectWholeOrRefused(scene, names, txns(1, 9), index === 2 ? 7 : 9);
      }
    }
  });

  /** Either all of `list`, but at most a tail of the last file, or an error that names one of the files. */
  async function expectWholeOrRefused(
    scene: Scene,
    names: string[],
    list: TestTxn[],
    leastZxid: number,
  ): Promise<void> {
    const outcome = await scene.recover().catch((error: unknown) => error);
    if (outcome instanceof DataDirectoryError) {
      expect(names.map((name) => `/data/version-2/${name}`)).toContain(outcome.file);
      expect(outcome.offset).toBeTypeOf("number");
      return;
    }
    if (outcome instanceof Error) throw outcome;
    const { txns: seen, lastZxid } = outcome as { txns: TestTxn[]; lastZxid: number };
    expect(lastZxid).toBeGreaterThanOrEqual(leastZxid);
    expect(seen).toEqual(list.slice(0, lastZxid));
  }

  test("of any one byte of a snapshot are found, and an older one serves with the logs", async () => {
    const scene = await (await (await Scene.make()).log(txns(1, 5)).snapshot(0)).snapshot(3);
    const path = "/data/version-2/snapshot.3";
    const whole = scene.disk.contents(path);
    for (let position = 0; position < whole.length; position++) {
      scene.disk.setContents(path, flipped(whole, position, 1 << (position % 8)));
      const recovered = await scene.recover();
      expect(recovered.snapshot?.zxid, `flip at ${position}`).toBe(0);
      expect(recovered.txns).toEqual(txns(1, 5));
    }
    for (let size = 0; size < whole.length; size++) {
      scene.disk.setContents(path, whole.slice(0, size));
      expect((await scene.recover()).txns.at(-1), `cut at ${size}`).toEqual(txn(5));
    }
  });
});

describe("crash and start, again and again", () => {
  test("lose nothing that was acknowledged, and the history stays one", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed);
      const scene = await (await Scene.make()).snapshot(0);
      let history: TestTxn[] = [];
      let acknowledged = 0;
      for (let life = 0; life < 6; life++) {
        const recovered = await scene.recover();
        expect(recovered.lastZxid, `seed ${seed}, life ${life}`).toBeGreaterThanOrEqual(acknowledged);
        expect(brief(recovered.txns)).toEqual(brief(history.slice(0, recovered.lastZxid)));
        history = history.slice(0, recovered.lastZxid);
        acknowledged = await live(scene, random, history);
      }
    }
  });

  /** Appends until the power goes. @returns the last zxid acknowledged */
  async function live(scene: Scene, random: SeededRandom, history: TestTxn[]): Promise<number> {
    const { disk, logger, directory } = scene;
    const log = new TxnLog(
      { disk, directory: directory.logDirectory, clock: new TurnedClock(), logger },
      { preAllocBytes: random.below(2) * 600_000 },
    );
    let acknowledged = history.length;
    let operationsLeft = random.below(40);
    disk.beforeOperation = () => {
      if (operationsLeft-- === 0) disk.crash(random);
      return undefined;
    };
    try {
      while (operationsLeft >= 0) {
        const count = 1 + random.below(12);
        const first = history.length + 1;
        const batch = Array.from({ length: count }, (_, i) => txn(first + i, noise(random.below(900), first + i)));
        history.push(...batch);
        await log.append(batchOf(batch));
        if (operationsLeft >= 0) acknowledged = history.length;
        if (random.below(6) === 0) log.roll();
      }
    } catch {
      // The power went.
    }
    disk.beforeOperation = undefined;
    return acknowledged;
  }
});
