import { type ClientKind, clientKinds } from "../clients/client-kind.js";
import { ClientProcess } from "../clients/client-process.js";
import { type ClientMeasurement, type ClientsResult, clientRows } from "../clients/client-result.js";
import { CLIENT_OPERATIONS, type DriverLoad } from "../clients/driver-messages.js";
import { installPeer, isInstalled, PEER_FOLDER } from "../clients/peer-packages.js";
import { flatKeys } from "../load/key-space.js";
import { createNode, layKeys, withSession } from "../load/nodes.js";
import { nodeData } from "../load/request-frames.js";
import { writePage } from "../report/page.js";
import { resultFolder, writeResult } from "../report/results.js";
import { figure, textTable } from "../report/text-table.js";
import { canBindToCores, onOneCore } from "../servers/cores.js";
import { environmentOf, versionOf } from "../servers/environment.js";
import { commandServer, type ServerKind, watchkeeper } from "../servers/server-kind.js";
import { ServerHome } from "../servers/server-process.js";
import { UsageError } from "../usage-error.js";
import { type Command, commandLine, numberOption, parseOptions, progress } from "./command.js";

const ROOT = "/bench-clients";
const KEYS = 100;
const VALUE_BYTES = 100;
/** Before anything counts: until compilers have seen what is called often. */
const WARM_UP = { inFlight: 100, warmupSeconds: 0, seconds: 1 };

const options = {
  rounds: { type: "string" },
  seconds: { type: "string" },
  warmup: { type: "string" },
  "in-flight": { type: "string" },
  without: { type: "string" },
  "server-command": { type: "string" },
  "server-name": { type: "string" },
  quick: { type: "boolean" },
  out: { type: "string" },
} as const;

export const clients: Command = {
  help: `Rate and CPU time per call of this project's client (also with its connection in a thread of its own) beside npm's
node-zookeeper-client and zookeeper and Python's kazoo: each in a process of its own, on one connection, to the
same server, in turn. Gets and sets of 100 bytes in closed loops. CPU time is the client's process alone, all
its threads. With one request in flight client and server take turns, and on two cores the figure is mostly what it
costs to wake a sleeping one, for all clients alike; so that load runs on one core too, where taskset can do it.
The npm packages are installed for this command alone, below node_modules/.cache.

  --in-flight LIST   requests that are kept in flight (1,100,1000)
  --rounds N         (3)      --seconds S   per load, after the warm-up (2)      --warmup S   (0.5)
  --without LIST     leave out clients, by the names of the table
  --server-command COMMAND   measure against this server too; the path of a zoo.cfg is added to its arguments
  --server-name NAME         what it is called in the table ("the other server")
  --quick            one round of half a second per load, nothing written unless --out is given
  --out FOLDER       where results go (docs/bench)`,
  async run(args) {
    const { values } = parseOptions(args, options);
    const quick = values.quick === true;
    const plan: Plan = {
      rounds: numberOption("rounds", values.rounds ?? (quick ? "1" : "3"), 1, 50),
      seconds: numberOption("seconds", values.seconds ?? (quick ? "0.5" : "2"), 0.1, 120),
      warmupSeconds: numberOption("warmup", values.warmup ?? (quick ? "0.3" : "0.5"), 0, 60),
      inFlight: listOf(values["in-flight"] ?? "1,100,1000").map((text) => numberOption("in-flight", text, 1, 1e5)),
      kinds: await chosenKinds(listOf(values.without ?? "")),
      canBindToCores: canBindToCores(),
      servers: serversFor(values["server-command"], values["server-name"] ?? "the other server"),
    };
    const result = await measure(plan, commandLine("clients", withoutCommand(args)));
    process.stdout.write(`Calls per second\n${textTable(clientRows(result, "callsPerSecond"))}\n\n`);
    process.stdout.write(`CPU time per call, µs\n${textTable(clientRows(result, "cpuUsPerCall"))}\n`);
    const folder = resultFolder(values.out, quick);
    if (folder === undefined) return;
    writeResult(folder, "clients", result, undefined);
    writePage(folder);
  },
};

interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly inFlight: readonly number[];
  readonly kinds: readonly ClientKind[];
  readonly canBindToCores: boolean;
  readonly servers: readonly ServerKind[];
}

/** Another server's command is of this machine alone, and no part of a result. */
function withoutCommand(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    if (args[i - 1] === "--server-command") return "...";
    return arg.startsWith("--server-command=") ? "--server-command=..." : arg;
  });
}

