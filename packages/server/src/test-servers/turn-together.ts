import type { ServerTime } from "./server-time.js";

const STEP_MS_MAX = 100;
/** What one server says to another arrives two turns later, with an answer as many again. */
const TURNS_A_STEP = 4;

/**
 * Lets time pass for several servers at once, in steps that are short for all of them: between two steps they
 * read, write to their disks and talk to one another, as they would if the time had really passed.
 */
export async function turnTogether(
  times: readonly ServerTime[],
  ms: number,
  tickTimeMs: number,
  beforeStep: () => void,
): Promise<void> {
  const stepMsMax = Math.min(STEP_MS_MAX, Math.max(1, tickTimeMs / 4));
  for (let leftMs = ms; leftMs > 0; ) {
    const stepMs = Math.min(leftMs, stepMsMax);
    leftMs -= stepMs;
    beforeStep();
    for (const time of times) time.turn(stepMs);
    for (let turn = 0; turn < TURNS_A_STEP; turn++) await turnOfTheEventLoop();
  }
}

export function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
