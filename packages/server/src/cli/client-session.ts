import { type Client, type ConnectOptions, connect, ZkError } from "@watchkeeper/client";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { CliError } from "./cli-error.js";
import { exitCodeOf } from "./exit-codes.js";

/** What every command has that talks to a server. */
export interface ClientOptions {
  readonly server: string;
  readonly auth?: readonly Credential[];
  readonly timeout: number;
  readonly json?: true;
}

interface Credential {
  readonly scheme: string;
  readonly credential: string;
}

const { WATCHKEEPER_SERVER: serverFromEnvironment } = process.env;
const SERVER_DEFAULT = "127.0.0.1:2181";
const TIMEOUT_SECONDS_DEFAULT = 10;

export function addClientOptions(command: Command): Command {
  return command
    .option(
      "-s, --server <host:port,.../path>",
      "the servers, and the path that stands for / (or the variable WATCHKEEPER_SERVER)",
      serverFromEnvironment || SERVER_DEFAULT, // a variable that is empty counts as not set
    )
    .option("-a, --auth <scheme:credential>", "authenticate, e.g. digest:user:password; may be repeated", addCredential)
    .option("--timeout <seconds>", "how long to wait for a server", parseSeconds, TIMEOUT_SECONDS_DEFAULT)
    .option("--json", "print JSON, for programs");
}

function addCredential(text: string, earlier: readonly Credential[] = []): readonly Credential[] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new InvalidArgumentError('scheme:credential expected, such as "digest:user:password".');
  return [...earlier, { scheme: text.slice(0, colon), credential: text.slice(colon + 1) }];
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 3600)) throw new InvalidArgumentError("seconds from 0.001 to 3600 expected.");
  return seconds;
}

/** Connects, authenticates, works and closes; whatever goes wrong becomes one sentence and an exit code. */
export async function withClient(
  options: ClientOptions,
  work: (client: Client) => Promise<void>,
  connectOptions: ConnectOptions = {},
): Promise<void> {
  const timeoutMs = options.timeout * 1000;
  try {
    const client = await connect(options.server, {
      sessionTimeoutMs: Math.max(timeoutMs, 4000),
      connectTimeoutMs: timeoutMs,
      connectRoundsMax: 2,
      ...connectOptions,
    });
    try {
      for (const { scheme, credential } of options.auth ?? []) await client.addAuth(scheme, credential);
      await work(client);
    } finally {
      await client.close();
    }
  } catch (error) {
    throw error instanceof ZkError ? explain(error) : error;
  }
}

/** What to do about an error, where that is not plain from its sentence. */
const ADVICE: Partial<Record<ZkError["code"], string>> = {
  NOT_EMPTY: "--recursive deletes the children too",
  INVALID_ACL: 'an "auth:" entry needs --auth; "watchkeeper help acl" shows what entries look like',
  NO_AUTH: 'see who may with "watchkeeper acl get", authenticate with --auth',
  CONNECTION_LOSS: "is a server running there? --server names another",
  REQUEST_TIMEOUT: "is a server running there? --server names another, --timeout waits longer",
};

class RequestError extends Error {
  override readonly name = "RequestError";
  readonly exitCode: number;

  constructor(error: ZkError) {
    const advice = ADVICE[error.code];
    super(`${error.message}${advice === undefined ? "" : `\n  ${advice}`}`, { cause: error });
    this.exitCode = exitCodeOf(error.code);
  }
}

function explain(error: ZkError): RequestError {
  return new RequestError(error);
}

/** Names the version that was found beside the one that was expected: the server tells only that they differ. */
export async function explainVersion(
  client: Client,
  path: string,
  expected: number | undefined,
  work: Promise<unknown>,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ZkError) || error.code !== "BAD_VERSION") throw error;
    const found = await client.exists(path);
    const state = found === null ? "the node is gone" : `${found.version} found`;
    throw new CliError("badVersion", `${error.operation} ${path}: version ${expected} expected, ${state}`);
  }
}