function listOf(text: string): string[] {
  return text.split(",").filter((word) => word !== "");
}

function serversFor(command: string | undefined, name: string): ServerKind[] {
  return command === undefined ? [watchkeeper] : [watchkeeper, commandServer(name, command)];
}

/** All that are wanted and can be had; says which cannot, and what is being installed. */
async function chosenKinds(without: readonly string[]): Promise<ClientKind[]> {
  const names = clientKinds.map(({ name }) => name);
  for (const name of without) {
    if (!names.includes(name)) throw new UsageError(`no client ${name}: expected some of ${names.join("; ")}`);
  }
  const chosen: ClientKind[] = [];
  for (const kind of clientKinds) {
    if (without.includes(kind.name)) continue;
    try {
      if (kind.peer !== undefined && !isInstalled(kind.peer)) {
        progress(`installing npm's ${kind.peer} ${await kind.version()} into ${PEER_FOLDER}, for this command alone`);
        await installPeer(kind.peer);
      }
      await kind.version();
      chosen.push(kind);
    } catch (error) {
      progress(`${kind.name} is left out: ${(error as Error).message}`);
    }
  }
  return chosen;
}

async function measure(plan: Plan, command: string): Promise<ClientsResult> {
  const rows: ClientMeasurement[] = [];
  const versions: Record<string, string> = {};
  for (const kind of plan.servers) {
    const home = await ServerHome.start(kind);
    if (kind === watchkeeper) versions[kind.name] = await versionOf(home.target);
    rows.push(...(await measureAgainst(home, plan)));
    await home.remove();
  }
  return {
    command,
    environment: environmentOf(versions),
    clients: Object.fromEntries(
      await Promise.all(plan.kinds.map(async (kind) => [kind.name, await kind.version()] as const)),
    ),
    ours: plan.kinds.filter(({ isOurs }) => isOurs).map(({ name }) => name),
    rounds: plan.rounds,
    secondsPerLoad: plan.seconds,
    rows,
  };
}

/** All clients are there from the beginning, so that one load of all of them takes place within seconds. */
async function measureAgainst(home: ServerHome, plan: Plan): Promise<ClientMeasurement[]> {
  const keys = flatKeys(ROOT);
  await withSession(home.target, async (session) => {
    await createNode(session, ROOT, new Uint8Array(0));
    await layKeys(session, keys, 0, KEYS, nodeData(VALUE_BYTES));
  });
  const paths = Array.from({ length: KEYS }, (_, i) => keys.pathOf(i));
  const processes: ClientProcess[] = [];
  const rows: ClientMeasurement[] = [];
  try {
    for (const kind of plan.kinds) processes.push(await ClientProcess.start(kind, home.target, paths, VALUE_BYTES));
    for (const client of processes) {
      for (const operation of CLIENT_OPERATIONS) await client.measure({ ...WARM_UP, operation });
    }
    for (let round = 1; round <= plan.rounds; round++) {
      for (const load of loadsOf(plan)) {
        for (const client of processes) rows.push(await measureOne(client, home, load, round));
      }
    }
  } finally {
    await Promise.all(processes.map((client) => client.stop()));
  }
  return rows;
}

interface Load extends DriverLoad {
  readonly oneCore: boolean;
}

function loadsOf({ inFlight, seconds, warmupSeconds, canBindToCores }: Plan): Load[] {
  return inFlight.flatMap((count) =>
    (count === 1 && canBindToCores ? [false, true] : [false]).flatMap((oneCore) =>
      CLIENT_OPERATIONS.map((operation) => ({ operation, inFlight: count, warmupSeconds, seconds, oneCore })),
    ),
  );
}

async function measureOne(
  client: ClientProcess,
  home: ServerHome,
  load: Load,
  round: number,
): Promise<ClientMeasurement> {
  const { operation, inFlight, oneCore } = load;
  const measured = oneCore
    ? await onOneCore([home.pid, client.pid], () => client.measure(load))
    : await client.measure(load);
  const callsPerSecond = measured.calls / measured.seconds;
  const cpuUsPerCall = measured.cpuUs / measured.calls;
  const row = { round, server: home.kind.name, client: client.kind.name, operation, inFlight, oneCore };
  progress(
    `round ${round}  ${row.server}  ${row.client.padEnd(22)} ${operation} x ${inFlight}${oneCore ? " on one core" : ""}: ` +
      `${figure(callsPerSecond)} calls/s, ${figure(cpuUsPerCall)} us CPU each`,
  );
  return { ...row, callsPerSecond, cpuUsPerCall };
}
