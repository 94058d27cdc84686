import type { Client, CreateMode, CreateOptions, Stat } from "@watchkeeper/client";
import { ZkError } from "@watchkeeper/client";
import { Command, InvalidArgumentError } from "commander";
import { parseAcl } from "./acl-text.js";
import { CliError } from "./cli-error.js";
import { addClientOptions, type ClientOptions, explainVersion, withClient } from "./client-session.js";
import { untilInterrupted } from "./interrupt.js";
import { dataFields, printable, printJson, printLine, printStat, statFields, writeOut } from "./output.js";
import { readSubtree, walk } from "./subtree.js";

interface StatOptions extends ClientOptions {
  readonly stat?: true;
}

export function getCommand(): Command {
  const command = new Command("get")
    .summary("print what a node holds")
    .description("Print what a node holds, byte for byte; on a terminal a line end is added.")
    .argument("<path>", "the node")
    .option("--stat", "print the node's Stat after it")
    .addHelpText(
      "after",
      `
With --json, data that is not UTF-8 text is given in base64 and "encoding" says so.

Examples:
  $ watchkeeper get /config > config.json
  $ watchkeeper get /config --json | jq .stat.version`,
    );
  return addClientOptions(command).action((path: string, options: StatOptions) =>
    withClient(options, async (client) => {
      const { data, stat } = await client.getDataWithStat(path);
      if (options.json === true) {
        printJson({ path, ...dataFields(data), stat: statFields(stat) });
        return;
      }
      if (data !== null) await writeOut(data);
      const endLine = options.stat === true || process.stdout.isTTY;
      if (endLine && data !== null && data.length > 0 && data[data.length - 1] !== 0x0a) printLine("");
      if (options.stat === true) printStat(stat);
    }),
  );
}

export function statCommand(): Command {
  const command = new Command("stat")
    .summary("print a node's versions, times and owner")
    .description("Print a node's Stat: its versions, times, owner, and the txns that made it what it is.")
    .argument("<path>", "the node");
  return addClientOptions(command).action((path: string, options: ClientOptions) =>
    withClient(options, async (client) => {
      const stat = await client.exists(path);
      if (stat === null) throw new CliError("noNode", `stat ${path}: the node does not exist`);
      printStatOf(path, stat, options);
    }),
  );
}

interface CreateCliOptions extends ClientOptions {
  readonly ephemeral?: true;
  readonly sequential?: true;
  readonly container?: true;
  readonly ttl?: number;
  readonly parents?: true;
  readonly acl?: CreateOptions["acl"];
}

export function createCommand(): Command {
  const command = new Command("create")
    .summary("create a node")
    .description("Create a node and print its path.")
    .argument("<path>", "the node")
    .argument("[data]", 'what it holds; "-" reads it from the standard input')
    .option("-e, --ephemeral", "the node lives as long as this command, which goes on until Ctrl-C")
    .option("-q, --sequential", "the server appends a growing number to the name")
    .option("-c, --container", "the server deletes the node some time after its last child")
    .option("-t, --ttl <ms>", "the server deletes the node when unchanged and childless for so long", parseTtl)
    .option("-p, --parents", "create missing parents too, empty and persistent")
    .option("--acl <scheme:id:perms,...>", "who may do what; everyone everything if not given", parseAcl)
    .addHelpText(
      "after",
      `
Examples:
  $ watchkeeper create -p /services/db/primary 10.0.0.7
  $ watchkeeper create -q /jobs/j- < job.json -         prints e.g. /jobs/j-0000000004
  $ watchkeeper create -a digest:ann:secret --acl auth::cdrwa /private hello`,
    );
  return addClientOptions(command).action((path: string, data: string | undefined, options: CreateCliOptions) =>
    withClient(options, async (client) => {
      const content = await contentOf(data);
      const mode = modeOf(options);
      if (options.parents === true) await createParents(client, path);
      const creating = client.create(path, content, { mode, acl: options.acl, ttlMs: options.ttl });
      const created = await creating.catch((error: unknown) => {
        throw explainCreate(error, path, options);
      });
      if (options.json === true) printJson({ path: created });
      else printLine(printable(created));
      if (options.ephemeral === true) await untilInterrupted(client, created);
    }),
  );
}

function modeOf(options: CreateCliOptions): CreateMode {
  const { ephemeral, sequential, container, ttl } = options;
  if ([ephemeral, container, ttl].filter((each) => each !== undefined).length > 1) {
    throw new CliError("usage", "create: --ephemeral, --container and --ttl exclude each other");
  }
  if (container === true) {
    if (sequential === true) throw new CliError("usage", "create: --container and --sequential exclude each other");
    return "container";
  }
  if (ephemeral === true) return sequential === true ? "ephemeral-sequential" : "ephemeral";
  return sequential === true ? "persistent-sequential" : "persistent";
}

