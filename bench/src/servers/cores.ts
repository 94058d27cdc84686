import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";

/** Whether processes can be bound to cores here: Linux with util-linux. */
export function canBindToCores(): boolean {
  try {
    execFileSync("taskset", ["--cpu-list", "-p", `${process.pid}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Runs `use` while all threads of these processes share one core; afterwards they may run where they could before. */
export async function onOneCore<T>(pids: readonly number[], use: () => Promise<T>): Promise<T> {
  const allowed = await Promise.all(pids.map(allowedCores));
  const first = /^\d+/.exec(allowed[0] ?? "")?.[0] ?? "0";
  await Promise.all(pids.map((pid) => bind(pid, first)));
  try {
    return await use();
  } finally {
    await Promise.all(pids.map((pid, i) => bind(pid, allowed[i]!)));
  }
}

async function allowedCores(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)("taskset", ["--cpu-list", "-p", `${pid}`]);
  return stdout.slice(stdout.lastIndexOf(":") + 1).trim();
}

async function bind(pid: number, cores: string): Promise<void> {
  await promisify(execFile)("taskset", ["--all-tasks", "--cpu-list", "-p", cores, `${pid}`]);
}
