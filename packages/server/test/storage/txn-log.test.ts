import { describe, expect, test } from "vitest";
import { type LogBatch, readTxnLog, TxnLog, type TxnLogOptions } from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { TurnedClock } from "../../src/testing/turned-clock.js";
import { batchOf, brief, logFile, seenTxn, type TestTxn, txn, txns } from "./txns.js";

const LOGS = "/data/version-2";

interface Setup {
  readonly disk: MemoryDisk;
  readonly clock: TurnedClock;
  readonly logger: KeptLines;
  readonly log: TxnLog;
}

async function setup(options: TxnLogOptions = { preAllocBytes: 0 }, disk = new MemoryDisk()): Promise<Setup> {
  await disk.makeDirectory(LOGS);
  const clock = new TurnedClock();
  const logger = new KeptLines();
  const log = new TxnLog({ disk, directory: LOGS, clock, logger }, options);
  return { disk, clock, logger, log };
}

async function entriesOf(disk: MemoryDisk, name: string): Promise<string[]> {
  const seen: TestTxn[] = [];
  const verdict = await readTxnLog(disk, `${LOGS}/${name}`, (bytes, start, end, _position, zxid) =>
    seen.push(seenTxn(bytes, start, end, zxid)),
  );
  expect(verdict.kind).toBe("complete");
  return brief(seen);
}

describe("the txn log", () => {
  test("makes a file named for its first zxid and goes on in it", async () => {
    const { disk, log } = await setup();
    await log.append(batchOf(txns(0x1a, 0x1c)));
    await log.append(batchOf(txns(0x1d, 0x1d)));
    expect(await disk.list(LOGS)).toEqual(["log.1a"]);
    expect(disk.contents(`${LOGS}/log.1a`)).toEqual(logFile(txns(0x1a, 0x1d)));
    expect(log.sizeBytes).toBe(logFile(txns(0x1a, 0x1d)).length);
  });

  test("goes on in a new file after a roll, and makes none before there is something to write", async () => {
    const { disk, log } = await setup();
    await log.append(batchOf(txns(1, 3)));
    log.roll();
    expect(await disk.list(LOGS)).toEqual(["log.1"]);
    expect(log.sizeBytes).toBe(0);
    await log.append(batchOf(txns(4, 5)));
    expect(await entriesOf(disk, "log.1")).toEqual(brief(txns(1, 3)));
    expect(await entriesOf(disk, "log.4")).toEqual(brief(txns(4, 5)));
    await log.close();
  });

  test("rolls by size", async () => {
    const { disk, log } = await setup({ preAllocBytes: 0, txnLogSizeLimitBytes: 300 });
    for (let zxid = 1; zxid <= 6; zxid++) await log.append(batchOf([txn(zxid, new Uint8Array(100))]));
    expect((await disk.list(LOGS)).sort()).toEqual(["log.1", "log.3", "log.5"]);
  });

  test("replaces a torn file of the same name", async () => {
    const { disk, log } = await setup();
    disk.setContents(`${LOGS}/log.7`, new Uint8Array(5000).fill(0xee));
    await log.append(batchOf(txns(7, 8)));
    expect(disk.contents(`${LOGS}/log.7`)).toEqual(logFile(txns(7, 8)));
  });

  test("refuses a second append at the same time", async () => {
    const { log } = await setup();
    const first = log.append(batchOf(txns(1, 1)));
    await expect(log.append(batchOf(txns(2, 2)))).rejects.toThrow("under way");
    await first;
  });

  test("warns of a slow append and counts it", async () => {
    const { disk, clock, logger, log } = await setup({ preAllocBytes: 0, fsyncWarningThresholdMs: 1000 });
    await log.append(batchOf(txns(1, 1)));
    disk.beforeOperation = ({ kind }) => {
      if (kind === "write") clock.turn(1234);
      return undefined;
    };
    await log.append(batchOf(txns(2, 2)));
    expect(log.fsyncThresholdExceedCount).toBe(1);
    expect(logger.warnings).toHaveLength(1);
    expect(logger.warnings[0]).toContain("fsync-ing the write ahead log in");
    expect(logger.warnings[0]).toContain("took 1234ms which will adversely effect operation latency.");
    expect(log.lastAppendMs).toBe(1234);
  });
});

