import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ServerPlace } from "./layout.js";

/** How a server's process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A running process of a server. */
export interface Launched {
  readonly pid: number;
  /** False where the process is gone already. */
  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): boolean;
  readonly ended: Promise<Ending>;
}

export type Launch = (place: ServerPlace) => Launched;

const program = fileURLToPath(new URL("../../../bin/watchkeeper.js", import.meta.url));

/**
 * Starts `watchkeeper serve` with the server's configuration. What it says goes to its log file. The channel
 * to it carries nothing: it is how the server notices that this process is gone, even by a kill -9, and
 * stops instead of running on with nobody to stop it.
 */
export const launchServer: Launch = (place) => {
  const log = openSync(place.logFile, "a");
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [...process.execArgv, program, "serve", place.configFile, "--stop-with-parent"], {
      stdio: ["ignore", log, log, "ipc"],
    });
  } finally {
    closeSync(log);
  }
  const ended = new Promise<Ending>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null })); // never started
  });
  return { pid: child.pid ?? -1, signal: (name) => child.kill(name), ended };
};

/** The last thing a server said in plain words: why it could not start, or had to stop. */
export function lastWords(place: ServerPlace): string | undefined {
  try {
    const lines = readFileSync(place.logFile, "utf8").split("\n");
    const said = lines.findLast((line) => line.startsWith("watchkeeper: "));
    return said?.slice("watchkeeper: ".length);
  } catch {
    return undefined;
  }
}
