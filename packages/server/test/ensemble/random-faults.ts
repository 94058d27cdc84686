import { expect } from "vitest";
import type { WorldOptions } from "./ensemble-world.js";
import { RandomRun } from "./random-run.js";

/**
 * Runs by many seeds. `ENSEMBLE_SEED=17` runs one, and `ENSEMBLE_LINES=1` prints with its failure what all servers
 * have said, and how trees differ; `ENSEMBLE_SEEDS=5000` runs many, `ENSEMBLE_FIRST=1001` from there on.
 */
const { ENSEMBLE_SEED, ENSEMBLE_SEEDS = "8", ENSEMBLE_FIRST = "1", ENSEMBLE_LINES } = process.env;

export const seeds =
  ENSEMBLE_SEED === undefined
    ? Array.from({ length: Number(ENSEMBLE_SEEDS) }, (_, i) => Number(ENSEMBLE_FIRST) + i)
    : [Number(ENSEMBLE_SEED)];

/** Fails with the seed, and what was wrong. */
export async function expectAllWell(options: WorldOptions): Promise<void> {
  for (const seed of seeds) {
    const run = new RandomRun(options, seed);
    if (ENSEMBLE_LINES !== undefined) run.world.witness.images = new Map();
    const wrong = await run.go();
    if (wrong.length === 0) continue;
    const lines = ENSEMBLE_LINES === undefined ? "" : `\n${run.lines}`;
    expect.fail(`ENSEMBLE_SEED=${seed}: ${wrong.slice(0, 5).join("\n  ")}\n${run.end}${lines}`);
  }
}

export const HOURS_MS = 4 * 3_600_000;
