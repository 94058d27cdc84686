import { Command } from "commander";
import { logCheckCommand } from "./log-check.js";
import { logCutCommand } from "./log-cut.js";
import { logPrintCommand } from "./log-print.js";
import { snapshotCheckCommand } from "./snapshot-check.js";
import { snapshotPrintCommand } from "./snapshot-print.js";
import { snapshotSummaryCommand } from "./snapshot-summary.js";

/** The tools for a server's files, which need no server, and work on Apache ZooKeeper's as on ours. */

export function logCommand(): Command {
  return new Command("log")
    .summary("print, check and cut the txn log files of a server")
    .description(
      "Look into the txn log files of a server, this one's or Apache ZooKeeper's, and repair them by cutting.",
    )
    .addCommand(logPrintCommand())
    .addCommand(logCheckCommand())
    .addCommand(logCutCommand());
}

export function snapshotCommand(): Command {
  return new Command("snapshot")
    .summary("print and check the snapshot files of a server")
    .description("Look into the snapshot files of a server, this one's or Apache ZooKeeper's, packed or not.")
    .addCommand(snapshotPrintCommand())
    .addCommand(snapshotCheckCommand())
    .addCommand(snapshotSummaryCommand());
}
