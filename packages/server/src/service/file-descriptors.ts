import { readdirSync, readFileSync } from "node:fs";

/** Files and sockets of this process. Only Linux tells; elsewhere both are -1. */

export function openFileDescriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return -1;
  }
}

/** What the process may open: beyond it neither clients nor other servers get in. */
export function fileDescriptorsMax(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? -1 : Number(soft);
  } catch {
    return -1;
  }
}

/** What clients leave of it, at most, for the log and snapshots, whose files are opened while the server runs. */
const KEPT_MAX = 128;

/**
 * How many connections of clients there can be without the server running out of file descriptors: a log that cannot
 * open its next file ends it. 0 where that is not known.
 */
export function connectionsThatLeaveFiles(): number {
  const max = fileDescriptorsMax();
  return max < 0 ? 0 : max - Math.min(KEPT_MAX, max >> 2);
}
