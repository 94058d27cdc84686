/**
 * Apache's zkCli.sh, driven without a terminal. It gives no prompt then, so each command is followed by
 * `printwatches`, which is answered by the shell itself, connected or not: its answer ends the answer of
 * the command. Watch events are printed by another thread at any moment; they are taken out of the text
 * and put behind the answer, one `WatchedEvent` line each.
 */
import { spawn } from "node:child_process";
import { requireProgram } from "./installed.js";
import { quickJvmFlags } from "./java.js";
import { killGroup, type ProgramRun, runProgram } from "./programs.js";
import { type Exchange, Mask, type Section } from "./transcript.js";

const zkCli = "/usr/share/zookeeper/bin/zkCli.sh";
const answerDeadlineMs = 30_000;
const eventDeadlineMs = 15_000;
const oneShotDeadlineMs = 60_000;

const marker = /printwatches is (?:on|off)\n/;
const watchEvent = /^WatchedEvent /;

/** Standard output and error in one stream, in the order written; the exit code stays the script's own. */
function commandLine(server: string, args: readonly string[]): { command: string; args: string[] } {
  return { command: "/bin/sh", args: ["-c", 'exec "$0" "$@" 2>&1', zkCli, "-server", server, ...args] };
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, CLIENT_JVMFLAGS: quickJvmFlags.join(" ") };
}

export function requireZkCli(): void {
  requireProgram(zkCli, "zookeeper");
}

export class Shell {
  readonly #child;
  #unread = "";
  #wake: () => void = () => {};
  #hasEnded = false;
  /** Set when a command was not answered in time: whatever comes later cannot be told apart any more. */
  isLost = false;

  constructor(server: string) {
    const { command, args } = commandLine(server, []);
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"], env: environment(), detached: true });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#unread += text;
      this.#wake();
    });
    this.#child.once("close", () => {
      this.#hasEnded = true;
      this.#wake();
    });
    this.#child.stdin.on("error", () => {});
  }

  /** The lines of the answer, then the events, of which it waits for as many as are expected. */
  async ask(command: string, eventsExpected: number): Promise<string[]> {
    this.#child.stdin.write(`${command}\nprintwatches\n`);
    const answered = await this.#until(() => marker.test(this.#unread), answerDeadlineMs);
    if (!answered) {
      this.isLost = true;
      const why = this.#hasEnded ? "<the shell ended>" : `<no answer within ${answerDeadlineMs} ms>`;
      return [...withoutNoise(this.#take(this.#unread.length)), why];
    }
    const end = this.#unread.search(marker);
    let text = this.#take(end);
    this.#take(marker.exec(this.#unread)?.[0].length ?? 0);
    await this.#until(() => countEvents(text) + countEvents(this.#unread) >= eventsExpected, eventDeadlineMs);
    text = `${text}\n${this.#take(this.#unread.lastIndexOf("\n") + 1)}`;
    // Without a session even `printwatches` is followed by this line, which may come with the next answer.
    const isOffline = command === "close" || command.startsWith("connect ");
    const lines = withoutNoise(text).filter((line) => !(isOffline && line === "Not connected"));
    return [...lines.filter((line) => !watchEvent.test(line)), ...lines.filter((line) => watchEvent.test(line))];
  }

  async end(): Promise<void> {
    this.#child.stdin.end("quit\n");
    await this.#until(() => this.#hasEnded, answerDeadlineMs);
    killGroup(this.#child);
  }

  #take(length: number): string {
    const text = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    return text;
  }

  async #until(condition: () => boolean, deadlineMs: number): Promise<boolean> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, deadlineMs);
    while (!condition() && !isLate && !this.#hasEnded)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    clearTimeout(timer);
    return condition();
  }
}

/** Counts whole lines only: the end of an event may still be on its way. */
function countEvents(text: string): number {
  return text.match(/^WatchedEvent .*\n/gm)?.length ?? 0;
}

/**
 * Leaves out what says nothing about a server: the JVM's logging about itself, the frame around watch
 * events, empty lines and the list of all commands.
 */
function withoutNoise(text: string): string[] {
  const noise = /^(?:\s*|\t.*|WATCHER::|SLF4J: .*)$/;
  return text.split("\n").filter((line) => !noise.test(line));
}

function fillIn(command: string, server: string): string {
  return command.replaceAll("<server>", server);
}

/** Types all sections into one shell; resolves with what it answered, masked, in the same shape. */
export async function replaySession(sections: readonly Section[], server: string): Promise<Section[]> {
  const shell = new Shell(server);
  try {
    await shell.ask("printwatches on", 1);
    const replayed: Section[] = [];
    for (const { title, exchanges } of sections) {
      const mask = new Mask(server);
      const seen: Exchange[] = [];
      for (const { command, answer } of exchanges) {
        if (shell.isLost) break;
        const lines = await shell.ask(fillIn(command, server), answer.filter((line) => watchEvent.test(line)).length);
        // The ids of a connection come in no order that anybody promised.
        const ordered = command === "whoami" ? [...lines.slice(0, 1), ...lines.slice(1).sort()] : lines;
        seen.push({ command, answer: ordered.map((line) => mask.line(line)) });
      }
      replayed.push({ title, exchanges: seen });
    }
    return replayed;
  } finally {
    await shell.end();
  }
}

/** Runs each command of a section as a shell of its own; the exit code is the last line of its answer. */
export async function replayOneShots(section: Section, server: string): Promise<Section> {
  const mask = new Mask(server);
  const exchanges: Exchange[] = [];
  for (const { command } of section.exchanges) {
    const { command: shell, args } = commandLine(server, fillIn(command, server).split(" "));
    const run = await runProgram(shell, args, { deadlineMs: oneShotDeadlineMs, env: environment() });
    exchanges.push({ command, answer: oneShotAnswer(run).map((line) => mask.line(line)) });
  }
  return { title: section.title, exchanges };
}

/** The shell connects and closes in the background; whether it says so before it exits is a matter of luck. */
function oneShotAnswer(run: ProgramRun): string[] {
  const lines = withoutNoise(run.stdout).filter((line) => !watchEvent.test(line) && !line.startsWith("Connecting to "));
  return [...lines, run.ending];
}
