import type { Random } from "./random.js";

const FIRST_DELAY_MS_MAX = 100;

/**
 * How long to wait before dialing again: any time up to a bound that doubles with every fruitless round
 * over the servers. All of it is chance (full jitter), because the clients of a server that died all
 * lose it in the same instant and must not meet again at the next one.
 */
export function backOffMs(fruitlessRounds: number, delayMsMax: number, random: Random): number {
  const bound = Math.min(FIRST_DELAY_MS_MAX * 2 ** Math.min(fruitlessRounds, 20), delayMsMax);
  return random.below(Math.max(1, Math.floor(bound)));
}
