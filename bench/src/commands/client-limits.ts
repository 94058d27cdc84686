import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median } from "../ensemble/times.js";
import { cacheReads } from "../limits/cache-reads.js";
import type { IdleClientsFigures } from "../limits/idle-clients.js";
import { importTimes } from "../limits/import-time.js";
import { exceeded, type Limit, type LimitsResult, limitRows } from "../limits/limits-result.js";
import { packClient } from "../limits/packed-client.js";
import { reconnections } from "../limits/watched-paths.js";
import type { Target } from "../load/server-connection.js";
import { writePage } from "../report/page.js";
import { resultFolder, writeResult } from "../report/results.js";
import { figure, textTable } from "../report/text-table.js";
import { environmentOf, versionOf } from "../servers/environment.js";
import { watchkeeper } from "../servers/server-kind.js";
import { ServerHome } from "../servers/server-process.js";
import { type Command, commandLine, numberOption, parseOptions, progress } from "./command.js";

const options = {
  clients: { type: "string" },
  paths: { type: "string" },
  nodes: { type: "string" },
  trials: { type: "string" },
  quick: { type: "boolean" },
  out: { type: "string" },
} as const;

const IMPORT_TRIALS = 20;
const CHANGES = 10;
const IDLE_CLIENTS = fileURLToPath(new URL("../limits/idle-clients.js", import.meta.url));
const IDLE_MS_MAX = 300_000;
const count = (n: number): string => n.toLocaleString("en-US");

export const clientLimits: Command = {
  help: `What the client costs beside its calls: the time to import it and its size, as it would be published; the memory
of many idle clients in one process; the time to bring all watches back after a reconnect; what a tree cache
reads after one. Fails where a limit is exceeded, with everything measured and written.

  --clients N    idle in one process (10000)      --paths N   watched (100000)      --nodes N   cached (50000)
  --trials N     reconnects with all paths watched (5)
  --quick        a tenth of all that, nothing written unless --out is given
  --out FOLDER   where results go (docs/bench)`,
  async run(args) {
    const { values } = parseOptions(args, options);
    const quick = values.quick === true;
    const plan: Plan = {
      clients: numberOption("clients", values.clients ?? (quick ? "1000" : "10000"), 1, 1e5),
      paths: numberOption("paths", values.paths ?? (quick ? "10000" : "100000"), 10, 999_999),
      nodes: numberOption("nodes", values.nodes ?? (quick ? "5000" : "50000"), CHANGES, 1e6),
      trials: numberOption("trials", values.trials ?? (quick ? "2" : "5"), 1, 100),
    };
    const limits: Limit[] = [];
    const add = (some: readonly Limit[]): void => {
      for (const limit of some) progress(`${limit.what}: ${figure(limit.measured)} ${limit.unit} (${limit.how})`);
      limits.push(...some);
    };
    add(await packageLimits());
    const versions: Record<string, string> = {};
    for (const measure of [idleClients, watchedPaths, cachedNodes]) {
      const home = await ServerHome.start(watchkeeper);
      versions[home.kind.name] = await versionOf(home.target);
      add([await measure(home.target, plan)]);
      await home.remove();
    }
    const result: LimitsResult = {
      command: commandLine("client-limits", args),
      environment: environmentOf(versions),
      limits,
    };
    process.stdout.write(`${textTable(limitRows(result))}\n`);
    const folder = resultFolder(values.out, quick);
    if (folder !== undefined) {
      writeResult(folder, "client-limits", result, undefined);
      writePage(folder);
    }
    const problems = exceeded(result);
    if (problems.length > 0) throw new Error(`limits are exceeded:\n  ${problems.join("\n  ")}`);
  },
};

interface Plan {
  readonly clients: number;
  readonly paths: number;
  readonly nodes: number;
  readonly trials: number;
}

async function packageLimits(): Promise<Limit[]> {
  using packed = await packClient();
  const { client, nothing } = await importTimes(packed.application, IMPORT_TRIALS);
  return [
    {
      what: "import of the package",
      unit: "ms",
      allowed: 30,
      measured: median(client),
      how: `median of ${IMPORT_TRIALS} fresh processes, ${figure(Math.min(...client))} to ${figure(Math.max(...client))} ms; next to nothing takes ${figure(median(nothing))} ms to import`,
    },
    {
      what: "package, unpacked",
      unit: "kB",
      allowed: 250,
      measured: packed.unpackedBytes / 1000,
      how: `${packed.files.length} files, as npm pack counts them`,
    },
  ];
}

async function idleClients({ host, port }: Target, { clients }: Plan): Promise<Limit> {
  const args = ["--expose-gc", IDLE_CLIENTS, `${host}:${port}`, `${clients}`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: IDLE_MS_MAX });
  const { bytesEach, residentBytesEach, openedPerSecond } = JSON.parse(stdout) as IdleClientsFigures;
  return {
    what: `one of ${count(clients)} idle clients in one process`,
    unit: "kB",
    allowed: 10,
    measured: bytesEach / 1000,
    how: `heap and external memory after a collection; resident ${figure(residentBytesEach / 1000)} kB; ${figure(openedPerSecond)} opened a second`,
  };
}

async function watchedPaths(target: Target, { paths, trials }: Plan): Promise<Limit> {
  const times: number[] = [];
  for await (const tookMs of reconnections(target, paths, trials)) times.push(tookMs);
  return {
    what: `${count(paths)} watched paths, all back after a reconnect`,
    unit: "ms",
    allowed: 2000,
    measured: Math.max(...times),
    how: `the longest of ${trials}, median ${figure(median(times))} ms, with the pause before dialing`,
  };
}

async function cachedNodes(target: Target, { nodes }: Plan): Promise<Limit> {
  const figures = await cacheReads(target, nodes, CHANGES);
  return {
    what: `reads of a cache of ${count(nodes)} nodes, ${CHANGES} changed while it was cut off`,
    unit: "reads",
    allowed: 2 * CHANGES,
    measured: figures.readsAfterReconnect,
    how: `in step ${figure(figures.caughtUpMs)} ms after the server could be reached; the first load took ${count(figures.readsToLoad)} reads and ${figure(figures.loadMs)} ms`,
  };
}
