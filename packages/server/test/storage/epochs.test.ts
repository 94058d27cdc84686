import { describe, expect, test } from "vitest";
import {
  DataDirectoryError,
  loadEpochs,
  readEpoch,
  writeAcceptedEpoch,
  writeCurrentEpoch,
} from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";

const DIRECTORY = "/data/version-2";
const EPOCH = 2 ** 32;

async function diskWith(files: Record<string, string>): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.makeDirectory(DIRECTORY);
  for (const [name, text] of Object.entries(files)) {
    disk.setContents(`${DIRECTORY}/${name}`, new TextEncoder().encode(text));
  }
  return disk;
}

interface Loaded {
  readonly accepted: number;
  readonly current: number;
  readonly warnings: readonly string[];
  /** As they stand in the files afterwards. */
  readonly files: readonly (number | undefined)[];
}

async function load(disk: MemoryDisk, lastZxid: number): Promise<Loaded> {
  const logger = new KeptLines();
  const { accepted, current } = await loadEpochs(disk, DIRECTORY, lastZxid, logger);
  const files = [await readEpoch(disk, DIRECTORY, "acceptedEpoch"), await readEpoch(disk, DIRECTORY, "currentEpoch")];
  return { accepted: accepted.epoch, current: current.epoch, warnings: logger.warnings, files };
}

describe("the epochs at a start", () => {
  test.each([
    ["of a directory of a standalone server", {}, 7, [0, 0]],
    ["of a directory without a database", {}, -1, [0, 0]],
    ["of a directory whose txns have an epoch", {}, 3 * EPOCH + 1, [3, 3]],
    ["that are both there", { acceptedEpoch: "5", currentEpoch: "4" }, 4 * EPOCH + 9, [5, 4]],
    ["of a leader that proposed nothing", { acceptedEpoch: "5", currentEpoch: "5" }, 3 * EPOCH + 9, [5, 5]],
    ["without currentEpoch", { acceptedEpoch: "5" }, 4 * EPOCH, [5, 4]],
    ["without acceptedEpoch", { currentEpoch: "4" }, 3 * EPOCH, [4, 4]],
  ] as const)("%s", async (_of, files, lastZxid, [accepted, current]) => {
    const loaded = await load(await diskWith(files), lastZxid);
    expect(loaded).toEqual({ accepted, current, warnings: [], files: [accepted, current] });
  });

  test("are repaired where a crash came between a leader's history and its epoch", async () => {
    const disk = await diskWith({ acceptedEpoch: "6", currentEpoch: "4", "currentEpoch.tmp": "6" });
    const loaded = await load(disk, 5 * EPOCH + 2);
    expect(loaded).toMatchObject({ accepted: 6, current: 5, files: [6, 5] });
    expect(loaded.warnings).toEqual([
      "currentEpoch was 4 and becomes 5, the epoch of the last txn, 0x500000002: " +
        "the server had ended between logging its leader's history and noting its epoch",
    ]);
  });

  test.each([
    ["acceptedEpoch is below currentEpoch", { acceptedEpoch: "3", currentEpoch: "4" }, 0, "it holds 3, less than"],
    ["a txn is of an epoch never accepted", { acceptedEpoch: "4", currentEpoch: "4" }, 5 * EPOCH + 1, "is of epoch 5"],
    ["one is no number", { acceptedEpoch: "four" }, 0, 'found "four"'],
  ] as const)("stop it where %s", async (_where, files, lastZxid, sentence) => {
    const disk = await diskWith(files);
    const error: unknown = await load(disk, lastZxid).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataDirectoryError);
    expect((error as DataDirectoryError).message).toContain(sentence);
    expect((error as DataDirectoryError).message).toContain("copies everything from the leader");
    expect((await disk.list(DIRECTORY)).length).toBe(Object.keys(files).length);
  });

  test("are not proven to be on the disk where it fails", async () => {
    for (const nth of [1, 2, 3]) {
      const disk = await diskWith({});
      disk.failSync(nth, "EIO");
      await expect(loadEpochs(disk, DIRECTORY, 0, new KeptLines())).rejects.toMatchObject({ code: "EIO" });
    }
  });
});

test("an epoch that was found is made as durable as one that is written", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = await diskWith({});
    for (const name of ["acceptedEpoch", "currentEpoch"]) {
      const file = await disk.open(`${DIRECTORY}/${name}`, { mode: "create" });
      await file.write(Uint8Array.of(0x37), 0);
      await file.sync();
    }
    expect((await load(disk, 0)).accepted).toBe(7);
    disk.crash(new SeededRandom(seed));
    expect(await load(disk, 0)).toMatchObject({ accepted: 7, current: 7 });
  }
});

test("an epoch whose token was given is there after a power cut, and no crash brings a server back that cannot start", async () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new SeededRandom(seed);
    const disk = await diskWith({});
    let { accepted, current } = await loadEpochs(disk, DIRECTORY, 0, new KeptLines());
    let operationsLeft = random.below(60);
    disk.beforeOperation = () => {
      if (operationsLeft-- === 0) disk.crash(random);
      return undefined;
    };
    try {
      for (;;) {
        accepted = await writeAcceptedEpoch(disk, DIRECTORY, accepted.epoch + 1 + random.below(2));
        current = await writeCurrentEpoch(disk, DIRECTORY, accepted.epoch);
      }
    } catch {
      // The power went.
    }
    disk.beforeOperation = undefined;
    const found = await load(disk, 0);
    expect(found.accepted, `seed ${seed}`).toBeGreaterThanOrEqual(accepted.epoch);
    expect(found.current, `seed ${seed}`).toBeGreaterThanOrEqual(current.epoch);
  }
});
