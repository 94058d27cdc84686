/** Sessions of other people's clients that stay open while servers come and go: kazoo's and zkCli.sh's. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { killGroup } from "../../support/programs.js";
import { requireZkCli, Shell } from "../../support/zkcli.js";

const ANSWER_MS_MAX = 20_000;

interface KazooAnswer {
  readonly session: string;
  readonly owner: string;
  readonly states: readonly string[];
  readonly data: string;
  readonly seen: readonly string[];
  readonly error?: string;
}

export class KazooSession {
  private readonly child;
  private readonly lines;
  private first: KazooAnswer | undefined;

  private constructor(connectString: string, path: string) {
    const script = join(import.meta.dirname, "kazoo_session.py");
    this.child = spawn("/usr/bin/python3", ["-B", script, connectString, path], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    this.child.stdin.on("error", () => {});
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  static async open(connectString: string, path: string): Promise<KazooSession> {
    const session = new KazooSession(connectString, path);
    session.first = await session.answer();
    return session;
  }

  /** Makes it write and read; what is wrong with its session. */
  async faults(): Promise<string[]> {
    this.child.stdin.write("\n");
    const now = await this.answer();
    if (now.error !== undefined) return [`kazoo failed: ${now.error}`];
    const faults: string[] = [];
    if (now.session !== this.first!.session)
      faults.push(`kazoo's session was ${this.first!.session} and is ${now.session}`);
    if (now.owner !== now.session) faults.push(`kazoo's ephemeral node belongs to ${now.owner}`);
    if (now.states.includes("LOST")) faults.push(`kazoo went through the states ${now.states.join(", ")}`);
    if (now.data === "0") faults.push("kazoo did not read what it had written");
    return faults;
  }

  close(): void {
    killGroup(this.child);
  }

  private async answer(): Promise<KazooAnswer> {
    const timer = setTimeout(() => killGroup(this.child), ANSWER_MS_MAX);
    const { value } = await this.lines.next();
    clearTimeout(timer);
    if (value === undefined) throw new Error(`kazoo gave no answer within ${ANSWER_MS_MAX} ms`);
    return JSON.parse(value) as KazooAnswer;
  }
}

export class ZkCliSession {
  private readonly shell: Shell;
  private readonly path: string;
  private owner: string | undefined;

  private constructor(shell: Shell, path: string) {
    this.shell = shell;
    this.path = path;
  }

  static async open(connectString: string, path: string): Promise<ZkCliSession> {
    requireZkCli();
    const session = new ZkCliSession(new Shell(connectString), path);
    await session.shell.ask("printwatches off", 0);
    const answer = await session.shell.ask(`create -e ${path} here`, 0);
    if (!answer.some((line) => line.startsWith("Created "))) throw new Error(`zkCli answered: ${answer.join(" | ")}`);
    session.owner = await session.ephemeralOwner();
    return session;
  }

  /** Makes it read; what is wrong with its session. */
  async faults(): Promise<string[]> {
    // The first command after a cut may still meet it.
    await this.shell.ask(`get ${this.path}`, 0);
    const owner = await this.ephemeralOwner();
    if (this.owner === undefined || owner !== this.owner)
      return [`zkCli's ephemeral node belonged to ${this.owner} and belongs to ${owner}`];
    const answer = await this.shell.ask(`set ${this.path} after`, 0);
    const read = await this.shell.ask(`get ${this.path}`, 0);
    return read.includes("after") ? [] : [`zkCli wrote (${answer.join(" | ")}) and read (${read.join(" | ")})`];
  }

  async close(): Promise<void> {
    await this.shell.end();
  }

  private async ephemeralOwner(): Promise<string | undefined> {
    const lines = await this.shell.ask(`stat ${this.path}`, 0);
    return lines.find((line) => line.startsWith("ephemeralOwner"));
  }
}