describe("durability of the txn log", () => {
  /** Appends batches until the power goes at the `crashAt`th operation. @returns the last zxid acknowledged */
  async function runAndCrash(
    seed: number,
    options: TxnLogOptions,
  ): Promise<{ disk: MemoryDisk; acknowledged: number }> {
    const { disk, log } = await setup(options);
    const random = new SeededRandom(seed);
    let operationsLeft = 1 + random.below(60);
    disk.beforeOperation = () => {
      if (operationsLeft-- === 0) disk.crash(random);
      return undefined;
    };
    let acknowledged = 0;
    try {
      for (let zxid = 1; operationsLeft >= 0; ) {
        const last = zxid + random.below(30);
        const list = txns(zxid, last).map((each) => txn(each.zxid, new Uint8Array(random.below(400)).fill(each.zxid)));
        await log.append(batchOf(list));
        if (operationsLeft >= 0) acknowledged = last;
        zxid = last + 1;
        if (random.below(5) === 0) log.roll();
      }
    } catch {
      // Crashed, as planned.
    }
    disk.beforeOperation = undefined;
    return { disk, acknowledged };
  }

  test.each([
    ["with zeros ahead", { preAllocBytes: 64 << 20 }],
    ["without", { preAllocBytes: 0 }],
  ])("nothing that was acknowledged is lost in a power cut, %s", async (_name, options) => {
    let tails = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const { disk, acknowledged } = await runAndCrash(seed, options);
      const names = (await disk.list(LOGS))
        .filter((name) => name.startsWith("log."))
        .sort((a, b) => zxidOf(a) - zxidOf(b));
      let last = 0;
      for (const name of names) {
        const verdict = await readTxnLog(disk, `${LOGS}/${name}`, (_bytes, _start, _end, _position, zxid) => {
          expect(zxid).toBe(last + 1);
          last = zxid;
        });
        expect(verdict.kind, `seed ${seed}: ${JSON.stringify(verdict)}`).not.toBe("damaged");
        if (verdict.kind === "torn") {
          tails++;
          expect(name).toBe(names.at(-1));
        }
      }
      expect(last, `seed ${seed}`).toBeGreaterThanOrEqual(acknowledged);
    }
    expect(tails).toBeGreaterThan(5);
  });

  test("a new file appears under its name whole, or not at all", async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const { disk, log } = await setup();
      const random = new SeededRandom(seed);
      let operationsLeft = random.below(8);
      disk.beforeOperation = () => {
        if (operationsLeft-- === 0) disk.crash(random);
        return undefined;
      };
      await log.append(batchOf(txns(1, 40))).catch(() => {});
      disk.beforeOperation = undefined;
      if ((await disk.list(LOGS)).includes("log.1")) expect(await entriesOf(disk, "log.1")).toEqual(brief(txns(1, 40)));
    }
  });

  test.each([
    ["write", (disk: MemoryDisk) => disk.failWrite(1, "EIO"), "EIO"],
    ["sync", (disk: MemoryDisk) => disk.failSync(1, "EIO"), "EIO"],
    ["full disk", (disk: MemoryDisk) => (disk.capacityBytes = disk.usedBytes + 10), "ENOSPC"],
  ])("after one failure, %s, every append is refused with it", async (_name, fail, code) => {
    const { disk, log } = await setup();
    await log.append(batchOf(txns(1, 2)));
    fail(disk);
    await expect(log.append(batchOf(txns(3, 4)))).rejects.toMatchObject({ name: "DiskError", code });
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    await expect(log.append(batchOf(txns(3, 4)))).rejects.toMatchObject({ name: "DiskError", code });
    log.roll();
    await expect(log.append(batchOf(txns(3, 4)))).rejects.toMatchObject({ name: "DiskError", code });
  });

  test("a directory that cannot be synced fails the append that made the file", async () => {
    const { disk, log } = await setup();
    disk.failSync(2, "EIO");
    await expect(log.append(batchOf(txns(1, 2)))).rejects.toMatchObject({ code: "EIO" });
  });

  test("without forceSync nothing waits for the disk", async () => {
    const { disk, log } = await setup({ forceSync: false, preAllocBytes: 0 });
    const kinds: string[] = [];
    disk.beforeOperation = ({ kind }) => {
      kinds.push(kind);
      return undefined;
    };
    disk.failSync(1, "EIO");
    await log.append(batchOf(txns(1, 2)));
    await log.append(batchOf(txns(3, 4)));
    expect(kinds).not.toContain("syncDirectory");
    expect(await entriesOf(disk, "log.1")).toEqual(brief(txns(1, 4)));
  });
});

