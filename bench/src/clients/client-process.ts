import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Target } from "../load/server-connection.js";
import type { ClientKind } from "./client-kind.js";
import type { DriverAnswer, DriverLoad, DriverSetup } from "./driver-messages.js";
import { PEER_FOLDER } from "./peer-packages.js";

/** Beyond the load itself: to connect, or to bring the last requests home. */
const ANSWER_MS_MAX = 30_000;
const STOP_MS_MAX = 5000;
const ERRORS_KEPT = 2000;

const processes = new Set<ClientProcess>();

/** One client under measurement: a process of its own, with one session on one connection. */
export class ClientProcess {
  readonly kind: ClientKind;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private errors = "";

  private constructor(kind: ClientKind, setup: DriverSetup) {
    const [program, ...args] = kind.command;
    this.kind = kind;
    this.child = spawn(program, [...args, JSON.stringify(setup)], { stdio: ["pipe", "pipe", "pipe"] });
    this.reader = createInterface({ input: this.child.stdout! });
    this.lines = this.reader[Symbol.asyncIterator]();
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.errors = (this.errors + text).slice(-ERRORS_KEPT);
    });
    this.child.on("error", (error) => {
      this.errors += String(error);
    });
    processes.add(this);
  }

  /** Resolves when its session stands. */
  static async start(kind: ClientKind, target: Target, paths: readonly string[], valueBytes: number) {
    const { connectionThread = false } = kind;
    const started = new ClientProcess(kind, {
      ...target,
      paths,
      valueBytes,
      peerFolder: PEER_FOLDER,
      connectionThread,
    });
    await started.answer(ANSWER_MS_MAX);
    return started;
  }

  /** At once, for an interrupted program. */
  static destroyAll(): void {
    for (const { child } of processes) child.kill("SIGKILL");
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async measure(load: DriverLoad): Promise<Extract<DriverAnswer, { kind: "measured" }>> {
    this.child.stdin!.write(`${JSON.stringify(load)}\n`);
    const answer = await this.answer((load.warmupSeconds + load.seconds) * 1000 + ANSWER_MS_MAX);
    if (answer.kind !== "measured") throw new Error(`${this.kind.name} answered a load with "${answer.kind}"`);
    return answer;
  }

  async stop(): Promise<void> {
    processes.delete(this);
    this.reader.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return;
    const ended = once(this.child, "exit");
    this.child.stdin!.end();
    const impatience = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS_MAX);
    await ended;
    clearTimeout(impatience);
  }

  private async answer(waitMsMax: number): Promise<DriverAnswer> {
    const impatience = setTimeout(() => this.child.kill("SIGKILL"), waitMsMax);
    const { value, done } = await this.lines.next();
    clearTimeout(impatience);
    if (done === true) {
      await this.stop();
      throw new Error(`the client ${this.kind.name} failed, or took too long; its last words:\n${this.errors}`);
    }
    return JSON.parse(value) as DriverAnswer;
  }
}
