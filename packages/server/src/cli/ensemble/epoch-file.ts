import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerPlace } from "./layout.js";

/** The epoch of the last leader whose history the server took, from its data directory; undefined before the first. */
export function epochOnDisk({ dataDir }: ServerPlace): number | undefined {
  try {
    const text = readFileSync(join(dataDir, "version-2", "currentEpoch"), "latin1").trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
