import { stderrLog } from "../host/stderr-log.js";
import type { Logger } from "../ports/index.js";
import { loadSettings, type ServerSettings, serverSettingsSchema } from "./config/index.js";
import { type Server, startServer } from "./server.js";

export interface CreateServerOptions extends Partial<Omit<ServerSettings, "clientAddress" | "dataDir">> {
  /** Where the data is kept; made if it is not there. One server to a directory. */
  readonly dataDir: string;
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** 0 takes a free one, which the server's `address` then names. @default 2181 */
  readonly port?: number;
  /** Where log lines go. @default none but warnings and errors, as JSON lines on standard error */
  readonly logger?: Logger;
}

/**
 * Starts a ZooKeeper server inside this program. It resolves when clients can connect.
 *
 * ```ts
 * import { createServer } from "watchkeeper/server";
 *
 * const server = await createServer({ dataDir: "./data", port: 0 });
 * console.log(`connect to ${server.connectString}`);
 * await server.close();
 * ```
 *
 * Every setting that is not given has the default of a server started without a configuration file.
 *
 * @throws ZodError for a setting out of range, DataLockedError where another server uses the
 *   directory, DataDirectoryError where its files are damaged, and the system's error where the port
 *   cannot be listened on
 */
export async function createServer(options: CreateServerOptions): Promise<Server> {
  const { dataDir, host = "127.0.0.1", port = 2181, logger, ...overrides } = options;
  const { settings: defaults } = loadSettings({ environment: {}, workingDirectory: process.cwd() });
  const settings = serverSettingsSchema.parse({
    ...defaults,
    dataDir,
    dataLogDir: dataDir,
    ...overrides,
    clientAddress: { host, port },
  });
  return startServer(settings, logger ?? stderrLog({ level: "warn" }));
}
