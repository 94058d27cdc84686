import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { NodeDisk } from "../../src/host/node-disk.js";
import { type Disk, DiskError } from "../../src/ports/index.js";
import { adler32 } from "../../src/storage/index.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { noise } from "./txns.js";

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function onNode(): { disk: Disk; root: string } {
  const root = mkdtempSync(join(tmpdir(), "watchkeeper-disk-"));
  directories.push(root);
  return { disk: new NodeDisk(), root };
}

async function onMemory(): Promise<{ disk: Disk; root: string }> {
  const disk = new MemoryDisk();
  await disk.makeDirectory("/root");
  return { disk, root: "/root" };
}

async function write(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, { mode: "create" });
  await file.write(bytes, 0);
  await file.close();
}

async function readAll(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, { mode: "read" });
  const bytes = new Uint8Array(await file.size());
  expect(await file.read(bytes, 0)).toBe(bytes.length);
  await file.close();
  return bytes;
}

async function codeOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => new Error("it succeeded"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof DiskError)) throw error;
  expect(error.path).not.toBe("");
  expect(error.message).toContain(error.code);
  return error.code;
}

describe.each([
  ["memory", onMemory],
  ["Node's", onNode],
])("a disk, %s", (_name, make) => {
  test("gives back what was written, over and beyond what was there", async () => {
    const { disk, root } = await make();
    const path = disk.join(root, "file");
    const file = await disk.open(path, { mode: "create", durable: true });
    await file.write(Uint8Array.of(1, 2, 3, 4), 0);
    await file.write(Uint8Array.of(9, 9), 2);
    await file.write(Uint8Array.of(7), 6);
    await file.sync();
    expect(await file.size()).toBe(7);
    await file.close();
    expect(await readAll(disk, path)).toEqual(Uint8Array.of(1, 2, 9, 9, 0, 0, 7));
  });

  test("writes and reads megabytes whole", async () => {
    const { disk, root } = await make();
    const bytes = noise(3_000_001);
    await write(disk, disk.join(root, "large"), bytes);
    const read = await readAll(disk, disk.join(root, "large"));
    expect([read.length, adler32(read, 0, read.length)]).toEqual([bytes.length, adler32(bytes, 0, bytes.length)]);
  });

  test("reads fewer bytes than asked for only at the end of the file", async () => {
    const { disk, root } = await make();
    const path = disk.join(root, "short");
    await write(disk, path, Uint8Array.of(1, 2, 3));
    const file = await disk.open(path, { mode: "read" });
    const target = new Uint8Array(8);
    expect(await file.read(target, 1)).toBe(2);
    expect(target.subarray(0, 2)).toEqual(Uint8Array.of(2, 3));
    expect(await file.read(target, 3)).toBe(0);
    await file.close();
  });

  test("empties a file that is created again, and keeps one that is opened to write", async () => {
    const { disk, root } = await make();
    const path = disk.join(root, "file");
    await write(disk, path, Uint8Array.of(1, 2, 3));
    const kept = await disk.open(path, { mode: "write" });
    await kept.write(Uint8Array.of(8), 1);
    await kept.close();
    expect(await readAll(disk, path)).toEqual(Uint8Array.of(1, 8, 3));
    await write(disk, path, Uint8Array.of(5));
    expect(await readAll(disk, path)).toEqual(Uint8Array.of(5));
  });

  test("cuts a file, and what is written beyond the cut follows zeros", async () => {
    const { disk, root } = await make();
    const path = disk.join(root, "file");
    const file = await disk.open(path, { mode: "create" });
    await file.write(Uint8Array.of(1, 2, 3, 4), 0);
    await file.truncate(1);
    await file.write(Uint8Array.of(5), 3);
    await file.close();
    expect(await readAll(disk, path)).toEqual(Uint8Array.of(1, 0, 0, 5));
  });

  test("lists names, renames over what is there, removes", async () => {
    const { disk, root } = await make();
    const directory = disk.join(root, "a");
    await disk.makeDirectory(disk.join(directory, "b"));
    await disk.makeDirectory(directory);
    await write(disk, disk.join(directory, "one"), Uint8Array.of(1));
    await write(disk, disk.join(directory, "two"), Uint8Array.of(2));
    expect((await disk.list(directory)).sort()).toEqual(["b", "one", "two"]);
    await disk.rename(disk.join(directory, "one"), disk.join(directory, "two"));
    await disk.syncDirectory(directory);
    expect((await disk.list(directory)).sort()).toEqual(["b", "two"]);
    expect(await readAll(disk, disk.join(directory, "two"))).toEqual(Uint8Array.of(1));
    await disk.remove(disk.join(directory, "two"));
    expect(await disk.list(directory)).toEqual(["b"]);
  });

  test("an open file follows its renaming", async () => {
    const { disk, root } = await make();
    const file = await disk.open(disk.join(root, "before"), { mode: "create" });
    await disk.rename(disk.join(root, "before"), disk.join(root, "after"));
    await file.write(Uint8Array.of(1), 0);
    await file.close();
    expect(await readAll(disk, disk.join(root, "after"))).toEqual(Uint8Array.of(1));
  });

  test("names what is missing, with the system's code", async () => {
    const { disk, root } = await make();
    const missing = disk.join(root, "missing");
    expect(await codeOf(disk.list(missing))).toBe("ENOENT");
    expect(await codeOf(disk.open(missing, { mode: "read" }))).toBe("ENOENT");
    expect(await codeOf(disk.open(missing, { mode: "write" }))).toBe("ENOENT");
    expect(await codeOf(disk.open(disk.join(missing, "file"), { mode: "create" }))).toBe("ENOENT");
    expect(await codeOf(disk.remove(missing))).toBe("ENOENT");
    expect(await codeOf(disk.rename(missing, disk.join(root, "other")))).toBe("ENOENT");
  });

  test("refuses to write a file that is open for reading", async () => {
    const { disk, root } = await make();
    const path = disk.join(root, "file");
    await write(disk, path, Uint8Array.of(1));
    const file = await disk.open(path, { mode: "read" });
    expect(await codeOf(file.write(Uint8Array.of(2), 0))).toBe("EBADF");
    await file.close();
  });
});
