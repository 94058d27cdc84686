/**
 * Watchkeeper's server, started as its users start it: by the command that npm installs, with a zoo.cfg.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ServerOptions, type ServerProcess, startServerProcess } from "./server-process.js";

const projectRoot = join(import.meta.dirname, "..", "..", "..");

export function startWatchkeeper(options: ServerOptions = {}): Promise<ServerProcess> {
  const command = join(projectRoot, "node_modules", ".bin", "watchkeeper");
  if (!existsSync(command))
    throw new Error(`${command} is missing: run npm ci and npm run build in the project's root directory`);
  return startServerProcess(
    { name: "Watchkeeper", command, args: (configFile) => ["serve", configFile], cwd: projectRoot },
    options,
  );
}
