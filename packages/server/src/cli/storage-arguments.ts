import { statSync } from "node:fs";
import { basename } from "node:path";
import type { Disk } from "../ports/index.js";
import { isStrayName, listLogs, listSnapshots } from "../storage/index.js";
import { CliError } from "./cli-error.js";
import type { FileTool } from "./file-tool.js";

/** What an argument FILE|DIRECTORY names: one file, or a directory with all its logs or snapshots. */
export type StorageArgument =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "directory"; readonly directory: string; readonly paths: readonly string[] };

/** Below a server's data directory. */
export const FORMAT_DIRECTORY = "version-2";

export async function logsNamedBy(tool: FileTool, argument: string): Promise<StorageArgument> {
  return await filesNamedBy(tool, argument, "log", listLogs);
}

export async function snapshotsNamedBy(tool: FileTool, argument: string): Promise<StorageArgument> {
  return await filesNamedBy(tool, argument, "snapshot", listSnapshots);
}

/** The directory meant: a data directory's files lie in its `version-2`. */
export function storageDirectory(disk: Disk, directory: string): string {
  const format = disk.join(directory, FORMAT_DIRECTORY);
  return isDirectory(format) ? format : directory;
}

async function filesNamedBy(
  { disk, printer }: FileTool,
  argument: string,
  what: "log" | "snapshot",
  list: (disk: Disk, directory: string) => Promise<readonly { readonly name: string }[]>,
): Promise<StorageArgument> {
  if (!isDirectory(argument)) return { kind: "file", path: argument };
  const directory = storageDirectory(disk, argument);
  const paths = (await list(disk, directory)).map(({ name }) => disk.join(directory, name));
  const names = await disk.list(directory);
  if (paths.length === 0 && basename(directory) !== FORMAT_DIRECTORY && !names.some(isStorageName)) {
    const advice = `name a server's data directory, its ${FORMAT_DIRECTORY}, or single files`;
    throw new CliError("failure", `${directory} holds no ${what} files: ${advice}`);
  }
  for (const name of names) {
    if (!isStrayName(name)) continue;
    const advice = "it is passed over here, yet Apache ZooKeeper would read it: move it elsewhere";
    printer.note(`${disk.join(directory, name)} has neither a log's name nor a snapshot's; ${advice}`);
  }
  return { kind: "directory", directory, paths };
}

function isStorageName(name: string): boolean {
  return name.startsWith("log.") || name.startsWith("snapshot.");
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
