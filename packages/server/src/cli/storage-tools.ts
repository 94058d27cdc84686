import { Command } from "commander";

export function logCommand(): Command {
  return new Command("log").summary("print, check and cut the txn log files of a server");
}

export function snapshotCommand(): Command {
  return new Command("snapshot").summary("print and check the snapshot files of a server");
}
