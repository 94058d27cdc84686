/** What another process takes of the machine: memory, sampled while something is done to it, and processor time. */
import { readFileSync } from "node:fs";

export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1024);
}

/** User and system time since its start. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

const MS_PER_TICK = 10;

export class MemoryWatch {
  maxMiB = 0;
  readonly startMiB: number;
  private readonly pid: number;
  private readonly timer: NodeJS.Timeout;

  constructor(pid: number, intervalMs = 100) {
    this.pid = pid;
    this.startMiB = residentMiB(pid);
    this.timer = setInterval(() => this.sample(), intervalMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    try {
      this.maxMiB = Math.max(this.maxMiB, residentMiB(this.pid));
    } catch {
      this.stop(); // the process is gone: whoever watches it will find out
    }
  }
}
