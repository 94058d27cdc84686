import { describe, expect, test } from "vitest";
import {
  DataDirectoryError,
  dataDirectory,
  listLogs,
  listSnapshots,
  looksWhole,
  prepareDataDirectory,
  readEpoch,
  writeEpoch,
} from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { hex } from "./txns.js";

const EMPTY = new Uint8Array(0);

describe("listing", () => {
  test("takes exact names only, oldest first by zxid, not by letters", async () => {
    const disk = new MemoryDisk();
    const names = [
      "log.1",
      "log.a",
      "log.10",
      "log.9",
      "log.01",
      "log.1A",
      "log.",
      "log.1.fixed",
      "log.x",
      "xlog.1",
      "log.1 ",
    ];
    for (const name of names) disk.setContents(`/logs/${name}`, EMPTY);
    expect(await listLogs(disk, "/logs")).toEqual([
      { name: "log.1", zxid: 1 },
      { name: "log.9", zxid: 9 },
      { name: "log.a", zxid: 10 },
      { name: "log.10", zxid: 16 },
    ]);
  });

  test("tells how a snapshot is packed", async () => {
    const disk = new MemoryDisk();
    const names = [
      "snapshot.0",
      "snapshot.1a.gz",
      "snapshot.1a.snappy",
      "snapshot.5.tmp",
      "snapshot.5.GZ",
      "snapshot.ffffffffffffffff",
    ];
    for (const name of names) disk.setContents(`/snaps/${name}`, EMPTY);
    expect(await listSnapshots(disk, "/snaps")).toEqual([
      { name: "snapshot.0", zxid: 0, compression: undefined },
      { name: "snapshot.1a.gz", zxid: 0x1a, compression: "gz" },
      { name: "snapshot.1a.snappy", zxid: 0x1a, compression: "snappy" },
    ]);
  });

  test("tests a snapshot cheaply by its ends", async () => {
    const disk = new MemoryDisk();
    const looks = async (name: string, bytes: Uint8Array, compression?: "gz" | "snappy") => {
      disk.setContents(`/snaps/${name}`, bytes);
      return await looksWhole(disk, "/snaps", { name, zxid: 1, compression });
    };
    expect(await looks("snapshot.1", hex(`${"00".repeat(20)} 00 00 00 01 2f`))).toBe(true);
    expect(await looks("snapshot.1", hex(`${"00".repeat(20)} 00 00 00 01 2e`))).toBe(false);
    expect(await looks("snapshot.1", hex("00 00 00 01 2f"))).toBe(false);
    expect(await looks("snapshot.1", EMPTY)).toBe(false);
    expect(await looks("snapshot.1.gz", hex("1f 8b 08"), "gz")).toBe(true);
    expect(await looks("snapshot.1.gz", hex("1f"), "gz")).toBe(false);
    expect(await looks("snapshot.1.snappy", hex("82 53 4e 41 50 50 59 00"), "snappy")).toBe(true);
    expect(await looks("snapshot.1.snappy", hex("82 53 4e 41 50 50 59 01"), "snappy")).toBe(false);
  });
});

describe("preparing the directories", () => {
  async function prepare(disk: MemoryDisk, dataDir: string, dataLogDir = dataDir, autocreate = true) {
    const logger = new KeptLines();
    const directory = dataDirectory(disk, dataDir, dataLogDir);
    await prepareDataDirectory(disk, directory, autocreate, logger);
    return { directory, logger };
  }

  test("makes them", async () => {
    const disk = new MemoryDisk();
    const { directory } = await prepare(disk, "/data", "/logs");
    expect(await disk.list(directory.snapDirectory)).toEqual([]);
    expect(await disk.list("/logs/version-2")).toEqual([]);
  });

  test("refuses to make them where that is not wanted", async () => {
    await expect(prepare(new MemoryDisk(), "/data", "/data", false)).rejects.toThrow(
      "/data/version-2: the directory is missing, and zookeeper.datadir.autocreate is false. Create it",
    );
  });

  test("refuses directories that have been mixed up", async () => {
    const disk = new MemoryDisk();
    disk.setContents("/data/version-2/log.1", EMPTY);
    await expect(prepare(disk, "/data", "/logs")).rejects.toThrow(
      "/data/version-2/log.1: the directory for snapshots holds a log",
    );
    disk.setContents("/logs/version-2/snapshot.1.bak", EMPTY);
    await expect(prepare(disk, "/data", "/logs")).rejects.toThrow("the directory for logs holds a snapshot");
    await prepare(disk, "/data");
  });

  test("refuses one that cannot be written, with the reason", async () => {
    const disk = new MemoryDisk();
    disk.open = async (path) => {
      const { DiskError } = await import("../../src/ports/index.js");
      throw new DiskError("EACCES", path, `cannot open ${path}: permission denied (EACCES)`);
    };
    const error = await prepare(disk, "/data").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataDirectoryError);
    expect((error as Error).message).toContain("permission denied (EACCES)");
    expect((error as Error).message).toContain("dataLogDir");
  });

  test("removes what a crash left unfinished and nothing else", async () => {
    const disk = new MemoryDisk();
    for (const name of ["unfinished-log.5", "unfinished-snapshot.9.gz", "log.1", "snapshot.0", "currentEpoch.tmp"]) {
      disk.setContents(`/data/version-2/${name}`, EMPTY);
    }
    await prepare(disk, "/data");
    expect((await disk.list("/data/version-2")).sort()).toEqual(["currentEpoch.tmp", "log.1", "snapshot.0"]);
  });
});

describe("epoch files", () => {
  const SNAPS = "/data/version-2";

  async function withFile(text: string): Promise<MemoryDisk> {
    const disk = new MemoryDisk();
    disk.setContents(`${SNAPS}/currentEpoch`, new TextEncoder().encode(text));
    return disk;
  }

  test("hold a decimal number without a newline, and take one with it", async () => {
    const disk = await withFile("7\n");
    expect(await readEpoch(disk, SNAPS, "currentEpoch")).toBe(7);
    expect(await readEpoch(disk, SNAPS, "acceptedEpoch")).toBeUndefined();
    await writeEpoch(disk, SNAPS, "currentEpoch", 12);
    expect(disk.contents(`${SNAPS}/currentEpoch`)).toEqual(new TextEncoder().encode("12"));
    expect(await readEpoch(disk, SNAPS, "currentEpoch")).toBe(12);
    expect((await disk.list(SNAPS)).sort()).toEqual(["currentEpoch"]);
  });

  test.each(["", "x", "-1", "1.5", "99999999999", "0x10"])("refuse %j", async (text) => {
    await expect(readEpoch(await withFile(text), SNAPS, "currentEpoch")).rejects.toThrow(
      "an epoch is a decimal number",
    );
  });

  test("hold the old epoch or the new one after a crash, and the new one once it was promised", async () => {
    for (let seed = 0; seed < 100; seed++) {
      const disk = await withFile("7");
      const random = new SeededRandom(seed);
      let operationsLeft = random.below(6);
      disk.beforeOperation = () => {
        if (operationsLeft-- === 0) disk.crash(random);
        return undefined;
      };
      const promised = await writeEpoch(disk, SNAPS, "currentEpoch", 8).then(
        () => true,
        () => false,
      );
      disk.beforeOperation = undefined;
      if (promised) disk.crash(random);
      expect(promised ? [8] : [7, 8]).toContain(await readEpoch(disk, SNAPS, "currentEpoch"));
    }
  });
});
