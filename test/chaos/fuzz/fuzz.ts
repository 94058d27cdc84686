/**
 * Anything at all on the client port of a real server process: it answers with errors or hangs up, its
 * memory stays bounded, others notice nothing, and what is in its files afterwards opens again, here and
 * in Apache's server.
 */
import { createHash } from "node:crypto";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { startWatchkeeper } from "../../interop/support/watchkeeper.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { until } from "../../support/until.js";
import { startApacheQuietly } from "../support/apache-on-copy.js";
import { ControlClient } from "../support/control-client.js";
import { countedByServer } from "../support/digest-of-server.js";
import { type FaultReport, type Progress, withProgress } from "../support/fault-report.js";
import { authBody, createBody, opcode } from "../support/jute.js";
import { MemoryWatch } from "../support/process-memory.js";
import { RawClient } from "../support/raw-client.js";
import { withTemporaryDirectory } from "../support/temporary-directory.js";
import { differences, dumpTree, type TreeDump } from "../support/tree-dump.js";
import { Attacker } from "./attacker.js";
import { FrameMutator } from "./frame-mutator.js";

export interface FuzzOptions {
  readonly frames: number;
  readonly seed: number;
  /** The server may not come to take more. */
  readonly memoryMiBMax: number;
  readonly controlMsMax: number;
}

const ATTACKERS = 16;
const EXPIRY_MS_MAX = 20_000;
const LOG_TAIL_CHARS = 4000;
/** Reads every node, whatever its ACL. */
const SUPER = "super:a-word-for-the-dump";
const CONFIG = [
  "maxClientCnxns=0",
  "preAllocSize=512",
  `DigestAuthenticationProvider.superDigest=super:${digest(SUPER)}`,
  // Nothing is to vanish between two dumps: no container, and no ephemeral of an attacker's session.
  "maxSessionTimeout=3000",
  "znode.container.checkIntervalMs=3600000",
];

export async function fuzz(options: FuzzOptions, progress: Progress): Promise<FaultReport> {
  return withTemporaryDirectory("fuzz", async (home) => {
    const random = new SeededRandom(options.seed);
    const dataDir = join(home, "data");
    const server = await startWatchkeeper({ dataDir, configLines: CONFIG });
    const faults: string[] = [];
    const memory = new MemoryWatch(server.pid);
    try {
      const control = await ControlClient.start(server.clientPort);
      const mutator = new FrameMutator(random);
      await createAll(server.clientPort, mutator.paths);
      const attackers = Array.from({ length: ATTACKERS }, () => new Attacker(mutator, random, server.clientPort));
      await attack(attackers, options.frames, control, progress);
      // Until it has expired the last session the server may still come to die of what it was sent.
      let death: string | undefined;
      void server.ended.then((how) => {
        death = how;
      });
      await until(
        "the attackers' sessions to expire",
        async () => death !== undefined || (await ephemerals(server.clientPort).catch(() => undefined)) === "0",
        EXPIRY_MS_MAX,
      );
      if (death !== undefined) {
        const summary = `the server died, ${sentBy(attackers)} frames in, seed ${options.seed}`;
        return { summary, faults: [`the server ended with ${death}: ${server.log().slice(-LOG_TAIL_CHARS)}`] };
      }
      await control.stop();
      memory.stop();
      faults.push(...control.faults);
      if (control.latency(1) > options.controlMsMax)
        faults.push(`the control client once waited ${control.latency(1).toFixed(0)} ms`);
      if (memory.maxMiB > options.memoryMiBMax) faults.push(`the server came to take ${memory.maxMiB} MiB`);

      const before = await dumpAsSuper(server.clientPort);
      const mismatches = await countedByServer(server.clientPort, "zk_digest_mismatches_count");
      if (mismatches !== "0") faults.push(`the server counts ${mismatches} digest mismatches`);
      const errors = server
        .log()
        .split("\n")
        .filter((line) => line.includes('"level":50'));
      if (errors.length > 0) faults.push(`the server logged errors: ${errors.slice(0, 3).join(" | ")}`);
      const handled = await countedByServer(server.clientPort, "zk_packets_received");
      await server.stop("SIGKILL");
      progress(`${before.size} nodes are there`);
      faults.push(...(await openAgain(dataDir, join(home, "copy"), before)));

      const sum = (of: (attacker: Attacker) => number): number => attackers.reduce((total, one) => total + of(one), 0);
      const summary =
        `${sum((one) => one.frames)} frames on ${sum((one) => one.connections)} connections, ` +
        `${sum((one) => one.refused)} of them refused; ${handled} requests handled, seed ${options.seed}; ${control.summary}; ` +
        `server memory ${memory.startMiB} MiB at the start, at most ${memory.maxMiB} MiB; ${before.size} nodes`;
      return { summary, faults };
    } finally {
      memory.stop();
      await server.stop("SIGKILL");
    }
  });
}

/** What the recorded requests speak of is there, so that they get further than to a missing node. */
async function createAll(port: number, paths: readonly string[]): Promise<void> {
  const client = await RawClient.open({ port });
  await Promise.all(paths.map((path) => client.request(opcode.create, createBody(path, Buffer.from("there")))));
  await client.close();
}

function sentBy(attackers: readonly Attacker[]): number {
  return attackers.reduce((sum, attacker) => sum + attacker.frames, 0);
}

async function attack(
  attackers: readonly Attacker[],
  frames: number,
  control: ControlClient,
  progress: Progress,
): Promise<void> {
  const isEnough = (): boolean => sentBy(attackers) >= frames || control.faults.length > 0;
  const done = Promise.all(attackers.map((attacker) => attacker.run(isEnough)));
  await withProgress(done, () => progress(`${sentBy(attackers)} frames; ${control.summary}`));
}

async function openAgain(dataDir: string, copyDir: string, before: TreeDump): Promise<string[]> {
  cpSync(dataDir, copyDir, { recursive: true });
  const faults: string[] = [];
  for (const [name, start] of [
    ["Watchkeeper", () => startWatchkeeper({ dataDir, configLines: CONFIG })],
    ["Apache's server", () => startApacheQuietly({ dataDir: copyDir, configLines: CONFIG })],
  ] as const) {
    const server = await start();
    try {
      const found = differences(before, await dumpAsSuper(server.clientPort));
      faults.push(...found.map((line) => `${name} has another tree, ${line}`));
      // Apache's mntr does not survive every quota node that a client may write: its log tells too.
      if (server.log().includes("Digests are not matching")) faults.push(`${name} finds digests that do not match`);
    } finally {
      await server.stop("SIGKILL");
    }
  }
  return faults;
}

function ephemerals(port: number): Promise<string | undefined> {
  return countedByServer(port, "zk_ephemerals_count");
}

async function dumpAsSuper(port: number): Promise<TreeDump> {
  const client = await RawClient.open({ port });
  const reply = await client.request(opcode.auth, authBody("digest", SUPER));
  if (reply.err !== 0) throw new Error(`the super user was refused with ${reply.err}`);
  const dump = await dumpTree(client);
  client.destroy();
  return dump;
}

function digest(credential: string): string {
  return createHash("sha1").update(credential).digest("base64");
}
