import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BulkSession } from "../load/bulk-session.js";
import type { Target } from "../load/server-connection.js";
import type { ServerKind } from "./server-kind.js";

const HOST = "127.0.0.1";
const START_MS_MAX = 120_000;
const STOP_MS_MAX = 30_000;
const PROBE_INTERVAL_MS = 5;
/** Apache's server takes connections a moment before it serves, and now and then forgets one of those. */
const PROBE_ANSWER_MS_MAX = 1000;

export interface StartOptions {
  /** Lines of zoo.cfg beside the ones every server gets. */
  readonly config?: Readonly<Record<string, string | number>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Everything that must be gone when this program ends, however it ends. */
const homes = new Set<ServerHome>();

/**
 * A directory of its own for one server, below the system's temporary directory, with a port on the
 * loopback address; the server in it can be stopped and started again over the same data.
 */
export class ServerHome {
  readonly kind: ServerKind;
  readonly directory: string;
  readonly target: Target;
  /** From the start of the process to the first open session. */
  startupMs = 0;
  private child: ChildProcess | undefined;

  private constructor(kind: ServerKind, port: number) {
    this.kind = kind;
    this.target = { host: HOST, port };
    this.directory = mkdtempSync(join(tmpdir(), "watchkeeper-bench-"));
    mkdirSync(this.dataDirectory);
    homes.add(this);
  }

  /** A new home with a server running in it. */
  static async start(kind: ServerKind, options: StartOptions = {}): Promise<ServerHome> {
    const home = new ServerHome(kind, await freePort());
    await home.startServer(options);
    return home;
  }

  /** Stops the servers and removes the directories of all homes: for the end of the program. */
  static async removeAll(): Promise<void> {
    await Promise.all([...homes].map((home) => home.remove()));
  }

  /** At once, for an interrupted program: nothing may go on measuring servers that are being ended. */
  static destroyAll(): void {
    for (const home of homes) home.child?.kill("SIGKILL");
    for (const home of homes) rmSync(home.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get dataDirectory(): string {
    return join(this.directory, "data");
  }

  get log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  private get logFile(): string {
    return join(this.directory, "log");
  }

  async startServer(options: StartOptions = {}): Promise<void> {
    const configFile = join(this.directory, "zoo.cfg");
    writeFileSync(configFile, zooCfg(this.dataDirectory, this.target.port, options.config));
    const [program, ...args] = this.kind.command(configFile);
    const output = openSync(this.logFile, "a");
    const startedMs = performance.now();
    this.child = spawn(program, args, {
      stdio: ["ignore", output, output],
      cwd: this.directory,
      env: { ...process.env, ...options.environment },
    });
    closeSync(output);
    this.child.on("error", () => {}); // a program that is not there: seen below as one that has ended
    await this.untilServing(startedMs);
    this.startupMs = performance.now() - startedMs;
  }

  /** SIGTERM, and SIGKILL where that is not enough. */
  async stopServer(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined || hasEnded(child)) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    await ended;
    clearTimeout(impatience);
  }

  async remove(): Promise<void> {
    homes.delete(this);
    await this.stopServer();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async untilServing(startedMs: number): Promise<void> {
    while (!(await opensSession(this.target))) {
      if (this.child === undefined || hasEnded(this.child)) throw new Error(this.startFailure("ended at once"));
      if (performance.now() - startedMs > START_MS_MAX) {
        throw new Error(this.startFailure(`did not open a session in ${START_MS_MAX / 1000} s`));
      }
      await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS));
    }
  }

  private startFailure(how: string): string {
    return `the ${this.kind.name} server ${how}; its last words:\n${this.log.slice(-2000)}`;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function opensSession(target: Target): Promise<boolean> {
  try {
    const session = await BulkSession.open(target, PROBE_ANSWER_MS_MAX);
    await session.close();
    return true;
  } catch {
    return false;
  }
}

function zooCfg(dataDirectory: string, port: number, more: StartOptions["config"] = {}): string {
  const settings = {
    tickTime: 2000,
    dataDir: dataDirectory,
    clientPort: port,
    clientPortAddress: HOST,
    maxClientCnxns: 0,
    "4lw.commands.whitelist": "*",
    "admin.enableServer": "false",
    "autopurge.purgeInterval": 0,
    ...more,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
