/** Real server processes on file systems that are full or read-only. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ServerProcess } from "../../interop/support/server-process.js";
import { startWatchkeeper } from "../../interop/support/watchkeeper.js";
import type { SeededRandom } from "../../support/seeded-random.js";
import { until } from "../../support/until.js";
import { within } from "../../support/within.js";
import { Lane } from "../kill/lane.js";
import { createBody, opcode } from "../support/jute.js";
import { RawClient } from "../support/raw-client.js";
import { withTemporaryDirectory } from "../support/temporary-directory.js";
import { fillWithBallast } from "./ballast.js";
import { withTmpfs } from "./tmpfs.js";

const LANES = 3;
const NODE_BYTES = 50_000;
const STOP_MS_MAX = 30_000;
const LEVEL_ERROR = 50;

class DiskRun {
  readonly faults: string[] = [];
  readonly configLines: readonly string[];
  readonly dataDir: string;
  private readonly lanes: readonly Lane[];

  constructor(random: SeededRandom, dataDir: string, configLines: readonly string[]) {
    this.dataDir = dataDir;
    this.configLines = ["tickTime=2000", ...configLines];
    this.lanes = Array.from({ length: LANES }, (_, i) => new Lane(random, i));
  }

  start(): Promise<ServerProcess> {
    return startWatchkeeper({ dataDir: this.dataDir, configLines: this.configLines });
  }

  async connect(server: ServerProcess): Promise<void> {
    const client = await RawClient.open({ port: server.clientPort });
    await client.request(opcode.create, createBody("/kill", Buffer.alloc(0)));
    await client.close();
    for (const lane of this.lanes) await lane.connect(server.clientPort);
  }

  /** Resolves when the server is gone. */
  async load(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.load()));
  }

  async verify(server: ServerProcess): Promise<void> {
    const reader = await RawClient.open({ port: server.clientPort });
    for (const lane of this.lanes) this.faults.push(...(await lane.verify(reader)));
    reader.destroy();
    if (this.faults.length > 0) return;
    for (const lane of this.lanes) this.faults.push(...(await lane.resume(server.clientPort)));
  }

  get acknowledged(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.acknowledged, 0);
  }

  disconnect(): void {
    for (const lane of this.lanes) lane.disconnect();
  }
}

/** The log's disk fills up under load. */
export async function fillLogDisk(random: SeededRandom): Promise<string[]> {
  return withTmpfs(12, async (tmpfs) => {
    const run = new DiskRun(random, join(tmpfs.directory, "data"), ["preAllocSize=512", "snapCount=100000"]);
    const server = await run.start();
    await run.connect(server);
    const filled = fill(server);
    await Promise.all([run.load(), filled]);
    const ended = await within(STOP_MS_MAX, server.ended);
    if (ended !== "exit code 1")
      run.faults.push(`on a full disk the server ended with ${ended ?? "nothing: it goes on"}`);
    run.faults.push(...complaintsAbout(server, "ENOSPC"));
    await server.stop();

    tmpfs.resize(64);
    const again = await run.start();
    await run.verify(again);
    run.disconnect();
    await again.stop();
    if (run.acknowledged === 0) run.faults.push("nothing was acknowledged before the disk was full");
    return run.faults.map((fault) => `full log disk: ${fault}`);
  });
}

/** Writes large nodes until the server is gone. */
async function fill(server: ServerProcess): Promise<void> {
  const client = await RawClient.open({ port: server.clientPort });
  const data = Buffer.alloc(NODE_BYTES, "x");
  for (let i = 0; client.isOpen; i++) {
    await client.request(opcode.create, createBody(`/large${i}`, data)).catch(() => {});
  }
}

/** One error line, and it names the cause. */
function complaintsAbout(server: ServerProcess, code: string): string[] {
  const errors = errorLines(server);
  if (errors.length === 1 && errors[0]!.includes(code)) return [];
  return [`one error line was to name ${code}, there are ${errors.length}: ${errors.join(" | ")}`];
}

function errorLines(server: ServerProcess): string[] {
  return server
    .log()
    .split("\n")
    .filter((line) => line.includes(`"level":${LEVEL_ERROR}`));
}

/** Only the snapshots' disk is full: the server goes on, and a crash loses nothing. */
export async function fillSnapshotDisk(random: SeededRandom): Promise<string[]> {
  return withTmpfs(2, (tmpfs) =>
    withTemporaryDirectory("log", async (dataLogDir) => {
      const dataDir = join(tmpfs.directory, "data");
      const run = new DiskRun(random, dataDir, [`dataLogDir=${dataLogDir}`, "preAllocSize=512", "snapCount=200"]);
      const server = await run.start();
      await run.connect(server);
      const ballast = join(tmpfs.directory, "ballast");
      fillWithBallast(ballast);
      const loading = run.load();
      await until("a snapshot to fail", () => errorLines(server).some((line) => line.includes("snapshot")), 20_000);
      const failed = run.acknowledged;
      await until("writes to go on", () => run.acknowledged > failed + 100, 20_000);
      await server.stop("SIGKILL");
      await loading;

      run.faults.push(...(await refusalFaults(run, "ENOSPC", "space")));
      rmSync(ballast);
      const again = await run.start();
      await run.verify(again);
      run.disconnect();
      await again.stop();
      const unfinished = readdirSync(join(dataDir, "version-2")).filter((name) => name.startsWith("unfinished"));
      if (unfinished.length > 0) run.faults.push(`${unfinished.join(", ")} were left behind`);
      return run.faults.map((fault) => `full snapshot disk: ${fault}`);
    }),
  );
}

/** A start on a disk that cannot be written: it may go well, or be refused in a sentence. */
async function refusalFaults(run: DiskRun, ...words: readonly string[]): Promise<string[]> {
  let told: string;
  try {
    const server = await run.start();
    await server.stop();
    return [];
  } catch (error) {
    told = String(error);
  }
  const faults: string[] = [];
  if (!told.includes("exit code 1")) faults.push(`the start ended otherwise than with exit code 1: ${told}`);
  if (/\n\s+at /.test(told.slice(told.indexOf("Its log ends")))) faults.push(`the refusal is a stack trace: ${told}`);
  if (!words.some((word) => told.includes(word)))
    faults.push(`the refusal does not say ${words.join(" or ")}: ${told}`);
  return faults;
}

/** A directory that was written before and is read-only now: refused in a sentence; later all is there. */
export async function readOnlyDisk(random: SeededRandom): Promise<string[]> {
  return withTmpfs(32, async (tmpfs) => {
    const run = new DiskRun(random, join(tmpfs.directory, "data"), ["preAllocSize=512"]);
    const server = await run.start();
    await run.connect(server);
    const loading = run.load();
    await until("some writes", () => run.acknowledged > 100);
    await server.stop("SIGKILL");
    await loading;
    tmpfs.readOnly(true);
    run.faults.push(...(await refusalFaults(run, "EROFS", "read-only")));
    tmpfs.readOnly(false);
    const again = await run.start();
    await run.verify(again);
    run.disconnect();
    await again.stop();
    return run.faults.map((fault) => `read-only disk: ${fault}`);
  });
}
