import { existsSync, readFileSync, rmSync } from "node:fs";

/** The environment variable that tells the preloaded module where to write. */
export const LOOP_DELAY_FILE = "WATCHKEEPER_BENCH_LOOP_DELAY_FILE";

/** How long a process's event loop was blocked within a window of time. */
export interface LoopDelay {
  readonly maxMs: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly windowMs: number;
}

const ANSWER_MS_MAX = 30_000;

export function preloadEnvironment(file: string): Record<string, string> {
  const preload = new URL("loop-delay-preload.js", import.meta.url).href;
  const already = process.env["NODE_OPTIONS"] ?? "";
  return { NODE_OPTIONS: `${already} --import=${preload}`.trim(), [LOOP_DELAY_FILE]: file };
}

/** Asks the process what it has seen since it was asked last. */
export async function takeLoopDelay(pid: number, file: string): Promise<LoopDelay> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  const deadlineMs = performance.now() + ANSWER_MS_MAX;
  while (!existsSync(file)) {
    if (performance.now() > deadlineMs) throw new Error("the server did not answer SIGUSR2 with its loop's delay");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return JSON.parse(readFileSync(file, "utf8")) as LoopDelay;
}
