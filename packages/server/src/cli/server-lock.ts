import { realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { DataLockedError, lockDataDirectory } from "../service/data-lock.js";
import { CliError } from "./cli-error.js";
import { FORMAT_DIRECTORY } from "./storage-arguments.js";

/**
 * Keeps servers away from the data directory that the file lies in while it is changed: its root has
 * the lock that a server takes, whether it is reached by the path given or through links.
 */
export function lockServerOf(path: string): () => void {
  const directories = [dirname(resolve(path)), realDirectory(path)];
  const roots = directories.filter((directory) => basename(directory) === FORMAT_DIRECTORY).map(dirname);
  const unlocks: (() => void)[] = [];
  const unlock = (): void => {
    for (const each of unlocks) each();
  };
  try {
    for (const root of new Set(roots)) unlocks.push(lockDataDirectory(root));
  } catch (error) {
    unlock();
    throw lockError(error, path);
  }
  return unlock;
}

/** A file that is yet to be written has no real path; its directory has. */
function realDirectory(path: string): string {
  try {
    return dirname(realpathSync(path));
  } catch {
    return realpathSync(dirname(resolve(path)));
  }
}

function lockError(error: unknown, path: string): unknown {
  if (error instanceof DataLockedError) {
    return new CliError(
      "failure",
      `${path} belongs to a running server, process ${error.pid}: nothing was cut; stop it first`,
    );
  }
  if (!(error instanceof Error) || !("code" in error)) return error;
  return new CliError(
    "failure",
    `${path} is not cut, since its directory cannot be locked against servers: ${error.message}`,
  );
}
