import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { until } from "../../support/until.js";
import { watchkeeper } from "../run-program.js";

const program = fileURLToPath(new URL("../../../bin/watchkeeper.js", import.meta.url));

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "watchkeeper-ensemble-"));
  return () => rmSync(directory, { recursive: true });
});

/** The built program with real servers. */
class RunningEnsemble {
  readonly child: ChildProcessWithoutNullStreams;
  readonly exitCode: Promise<number | null>;
  output = "";

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [program, "ensemble", "--dir", join(directory, "servers"), ...args]);
    this.exitCode = new Promise((resolve) => this.child.once("close", resolve));
    const take = (bytes: Buffer): void => {
      this.output += bytes.toString();
    };
    this.child.stdout.on("data", take);
    this.child.stderr.on("data", take);
    onTestFinished(async () => {
      this.child.kill("SIGKILL");
      await this.exitCode;
      await this.allGone();
    });
  }

  until(pattern: RegExp): Promise<void> {
    return until(
      () => pattern.test(this.output),
      () => `${pattern} in ${this.output}`,
    );
  }

  get pids(): number[] {
    return [...this.output.matchAll(/started as process (\d+)/g)].map((match) => Number(match[1]));
  }

  allGone(): Promise<void> {
    return until(
      () => !this.pids.some(isAlive),
      () => `the end of ${this.pids.filter(isAlive)}`,
    );
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("three real servers", () => {
  test("elect a leader, another one when it is killed, and stop when they are asked to", async () => {
    const ensemble = new RunningEnsemble();
    await ensemble.until(/server \d leads\n/);
    const leader = /server (\d) leads/.exec(ensemble.output)![1]!;
    ensemble.child.stdin.write("kl");
    await ensemble.until(new RegExp(`server ${leader} killed`));
    await ensemble.until(/server \d leads, \d+\.\d s after the last one was gone/);
    ensemble.child.stdin.write(`u${leader}\n`);
    await ensemble.until(new RegExp(`killed[^]*server ${leader} is a follower`));
    ensemble.child.stdin.write("q");
    expect(await ensemble.exitCode).toBe(0);
    expect(ensemble.pids).toHaveLength(4);
    expect(ensemble.pids.filter(isAlive)).toEqual([]);
  });

  test("go on where they were at the next start, and end with a keeper that is killed", async () => {
    const first = new RunningEnsemble();
    await first.until(/server \d leads\n/);
    first.child.kill("SIGTERM");
    expect(await first.exitCode).toBe(0);
    const second = new RunningEnsemble();
    await second.until(/server \d leads\n/);
    await second.until(/leader +2 /);
    second.child.kill("SIGKILL");
    await second.allGone();
  });
});

describe("what cannot be started is one sentence", () => {
  const start = (...args: string[]) => watchkeeper("ensemble", "--dir", join(directory, "servers"), ...args);

  test("a directory with something else in it", async () => {
    mkdirSync(join(directory, "servers"));
    writeFileSync(join(directory, "servers", "notes.txt"), "");
    const { code, stderr } = await start();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^watchkeeper: \S+ is not empty and holds no ensemble: .*--dir/);
  });

  test("a directory with an ensemble of another size", async () => {
    const ensemble = new RunningEnsemble("--servers", "1");
    await ensemble.until(/server 1 leads/);
    ensemble.child.stdin.write("q");
    await ensemble.exitCode;
    const { code, stderr } = await start("--servers", "5", "--observers", "1");
    expect(code).toBe(1);
    expect(stderr).toContain("holds an ensemble of 1 server and 0 observers: leave --servers and --observers out");
  });

  test.each([
    [["--servers", "0"], "--servers 0: a whole number from 1 to 9 expected"],
    [["--servers", "many"], "--servers many: a whole number"],
    [["--servers", "7", "--observers", "3"], "7 servers and 3 observers: at most 9 in all"],
    [["--base-port", "65535"], "--base-port 65535: ports 65535 to 65543 are needed, from 1 to 65535"],
  ])("%j is a usage error", async (args, sentence) => {
    const { code, stderr } = await start(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });

  test("help teaches the keys and what to try", async () => {
    const { code, stdout } = await watchkeeper("help", "ensemble");
    expect(code).toBe(0);
    for (const text of ["kill -9", "Things to try", "--base-port"]) expect(stdout).toContain(text);
  });
});