/** What the server's code alone does not tell: which of the nodes is missing, or which setting. */
function explainCreate(error: unknown, path: string, { ttl }: CreateCliOptions): unknown {
  if (!(error instanceof ZkError)) return error;
  if (error.code === "NO_NODE") {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    return new CliError("noNode", `create ${path}: its parent ${parent} does not exist\n  --parents creates it too`);
  }
  if (error.code === "UNIMPLEMENTED" && ttl !== undefined) {
    const setting = "the servers must have extendedTypesEnabled=true";
    return new CliError("failure", `create ${path}: nodes with a time to live are not allowed here\n  ${setting}`);
  }
  return error;
}

async function createParents(client: Client, path: string): Promise<void> {
  for (let slash = path.indexOf("/", 1); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const parent = path.slice(0, slash);
    if ((await client.exists(parent)) !== null) continue;
    await client.create(parent).catch((error: unknown) => {
      if (!(error instanceof ZkError) || error.code !== "NODE_EXISTS") throw error; // another was faster
    });
  }
}

interface SetOptions extends StatOptions {
  readonly version?: number;
}

export function setCommand(): Command {
  const command = new Command("set")
    .summary("replace what a node holds")
    .description("Replace what a node holds.")
    .argument("<path>", "the node")
    .argument("<data>", 'the new content; "-" reads it from the standard input')
    .option("-v, --version <number>", "only if this is the node's version", parseVersion)
    .option("--stat", "print the node's new Stat")
    .addHelpText(
      "after",
      `
Examples:
  $ watchkeeper set /config - < config.json
  $ watchkeeper set /config new --version 4             fails with exit code 5 if somebody was faster`,
    );
  return addClientOptions(command).action((path: string, data: string, options: SetOptions) =>
    withClient(options, async (client) => {
      const setting = client.setData(path, await contentOf(data), { version: options.version });
      await explainVersion(client, path, options.version, setting);
      if (options.stat === true || options.json === true) printStatOf(path, await setting, options);
    }),
  );
}

interface DeleteOptions extends ClientOptions {
  readonly version?: number;
  readonly recursive?: true;
}

export function deleteCommand(): Command {
  const command = new Command("delete")
    .summary("delete a node, or a whole subtree")
    .description("Delete a node without children, or with --recursive the node and all below it.")
    .argument("<path>", "the node")
    .option("-v, --version <number>", "only if this is the node's version", parseVersion)
    .option("-r, --recursive", "delete everything below it first; not atomic")
    .addHelpText(
      "after",
      `
Examples:
  $ watchkeeper delete /jobs/j-0000000004
  $ watchkeeper delete --recursive /jobs`,
    );
  return addClientOptions(command).action((path: string, options: DeleteOptions) =>
    withClient(options, async (client) => {
      if (options.recursive === true) await deleteBelow(client, path);
      await explainVersion(client, path, options.version, client.delete(path, { version: options.version }));
      if (options.json === true) printJson({ path, deleted: true });
    }),
  );
}

/** Deletes in flight at once; a server carries them out in the order sent, so children go before parents. */
const DELETE_BATCH = 500;

async function deleteBelow(client: Client, path: string): Promise<void> {
  if (path === "/") throw new CliError("usage", "delete /: the root cannot be deleted; name the nodes below it");
  const root = await readSubtree(client, path, Number.POSITIVE_INFINITY);
  const below = [...walk(root)].reverse().filter((node) => node !== root);
  for (let i = 0; i < below.length; i += DELETE_BATCH) {
    const results = await Promise.allSettled(below.slice(i, i + DELETE_BATCH).map((node) => client.delete(node.path)));
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      if (!(result.reason instanceof ZkError) || result.reason.code !== "NO_NODE") throw result.reason;
    }
  }
}

function printStatOf(path: string, stat: Stat, options: ClientOptions): void {
  if (options.json === true) printJson({ path, ...statFields(stat) });
  else printStat(stat);
}

async function contentOf(data: string | undefined): Promise<Uint8Array | string | null> {
  if (data !== "-") return data ?? null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function parseVersion(text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) throw new InvalidArgumentError("a whole number expected, as stat shows it.");
  return Number(text);
}

function parseTtl(text: string): number {
  if (!/^\d{1,13}$/.test(text)) throw new InvalidArgumentError("milliseconds expected, from 1 to 1099511627775.");
  return Number(text);
}
