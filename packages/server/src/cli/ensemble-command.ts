import { resolve } from "node:path";
import { Command } from "commander";
import { nodeScheduler } from "../host/node-world.js";
import { CliError } from "./cli-error.js";
import { askWord } from "./ensemble/ask.js";
import { epochOnDisk } from "./ensemble/epoch-file.js";
import { Keeper } from "./ensemble/keeper.js";
import { keysHelp } from "./ensemble/key-reader.js";
import { lastWords, launchServer } from "./ensemble/launcher.js";
import { HOST, movePorts, readLayout, type ServerPlace, type Shape, shapeOf, writeLayout } from "./ensemble/layout.js";
import { LocalEnsemble } from "./ensemble/local-ensemble.js";
import { checkPorts, freePorts, portsAt } from "./ensemble/ports.js";
import { Screen } from "./ensemble/screen.js";

interface EnsembleOptions {
  readonly servers?: string;
  readonly observers?: string;
  readonly dir: string;
  readonly basePort?: string;
}

const SERVERS_MAX = 9;
const ANSWER_TIMEOUT_MS = 500;

const DESCRIPTION = `Run an ensemble of servers on this machine, one process each, and show what they do.

The servers keep their configurations and data in --dir, and go on from there the next time. The table shows
who leads, in which epoch, the last txn of each server and how many txns it is behind the leader. Keys stop,
kill, pause and restart servers, so that you can watch the others go on, or wait for a majority.`;

const EXAMPLES = `
Keys: ${keysHelp.join("\n      ")}
Without a terminal the same keys are read from standard input, and what happens is written line by line.

Examples:
  $ watchkeeper ensemble                              three servers, in ./watchkeeper-ensemble
  $ watchkeeper ensemble --servers 5 --observers 1 --dir /tmp/five
  $ watchkeeper create /hello world --server 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183

Things to try, with "watchkeeper watch / --recursive" in another terminal:
  k l   kill the leader: the others elect a new one, nothing that was acknowledged is lost
  p 1   pause server 1: it holds its connections and is dropped by the leader; r 1 lets it catch up
  s 1, s 2 of three   no majority is left: the last one looks for a leader until one of them is back (u 1)

Each server's log is in DIR/server.N/server.log. "watchkeeper serve DIR/server.N/zoo.cfg" runs one by itself.`;

export function ensembleCommand(): Command {
  return new Command("ensemble")
    .description(DESCRIPTION)
    .option("--servers <count>", "how many servers vote (default: 3, or what is in the directory)")
    .option("--observers <count>", "how many more only observe (default: 0, or what is in the directory)")
    .option("-d, --dir <directory>", "where configurations and data are kept", "./watchkeeper-ensemble")
    .option(
      "--base-port <port>",
      "the first of the ports, all of 127.0.0.1 (default: 2181, 2888 and 3888 and up, or free ones)",
    )
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(options: EnsembleOptions): Promise<void> {
  const asked = {
    servers: countIn("--servers", options.servers, 1),
    observers: countIn("--observers", options.observers, 0),
  };
  const basePort = countIn("--base-port", options.basePort, 1, 65_535);
  const places = await layOut(resolve(options.dir), options.dir, asked, basePort);
  await keep(places, options.dir);
}

function countIn(option: string, text: string | undefined, least: number, most = SERVERS_MAX): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new CliError("usage", `${option} ${text}: a whole number from ${least} to ${most} expected`);
}

interface Asked {
  readonly servers: number | undefined;
  readonly observers: number | undefined;
}

/** The ensemble in the directory if there is one, else a new one. */
async function layOut(
  directory: string,
  name: string,
  asked: Asked,
  basePort: number | undefined,
): Promise<ServerPlace[]> {
  const found = readLayout(directory);
  if (found === undefined) {
    const shape = { servers: asked.servers ?? 3, observers: asked.observers ?? 0 };
    checkShape(shape);
    const count = shape.servers + shape.observers;
    return writeLayout(
      directory,
      shape,
      basePort === undefined ? await freePorts(count) : await portsAt(basePort, count),
    );
  }
  const shape = shapeOf(found);
  if ((asked.servers ?? shape.servers) !== shape.servers || (asked.observers ?? shape.observers) !== shape.observers) {
    throw new CliError(
      "failure",
      `${name} holds an ensemble of ${inWords(shape)}: leave --servers and --observers out to start it, or give another --dir`,
    );
  }
  if (basePort !== undefined) return movePorts(found, await portsAt(basePort, found.length));
  await checkPorts(found, name);
  return found;
}

function checkShape({ servers, observers }: Shape): void {
  if (servers + observers > SERVERS_MAX)
    throw new CliError("usage", `${servers} servers and ${observers} observers: at most ${SERVERS_MAX} in all`);
}

function inWords({ servers, observers }: Shape): string {
  return `${servers} server${servers === 1 ? "" : "s"} and ${observers} observer${observers === 1 ? "" : "s"}`;
}

/** Starts the servers, shows them, follows the keys; returns when all have ended. */
async function keep(places: readonly ServerPlace[], directory: string): Promise<void> {
  const { stdin, stdout } = process;
  const screen = new Screen(
    { isTty: stdout.isTTY === true, columns: () => stdout.columns ?? 80, write: (text) => void stdout.write(text) },
    () => new Date().toLocaleTimeString("en-GB"),
  );
  const ensemble = new LocalEnsemble(places, {
    launch: launchServer,
    lastWords,
    tell: (sentence) => screen.tell(sentence),
    ask: (place) => askWord(HOST, place.clientPort, "srvr", ANSWER_TIMEOUT_MS),
    monotonicMs: () => performance.now(),
  });
  const keeper = new Keeper(ensemble, {
    screen,
    after: nodeScheduler.after,
    epochOf: ({ place }) => epochOnDisk(place),
    isAttended: stdin.isTTY === true,
    directory,
  });
  const release = followUser(keeper, ensemble);
  try {
    await keeper.run();
  } finally {
    release();
  }
}

/** Keys, signals, and the last word to the processes where this one ends in any other way. */
function followUser(keeper: Keeper, ensemble: LocalEnsemble): () => void {
  const { stdin } = process;
  const onKeys = (text: string): void => keeper.onKeys(text);
  const onSignal = (): void => keeper.quit();
  const onExit = (): void => ensemble.killAll();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.setEncoding("utf8").on("data", onKeys);
  for (const signal of signals) process.on(signal, onSignal);
  process.on("exit", onExit);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
    process.off("exit", onExit);
    stdin.off("data", onKeys).pause();
    if (stdin.isTTY) stdin.setRawMode(false);
    ensemble.killAll();
  };
}
