import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export function dataDirectories(settings: { readonly dataDir: string; readonly dataLogDir: string }): {
  snapDirectory: string;
  logDirectory: string;
} {
  return { snapDirectory: join(settings.dataDir, "version-2"), logDirectory: join(settings.dataLogDir, "version-2") };
}

/**
 * What `conf` and `dirs` tell of the disk: the bytes of the files, padding included. Of a directory that cannot be
 * looked at, as one that was taken away, or while the process may open no more files, it is what was seen, or 0 as
 * with Apache: a question must not end the server.
 */
export function directoryBytes(directory: string): number {
  let total = 0;
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      // A file may go between the listing and the look: it is purged while we count.
      total += statSync(join(directory, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
  }
  return total;
}
