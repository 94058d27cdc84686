import { basename } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type Disk, DiskError } from "../ports/index.js";
import { DataDirectoryError } from "../storage/index.js";
import { CliError } from "./cli-error.js";
import { LinePrinter } from "./line-printer.js";
import { ObservedDisk } from "./observed-disk.js";
import { byteText } from "./short-text.js";

/** What every command has that works on the files of a server, with no server at hand. */
export interface FileOptions {
  readonly json?: true;
  readonly juteMaxbuffer?: number;
}

export interface FileTool {
  readonly disk: Disk;
  readonly printer: LinePrinter;
  readonly json: boolean;
  /** The longest txn, path or data that is read; nothing for the default. */
  readonly limits: { readonly entryBytesMax?: number; readonly valueBytesMax?: number };
}

export function addFileOptions(command: Command): Command {
  return command
    .option("--json", "print JSON, one object a line, for programs")
    .option("--jute-maxbuffer <bytes>", "the server's jute.maxbuffer, where it was raised", parseBytes);
}

/** Works on files; whatever is wrong with them becomes one sentence and an exit code. */
export async function withFiles(options: FileOptions, work: (tool: FileTool) => Promise<void>): Promise<void> {
  const printer = new LinePrinter();
  const disk = new ObservedDisk(async (path, position, fileBytes) => {
    printer.status(`${basename(path)}: ${progressText(position, fileBytes)}`);
    await printer.drained();
  });
  try {
    await work({ disk, printer, json: options.json === true, limits: limitsOf(options.juteMaxbuffer) });
  } catch (error) {
    throw fileError(error);
  } finally {
    printer.end();
  }
}

/** A server reads records of up to jute.maxbuffer and jute.maxbuffer.extrasize, the latter being as much again unless it is set. */
function limitsOf(juteMaxbuffer: number | undefined): FileTool["limits"] {
  if (juteMaxbuffer === undefined) return {};
  return { entryBytesMax: 2 * juteMaxbuffer, valueBytesMax: 2 * juteMaxbuffer };
}

function progressText(position: number, fileBytes: number): string {
  return `${Math.floor((100 * position) / Math.max(1, fileBytes))}% of ${byteText(fileBytes)}`;
}

const ADVICE: Readonly<Record<string, string | undefined>> = {
  EACCES: "run this as the server's user",
  EPERM: "run this as the server's user",
  ENOSPC: "make room, or write to another disk",
};

/** The world's failures; anything else is a bug of ours and stays what it is. */
export function fileError(error: unknown): unknown {
  if (error instanceof DataDirectoryError) return new CliError("failure", error.message);
  if (!(error instanceof DiskError)) return error;
  const advice = ADVICE[error.code];
  return new CliError("failure", `${error.message}${advice === undefined ? "" : `\n  ${advice}`}`);
}

function parseBytes(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text) || Number(text) > 2 ** 30) {
    throw new InvalidArgumentError("bytes from 1 to 1073741824 expected.");
  }
  return Number(text);
}
