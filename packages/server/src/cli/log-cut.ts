import { basename, dirname, resolve } from "node:path";
import { Command } from "commander";
import {
  cutLog,
  formatZxid,
  isStrayName,
  type LogCut,
  listLogs,
  listSnapshots,
  parseLogName,
  planLogCut,
} from "../storage/index.js";
import { CliError } from "./cli-error.js";
import { addFileOptions, type FileOptions, type FileTool, withFiles } from "./file-tool.js";
import { lockServerOf } from "./server-lock.js";
import { byteText, countText } from "./short-text.js";
import { FORMAT_DIRECTORY } from "./storage-arguments.js";
import { parseZxid, zxidOrNull } from "./zxid-text.js";

interface LogCutOptions extends FileOptions {
  readonly at: number;
  readonly output?: string;
  readonly inPlace?: true;
}

export function logCutCommand(): Command {
  const command = new Command("cut")
    .summary("cut the end off a log file")
    .description("Keep the txns of a log up to a zxid, and give up all that follows, padding and damage too.")
    .argument("<file>", "a log file")
    .requiredOption("--at <zxid>", "the last txn that is kept", parseZxid)
    .option("--output <file>", "write what is kept there, and leave the log as it is")
    .option("--in-place", "cut the log itself; what is cut off is gone")
    .addHelpText(
      "after",
      `
Without --output and --in-place it only tells what it would do. Stop the server first: one of ours is
noticed by its lock, an Apache server has none. Keep a copy: what a server has acknowledged is given up.

Examples:
  $ watchkeeper log cut /var/lib/zookeeper/version-2/log.1a --at 0x2e
  $ watchkeeper log cut /var/lib/zookeeper/version-2/log.1a --at 0x2e --output ./log.1a
  $ watchkeeper log cut /var/lib/zookeeper/version-2/log.1a --at 0x2e --in-place`,
    );
  return addFileOptions(command).action((path: string, options: LogCutOptions) =>
    withFiles(options, async (tool) => {
      if (options.output !== undefined && options.inPlace === true) {
        throw new CliError("usage", "log cut: --output and --in-place exclude each other");
      }
      const fileBytes = await sizeOf(tool, path);
      const cut = await carryOut(tool, path, options);
      tell(tool, path, fileBytes, cut, options);
      if (options.output === undefined) await tellOfOthers(tool, path, cut);
    }),
  );
}

async function sizeOf({ disk }: FileTool, path: string): Promise<number> {
  const file = await disk.open(path, { mode: "read" });
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}

async function carryOut({ disk, limits }: FileTool, path: string, options: LogCutOptions): Promise<LogCut> {
  const { at, output } = options;
  if (output === undefined && options.inPlace !== true) return await planLogCut(disk, path, at, limits);
  if (output !== undefined) refuseStrayName(output);
  const unlock = lockServerOf(output ?? path);
  try {
    return await cutLog(disk, path, at, output, limits);
  } finally {
    unlock();
  }
}

/** Apache would replay a file of such a name among the live ones. */
function refuseStrayName(output: string): void {
  if (!isStrayName(basename(output)) || basename(dirname(resolve(output))) !== FORMAT_DIRECTORY) return;
  const advice = "write it to another directory, or give it the name of a log";
  throw new CliError("failure", `${output}: among a server's files this name would be taken for a log's; ${advice}`);
}

function tell({ printer, json }: FileTool, path: string, fileBytes: number, cut: LogCut, options: LogCutOptions): void {
  const { output, inPlace = false } = options;
  const { end, txnsKept, lastZxidKept, txnsCut, firstZxidCut, verdict } = cut;
  const bytesCut = fileBytes - end;
  const lastKept = formatZxid(lastZxidKept ?? 0);
  if (json) {
    const done = output === undefined && !inPlace ? "nothing" : output === undefined ? "in-place" : "copy";
    const txns = { txnsKept, lastZxidKept: lastKept, txnsCut, firstZxidCut: zxidOrNull(firstZxidCut) };
    printer.json({ file: path, done, output: output ?? null, ...txns, bytesKept: end, bytesCut, ending: verdict.kind });
    return;
  }
  const kept = `${countText(txnsKept, "txn")} up to ${lastKept}, ${byteText(end)}`;
  const from = firstZxidCut === undefined ? "" : ` from ${formatZxid(firstZxidCut)} on`;
  const tail = verdict.kind === "complete" ? "" : `, and the ${verdict.kind} end behind (${verdict.reason})`;
  const off = `${countText(txnsCut, "txn")}${from}${tail}; ${byteText(bytesCut)} in all`;
  if (output !== undefined) {
    printer.line(`${output}: has ${kept}`);
    printer.line(`${path}: is as it was; left out: ${off}`);
  } else if (inPlace) {
    printer.line(`${path}: kept ${kept}`);
    printer.line(`${path}: cut off ${off}`);
  } else {
    printer.line(`${path}: would keep ${kept}`);
    printer.line(`${path}: would cut off ${off}`);
    printer.line("Nothing was changed: --in-place cuts the log, --output writes what is kept to another file.");
  }
}

/** A cut is undone, or makes a gap, by the files that hold what was behind it. */
async function tellOfOthers({ disk, printer }: FileTool, path: string, cut: LogCut): Promise<void> {
  const name = parseLogName(basename(path));
  if (name === undefined || cut.lastZxidKept === undefined) return;
  const directory = dirname(path);
  const laterLogs = (await listLogs(disk, directory)).filter(({ zxid }) => zxid > name.zxid);
  const last = cut.lastZxidKept;
  const newerSnapshots = (await listSnapshots(disk, directory)).filter(({ zxid }) => zxid > last);
  if (cut.txnsCut > 0 && laterLogs.length > 0) {
    const names = laterLogs.map((log) => log.name).join(", ");
    printer.note(
      `Behind the cut there are more logs: ${names}. Move them away, or a server refuses to start on the gap.`,
    );
  }
  if (newerSnapshots.length > 0) {
    const names = newerSnapshots.map((snapshot) => snapshot.name).join(", ");
    printer.note(
      `Snapshots hold txns behind ${formatZxid(last)}: ${names}. Move them away, or a server starts from there.`,
    );
  }
}
