import { setTimeout as sleep } from "node:timers/promises";

/** Another process announces nothing: it is asked again this often. */
const ASK_EVERY_MS = 5;

/**
 * Waits until a condition holds. `explain` is asked for more where it did not.
 *
 * @throws where it does not within the time, saying what was waited for
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
  explain: () => string = () => "",
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what}. ${explain()}`.trimEnd());
    await sleep(ASK_EVERY_MS);
  }
}
