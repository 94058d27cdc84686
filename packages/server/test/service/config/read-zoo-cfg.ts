import { ConfigError, type ConfigWarning } from "../../../src/service/config/config-error.js";
import { type ReadSettings, readSettings } from "../../../src/service/config/settings.js";

/** What surrounds a zoo.cfg in a test: flags, options, and other files by absolute path. */
export interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly otherFiles?: Readonly<Record<string, string>>;
}

export const WORKING_DIRECTORY = "/srv/start";

export function readZooCfg(text: string, surroundings: Surroundings = {}): ReadSettings {
  return read({ name: "zoo.cfg", text }, surroundings);
}

export function readWithoutFile(surroundings: Surroundings = {}): ReadSettings {
  return read(undefined, surroundings);
}

function read(file: { name: string; text: string } | undefined, surroundings: Surroundings): ReadSettings {
  const { environment = {}, options = {}, otherFiles = {} } = surroundings;
  return readSettings({
    ...(file === undefined ? {} : { file }),
    environment,
    options: Object.entries(options).map(([key, value]) => ({ key, value, option: `--${key}` })),
    workingDirectory: WORKING_DIRECTORY,
    readText(path) {
      const content = otherFiles[path];
      if (content === undefined) throw new Error(`no such file: ${path}`);
      return content;
    },
  });
}

/** The least a zoo.cfg needs to start a server. */
export const MINIMAL = "dataDir=/var/lib/zookeeper\nclientPort=2181\n";

/** Warnings of a zoo.cfg that begins with the minimal one, without the recommendation that such a file earns. */
export function warningsOf(lines: string, surroundings: Surroundings = {}): ConfigWarning[] {
  const { warnings } = readZooCfg(`${MINIMAL}${lines}\n`, surroundings);
  return warnings.filter(({ code }) => code !== "RECOMMENDED");
}

export function errorOf(attempt: () => unknown): ConfigError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("expected a ConfigError, and there was none");
}
