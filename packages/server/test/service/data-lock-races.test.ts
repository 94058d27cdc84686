import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { DataLockedError, lockDataDirectory } from "../../src/service/data-lock.js";

/** Counts what is asked of the file system, and lets another server start right before one of these steps. */
const steps = vi.hoisted(() => ({
  taken: 0,
  before: Number.POSITIVE_INFINITY,
  other: () => {},
  noLinks: false,
  diesAtRename: false,
}));

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const stepped = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      if (steps.taken++ === steps.before) {
        const { other } = steps;
        steps.other = () => {};
        other();
      }
      return call(...args);
    };
  };
  const linkSync = (...args: Parameters<typeof fs.linkSync>): void => {
    if (steps.noLinks) throw Object.assign(new Error("no links here"), { code: "EPERM" });
    fs.linkSync(...args);
  };
  const renameSync = (from: string, to: string): void => {
    if (steps.diesAtRename) throw new Error("died");
    fs.renameSync(from, to);
  };
  return {
    ...fs,
    linkSync: stepped(linkSync),
    renameSync: stepped(renameSync),
    readFileSync: stepped(fs.readFileSync as (path: string, encoding: "utf8") => string),
    rmSync: stepped(fs.rmSync),
    writeFileSync: stepped(fs.writeFileSync),
  };
});

const GONE = "999999999 1 some-boot\n";

/** Two servers start on the directory, the other one whole before the given step of this one. @returns who holds the lock then */
function startTwo(directory: string, before: number): number[] {
  const holders: number[] = [];
  const start = (pid: number): void => {
    try {
      lockDataDirectory(directory, pid);
      holders.push(pid);
    } catch (error) {
      expect(error).toBeInstanceOf(DataLockedError);
    }
  };
  Object.assign(steps, { taken: 0, before, other: () => start(process.ppid) });
  start(process.pid);
  const { taken } = steps;
  steps.before = Number.POSITIVE_INFINITY;
  if (before < taken) expect(holders, `the other before step ${before}`).toHaveLength(1);
  return holders;
}

test.each([
  ["no lock", []],
  ["the lock of a process that is gone", [["watchkeeper.lock", GONE]]],
  ["a lock that says nothing", [["watchkeeper.lock", ""]]],
] as const)("of two servers that start at the same moment on a directory with %s, one gets it", (_found, files) => {
  for (let before = 0; ; before++) {
    const directory = mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    for (const [name, content] of files) writeFileSync(join(directory, name), content);
    const [holder] = startTwo(directory, before);
    expect(readFileSync(join(directory, "watchkeeper.lock"), "utf8")).toMatch(new RegExp(`^${holder} `));
    expect(readdirSync(directory)).toEqual(["watchkeeper.lock"]);
    if (holder === process.pid && steps.taken <= before) return;
  }
});

test("one that died while it took over a lock does not keep others from it", () => {
  const directory = mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "watchkeeper.lock"), GONE);
  steps.diesAtRename = true;
  for (let pid = 999_999_990; pid < 999_999_995; pid++) {
    expect(() => lockDataDirectory(directory, pid)).toThrow("died");
  }
  expect(readdirSync(directory)).toHaveLength(6);
  steps.diesAtRename = false;
  lockDataDirectory(directory);
  expect(readdirSync(directory)).toEqual(["watchkeeper.lock"]);
});

test("a file system without links has a lock too", () => {
  const directory = mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  steps.noLinks = true;
  const unlock = lockDataDirectory(directory);
  expect(() => lockDataDirectory(directory, process.ppid)).toThrow(DataLockedError);
  unlock();
  expect(readdirSync(directory)).toEqual([]);
  steps.noLinks = false;
});
