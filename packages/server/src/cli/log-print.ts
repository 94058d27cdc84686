import { Command } from "commander";
import { type LoggedTxn, type LogVerdict, printLog } from "../storage/index.js";
import { addFileOptions, type FileOptions, type FileTool, withFiles } from "./file-tool.js";
import { repairAdvice } from "./repair-advice.js";
import { logsNamedBy } from "./storage-arguments.js";
import { TXN_HEADING, txnFields, txnText } from "./txn-text.js";
import { parseZxid } from "./zxid-text.js";

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
      const print = new TxnPrinting(tool, options);
      for (const path of paths) await print.file(path);
    }),
  );
}

class TxnPrinting {
  private readonly tool: FileTool;
  private readonly from: number;
  private readonly to: number;
  private headed = false;

  constructor(tool: FileTool, { from = 0, to = Number.POSITIVE_INFINITY }: LogPrintOptions) {
    this.tool = tool;
    this.from = from;
    this.to = to;
  }

  async file(path: string): Promise<void> {
    const { disk, limits } = this.tool;
    let lastZxid: number | undefined;
    const onTxn = (logged: LoggedTxn): void => {
      if ("txn" in logged) lastZxid = logged.txn.zxid;
      this.txn(path, logged);
    };
    const verdict = await printLog(disk, path, onTxn, limits);
    if (verdict.kind !== "complete") this.brokenEnd(path, verdict, lastZxid);
  }

  private txn(path: string, logged: LoggedTxn): void {
    const { printer, json } = this.tool;
    if ("problem" in logged) {
      const found = `a txn matches its checksum but cannot be decoded: ${logged.problem}`;
      printer.complain(`${path}, offset ${logged.position}: ${found}`);
      return;
    }
    const { txn, position } = logged;
    if (txn.zxid < this.from || txn.zxid > this.to) return;
    if (json) {
      printer.json({ file: path, offset: position, ...txnFields(txn) });
      return;
    }
    if (!this.headed) printer.line(TXN_HEADING);
    this.headed = true;
    printer.line(txnText(txn));
  }

  private brokenEnd(path: string, verdict: BrokenEnd, lastZxid: number | undefined): void {
    const { printer } = this.tool;
    const where = `${path}, offset ${verdict.position}: ${verdict.reason}`;
    if (verdict.kind === "damaged") {
      printer.complain(`${where}. No txn behind it is printed. ${repairAdvice(path, lastZxid)}`);
    } else {
      printer.note(`${where}. A crash leaves such a tail; what it held was never acknowledged`);
    }
  }
}

type BrokenEnd = Exclude<LogVerdict, { kind: "complete" }>;
