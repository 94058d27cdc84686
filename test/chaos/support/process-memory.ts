/** How much memory another process has in use, sampled while something is done to it. */
import { readFileSync } from "node:fs";

export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1024);
}

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
