/**
 * A ZooKeeper server as a process of its own, whoever wrote it: a home directory with zoo.cfg, the data
 * and the log, a client port on 127.0.0.1, and an end by pid. What differs between Apache's server and
 * Watchkeeper is the command that is started; everything else is the same, and the tests rely on that.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { reservePort } from "../../support/ports.js";
import { within } from "../../support/within.js";
import { opensSession } from "./handshake.js";

export interface ServerOptions {
  /** Lines of zoo.cfg after the usual ones; the last line of a key wins. */
  readonly configLines?: readonly string[];
  /** A data directory of the caller's, which outlives the server; otherwise it gets one that goes with it. */
  readonly dataDir?: string;
  /** Default: a free one. */
  readonly clientPort?: number;
  /** Written to the file `myid`, for a member of an ensemble. */
  readonly myId?: number;
  /** Default true. False for a member of an ensemble that cannot serve before the others are there. */
  readonly waitUntilServing?: boolean;
  /** Added to this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly clientPort: number;
  /** `127.0.0.1:<clientPort>`, as clients want it. */
  readonly connectString: string;
  readonly dataDir: string;
  /** What the server has written to its standard output and error so far. */
  log(): string;
  /** Resolves when the process is gone, with how it ended: `exit code N`, or the signal. */
  readonly ended: Promise<string>;
  /** Resolves when a session can be opened; rejects with the log if the server ends or the time is up. */
  untilServing(deadlineMs?: number): Promise<void>;
  /** Ends the server, by SIGTERM unless told otherwise. Rejects if it did not obey and had to be killed. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
}

export interface LaunchCommand {
  readonly name: string;
  readonly command: string;
  /** Arguments, given the path of zoo.cfg. */
  readonly args: (configFile: string) => readonly string[];
  readonly cwd: string;
}

const startDeadlineMs = 60_000;
/** Nothing announces that a server serves: it is asked again this often. */
const askEveryMs = 50;
const stopDeadlineMs = 30_000;
const logTailChars = 4_000;

export async function startServerProcess(launch: LaunchCommand, options: ServerOptions = {}): Promise<ServerProcess> {
  const home = mkdtempSync(join(tmpdir(), "interop-server-"));
  const dataDir = options.dataDir ?? join(home, "data");
  const clientPort = options.clientPort ?? (await reservePort());
  const configFile = join(home, "zoo.cfg");
  mkdirSync(dataDir, { recursive: true });
  if (options.myId !== undefined) writeFileSync(join(dataDir, "myid"), `${options.myId}\n`);
  writeFileSync(configFile, configText(dataDir, clientPort, options.configLines ?? []));

  const logFile = join(home, "server.log");
  const child = spawnWithLog(launch, configFile, logFile, options.environment);
  const killWithParent = () => child.kill("SIGKILL");
  process.once("exit", killWithParent);
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once("error", (error) => resolve(error.message));
  });

  const server: ServerProcess = {
    name: launch.name,
    pid: child.pid ?? 0,
    clientPort,
    connectString: `127.0.0.1:${clientPort}`,
    dataDir,
    ended,
    log: () => readFileSync(logFile, "utf8"),
    untilServing: (deadlineMs = startDeadlineMs) => untilServing(server, child, deadlineMs),
    stop: async (signal = "SIGTERM") => {
      const obeyed = await end(child, ended, signal);
      process.removeListener("exit", killWithParent);
      const tail = obeyed ? "" : logTail(server);
      rmSync(home, { recursive: true, force: true });
      if (!obeyed) throw new Error(`${launch.name} did not end within ${stopDeadlineMs} ms of ${signal}.${tail}`);
    },
  };
  if (options.waitUntilServing === false) return server;
  try {
    await server.untilServing();
  } catch (error) {
    await server.stop("SIGKILL");
    throw error;
  }
  return server;
}

function configText(dataDir: string, clientPort: number, extraLines: readonly string[]): string {
  const lines = [
    // Short ticks let sessions of one second exist, so that the tests of expiry are quick.
    "tickTime=500",
    "initLimit=20",
    "syncLimit=10",
    `dataDir=${dataDir}`,
    `clientPort=${clientPort}`,
    "clientPortAddress=127.0.0.1",
    "extendedTypesEnabled=true",
    "admin.enableServer=false",
    "4lw.commands.whitelist=*",
    ...extraLines,
  ];
  return `${lines.join("\n")}\n`;
}

function spawnWithLog(
  launch: LaunchCommand,
  configFile: string,
  logFile: string,
  environment: ServerOptions["environment"],
): ChildProcess {
  const log = openSync(logFile, "w");
  try {
    return spawn(launch.command, [...launch.args(configFile)], {
      cwd: launch.cwd,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...environment },
    });
  } finally {
    closeSync(log);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function untilServing(server: ServerProcess, child: ChildProcess, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await opensSession(server.clientPort))) {
    if (hasEnded(child)) {
      const how = child.signalCode ?? `exit code ${child.exitCode}`;
      throw new Error(`${server.name} ended with ${how} before it served.${logTail(server)}`);
    }
    if (performance.now() > deadline)
      throw new Error(
        `${server.name} opened no session on ${server.connectString} within ${deadlineMs} ms.${logTail(server)}`,
      );
    await sleep(askEveryMs);
  }
}

/** Whether the process ended by the signal it was sent; if not in time, it is killed. */
async function end(child: ChildProcess, ended: Promise<string>, signal: "SIGTERM" | "SIGKILL"): Promise<boolean> {
  if (hasEnded(child)) return true;
  child.kill(signal);
  const obeyed = (await within(stopDeadlineMs, ended)) !== undefined;
  if (!obeyed) {
    child.kill("SIGKILL");
    await ended;
  }
  return obeyed;
}

function logTail(server: ServerProcess): string {
  const text = server.log().trimEnd();
  return text === "" ? " It wrote nothing to its log." : ` Its log ends:\n${text.slice(-logTailChars)}`;
}
