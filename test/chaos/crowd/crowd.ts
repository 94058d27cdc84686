/**
 * Thousands of connections that want nothing or take nothing, while fifty good clients work: they are
 * served as fast as without the crowd, memory stays bounded, and each limit that is reached is named
 * in the log.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { startWatchkeeper } from "../../interop/support/watchkeeper.js";
import { until } from "../../support/until.js";
import type { FaultReport, Progress } from "../support/fault-report.js";
import { addWatchBody, createBody, opcode, setDataBody } from "../support/jute.js";
import { MemoryWatch, residentMiB } from "../support/process-memory.js";
import { RawClient, succeed } from "../support/raw-client.js";
import { withTemporaryDirectory } from "../support/temporary-directory.js";
import { gather } from "./bad-company.js";
import { GoodClients, type Work } from "./good-clients.js";

export interface CrowdOptions {
  readonly connections: number;
  /** Of each of the three measurements: before, with, and after the crowd. */
  readonly workMs: number;
  /**
   * The good clients' throughput with the crowd, to that without it, in percent: as measured, or, where the
   * machine had other things to do, as the server's processor time for each of their operations has it.
   */
  readonly percentMin: number;
  readonly memoryMiBMax: number;
}

const GOOD_CLIENTS = 50;
const EVENT_INTERVAL_MS = 200;
const FILES_SPARE = 500;
const LARGE_BYTES = 200_000;
const PATHS = { large: "/large", watched: "/watched" };

export async function crowd(options: CrowdOptions, progress: Progress): Promise<FaultReport> {
  requireOpenFiles(options.connections + FILES_SPARE);
  return withTemporaryDirectory("crowd", async (home) => {
    const server = await startWatchkeeper({
      dataDir: join(home, "data"),
      configLines: ["maxClientCnxns=0", "tickTime=2000"],
    });
    const memory = new MemoryWatch(server.pid);
    try {
      const port = server.clientPort;
      const writer = await RawClient.open({ port });
      await succeed(writer, opcode.create, createBody(PATHS.large, Buffer.alloc(LARGE_BYTES)));
      await succeed(writer, opcode.create, createBody(PATHS.watched, Buffer.alloc(0)));
      const events = setInterval(() => void change(writer), EVENT_INTERVAL_MS);
      const good = await GoodClients.open(server, GOOD_CLIENTS);
      await good.work(options.workMs / 2); // the server's code is compiled as it runs
      const before = await good.work(options.workMs);
      progress(`without the crowd: ${told(before)}`);
      const company = await gather(port, options.connections, PATHS);
      await until("the crowd to be there", () => company.open >= options.connections, 30_000);
      await good.work(options.workMs / 2); // while it settles: the server has handshakes and a pile of replies to write
      const withCrowd = await good.work(options.workMs);
      const present = company.open;
      const residentWithCrowd = residentMiB(server.pid);
      progress(`with ${present} connections of the crowd: ${told(withCrowd)}, server ${residentWithCrowd} MiB`);
      company.leave();
      clearInterval(events);
      const after = await good.work(options.workMs);
      progress(`after the crowd: ${told(after)}`);
      good.close();
      const faults = await deafWatcher(port, () => server.log());
      memory.stop();

      const percent = Math.round((withCrowd.opsPerSecond / mean(before.opsPerSecond, after.opsPerSecond)) * 100);
      const cost = mean(before.serverMicrosPerOp, after.serverMicrosPerOp);
      const percentByCost = Math.round((cost / withCrowd.serverMicrosPerOp) * 100);
      if (Math.max(percent, percentByCost) < options.percentMin) {
        faults.push(
          `the good clients had ${percent} % of their throughput without the crowd, ${percentByCost} % by the server's processor`,
        );
      }
      if (present < options.connections) faults.push(`only ${present} of ${options.connections} connections held`);
      if (memory.maxMiB > options.memoryMiBMax) faults.push(`the server came to take ${memory.maxMiB} MiB`);
      const summary =
        `${options.connections} connections; good clients ${told(before)} before, ${told(withCrowd)} with, ` +
        `${told(after)} after the crowd: ${percent} % (${percentByCost} % by the server's processor); server memory ${memory.startMiB} MiB at the start, ` +
        `${residentWithCrowd} MiB with the crowd, at most ${memory.maxMiB} MiB`;
      return { summary, faults: [...faults, ...(await refusedByLimit())] };
    } finally {
      memory.stop();
      await server.stop("SIGKILL");
    }
  });
}

function requireOpenFiles(count: number): void {
  const limit = Number(execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }));
  if (limit < count)
    throw new Error(`${count} files must be open at once and the limit is ${limit}: raise it with ulimit -n`);
}

function mean(a: number, b: number): number {
  return (a + b) / 2;
}

function told({ opsPerSecond, p99Ms, serverMicrosPerOp }: Work): string {
  return `${Math.round(opsPerSecond)} ops/s (p99 ${p99Ms.toFixed(1)} ms, ${serverMicrosPerOp.toFixed(1)} µs of the server's processor each)`;
}

async function change(writer: RawClient): Promise<void> {
  await writer.request(opcode.setData, setDataBody(PATHS.watched, Buffer.from("event"))).catch(() => {});
}

const LONG_NAME = `/${"long".repeat(220)}`;
const WRITES_AT_ONCE = 500;
/** What the kernel keeps for both sides, and the server's own limit, several times over. */
const EVENT_BYTES_MAX = 120 << 20;

/** Events for one who never reads gather up to the limit; then it is cut off, and the log says so. */
async function deafWatcher(port: number, log: () => string): Promise<string[]> {
  const deaf = await RawClient.open({ port });
  await succeed(deaf, opcode.addWatch, addWatchBody("/", 1));
  deaf.socket.pause();
  const writer = await RawClient.open({ port });
  await succeed(writer, opcode.create, createBody(LONG_NAME, Buffer.alloc(0)));
  const isCut = (): boolean => log().includes("it does not read");
  const body = setDataBody(LONG_NAME, Buffer.alloc(0));
  for (let bytes = 0; bytes < EVENT_BYTES_MAX && !isCut(); bytes += WRITES_AT_ONCE * LONG_NAME.length) {
    await Promise.all(Array.from({ length: WRITES_AT_ONCE }, () => succeed(writer, opcode.setData, body)));
  }
  deaf.destroy();
  await writer.close();
  return isCut() ? [] : [`one who never read was not cut off after ${EVENT_BYTES_MAX} bytes of events`];
}

const PER_ADDRESS_MAX = 10;

/** maxClientCnxns: what is too much is refused, the rest is served, and the log names the key. */
async function refusedByLimit(): Promise<string[]> {
  return withTemporaryDirectory("limit", async (home) => {
    const server = await startWatchkeeper({
      dataDir: join(home, "data"),
      configLines: [`maxClientCnxns=${PER_ADDRESS_MAX}`],
    });
    try {
      const attempts = Array.from({ length: PER_ADDRESS_MAX * 2 }, () => RawClient.open({ port: server.clientPort }));
      const settled = await Promise.allSettled(attempts);
      const opened = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      for (const client of opened) client.destroy();
      const faults: string[] = [];
      if (opened.length !== PER_ADDRESS_MAX)
        faults.push(`${opened.length} connections were accepted with maxClientCnxns=${PER_ADDRESS_MAX}`);
      if (!server.log().includes(`max is ${PER_ADDRESS_MAX} (maxClientCnxns)`))
        faults.push("the log does not name maxClientCnxns");
      return faults;
    } finally {
      await server.stop();
    }
  });
}
