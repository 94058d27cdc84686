import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export function dataDirectories(settings: { readonly dataDir: string; readonly dataLogDir: string }): {
  snapDirectory: string;
  logDirectory: string;
} {
  return { snapDirectory: join(settings.dataDir, "version-2"), logDirectory: join(settings.dataLogDir, "version-2") };
}

/** What `conf`, `dirs` and `mntr` tell of the disk: the bytes of the files, padding included. */
export function directoryBytes(directory: string): number {
  let total = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // A file may go between the listing and the look: it is purged while we count.
    total += statSync(join(directory, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return total;
}
