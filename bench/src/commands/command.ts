import { parseArgs } from "node:util";
import { UsageError } from "../usage-error.js";

export const EXIT = { measured: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** One thing `npm run bench` can do. */
export interface Command {
  readonly help: string;
  run(args: readonly string[]): Promise<void>;
}

type StringOption = { readonly type: "string"; readonly short?: string };
type FlagOption = { readonly type: "boolean" };
type OptionValues<T> = { readonly [K in keyof T]?: T[K] extends FlagOption ? boolean : string };

/** parseArgs, with its complaints as ours. */
export function parseOptions<T extends Readonly<Record<string, StringOption | FlagOption>>>(
  args: readonly string[],
  options: T,
  allowPositionals = false,
): { readonly values: OptionValues<T>; readonly positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals });
    return { values: values as OptionValues<T>, positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function numberOption(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= min && value <= max)) {
    throw new UsageError(`--${name} ${text}: expected a number from ${min} to ${max}`);
  }
  return value;
}

/** What is going on, for the person who waits; results go to standard output. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The line that gives the same measurement again, without where its output went. */
export function commandLine(name: string, args: readonly string[]): string {
  const kept = args.filter((arg, i) => arg !== "--out" && args[i - 1] !== "--out" && !arg.startsWith("--out="));
  const words = [name, ...kept.map((arg) => (/\s|;/.test(arg) ? `'${arg}'` : arg))].filter((word) => word !== "");
  return words.length === 0 ? "npm run bench" : `npm run bench -- ${words.join(" ")}`;
}