describe("the zeros ahead of the entries", () => {
  const OPTIONS = { preAllocBytes: 64 << 20 };
  /** One piece of zeros: the only writes of this length. */
  const PIECE_BYTES = 256 << 10;

  async function filled(log: TxnLog): Promise<void> {
    await until(() => log.sizeBytes >= 4 << 20);
  }

  test("reach megabytes ahead and do not disturb a reader", async () => {
    const { disk, log } = await setup(OPTIONS);
    await log.append(batchOf(txns(1, 3)));
    await filled(log);
    await log.append(batchOf(txns(4, 4)));
    expect(disk.contents(`${LOGS}/log.1`).length).toBeGreaterThanOrEqual(4 << 20);
    expect(await entriesOf(disk, "log.1")).toEqual(brief(txns(1, 4)));
    await log.close();
  });

  test("reach no further than preAllocSize", async () => {
    const { disk, log } = await setup({ preAllocBytes: 300 << 10 });
    await log.append(batchOf(txns(1, 1)));
    for (let zxid = 2; zxid <= 4; zxid++) await log.append(batchOf([txn(zxid, new Uint8Array(100_000))]));
    await until(() => log.sizeBytes >= 600_000);
    await log.close();
    expect(disk.contents(`${LOGS}/log.1`).length).toBeLessThan(900_000);
  });

  test("are refilled as entries use them up", async () => {
    const { disk, log } = await setup(OPTIONS);
    const list: TestTxn[] = [];
    for (let zxid = 1; zxid <= 12; zxid++) {
      list.push(txn(zxid, new Uint8Array(1_000_000).fill(zxid)));
      await log.append(batchOf([list[zxid - 1]!]));
    }
    await until(() => log.sizeBytes >= 15_000_000);
    await log.close();
    expect(await entriesOf(disk, "log.1")).toEqual(brief(list));
  });

  /** Holds back the first piece of zeros that is written behind `from`. @returns lets it go */
  function holdPiece(disk: MemoryDisk, from: number): { held: () => boolean; letGo: () => void } {
    let held = false;
    let letGo = () => {};
    disk.beforeOperation = ({ kind, position, byteCount }) => {
      if (held || kind !== "write" || byteCount !== PIECE_BYTES || position! < from) return undefined;
      held = true;
      return new Promise<void>((resolve) => (letGo = resolve));
    };
    return { held: () => held, letGo: () => letGo() };
  }

  test("a piece that the disk carries out late destroys no entry appended meanwhile", async () => {
    const { disk, log } = await setup(OPTIONS);
    const piece = holdPiece(disk, PIECE_BYTES);
    await log.append(batchOf(txns(1, 3)));
    await until(piece.held);
    // Up to where the piece begins appends go on; this one would reach into it.
    await log.append(batchOf(txns(4, 6)));
    const large = txn(7, new Uint8Array(400_000).fill(7));
    let landed = false;
    const reaching = log.append(batchOf([large])).then(() => (landed = true));
    for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
    expect(landed).toBe(false);
    piece.letGo();
    await reaching;
    await filled(log);
    await log.append(batchOf([txn(8)]));
    await log.close();
    expect(await entriesOf(disk, "log.1")).toEqual(brief([...txns(1, 6), large, txn(8)]));
  });

  test("an append that is carried out late is not overtaken by zeros over its place", async () => {
    const { disk, log } = await setup(OPTIONS);
    await log.append(batchOf(txns(1, 1)));
    await filled(log);
    let letGo = () => {};
    disk.beforeOperation = ({ kind, byteCount }) =>
      kind === "write" && byteCount! > 1_500_000 ? new Promise<void>((resolve) => (letGo = resolve)) : undefined;
    // Beyond the zeros that are there, so that new ones are started while it is held.
    const list = [2, 3, 4, 5].map((zxid) => txn(zxid, new Uint8Array(2_000_000).fill(zxid)));
    for (const each of list) {
      const append = log.append(batchOf([each]));
      for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
      letGo();
      await append;
    }
    await log.close();
    expect(await entriesOf(disk, "log.1")).toEqual(brief([txn(1), ...list]));
  });

  test("overlap with appends in any order of the disk without loss", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { disk, log } = await setup({ preAllocBytes: 1 << 20 });
      const random = new SeededRandom(seed);
      const held: (() => void)[] = [];
      disk.beforeOperation = () => {
        for (const letGo of held.splice(0)) letGo();
        return random.below(3) === 0 ? new Promise<void>((resolve) => held.push(resolve)) : undefined;
      };
      const list: TestTxn[] = [];
      let done = false;
      const appends = (async () => {
        for (let zxid = 1; zxid <= 20; zxid++) {
          list.push(txn(zxid, new Uint8Array(random.below(300_000)).fill(zxid)));
          await log.append(batchOf([list.at(-1)!]));
        }
        await log.close();
        done = true;
      })();
      await until(() => {
        if (random.below(4) === 0) for (const letGo of held.splice(0)) letGo();
        return done;
      });
      await appends;
      disk.beforeOperation = undefined;
      expect(await entriesOf(disk, "log.1"), `seed ${seed}`).toEqual(brief(list));
    }
  });

  test("are done without where the disk has no room for them, with one warning", async () => {
    const { disk, log, logger } = await setup(OPTIONS);
    disk.capacityBytes = 100_000;
    await log.append(batchOf(txns(1, 2)));
    for (let zxid = 3; zxid < 20; zxid++) await log.append(batchOf(txns(zxid, zxid)));
    await log.close();
    expect(await entriesOf(disk, "log.1")).toEqual(brief(txns(1, 19)));
    expect(logger.warnings.every((sentence) => sentence.includes("preallocating"))).toBe(true);
    expect(logger.warnings.length).toBeGreaterThan(0);
    expect(logger.warnings.length).toBeLessThanOrEqual(2);
  });
});

function zxidOf(name: string): number {
  return Number.parseInt(name.split(".")[1]!, 16);
}

describe("a batch", () => {
  test("without entries writes nothing", async () => {
    const { disk, log } = await setup();
    const empty: LogBatch = batchOf([]);
    await log.append(empty);
    expect(await disk.list(LOGS)).toEqual([]);
  });
});

/** Waits for what comes about through microtasks alone, looking after each of them. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (condition()) return;
    await Promise.resolve();
  }
  throw new Error("it did not come about");
}
