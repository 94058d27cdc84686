/**
 * Loaded into the server's process by NODE_OPTIONS=--import, without the server knowing: watches how long
 * its event loop is blocked. On SIGUSR2 it writes what it has seen since the last time to the file that the
 * environment names, and begins anew; it writes a last time when the process ends.
 *
 * The histogram's timer fires once a resolution; what it notes is the whole time between, the resolution
 * included, which is therefore taken off again.
 */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { LOOP_DELAY_FILE, type LoopDelay } from "./loop-delay.js";

const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;

const file = process.env[LOOP_DELAY_FILE];
if (file !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let sinceMs = performance.now();

  const blockedMs = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  const write = (): void => {
    const delay: LoopDelay = {
      maxMs: blockedMs(histogram.max),
      p99Ms: blockedMs(histogram.percentile(99)),
      p999Ms: blockedMs(histogram.percentile(99.9)),
      windowMs: performance.now() - sinceMs,
    };
    // Renamed into place, so that who waits for the file never reads half of it.
    writeFileSync(`${file}.new`, JSON.stringify(delay));
    renameSync(`${file}.new`, file);
    histogram.reset();
    sinceMs = performance.now();
  };

  histogram.enable();
  process.on("SIGUSR2", write);
  process.on("exit", write);
}
