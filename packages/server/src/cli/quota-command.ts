import { type Client, ZkError } from "@watchkeeper/client";
import { Command, InvalidArgumentError } from "commander";
import { CliError } from "./cli-error.js";
import { addClientOptions, type ClientOptions, withClient } from "./client-session.js";
import { printJson, printLine } from "./output.js";
import { readSubtree, walk } from "./subtree.js";

/**
 * Quotas are ordinary nodes that servers look at: for a subtree /x the limits stand in
 * /zookeeper/quota/x/zookeeper_limits and the servers keep the usage in zookeeper_stats beside it.
 */
const QUOTA_ROOT = "/zookeeper/quota";
const LIMITS = "zookeeper_limits";
const STATS = "zookeeper_stats";
const UNLIMITED = -1;

interface Limits {
  readonly count: number;
  readonly bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
}

const NO_LIMITS: Limits = { count: UNLIMITED, bytes: UNLIMITED, countHardLimit: UNLIMITED, byteHardLimit: UNLIMITED };

export function quotaCommand(): Command {
  return new Command("quota")
    .summary("show, set or delete the quota of a subtree")
    .description(
      `Limits for the number of nodes and the bytes of data in a subtree, the node itself included.

Over a soft limit the servers only log a warning. A hard limit refuses the write, if the servers are
configured so (enforceQuota). One subtree with a quota cannot lie in another.`,
    )
    .addCommand(quotaGetCommand())
    .addCommand(quotaSetCommand())
    .addCommand(quotaDeleteCommand())
    .addHelpText(
      "after",
      `
Examples:
  $ watchkeeper quota set /jobs --nodes 1000 --hard-nodes 5000
  $ watchkeeper quota get /jobs`,
    );
}

function quotaGetCommand(): Command {
  const command = new Command("get").description("Print limits and usage.").argument("<path>", "the subtree");
  return addClientOptions(command).action((path: string, options: ClientOptions) =>
    withClient(options, async (client) => {
      const limits = await readLimits(client, path);
      if (limits === undefined) throw new CliError("noNode", `quota get ${path}: there is no quota on this path`);
      const usage = parseLimits((await readText(client, `${QUOTA_ROOT}${path}/${STATS}`)) ?? "");
      const used = { nodes: usage.count, bytes: usage.bytes };
      if (options.json === true) {
        printJson({ path, limits, used });
        return;
      }
      printLine(row("nodes", used.nodes, limits.count, limits.countHardLimit));
      printLine(row("bytes", used.bytes, limits.bytes, limits.byteHardLimit));
    }),
  );
}

function row(name: string, used: number, soft: number, hard: number): string {
  const shown = (limit: number): string => (limit === UNLIMITED ? "none" : String(limit));
  return `${name}  ${used} used, soft limit ${shown(soft)}, hard limit ${shown(hard)}`;
}

interface SetQuotaOptions extends ClientOptions {
  readonly nodes?: number;
  readonly bytes?: number;
  readonly hardNodes?: number;
  readonly hardBytes?: number;
}

function quotaSetCommand(): Command {
  const command = new Command("set")
    .description("Set limits; those not named stay as they are.")
    .argument("<path>", "the subtree")
    .option("--nodes <number>", "soft limit of nodes", parseLimit)
    .option("--bytes <number>", "soft limit of bytes", parseLimit)
    .option("--hard-nodes <number>", "hard limit of nodes", parseLimit)
    .option("--hard-bytes <number>", "hard limit of bytes", parseLimit);
  return addClientOptions(command).action((path: string, options: SetQuotaOptions) =>
    withClient(options, async (client) => {
      const { nodes, bytes, hardNodes, hardBytes } = options;
      if ((nodes ?? bytes ?? hardNodes ?? hardBytes) === undefined) {
        throw new CliError("usage", "quota set: at least one of --nodes, --bytes, --hard-nodes, --hard-bytes expected");
      }
      const old = await checkPlace(client, path);
      const limits: Limits = {
        count: nodes ?? old.count,
        bytes: bytes ?? old.bytes,
        countHardLimit: hardNodes ?? old.countHardLimit,
        byteHardLimit: hardBytes ?? old.byteHardLimit,
      };
      await writeLimits(client, path, limits);
      if (options.json === true) printJson({ path, limits });
    }),
  );
}

