import { basename, dirname } from "node:path";
import { Command } from "commander";
import { type Disk, DiskError } from "../ports/index.js";
import {
  checkLog,
  DataDirectoryError,
  formatZxid,
  type LogCheck,
  listSnapshots,
  looksWhole,
  parseLogName,
  replayLogs,
} from "../storage/index.js";
import { addFileOptions, type FileOptions, type FileTool, withFiles } from "./file-tool.js";
import { type CheckedLog, type Finding, type JudgedLog, judgeLog, judgeLogs } from "./log-chain.js";
import { countText } from "./short-text.js";
import { logsNamedBy, type StorageArgument, storageDirectory } from "./storage-arguments.js";
import { zxidOrNull } from "./zxid-text.js";

interface LogCheckOptions extends FileOptions {
  readonly snapshots?: string;
}

export function logCheckCommand(): Command {
  const command = new Command("check")
    .summary("check log files for damage and gaps")
    .description("Check log files: whether each is whole, and whether those of a directory go on from one another.")
    .argument("<file|directory...>", "log files, or a server's data directory")
    .option("--snapshots <directory>", "where the snapshots are, if they are not beside the logs")
    .addHelpText(
      "after",
      `
Verdicts:
  whole       every txn matches its checksum, and nothing but padding follows the last
  torn        the last write did not arrive whole, as after a crash
  damaged     something other than a crash has changed the file
  gap         txns are missing between two that are there
  conflict    it goes back, to other txns than there were before under the same zxids
  unreadable  the disk or the system refuses to give it

Whatever is found is followed by what it means. The exit code is 0 where a server would start and
nothing is missing, else 1. Files are only read; a running server's newest log may seem torn.

Examples:
  $ watchkeeper log check /var/lib/zookeeper
  $ watchkeeper log check backup/log.1a backup/log.2f
  $ watchkeeper log check /srv/zk-logs --snapshots /var/lib/zookeeper --json`,
    );
  return addFileOptions(command).action((args: string[], options: LogCheckOptions) =>
    withFiles(options, async (tool) => {
      for (const argument of args) await checkArgument(tool, await logsNamedBy(tool, argument), options);
    }),
  );
}

async function checkArgument(tool: FileTool, named: StorageArgument, options: LogCheckOptions): Promise<void> {
  const paths = named.kind === "file" ? [named.path] : named.paths;
  const checked: CheckedLog[] = [];
  for (const path of paths) {
    const check = await checkReadable(tool, path);
    if (check !== undefined) checked.push({ path, nameZxid: parseLogName(basename(path))?.zxid, check });
  }
  if (named.kind === "file") {
    for (const log of await settleRepeats(tool, checked.map(judgeLog))) tell(tool, log, 0);
    return;
  }
  const snapshots = options.snapshots === undefined ? named.directory : storageDirectory(tool.disk, options.snapshots);
  const snapshotZxid = await newestSnapshot(tool.disk, snapshots);
  const pathWidth = Math.max(0, ...checked.map(({ path }) => path.length));
  const judged = await settleRepeats(tool, judgeLogs(checked, snapshotZxid));
  for (const log of judged) tell(tool, log, pathWidth);
  tellDirectory(tool, named, judged);
}

/** One file that cannot be read keeps nobody from checking the others. */
async function checkReadable({ disk, printer, json, limits }: FileTool, path: string): Promise<LogCheck | undefined> {
  try {
    return await checkLog(disk, path, limits);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    printer.failed = true;
    if (json) printer.json({ file: path, verdict: "unreadable", sound: false, reason: error.message });
    else printer.line(`${path}  unreadable\n  ${error.message}`);
    return undefined;
  }
}

async function newestSnapshot(disk: Disk, directory: string): Promise<number | undefined> {
  for (const snapshot of (await listSnapshots(disk, directory)).toReversed()) {
    if (await looksWhole(disk, directory, snapshot)) return snapshot.zxid;
  }
  return undefined;
}

/**
 * A log that goes back repeats txns, as a copy does, which a start passes over; or it holds others under
 * the same zxids, another history. The start's own replay tells which.
 */
