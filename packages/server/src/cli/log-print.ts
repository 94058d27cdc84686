import { Command } from "commander";
import { type LoggedTxn, type LogVerdict, printLog } from "../storage/index.js";
import { addFileOptions, type FileOptions, type FileTool, parseZxid, withFiles } from "./file-tool.js";
import { repairAdvice } from "./repair-advice.js";
import { logsNamedBy } from "./storage-arguments.js";
import { TXN_HEADING, txnFields, txnText } from "./txn-text.js";

interface LogPrintOptions extends FileOptions {
  readonly from?: number;
  readonly to?: number;
}

export function logPrintCommand(): Command {
  const command = new Command("print")
    .summary("print the txns of log files")
    .description("Print the txns of log files, one a line. Of a directory all logs are printed, oldest first.")
    .argument("<file|directory...>", "log files, or a server's data directory")
    .option("--from <zxid>", "print the txns from this one on", parseZxid)
    .option("--to <zxid>", "print the txns up to this one", parseZxid)
    .addHelpText(
      "after",
      `
Long data is shortened, and shown in base64 where it is not UTF-8 text; --json gives all of it, and
"encoding" says which it is. A write that failed is a txn too, of the type error.

Examples:
  $ watchkeeper log print /var/lib/zookeeper/version-2/log.1a
  $ watchkeeper log print /var/lib/zookeeper --from 0x300000007 --to 0x300000010
  $ watchkeeper log print /var/lib/zookeeper --json | jq -c 'select(.path == "/config")'`,
    );
  return addFileOptions(command).action((args: string[], options: LogPrintOptions) =>
    withFiles(options, async (tool) => {
      const paths: string[] = [];
      for (const argument of args) {
        const named = await logsNamedBy(tool, argument);
        paths.push(...(named.kind === "file" ? [named.path] : named.paths));
      }
      if (!tool.json) tool.printer.line(TXN_HEADING);
      for (const path of paths) await printOne(tool, path, options);
    }),
  );
}

async function printOne(tool: FileTool, path: string, options: LogPrintOptions): Promise<void> {
  const { disk, printer, json, limits } = tool;
  const { from = 0, to = Number.POSITIVE_INFINITY } = options;
  let lastZxid: number | undefined;
  const print = (logged: LoggedTxn): void => {
    if ("problem" in logged) {
      const found = `a txn matches its checksum but cannot be decoded: ${logged.problem}`;
      printer.complain(`${path}, offset ${logged.position}: ${found}`);
      return;
    }
    const { txn, position } = logged;
    lastZxid = txn.zxid;
    if (txn.zxid < from || txn.zxid > to) return;
    if (json) printer.json({ file: path, offset: position, ...txnFields(txn) });
    else printer.line(txnText(txn));
  };
  const verdict = await printLog(disk, path, print, limits);
  if (verdict.kind !== "complete") tellEnd(tool, path, verdict, lastZxid);
}

function tellEnd(
  { printer }: FileTool,
  path: string,
  verdict: Exclude<LogVerdict, { kind: "complete" }>,
  lastZxid: number | undefined,
): void {
  const where = `${path}, offset ${verdict.position}: ${verdict.reason}`;
  if (verdict.kind === "damaged") {
    printer.complain(`${where}. No txn behind it is printed. ${repairAdvice(path, lastZxid)}`);
  } else {
    printer.note(`${where}. A crash leaves such a tail; what it held was never acknowledged`);
  }
}
