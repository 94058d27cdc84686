import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Client, type ConnectOptions, connect } from "@watchkeeper/client";
import { reservePorts } from "../../../../test/support/ports.js";
import { NodeDisk } from "../../src/host/node-disk.js";
import { readTxnLog } from "../../src/storage/index.js";
import { RawConnection } from "../support/raw-connection.js";

const program = fileURLToPath(new URL("../../bin/watchkeeper.js", import.meta.url));

/**
 * Loaded ahead of the server: while the file that HOLD_FILE names is there, no write to a disk is reported as done. It
 * has been handed to the system, its bytes stand in the file, and nobody has said that they will stay.
 */
const HELD_DISK = `
import fs from "node:fs";
const write = fs.write;
const wait = (done, args) => fs.existsSync(process.env.HOLD_FILE) ? setTimeout(wait, 5, done, args) : done(...args);
fs.write = (...args) => { const done = args.pop(); write(...args, (...result) => wait(done, result)); };
`;

const DEADLINE_MS = 20_000;

/** Three servers, each a process of its own on this machine. */
export class EnsembleOfProcesses {
  readonly members: readonly MemberProcess[];
  private readonly home: string;

  private constructor(home: string, ports: readonly number[]) {
    this.home = home;
    const lines = [1, 2, 3].map((sid) => `server.${sid}=127.0.0.1:${ports[3 * sid - 2]}:${ports[3 * sid - 1]}`);
    this.members = [1, 2, 3].map((sid) => new MemberProcess(join(home, `${sid}`), sid, ports[3 * sid - 3]!, lines));
  }

  static async start(): Promise<EnsembleOfProcesses> {
    const ensemble = new EnsembleOfProcesses(
      mkdtempSync(join(tmpdir(), "watchkeeper-ensemble-")),
      await reservePorts(9),
    );
    for (const member of ensemble.members) member.start();
    await ensemble.untilAllServe();
    return ensemble;
  }

  /** Of all that run. */
  get connectString(): string {
    return this.members
      .filter(({ isRunning }) => isRunning)
      .map(({ address }) => address)
      .join(",");
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    rmSync(this.home, { recursive: true, force: true });
  }

  async leader(): Promise<MemberProcess> {
    for (const member of this.members) if ((await member.mode()) === "leader") return member;
    throw new Error("there is no leader");
  }

  async followers(): Promise<MemberProcess[]> {
    const leader = await this.leader();
    return this.members.filter((member) => member !== leader);
  }

  /** Those that were killed run again, and everybody serves the same. */
  async restored(): Promise<void> {
    for (const member of this.members) {
      member.releaseDisk();
      if (!member.isRunning) member.start();
    }
    await this.untilAllServe();
  }

  async untilAllServe(): Promise<void> {
    await eventually("every server serving the same", async () => {
      const running = this.members.filter(({ isRunning }) => isRunning);
      const modes = await Promise.all(running.map((member) => member.mode()));
      if (modes.filter((mode) => mode === "leader").length !== 1 || modes.includes(undefined)) return false;
      const zxids = await Promise.all(running.map((member) => member.zxid()));
      // A leader shows the beginning of its epoch, which no txn has, until there is one.
      const latest = Math.max(0, ...zxids.filter((zxid) => zxid % 2 ** 32 > 0));
      return zxids.every((zxid) => zxid >= latest);
    });
  }
}

export class MemberProcess {
  readonly sid: number;
  readonly clientPort: number;
  private readonly directory: string;
  private readonly holdFile: string;
  private child: ChildProcess | undefined;

  constructor(directory: string, sid: number, clientPort: number, serverLines: readonly string[]) {
    this.sid = sid;
    this.clientPort = clientPort;
    this.directory = directory;
    this.holdFile = join(directory, "hold");
    mkdirSync(directory);
    writeFileSync(join(directory, "myid"), `${sid}\n`);
    const lines = [
      `dataDir=${directory}`,
      `clientPort=${clientPort}`,
      "clientPortAddress=127.0.0.1",
      "tickTime=400",
      "initLimit=20",
      "syncLimit=30",
      "maxSessionTimeout=60000",
      "preAllocSize=64",
      "admin.enableServer=false",
      "4lw.commands.whitelist=*",
      ...serverLines,
    ];
    writeFileSync(join(directory, "zoo.cfg"), `${lines.join("\n")}\n`);
  }

