import { type Times, timesRows } from "../ensemble/times.js";
import { resultFolder, writeResult } from "../report/results.js";
import { textTable } from "../report/text-table.js";
import { environmentOf } from "../servers/environment.js";
import { apache, isApacheInstalled, type ServerKind, watchkeeper } from "../servers/server-kind.js";
import { UsageError } from "../usage-error.js";
import { commandLine, progress } from "./command.js";

export const serverOptions = {
  only: { type: "string" },
  quick: { type: "boolean" },
  out: { type: "string" },
} as const;

/** Watchkeeper and Apache's server where it is installed, or the one that is named. */
export function kindsOf(only: string | undefined): ServerKind[] {
  if (only === "watchkeeper") return [watchkeeper];
  if (only === "apache") return [apache];
  if (only !== undefined) throw new UsageError(`--only ${only}: expected watchkeeper or apache`);
  return isApacheInstalled() ? [watchkeeper, apache] : [watchkeeper];
}

export interface TimesPlan {
  readonly name: string;
  readonly what: string;
  readonly args: readonly string[];
  readonly values: { readonly only?: string; readonly quick?: boolean; readonly out?: string };
  readonly trials: (kind: ServerKind) => AsyncIterable<number>;
}

/** Measures the same for each kind of server and prints medians. */
export async function measureTimes(plan: TimesPlan): Promise<void> {
  const ms: Record<string, number[]> = {};
  for (const kind of kindsOf(plan.values.only)) {
    const times: number[] = [];
    ms[kind.name] = times;
    for await (const tookMs of plan.trials(kind)) {
      times.push(tookMs);
      progress(`${kind.name.padEnd(12)} ${plan.what}: ${tookMs.toFixed(0)} ms`);
    }
  }
  const command = commandLine(plan.name, plan.args);
  const result: Times = { command, environment: environmentOf({}), what: plan.what, ms };
  process.stdout.write(`${textTable(timesRows(result))}\n`);
  const folder = resultFolder(plan.values.out, plan.values.quick === true);
  if (folder !== undefined) writeResult(folder, plan.name, result, undefined);
}
