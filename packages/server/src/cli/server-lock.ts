import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { DataLockedError, lockDataDirectory } from "../service/data-lock.js";
import { CliError } from "./cli-error.js";
import { FORMAT_DIRECTORY } from "./storage-arguments.js";

/**
 * Keeps servers away from the data directory that the file lies in while it is changed: its root has
 * the lock that a server takes, whether it is reached by the path given or through links.
 */
export function lockServerOf(path: string): () => void {
  const unlocks: (() => void)[] = [];
  const unlock = (): void => {
    for (const each of unlocks) each();
  };
  try {
    for (const root of rootsOf(path)) unlocks.push(lockDataDirectory(root));
  } catch (error) {
    unlock();
    throw lockError(error, path);
  }
  return unlock;
}

/** Real paths, so that no directory comes twice; none where the file lies in no server's directory. */
function rootsOf(path: string): Set<string> {
  const asGiven = dirname(resolve(path));
  const directories = [asGiven, realPath(asGiven), dirname(realPath(resolve(path)))];
  const formatDirectories = directories.filter((directory) => basename(directory) === FORMAT_DIRECTORY);
  return new Set(formatDirectories.map((directory) => realPath(dirname(directory))));
}

/** The path itself where there is nothing yet. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
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
