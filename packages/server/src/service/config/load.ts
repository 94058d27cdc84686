/** The only code of the configuration that opens files. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "./config-error.js";
import type { OptionValue } from "./given-values.js";
import type { Environment } from "./jvm-flags.js";
import { type ReadSettings, readSettings } from "./settings.js";

export interface LoadSource {
  /** The path of a zoo.cfg; without one, flags, options and defaults are all there is. */
  readonly file?: string;
  readonly environment: Environment;
  readonly options?: readonly OptionValue[];
  readonly workingDirectory: string;
}

/** Reads a server's whole configuration; throws a `ConfigError` for anything it cannot start with. */
export function loadSettings(source: LoadSource): ReadSettings {
  const { file, environment, options = [], workingDirectory } = source;
  const readText = (path: string) => readFileSync(resolve(workingDirectory, path), "latin1");
  return readSettings({
    ...(file === undefined ? {} : { file: { name: file, text: configText(file, readText) } }),
    environment,
    options,
    workingDirectory,
    readText,
  });
}

/** Java reads properties as ISO-8859-1, whatever the machine's encoding is. */
function configText(file: string, readText: (path: string) => string): string {
  try {
    return readText(file);
  } catch (cause) {
    throw new ConfigError("UNREADABLE", unreadable(file, cause), { file }, { cause });
  }
}

function unreadable(file: string, cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return `${file} file is missing: there is no configuration to start from.`;
  if (code === "EISDIR") return `${file} is a directory: expected a configuration file.`;
  if (code === "EACCES" || code === "EPERM") return `${file} may not be read by this user (${code}).`;
  return `${file} cannot be read (${code ?? cause}).`;
}
