/**
 * Which server the client programs are run against. `INTEROP_TARGET=apache` proves the programs
 * themselves: what fails there is an error of the test, not of Watchkeeper.
 */
import { startApache } from "./apache.js";
import type { ServerOptions, ServerProcess } from "./server-process.js";
import { startWatchkeeper } from "./watchkeeper.js";

export interface Target {
  readonly name: string;
  readonly start: (options?: ServerOptions) => Promise<ServerProcess>;
}

const targets: Readonly<Record<string, Target>> = {
  watchkeeper: { name: "Watchkeeper", start: startWatchkeeper },
  apache: { name: "Apache ZooKeeper 3.8.0", start: startApache },
};

function chooseTarget(word: string): Target {
  const chosen = targets[word];
  if (chosen === undefined)
    throw new Error(`INTEROP_TARGET is ${word}; it must be one of ${Object.keys(targets).join(", ")}`);
  return chosen;
}

const { INTEROP_TARGET = "watchkeeper" } = process.env;

export const target = chooseTarget(INTEROP_TARGET);
