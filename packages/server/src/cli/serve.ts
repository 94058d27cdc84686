import { Command, Option } from "commander";
import { stderrLog } from "../host/stderr-log.js";
import { type Logger, NetworkError } from "../ports/index.js";
import {
  ConfigError,
  loadSettings,
  type OptionValue,
  redactSettings,
  type ServerSettings,
} from "../service/config/index.js";
import { DataDirectoryUnusableError, DataLockedError } from "../service/data-lock.js";
import { startServer } from "../service/server.js";
import { CliError } from "./cli-error.js";

interface ServeOptions {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly logLevel?: string;
  readonly stopWithParent?: boolean;
}

const DESCRIPTION = `Run a ZooKeeper server in the foreground, until SIGTERM or Ctrl-C.

With a configuration file it behaves as Apache's server does with the same file, JVM flags in
SERVER_JVMFLAGS included. Without one it listens on 127.0.0.1:2181 and keeps its data in ./watchkeeper-data.`;

const EXAMPLES = `
Examples:
  $ watchkeeper serve
  $ watchkeeper serve --port 2182 --data ./other-data
  $ watchkeeper serve /etc/zookeeper/conf/zoo.cfg

Log lines are JSON on standard error, one a line.`;

export function serveCommand(): Command {
  return new Command("serve")
    .description(DESCRIPTION)
    .argument("[config]", "a zoo.cfg")
    .option("-p, --port <port>", "where clients connect (default: 2181, or the file's clientPort)")
    .option("--host <address>", "the address to listen on (default: 127.0.0.1, or the file's clientPortAddress)")
    .option("-d, --data <directory>", "where the data is kept (default: ./watchkeeper-data, or the file's dataDir)")
    .option("--log-level <level>", "debug, info, warn or error (default: info with a file, warn without)")
    .addOption(new Option("--stop-with-parent", "stop when the process that started this one is gone").hideHelp())
    .addHelpText("after", EXAMPLES)
    .action(serve);
}

async function serve(config: string | undefined, options: ServeOptions): Promise<void> {
  const logger = makeLogger(options.logLevel ?? (config === undefined ? "warn" : "info"));
  const settings = readSettings(config, options, logger);
  logger.info({ settings: settingsToLog(settings) }, "Starting");
  const server = await startServer(settings, logger).catch((error) => {
    throw startError(error, settings);
  });
  const stop = (): void => {
    void server.close();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  if (options.stopWithParent === true) stopWithParent(stop);
  process.stdout.write(welcome(server.address, settings, config));
  const failure = await server.ended;
  process.off("SIGTERM", stop);
  process.off("SIGINT", stop);
  if (failure !== undefined) throw new CliError("failure", failure.message);
  if (process.stdout.isTTY) process.stdout.write("Stopped; everything acknowledged is on disk.\n");
}

/** The membership as the text that files hold: the rest of it is sets and maps, of which JSON shows nothing. */
function settingsToLog(settings: ServerSettings) {
  const { ensemble, ...rest } = redactSettings(settings);
  return ensemble === undefined ? rest : { ...rest, ensemble: { ...ensemble, config: ensemble.config.text } };
}

/** The channel from the parent is closed by the system when the parent ends, however it ends. */
function stopWithParent(stop: () => void): void {
  process.on("disconnect", stop);
  process.channel?.unref();
  if (!process.connected) stop();
}

function readSettings(config: string | undefined, options: ServeOptions, logger: Logger): ServerSettings {
  const { settings, warnings } = loadSettings({
    ...(config === undefined ? {} : { file: config }),
    environment: process.env,
    options: optionValues(options),
    workingDirectory: process.cwd(),
  });
  for (const { level, message, ...facts } of warnings) logger[level]({ ...facts }, message);
  return settings;
}

function optionValues(options: ServeOptions): OptionValue[] {
  const given: [string | undefined, string, string][] = [
    [options.port, "clientPort", "--port"],
    [options.host, "clientPortAddress", "--host"],
    [options.data, "dataDir", "--data"],
  ];
  return given.flatMap(([value, key, option]) => (value === undefined ? [] : [{ key, value, option }]));
}

function makeLogger(level: string): Logger {
  const levels = ["debug", "info", "warn", "error"];
  if (!levels.includes(level))
    throw new CliError("usage", `--log-level ${level}: expected one of ${levels.join(", ")}`);
  return stderrLog({ level, base: { pid: process.pid } });
}

/** Within a second of the start: where it is and where its data is; to who starts it without a file, what to do next. */
function welcome(
  address: { host: string; port: number },
  settings: ServerSettings,
  config: string | undefined,
): string {
  const where = `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
  const its = `Its data is in ${settings.dataDir}`;
  const log = settings.dataLogDir === settings.dataDir ? "" : `, its log in ${settings.dataLogDir}`;
  const facts = `Watchkeeper listens on ${where}${config === undefined ? "" : ` (${config})`}\n${its}${log}\n`;
  if (config !== undefined) return facts;
  const server = where === "127.0.0.1:2181" ? "" : ` --server ${hostOfClients(address.host)}:${address.port}`;
  const tries = `npx watchkeeper create /hello world${server}   and   npx watchkeeper tree /${server}`;
  return `${facts}Try:  ${tries}\nStop with Ctrl-C.\n`;
}

/** What to connect to on this machine where the server listens on that address. */
function hostOfClients(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** The world's reasons for not starting, each in one sentence. */
function startError(error: unknown, settings: ServerSettings): unknown {
  if (error instanceof ConfigError || error instanceof CliError) return error;
  if (error instanceof DataLockedError || error instanceof DataDirectoryUnusableError)
    return new CliError("failure", error.message);
  if (!(error instanceof Error)) return error;
  if (error instanceof NetworkError) return new CliError("failure", error.message); // of a port between servers
  const { code } = error as NodeJS.ErrnoException;
  const { host, port } = settings.clientAddress;
  if (code === "EADDRINUSE")
    return new CliError(
      "failure",
      `port ${port} on ${host} is in use by another program: stop it, or choose another port with --port`,
    );
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new CliError("failure", `no address is known for ${host} to listen on: correct --host or clientPortAddress`);
  }
  if (code === "EADDRNOTAVAIL") return new CliError("failure", `this machine has no address ${host} to listen on`);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new CliError("failure", `the server may not use what it needs: ${error.message}`);
  }
  if (code !== undefined || error.name === "DataDirectoryError") return new CliError("failure", error.message);
  return error;
}