async function settleRepeats(tool: FileTool, logs: readonly JudgedLog[]): Promise<JudgedLog[]> {
  const settled: JudgedLog[] = [];
  for (const [index, log] of logs.entries()) {
    const findings: Finding[] = [];
    for (const finding of log.findings) {
      const disputed = finding.offset === undefined ? logs.slice(Math.max(0, index - 1), index + 1) : [log];
      findings.push(finding.kind === "repeats" ? await settle(tool, finding, disputed) : finding);
    }
    settled.push({ ...log, findings });
  }
  return settled;
}

async function settle({ disk, limits }: FileTool, finding: Finding, logs: readonly CheckedLog[]): Promise<Finding> {
  const first = logs[0]!;
  try {
    await replayLogs({
      disk,
      logDirectory: dirname(first.path),
      logs: logs.map(({ path, nameZxid }) => ({ name: basename(path), zxid: nameZxid ?? 0 })),
      afterZxid: (first.check.firstZxid ?? 1) - 1,
      apply: () => {},
      entryBytesMax: limits.entryBytesMax,
      logger: SILENT,
    });
    return { ...finding, advice: "It repeats the same txns; a start passes over them", sound: true };
  } catch (error) {
    if (!(error instanceof DataDirectoryError)) throw error;
    return { ...finding, advice: error.message };
  }
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function tell({ printer, json }: FileTool, { path, check, findings }: JudgedLog, pathWidth: number): void {
  const sound = isSound(findings);
  if (!sound) printer.failed = true;
  const { verdict, txnCount, firstZxid, lastZxid } = check;
  const word = verdictOf(check, findings);
  if (json) {
    const end = verdict.kind === "complete" ? verdict.end : verdict.position;
    const zxids = { firstZxid: zxidOrNull(firstZxid), lastZxid: zxidOrNull(lastZxid) };
    printer.json({ file: path, verdict: word, sound, txns: txnCount, ...zxids, end, findings });
    return;
  }
  printer.line(`${path.padEnd(pathWidth)}  ${word.padEnd(8)}  ${txnsText(txnCount, firstZxid, lastZxid)}`);
  for (const { offset, found, advice } of findings) {
    printer.line(`  ${offset === undefined ? "" : `offset ${offset}: `}${found}`);
    if (advice !== undefined) printer.line(`  ${advice}`);
  }
}

function isSound(findings: readonly Finding[]): boolean {
  return findings.every(({ sound }) => sound);
}

function verdictOf({ verdict }: LogCheck, findings: readonly Finding[]): string {
  if (verdict.kind !== "complete") return verdict.kind;
  const worst = findings.find(({ sound }) => !sound);
  if (worst === undefined) return "whole";
  return worst.kind === "repeats" ? "conflict" : "gap";
}

function txnsText(count: number, firstZxid: number | undefined, lastZxid: number | undefined): string {
  const zxids =
    firstZxid === undefined || lastZxid === undefined ? "" : `, ${formatZxid(firstZxid)} to ${formatZxid(lastZxid)}`;
  return `${countText(count, "txn")}${zxids}`;
}

function tellDirectory(
  { printer, json }: FileTool,
  { directory, paths }: Extract<StorageArgument, { kind: "directory" }>,
  judged: readonly JudgedLog[],
): void {
  const soundCount = judged.filter(({ findings }) => isSound(findings)).length;
  const sound = soundCount === paths.length;
  const txns = judged.reduce((sum, { check }) => sum + check.txnCount, 0);
  const firstZxid = judged.find(({ check }) => check.txnCount > 0)?.check.firstZxid;
  const lastZxid = judged.findLast(({ check }) => check.txnCount > 0)?.check.lastZxid;
  if (json) {
    const zxids = { firstZxid: zxidOrNull(firstZxid), lastZxid: zxidOrNull(lastZxid) };
    printer.json({ directory, sound, logs: paths.length, txns, ...zxids });
    return;
  }
  const outcome = sound ? "nothing is missing" : `${paths.length - soundCount} not sound, as told above`;
  printer.line(`${directory}: ${countText(paths.length, "log")}, ${txnsText(txns, firstZxid, lastZxid)}; ${outcome}`);
}
