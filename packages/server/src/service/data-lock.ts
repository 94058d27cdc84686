import { createHash } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
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
  while (!tryToTake(directory, path, mine, pid));
  return () => {
    if (readIfThere(path) === mine) rmSync(path, { force: true });
  };
}

/**
 * One try, false where somebody else changed the lock meanwhile.
 *
 * The lock of a process that is gone must be replaced, and two servers may find it at the same moment. Were
 * it removed and made anew, the slower of them would remove the lock that the faster has just made. So whoever
 * wants to succeed a holder makes a claim first, a file named after that very holder, which only one can make;
 * sees that the lock is still that holder's; and puts its own in its place by one rename. A claim whose maker is gone
 * is succeeded in the same way.
 */
function tryToTake(directory: string, path: string, mine: string, pid: number): boolean {
  const held = readLock(path);
  if (held === undefined) return createWhole(path, mine, pid);
  const claims: string[] = [];
  for (let holder = held; ; ) {
    refuseIfAlive(directory, holder);
    const claim = `${path}.after-${createHash("sha256").update(holder).digest("hex").slice(0, 16)}`;
    claims.push(claim);
    if (createWhole(claim, mine, pid)) break;
    const claimant = readLock(claim);
    if (claimant === undefined) return false;
    holder = claimant;
  }
  const isStillIts = readLock(path) === held;
  if (isStillIts) renameSync(claims.at(-1)!, path);
  else rmSync(claims.at(-1)!, { force: true });
  // Those before it are of processes that are gone; while the lock was theirs nobody could pass this server's claim.
  if (isStillIts) for (const claim of claims.slice(0, -1)) rmSync(claim, { force: true });
  return isStillIts;
}

function refuseIfAlive(directory: string, holder: string): void {
  const [holderPid, ...start] = holder.trim().split(" ");
  const pid = Number(holderPid);
  if (Number.isInteger(pid) && pid > 0 && isRunning(pid) && startOf(pid) === start.join(" "))
    throw new DataLockedError(directory, pid);
}

/** Makes the file with its content at once: one that was seen before its content would pass for nobody's. False where there is one. */
function createWhole(path: string, content: string, pid: number): boolean {
  const unlinked = `${path}.of-${pid}`;
  writeFileSync(unlinked, content);
  try {
    linkSync(unlinked, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (!NO_LINKS.has(code)) throw error;
    return createInTwoSteps(path, content);
  } finally {
    rmSync(unlinked, { force: true });
  }
}

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** The best there is without links: a start in the instant between the two steps finds a lock that says nothing, and takes it over. */
function createInTwoSteps(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** @throws where it is there and cannot be read: nobody can tell whose it is, so nobody may take it over */
function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
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
