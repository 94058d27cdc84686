/** Several servers of one kind that make up an ensemble, in a directory of their own, on the loopback address. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Target } from "../load/server-connection.js";
import { fourLetterWord } from "../servers/environment.js";
import type { ServerKind } from "../servers/server-kind.js";

const HOST = "127.0.0.1";
const SERVE_MS_MAX = 60_000;
const PROBE_INTERVAL_MS = 5;
/** Below the range of outgoing connections: a stopped server's port must still be free when it comes back. */
const LOWEST_PORT = 11_000;
const PORTS = 20_000;

const homes = new Set<EnsembleHome>();

export interface ServerState {
  readonly mode: string;
  readonly zxid: number;
}

export class EnsembleServer {
  readonly target: Target;
  private readonly kind: ServerKind;
  private readonly directory: string;
  private child: ChildProcess | undefined;

  constructor(kind: ServerKind, directory: string, port: number) {
    this.kind = kind;
    this.directory = directory;
    this.target = { host: HOST, port };
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  start(): void {
    const [program, ...args] = this.kind.command(join(this.directory, "zoo.cfg"));
    const output = openSync(join(this.directory, "log"), "a");
    this.child = spawn(program, args, { stdio: ["ignore", output, output], cwd: this.directory });
    closeSync(output);
    this.child.on("error", () => {}); // a program that is not there: it never serves
  }

  /** Sends SIGKILL; the process may be there a moment longer. */
  kill(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }

  /** What it tells of itself; undefined while it does not serve. */
  async state(): Promise<ServerState | undefined> {
    const answer = await fourLetterWord(this.target, "srvr").catch(() => "");
    const mode = /^Mode: (.+)$/m.exec(answer)?.[1];
    const zxid = /^Zxid: (0x[0-9a-f]+)$/m.exec(answer)?.[1];
    return mode === undefined || zxid === undefined ? undefined : { mode, zxid: Number(zxid) };
  }

  get lastWords(): string {
    return readFileSync(join(this.directory, "log"), "utf8").slice(-1500);
  }
}

export class EnsembleHome {
  readonly servers: readonly EnsembleServer[];
  private readonly directory: string;

  private constructor(directory: string, servers: readonly EnsembleServer[]) {
    this.directory = directory;
    this.servers = servers;
    homes.add(this);
  }

  /** A new ensemble, of which every server serves. */
  static async start(kind: ServerKind, size: number): Promise<EnsembleHome> {
    const directory = mkdtempSync(join(tmpdir(), "watchkeeper-bench-"));
    const ports = await freePorts(3 * size);
    const peers = Array.from(
      { length: size },
      (_, i) => `server.${i + 1}=${HOST}:${ports[size + i]}:${ports[2 * size + i]}`,
    );
    const servers = peers.map((_, i) => {
      const own = join(directory, `${i + 1}`);
      mkdirSync(join(own, "data"), { recursive: true });
      writeFileSync(join(own, "data", "myid"), `${i + 1}\n`);
      writeFileSync(join(own, "zoo.cfg"), zooCfg(join(own, "data"), ports[i]!, peers));
      return new EnsembleServer(kind, own, ports[i]!);
    });
    const home = new EnsembleHome(directory, servers);
    for (const server of servers) server.start();
    await home.untilAllServe();
    return home;
  }

  static removeAll(): void {
    for (const home of homes) home.remove();
  }

  get running(): readonly EnsembleServer[] {
    return this.servers.filter((server) => server.isRunning);
  }

  async leader(): Promise<EnsembleServer> {
    let found: EnsembleServer | undefined;
    await this.until("a leader", async () => {
      const states = await Promise.all(this.running.map((server) => server.state()));
      found = this.running[states.findIndex((state) => state?.mode === "leader")];
      return found !== undefined;
    });
    return found!;
  }

  /** Every running server serves and has applied all txns; the first zxid of an epoch belongs to none. */
  async untilAllServe(): Promise<void> {
    await this.until("every server to serve", async () => {
      const states = await Promise.all(this.running.map((server) => server.state()));
      const latest = Math.max(0, ...states.map((state) => state?.zxid ?? 0).filter((zxid) => zxid % 2 ** 32 > 0));
      return states.every((state) => state !== undefined && state.zxid >= latest);
    });
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + SERVE_MS_MAX;
    while (!(await holds())) {
      if (performance.now() > deadlineMs) {
        const words = this.running.map((server) => server.lastWords).join("\n");
        throw new Error(`waited ${SERVE_MS_MAX / 1000} s for ${what}; last words:\n${words}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS));
    }
  }

  remove(): void {
    homes.delete(this);
    for (const server of this.running) server.kill();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function zooCfg(dataDirectory: string, port: number, peers: readonly string[]): string {
  return `${[
    "tickTime=2000",
    "initLimit=10",
    "syncLimit=5",
    `dataDir=${dataDirectory}`,
    `clientPort=${port}`,
    `clientPortAddress=${HOST}`,
    "maxClientCnxns=0",
    "4lw.commands.whitelist=*",
    "admin.enableServer=false",
    ...peers,
  ].join("\n")}\n`;
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host: HOST, port }, () => probe.close(() => resolve(true)));
  });
}
