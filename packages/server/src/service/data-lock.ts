import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * One server to a data directory: a file that names the process which uses it. The process is known by
 * its pid and the moment it started, so that a number given to another process after a crash, or a
 * restart of the machine, does not lock the directory for ever.
 */
const LOCK_NAME = "watchkeeper.lock";

export class DataLockedError extends Error {
  override readonly name = "DataLockedError";
  readonly pid: number;

  constructor(directory: string, pid: number) {
    super(
      `the data directory ${directory} is in use by another server, process ${pid}: stop that one first, or give this one a dataDir of its own`,
    );
    this.pid = pid;
  }
}

/** The directory cannot be made, or nothing can be written in it. */
export class DataDirectoryUnusableError extends Error {
  override readonly name = "DataDirectoryUnusableError";

  constructor(directory: string, cause: NodeJS.ErrnoException) {
    super(`the data directory ${directory} cannot be used: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case "EACCES":
    case "EPERM":
      return "this user may not write there. Give it the directory (chown), or choose another with --data";
    case "EROFS":
      return "it is on a read-only file system. Mount it for writing, or choose another with --data";
    case "ENOSPC":
      return "the disk is full. Make space, then start again";
    case "EEXIST":
    case "ENOTDIR":
      return "there is a file of that name, or on the way to it. Choose another with --data";
    default:
      return cause.message;
  }
}

/** Takes the lock; the function it returns gives it back. */
export function lockDataDirectory(directory: string, pid: number = process.pid): () => void {
  try {
    return takeLock(directory, pid);
  } catch (error) {
    if (error instanceof Error && "code" in error)
      throw new DataDirectoryUnusableError(directory, error as NodeJS.ErrnoException);
    throw error;
  }
}

function takeLock(directory: string, pid: number): () => void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, LOCK_NAME);
  const mine = `${pid} ${startOf(pid)}\n`;
  for (;;) {
    const holder = tryLock(path, mine);
    if (holder === undefined) break;
    const [holderPid, ...start] = holder.trim().split(" ");
    const number = Number(holderPid);
    if (Number.isInteger(number) && number > 0 && isRunning(number) && startOf(number) === start.join(" ")) {
      throw new DataLockedError(directory, number);
    }
    rmSync(path, { force: true }); // its process is gone
  }
  return () => {
    if (readIfThere(path) === mine) rmSync(path, { force: true });
  };
}

/** Undefined where the lock is taken now, else what its file says. */
function tryLock(path: string, content: string): string | undefined {
  try {
    const file = openSync(path, "wx");
    writeSync(file, content);
    closeSync(file);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return readIfThere(path) ?? "";
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** One that has ended, and only waits for its parent to take notice, holds nothing any more. */
function isRunning(pid: number): boolean {
  if (statFields(pid)?.[0] === "Z") return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When the process started, in the kernel's own count since boot, with the boot's id; empty where the system does not tell. */
function startOf(pid: number): string {
  const ticks = statFields(pid)?.[19];
  const boot = readIfThere("/proc/sys/kernel/random/boot_id")?.trim();
  return ticks === undefined ? "" : `${ticks} ${boot ?? ""}`;
}

/** What Linux tells of a process, from its state on: its name, before that, may hold anything. */
function statFields(pid: number): string[] | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}
