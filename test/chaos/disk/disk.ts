/** Disks that are full, read-only or broken: nothing is acknowledged that is not durable, and nothing acknowledged is lost. */

import { SeededRandom } from "../../support/seeded-random.js";
import type { FaultReport, Progress } from "../support/fault-report.js";
import { failOn, failOnFirstSnapshot, failureCases } from "./failing-writes.js";
import { fillLogDisk, fillSnapshotDisk, readOnlyDisk } from "./full-disk.js";

export interface DiskOptions {
  readonly seed: number;
  readonly rounds: number;
}

export async function spoilDisk({ seed, rounds }: DiskOptions, progress: Progress): Promise<FaultReport> {
  const random = new SeededRandom(seed);
  const faults: string[] = [];
  const cases = failureCases(random, rounds);
  for (const [i, failureCase] of cases.entries()) {
    faults.push(...(await failOn(failureCase, random)));
    if ((i + 1) % 8 === 0) progress(`${i + 1} of ${cases.length} planned failures`);
  }
  for (const [name, run] of Object.entries({ failOnFirstSnapshot, fillLogDisk, fillSnapshotDisk, readOnlyDisk })) {
    faults.push(...(await run(random)));
    progress(name);
  }
  const summary = `${cases.length} planned failures, a failing first snapshot, a full log disk, a full snapshot disk, a read-only one, seed ${seed}: ${faults.length} wrong`;
  return { summary, faults };
}
