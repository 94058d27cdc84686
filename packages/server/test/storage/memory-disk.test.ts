import { describe, expect, test } from "vitest";
import { DiskError } from "../../src/ports/index.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";

const PATH = "/d/file";

async function fresh(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.makeDirectory("/d");
  return disk;
}

/** What a file holds after a crash, over many seeds; "none" where it is gone. */
async function outcomes(prepare: (disk: MemoryDisk) => Promise<void>): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const disk = await fresh();
    await prepare(disk);
    disk.crash(new SeededRandom(seed));
    const names = await disk.list("/d");
    seen.add(names.includes("file") ? Array.from(disk.contents(PATH).filter((_, i) => i % 512 === 0)).join() : "none");
  }
  return seen;
}

const SECTORS = new Uint8Array(1536).fill(1);

describe("a crash of the memory disk", () => {
  test("keeps what was synced, name and bytes", async () => {
    const seen = await outcomes(async (disk) => {
      const file = await disk.open(PATH, { mode: "create", durable: true });
      await file.write(SECTORS, 0);
      await disk.syncDirectory("/d");
    });
    expect([...seen]).toEqual(["1,1,1"]);
  });

  test("loses, keeps or tears by the sector what was not synced", async () => {
    const seen = await outcomes(async (disk) => {
      const file = await disk.open(PATH, { mode: "create" });
      await disk.syncDirectory("/d");
      await file.write(SECTORS, 0);
    });
    expect([...seen]).toEqual(expect.arrayContaining(["", "0,0,0", "1,1,1", "1,0,1", "0,1,1", "1,1,0"]));
    expect(seen).not.toContain("none");
  });

  test("may lose a name whose directory was not synced, though its bytes were", async () => {
    const seen = await outcomes(async (disk) => {
      const file = await disk.open(PATH, { mode: "create" });
      await file.write(SECTORS, 0);
      await file.sync();
    });
    expect([...seen].sort()).toEqual(["1,1,1", "none"]);
  });

  test("tears a durable write that is under way, and leaves what was synced before it", async () => {
    const seen = await outcomes(async (disk) => {
      const file = await disk.open(PATH, { mode: "create", durable: true });
      await file.write(SECTORS, 0);
      await disk.syncDirectory("/d");
      disk.beforeOperation = () => new Promise(() => {});
      void file.write(new Uint8Array(1536).fill(2), 0);
      disk.beforeOperation = undefined;
    });
    expect(seen).toContain("1,1,1");
    expect(seen).toContain("2,1,2");
    expect([...seen].every((bytes) => /^[12],[12],[12]$/.test(bytes))).toBe(true);
  });

  test("ends every operation of the life before", async () => {
    const disk = await fresh();
    const file = await disk.open(PATH, { mode: "create" });
    const underWay = file.write(SECTORS, 0);
    disk.crash(new SeededRandom(1));
    await expect(underWay).rejects.toThrow("the machine has crashed");
    await expect(file.sync()).rejects.toThrow("the machine has crashed");
  });
});

describe("faults of the memory disk", () => {
  test("the nth write writes a part and fails, the next ones succeed", async () => {
    const disk = await fresh();
    const file = await disk.open(PATH, { mode: "create" });
    disk.failWrite(2, "EIO");
    await file.write(Uint8Array.of(1, 1), 0);
    await expect(file.write(Uint8Array.of(2, 2), 0)).rejects.toMatchObject({ code: "EIO", path: PATH });
    expect(disk.contents(PATH)).toEqual(Uint8Array.of(2, 1));
    await file.write(Uint8Array.of(3, 3), 0);
    expect(disk.contents(PATH)).toEqual(Uint8Array.of(3, 3));
  });

  test("a failed sync leaves nothing durable", async () => {
    const disk = await fresh();
    const file = await disk.open(PATH, { mode: "create", durable: true });
    await disk.syncDirectory("/d");
    disk.failSync(1, "EIO");
    await expect(file.write(SECTORS, 0)).rejects.toBeInstanceOf(DiskError);
    const lost = new SeededRandom(3);
    disk.crash({ below: (bound) => (lost.below(1) === 0 ? 0 : bound - 1) });
    expect(disk.contents(PATH).length).toBe(0);
  });

  test("a full disk takes what fits and refuses the rest", async () => {
    const disk = await fresh();
    disk.capacityBytes = 3;
    const file = await disk.open(PATH, { mode: "create" });
    await expect(file.write(Uint8Array.of(1, 2, 3, 4), 0)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(disk.contents(PATH)).toEqual(Uint8Array.of(1, 2, 3));
    await file.write(Uint8Array.of(9), 1);
    expect(disk.usedBytes).toBe(3);
  });

  test("an operation that is held back takes effect when it is let go", async () => {
    const disk = await fresh();
    const file = await disk.open(PATH, { mode: "create" });
    let letGo = () => {};
    disk.beforeOperation = ({ kind, position }) =>
      kind === "write" && position === 0 ? new Promise<void>((resolve) => (letGo = resolve)) : undefined;
    const held = file.write(Uint8Array.of(1, 1), 0);
    await file.write(Uint8Array.of(2), 1);
    expect(disk.contents(PATH)).toEqual(Uint8Array.of(0, 2));
    letGo();
    await held;
    expect(disk.contents(PATH)).toEqual(Uint8Array.of(1, 1));
  });
});
