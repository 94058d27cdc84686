import { createHash, randomInt } from "node:crypto";
import type { Clock, Digester, Random, Scheduler } from "../ports/index.js";

/** Node's clocks. */
export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const nodeRandom: Random = { below: (bound) => randomInt(bound) };

/**
 * What one timer of Node's can wait for, nearly 25 days. A longer one fires at once: a time limit that was meant to
 * be none would be over before it began.
 */
export const TIMER_MS_MAX = 2 ** 31 - 1;

export const nodeScheduler: Scheduler = {
  soon: (task) => {
    setImmediate(task);
  },
  after: (delayMs, task) => {
    const timer = setTimeout(task, Math.min(delayMs, TIMER_MS_MAX));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** @param algorithm a name of OpenSSL's, as `sha1`, or of Java's, as `SHA-256` */
export function nodeDigester(algorithm: string): Digester {
  const name = algorithm.toLowerCase().replace(/^sha-?(\d+)$/, "sha$1");
  return { digest: (text) => createHash(name).update(text, "utf8").digest("base64") };
}
