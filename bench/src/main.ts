/** `npm run bench`: measures Watchkeeper, beside Apache's server where that is installed. Results go to stdout, progress to stderr. */

import { ClientProcess } from "./clients/client-process.js";
import { catchup } from "./commands/catchup.js";
import { clientLimits } from "./commands/client-limits.js";
import { clients } from "./commands/clients.js";
import { type Command, EXIT } from "./commands/command.js";
import { commitLatency } from "./commands/commit-latency.js";
import { compare } from "./commands/compare.js";
import { curves } from "./commands/curves.js";
import { failover } from "./commands/failover.js";
import { load } from "./commands/load.js";
import { snapshotStall } from "./commands/snapshot-stall.js";
import { EnsembleHome } from "./ensemble/ensemble-home.js";
import { ServerHome } from "./servers/server-process.js";
import { UsageError } from "./usage-error.js";

const commands: Readonly<Record<string, Command>> = {
  compare,
  curves,
  "snapshot-stall": snapshotStall,
  load,
  failover,
  catchup,
  "commit-latency": commitLatency,
  clients,
  "client-limits": clientLimits,
};

const HELP = `Measures Watchkeeper, beside Apache's server where that is installed.

  npm run bench                       the same loads against both, ratios and a picture
  npm run bench -- curves             throughput, latency and memory as a tree grows
  npm run bench -- snapshot-stall     how long a snapshot blocks the event loop
  npm run bench -- load HOST:PORT get one load against a running server
  npm run bench -- failover           kill -9 of an ensemble's leader: how long until the next write
  npm run bench -- catchup            a follower that was away: how long until it is in step
  npm run bench -- commit-latency     three servers against five
  npm run bench -- clients            the client beside other clients for Node, and Python's
  npm run bench -- client-limits      the client's size, memory when idle, and what a reconnect costs

Each takes --help. Servers run on 127.0.0.1 with their data below the system's temporary directory, and are
ended and removed with this program, by Ctrl-C too. Exit codes: 0 measured, 1 failed, 2 wrong usage,
130 interrupted.
`;

async function main(args: readonly string[]): Promise<number> {
  const [first = "compare"] = args;
  const isNamed = first in commands;
  if (!isNamed && (first === "help" || first === "--help" || first === "-h")) {
    process.stdout.write(HELP);
    return EXIT.measured;
  }
  if (!isNamed && !first.startsWith("-")) throw new UsageError(`no command ${first}: try npm run bench -- --help`);
  const command = commands[isNamed ? first : "compare"]!;
  const rest = isNamed ? args.slice(1) : args;
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(`${command.help}\n`);
    return EXIT.measured;
  }
  await command.run(rest);
  return EXIT.measured;
}

function exitCodeOf(error: unknown): number {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

function interrupt(): void {
  ClientProcess.destroyAll();
  ServerHome.destroyAll();
  EnsembleHome.removeAll();
  process.exit(EXIT.interrupted);
}

process.once("SIGINT", interrupt);
process.once("SIGTERM", interrupt);
const exitCode = await main(process.argv.slice(2)).catch(exitCodeOf);
await ServerHome.removeAll();
process.exit(exitCode);