  get address(): string {
    return `127.0.0.1:${this.clientPort}`;
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  start(): void {
    const lines = openSync(join(this.directory, "server.log"), "a");
    const preload = `data:text/javascript,${encodeURIComponent(HELD_DISK)}`;
    this.child = spawn(process.execPath, ["--import", preload, program, "serve", join(this.directory, "zoo.cfg")], {
      stdio: ["ignore", lines, lines],
      env: { ...process.env, HOLD_FILE: this.holdFile },
    });
  }

  /** Stands still from when this resolves: its connections stay, nobody answers on them. It is to be killed then. */
  async pause(): Promise<void> {
    const { child } = this;
    child?.kill("SIGSTOP");
    await eventually("the server standing still", () => standsStill(child?.pid ?? 0));
  }

  /** By SIGKILL. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** What it writes from now on reaches its disk only when that is released. */
  holdDisk(): void {
    writeFileSync(this.holdFile, "");
  }

  releaseDisk(): void {
    rmSync(this.holdFile, { force: true });
  }

  /** What it has said so far. */
  get said(): string {
    return readFileSync(join(this.directory, "server.log"), "utf8");
  }

  /** Whether these bytes stand in its log, on the disk or on the way there. */
  hasInLog(text: string): boolean {
    return this.logFiles().some((path) => readFileSync(path).includes(text));
  }

  /** The txns of its log, as "0xzxid content". */
  async txns(): Promise<string[]> {
    const lines: string[] = [];
    const disk = new NodeDisk();
    for (const path of this.logFiles()) {
      await readTxnLog(disk, path, (bytes, start, end, _position, zxid) => {
        lines.push(`0x${zxid.toString(16)} ${Buffer.from(bytes.subarray(start, end)).toString("hex")}`);
      });
    }
    return lines;
  }

  private logFiles(): string[] {
    const directory = join(this.directory, "version-2");
    if (!existsSync(directory)) return [];
    const names = readdirSync(directory).filter((name) => /^log\.[0-9a-f]+$/.test(name));
    return names
      .sort((a, b) => Number.parseInt(a.slice(4), 16) - Number.parseInt(b.slice(4), 16))
      .map((name) => join(directory, name));
  }

  /** The answer to a four-letter word; undefined where nobody answers. */
  async word(word: string): Promise<string | undefined> {
    if (!this.isRunning) return undefined;
    try {
      const connection = await RawConnection.open(this.clientPort);
      connection.write(Buffer.from(word, "latin1"));
      return (await connection.untilClosed()).toString("latin1");
    } catch {
      return undefined;
    }
  }

  /** "leader" or "follower"; undefined while it is neither. */
  async mode(): Promise<string | undefined> {
    return /^Mode: (\w+)$/m.exec((await this.word("srvr")) ?? "")?.[1];
  }

  async zxid(): Promise<number> {
    return Number(/^Zxid: (0x[0-9a-f]+)$/m.exec((await this.word("srvr")) ?? "")?.[1]);
  }

  /** A number of `mntr`. */
  async figure(name: string): Promise<number> {
    const line = ((await this.word("mntr")) ?? "").split("\n").find((one) => one.startsWith(`zk_${name}\t`));
    if (line === undefined) throw new Error(`mntr has no zk_${name}`);
    return Number(line.split("\t")[1]);
  }

  client(options: ConnectOptions = {}): Promise<Client> {
    return connect(this.address, { reconnectDelayMsMax: 20, ...options });
  }
}

/** Whether the system has stopped it: on a busy machine it may go on for some milliseconds. */
function standsStill(pid: number): boolean {
  if (process.platform !== "linux")
    return execFileSync("ps", ["-o", "state=", "-p", `${pid}`])
      .toString()
      .startsWith("T");
  return / \(.*\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
}

/** @throws where it does not come about */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${DEADLINE_MS} ms for ${what}`);
    await sleep(20);
  }
}
