/**
 * One server of an ensemble under test: a kind of server over a configuration and a data directory that
 * outlive the process, so that it can be killed, started again, and replaced by a server of the other
 * kind. What the tests do with a member is the same for both kinds.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../../support/until.js";
import { startApache } from "../../support/apache.js";
import type { ServerOptions, ServerProcess } from "../../support/server-process.js";
import { startWatchkeeper } from "../../support/watchkeeper.js";
import { type Mode, type ServerView, viewOf } from "./four-letter-words.js";

export type ServerKind = "apache" | "watchkeeper";

/** An ensemble of many is started on a small machine: a heap that never needs more is bounded. */
const JVM_FLAGS = ["-Xmx256m"];

/** So that the logs of two servers can be laid side by side. */
const LOG_TIMES = {
  "org.slf4j.simpleLogger.showDateTime": "true",
  "org.slf4j.simpleLogger.dateTimeFormat": "HH:mm:ss.SSS",
};

const starts: Readonly<Record<ServerKind, (options: ServerOptions) => Promise<ServerProcess>>> = {
  apache: (options) => startApache({ ...options, jvmFlags: JVM_FLAGS, javaProperties: LOG_TIMES }),
  watchkeeper: startWatchkeeper,
};

export interface MemberPorts {
  readonly client: number;
  readonly quorum: number;
  readonly election: number;
}

export interface MemberSpec {
  readonly sid: number;
  readonly kind: ServerKind;
  readonly isObserver: boolean;
  readonly ports: MemberPorts;
  readonly dataDir: string;
  /** The lines of zoo.cfg that are this member's: the ensemble as it sees it. */
  readonly configLines: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export class Member {
  readonly sid: number;
  readonly isObserver: boolean;
  readonly ports: MemberPorts;
  readonly dataDir: string;
  kind: ServerKind;
  /** What may be changed between two starts. */
  configLines: readonly string[];
  /** Written to the file `myid`; the tests of wrong ones change it. */
  myId: number;
  environment: Readonly<Record<string, string>>;
  private process: ServerProcess | undefined;
  private readonly earlierLogs: string[] = [];
  private isPaused = false;
  private ending: string | undefined;

  constructor(spec: MemberSpec) {
    this.sid = spec.sid;
    this.kind = spec.kind;
    this.isObserver = spec.isObserver;
    this.ports = spec.ports;
    this.dataDir = spec.dataDir;
    this.configLines = spec.configLines;
    this.myId = spec.sid;
    this.environment = spec.environment ?? {};
  }

  get name(): string {
    return `server ${this.sid} (${this.kind})`;
  }

  get connectString(): string {
    return `127.0.0.1:${this.ports.client}`;
  }

  get pid(): number {
    return this.running.pid;
  }

  get isRunning(): boolean {
    return this.process !== undefined;
  }

  /** Resolves when the process is gone, with how it ended. */
  get ended(): Promise<string> {
    return this.running.ended;
  }

  /** How the process ended though nobody ended it; undefined while it runs. */
  get endedWith(): string | undefined {
    return this.ending;
  }

  /** Starts the process, of the kind given from now on. Resolves when it is there, not when it serves. */
  async start(kind: ServerKind = this.kind): Promise<void> {
    if (this.process !== undefined) throw new Error(`${this.name} is running already`);
    this.kind = kind;
    this.isPaused = false;
    this.ending = undefined;
    const process = await starts[kind]({
      dataDir: this.dataDir,
      clientPort: this.ports.client,
      myId: this.myId,
      configLines: this.configLines,
      environment: this.environment,
      waitUntilServing: false,
    });
    this.process = process;
    void process.ended.then((how) => {
      if (this.process === process) this.ending = how;
    });
  }

  /** By SIGTERM, as an operator does. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /**
   * Stops it from doing anything; its connections stay, and nobody answers on them. On a busy machine its threads may go on
   * for some milliseconds: see `standsStill`.
   */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
    this.isPaused = true;
  }

  /** Whether the system has stopped every thread of it. */
  get standsStill(): boolean {
    const tasks = `/proc/${this.pid}/task`;
    return readdirSync(tasks).every((task) => / \(.*\) [Tt] /.test(readFileSync(join(tasks, task, "stat"), "latin1")));
  }

  resume(): void {
    if (this.isPaused) process.kill(this.pid, "SIGCONT");
    this.isPaused = false;
  }

  /** Takes away all that a server keeps, as a new disk would; not its id. */
  wipe(): void {
    if (this.process !== undefined) throw new Error(`${this.name} is running: its disk cannot be wiped`);
    for (const name of readdirSync(this.dataDir)) {
      if (name !== "myid") rmSync(join(this.dataDir, name), { recursive: true, force: true });
    }
  }

  /** What the present process, or where there is none the last one, has logged. */
  log(): string {
    return this.process?.log() ?? this.earlierLogs.at(-1) ?? "";
  }

  /** Whether any of its processes has logged this. */
  hasEverLogged(sentence: string): boolean {
    return this.log().includes(sentence) || this.earlierLogs.some((log) => log.includes(sentence));
  }

  /** What all of its processes have logged, one after the other. */
  allLogs(): string {
    const present = this.process === undefined ? [] : [this.process.log()];
    return [...this.earlierLogs, ...present].join("\n--- started again ---\n");
  }

  view(): Promise<ServerView | undefined> {
    return viewOf(this.ports.client);
  }

  /** Waits until it serves in one of the roles. */
  async untilServing(modes: readonly Mode[] = ["leader", "follower", "observer"], deadlineMs = 30_000): Promise<void> {
    let seen: ServerView | undefined;
    await until(
      `${this.name} to serve as ${modes.join(" or ")}`,
      async () => {
        seen = await this.view();
        return seen !== undefined && modes.includes(seen.mode);
      },
      deadlineMs,
      () => `It is ${seen === undefined ? "not serving" : seen.mode}. ${this.logTail()}`,
    );
  }

  logTail(chars = 3000): string {
    return `Its log ends:\n${this.log().trimEnd().slice(-chars)}`;
  }

  /** Whether these bytes stand in any of its log files: written, maybe not yet durable. */
  hasLogged(marker: string): boolean {
    return this.logFiles().some((file) => readFileSync(file).includes(marker));
  }

  /** The files of its transaction log, in order. */
  logFiles(): string[] {
    const directory = join(this.dataDir, "version-2");
    return namesIn(directory)
      .filter((name) => name.startsWith("log."))
      .sort((a, b) => Number.parseInt(a.slice(4), 16) - Number.parseInt(b.slice(4), 16))
      .map((name) => join(directory, name));
  }

  writeEpochFile(name: "acceptedEpoch" | "currentEpoch", epoch: number): void {
    mkdirSync(join(this.dataDir, "version-2"), { recursive: true });
    writeFileSync(join(this.dataDir, "version-2", name), `${epoch}`);
  }

  private get running(): ServerProcess {
    if (this.process === undefined) throw new Error(`${this.name} is not running`);
    return this.process;
  }

  private async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { process } = this;
    if (process === undefined) return;
    // A paused process dies of SIGKILL as it is; woken up first, it would still read and log what had arrived.
    if (signal === "SIGTERM") this.resume();
    this.isPaused = false;
    this.earlierLogs.push(process.log());
    this.process = undefined;
    await process.stop(signal);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
