import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../servers/environment.js";

/** What every result file says of itself. */
export interface ResultHead {
  readonly command: string;
  readonly environment: Environment;
}

const PUBLISHED = fileURLToPath(new URL("../../../docs/bench/", import.meta.url));

/** The folder results go to: the documentation's, unless another is named; none for a quick look. */
export function resultFolder(out: string | undefined, quick: boolean): string | undefined {
  return out ?? (quick ? undefined : PUBLISHED);
}

export function writeResult(folder: string, name: string, result: ResultHead, picture: string | undefined): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${resultText(result, 1)}\n`);
  if (picture !== undefined) writeFileSync(join(folder, `${name}.svg`), picture);
}

/** JSON without digits that mean nothing. */
export function resultText(result: object, indent = 0): string {
  const toThousandths = (_key: string, value: unknown): unknown =>
    typeof value === "number" ? Math.round(value * 1000) / 1000 : value;
  return JSON.stringify(result, toThousandths, indent);
}

export function readResult<T extends ResultHead>(folder: string, name: string): T | undefined {
  const file = join(folder, `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : undefined;
}
