import { setTimeout as sleep } from "node:timers/promises";

/** Waits until a condition holds. @throws where it does not within the time, saying what was waited for */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await sleep(5);
  }
}
