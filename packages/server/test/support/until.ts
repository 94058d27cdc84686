import { setTimeout as pause } from "node:timers/promises";

const DEADLINE_MS = 30_000;
/** What has not come by then is brought about by somebody else, who needs the processor for it. */
const TURNS_MAX = 1000;

/** Waits for a condition that input and output bring about, turn by turn of the event loop. */
export async function until(condition: () => boolean, what: () => string = () => "the condition"): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  for (let turn = 0; !condition(); turn++) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${DEADLINE_MS} ms for ${what()}`);
    await (turn < TURNS_MAX ? new Promise((resolve) => setImmediate(resolve)) : pause(1));
  }
}
