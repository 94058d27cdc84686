import { readFileSync } from "node:fs";

/** Linux counts CPU time in hundredths of a second for programs, whatever the kernel's own tick. */
const CLOCK_TICK_US = 10_000;

/** CPU time a process has used, user and system, in microseconds. */
export function processCpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field, the program's name in brackets, may hold spaces; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_US;
}

/** Resident memory of a process in MiB. */
export function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

const QUIET_WINDOW_MS = 500;
const QUIET_SHARE_MAX = 0.1;
const QUIET_WAIT_MS_MAX = 30_000;

/** Waits until a process hardly uses the CPU (a snapshot written, garbage collected), at most half a minute. */
export async function untilQuiet(pid: number): Promise<void> {
  const deadlineMs = performance.now() + QUIET_WAIT_MS_MAX;
  let share = 1;
  while (share > QUIET_SHARE_MAX && performance.now() < deadlineMs) {
    const beforeUs = processCpuUs(pid);
    await new Promise((resolve) => setTimeout(resolve, QUIET_WINDOW_MS));
    share = (processCpuUs(pid) - beforeUs) / (QUIET_WINDOW_MS * 1000);
  }
}
