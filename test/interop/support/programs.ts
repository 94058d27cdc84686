/**
 * The client programs: built into temporary directories, run with a deadline.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { requireProgram } from "./installed.js";
import { classPath, quickJvmFlags, requireJava } from "./java.js";

/** A command that takes the address of a server as its last argument. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Removes what was built. */
  dispose(): void;
}

export interface ProgramRun {
  readonly stdout: string;
  readonly stderr: string;
  /** `exit code N`, the signal it died of, or that it was killed at its deadline. */
  readonly ending: string;
}

export const clientsDirectory = join(import.meta.dirname, "..", "clients");

const buildDeadlineMs = 60_000;
const python = "/usr/bin/python3";

function sources(folder: string, suffix: string): string[] {
  const directory = join(clientsDirectory, folder);
  return readdirSync(directory)
    .filter((file) => file.endsWith(suffix))
    .sort()
    .map((file) => join(directory, file));
}

interface Recipe {
  readonly source: string;
  readonly needs: string;
  readonly compiler: string;
  /** Both are given the directory that the program is built into. */
  readonly compile: (directory: string) => readonly string[];
  readonly start: (directory: string) => { readonly command: string; readonly args: readonly string[] };
}

async function build({ source, needs, compiler, compile, start }: Recipe): Promise<Program> {
  const directory = mkdtempSync(join(tmpdir(), "interop-build-"));
  const dispose = () => rmSync(directory, { recursive: true, force: true });
  const run = await runProgram(compiler, compile(directory), { deadlineMs: buildDeadlineMs });
  if (run.ending === "exit code 0") return { ...start(directory), dispose };
  dispose();
  throw new Error(`${source} could not be built (it needs: apt-get install ${needs}):\n${run.stdout}${run.stderr}`);
}

/** The program on Apache's C library. */
export async function buildCProgram(): Promise<Program> {
  const needs = "gcc libc6-dev libzookeeper-mt-dev";
  requireProgram("cc", needs);
  const flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-DTHREADED"];
  const libraries = ["-lzookeeper_mt", "-lpthread"];
  return build({
    source: "clients/c",
    needs,
    compiler: "cc",
    compile: (directory) => [...flags, "-o", join(directory, "interop"), ...sources("c", ".c"), ...libraries],
    start: (directory) => ({ command: join(directory, "interop"), args: [] }),
  });
}

/** A program on Curator's recipes: the one with the checks, or another one by its main class and only source. */
export async function buildJavaProgram(main = "CuratorInterop", source?: string): Promise<Program> {
  const needs = "openjdk-17-jdk-headless libcurator-recipes-java libzookeeper-java libslf4j-java";
  requireJava();
  requireProgram("javac", needs);
  const jars = classPath(
    ["curator-recipes", "curator-framework", "curator-client", "zookeeper", "zookeeper-jute", "slf4j-simple"],
    needs,
  );
  const flags = [...quickJvmFlags, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];
  return build({
    source: source ?? "clients/java",
    needs,
    compiler: "javac",
    compile: (classes) => ["-nowarn", "-d", classes, "-cp", jars, ...(source ? [source] : sources("java", ".java"))],
    start: (classes) => ({
      command: "java",
      args: [...flags, "-cp", [classes, jars].join(delimiter), main],
    }),
  });
}

/** The program on kazoo, run by the Python that Debian installs kazoo for. */
export async function findKazooProgram(): Promise<Program> {
  requireProgram(python, "python3");
  const run = await runProgram(python, ["-c", "import kazoo"], { deadlineMs: buildDeadlineMs });
  if (run.ending !== "exit code 0")
    throw new Error(`${python} cannot import kazoo: apt-get install python3-kazoo\n${run.stderr}`);
  // -B: no compiled files beside the sources.
  return { command: python, args: ["-B", join(clientsDirectory, "kazoo", "interop.py")], dispose: () => {} };
}

export function killGroup(leader: ChildProcess): void {
  if (leader.pid !== undefined && leader.exitCode === null && leader.signalCode === null)
    process.kill(-leader.pid, "SIGKILL");
}

/**
 * Runs a command to its end. It never rejects for what the command does, only if it cannot be started.
 * The command leads a process group: a shell script that is late takes the program it waits for with it.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly deadlineMs: number; readonly env?: NodeJS.ProcessEnv },
): Promise<ProgramRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: options.env ?? process.env,
      detached: true,
    });
    const output = { stdout: "", stderr: "" };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child);
    }, options.deadlineMs);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const ending = isLate ? `killed after ${options.deadlineMs} ms` : (signal ?? `exit code ${code}`);
      resolve({ ...output, ending });
    });
  });
}
