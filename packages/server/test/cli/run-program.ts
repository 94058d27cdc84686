import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/watchkeeper.js", import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program to its end. */
export function watchkeeper(...args: string[]): Promise<Ended> {
  return node(program, ...args);
}

/** The same, with options for Node itself. */
export function watchkeeperUnder(nodeOptions: readonly string[], ...args: string[]): Promise<Ended> {
  return node(...nodeOptions, program, ...args);
}

function node(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { maxBuffer: 64 << 20 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** What a command prints with --json, one object a line. */
export function jsonLines<T>({ stdout }: Ended): T[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