function quotaDeleteCommand(): Command {
  const command = new Command("delete").description("Remove all limits.").argument("<path>", "the subtree");
  return addClientOptions(command).action((path: string, options: ClientOptions) =>
    withClient(options, async (client) => {
      if ((await readLimits(client, path)) === undefined) {
        throw new CliError("noNode", `quota delete ${path}: there is no quota on this path`);
      }
      const node = `${QUOTA_ROOT}${path}`;
      await client.delete(`${node}/${LIMITS}`);
      await ignoring("NO_NODE", client.delete(`${node}/${STATS}`));
      await pruneEmpty(client, node);
      if (options.json === true) printJson({ path, deleted: true });
    }),
  );
}

/** The present limits of a path where a quota may stand; servers count for the deepest only, so they cannot nest. */
async function checkPlace(client: Client, path: string): Promise<Limits> {
  if (path === "/" || path === "/zookeeper" || path.startsWith("/zookeeper/")) {
    throw new CliError("usage", `quota set ${path}: a quota cannot stand here`);
  }
  if ((await client.exists(path)) === null) throw new CliError("noNode", `quota set ${path}: the node does not exist`);
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const above = path.slice(0, slash);
    if ((await readLimits(client, above)) !== undefined) {
      throw new CliError("usage", `quota set ${path}: its parent ${above} has a quota already`);
    }
  }
  const own = `${QUOTA_ROOT}${path}`;
  if ((await client.exists(own)) === null) return NO_LIMITS;
  for (const node of walk(await readSubtree(client, own, Number.POSITIVE_INFINITY))) {
    if (node.name !== LIMITS || node.path === `${own}/${LIMITS}`) continue;
    const below = node.path.slice(QUOTA_ROOT.length, -LIMITS.length - 1);
    throw new CliError("usage", `quota set ${path}: ${below} below it has a quota already`);
  }
  return (await readLimits(client, path)) ?? NO_LIMITS;
}

async function writeLimits(client: Client, path: string, limits: Limits): Promise<void> {
  const node = `${QUOTA_ROOT}${path}`;
  for (let slash = node.indexOf("/", QUOTA_ROOT.length + 1); ; slash = node.indexOf("/", slash + 1)) {
    await ignoring("NODE_EXISTS", client.create(slash < 0 ? node : node.slice(0, slash)));
    if (slash < 0) break;
  }
  const text = formatLimits(limits);
  if ((await client.exists(`${node}/${LIMITS}`)) !== null) {
    await client.setData(`${node}/${LIMITS}`, text);
    return;
  }
  await client.create(`${node}/${LIMITS}`, text);
  await ignoring("NODE_EXISTS", client.create(`${node}/${STATS}`, "count=0,bytes=0"));
}

/** Removes what is left of a quota's path, as far up as nothing else hangs on it. */
async function pruneEmpty(client: Client, from: string): Promise<void> {
  for (let node = from; node !== QUOTA_ROOT; node = node.slice(0, node.lastIndexOf("/"))) {
    try {
      await client.delete(node);
    } catch (error) {
      if (error instanceof ZkError && (error.code === "NOT_EMPTY" || error.code === "NO_NODE")) return;
      throw error;
    }
  }
}

async function readLimits(client: Client, path: string): Promise<Limits | undefined> {
  const text = await readText(client, `${QUOTA_ROOT}${path === "/" ? "" : path}/${LIMITS}`);
  return text === undefined ? undefined : parseLimits(text);
}

async function readText(client: Client, path: string): Promise<string | undefined> {
  try {
    return (await client.getData(path))?.toString() ?? "";
  } catch (error) {
    if (error instanceof ZkError && error.code === "NO_NODE") return undefined;
    throw error;
  }
}

/** `count=N,bytes=M`, then the hard limits; both separators occur, and what is missing is unlimited. */
function parseLimits(text: string): Limits {
  const limits: Record<string, number> = { ...NO_LIMITS };
  for (const [, key, value] of text.matchAll(/(\w+)=(-?\d+)/g)) {
    if (key !== undefined && key in limits) limits[key] = Number(value);
  }
  return limits as unknown as Limits;
}

/** The odd "=;" makes servers before 3.7, which know no hard limits, stop reading there. */
function formatLimits(limits: Limits): string {
  const soft = `count=${limits.count},bytes=${limits.bytes}`;
  if (limits.byteHardLimit === UNLIMITED && limits.countHardLimit === UNLIMITED) return soft;
  return `${soft}=;byteHardLimit=${limits.byteHardLimit};countHardLimit=${limits.countHardLimit}`;
}

async function ignoring(code: ZkError["code"], work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof ZkError) || error.code !== code) throw error;
  });
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("a whole number from 1 on expected.");
  return Number(text);
}
