import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { errorName } from "@watchkeeper/wire";
import { processCpuUs, residentMib } from "../servers/process-figures.js";
import { LatencyHistogram } from "./latency-histogram.js";
import type { LoadSpec } from "./load-spec.js";
import type { Target } from "./server-connection.js";
import type { FromWorker, ToWorker } from "./worker-messages.js";

export interface LoadFigures {
  readonly load: string;
  readonly opsPerSecond: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  /** The server's CPU time for each operation; absent where its process is not known. */
  readonly cpuUsPerOp?: number;
  readonly rssMib?: number;
  /** How much of one core the busiest generator process used: near 100 it, not the server, sets the figure. */
  readonly generatorPercent: number;
}

export interface LoadRun {
  readonly target: Target;
  /** The server's process, where it is ours to look at. */
  readonly pid?: number;
  readonly workers: number;
}

const START_MS_MAX = 180_000;
const WORKER_FILE = fileURLToPath(new URL("worker.js", import.meta.url));

/** Runs one load over nodes that are already there. Rejects when a connection is lost or any reply is an error. */
export async function runLoad(run: LoadRun, spec: LoadSpec): Promise<LoadFigures> {
  const workers = Array.from({ length: Math.min(run.workers, spec.connections) }, () => new Worker());
  try {
    const shares = sharesOf(spec.connections, workers.length);
    const open = workers.map((worker, i) => {
      const { first, count } = shares[i]!;
      return worker.ask({ kind: "open", target: run.target, spec, first, count }, "ready");
    });
    await Promise.all(open);
    const server = new ServerFigures(run.pid);
    await Promise.all(workers.map((worker) => worker.ask({ kind: "begin" }, "warm")));
    server.begin();
    const measured = await Promise.all(workers.map((worker) => worker.next("measured")));
    server.end();
    const done = await Promise.all(workers.map((worker) => worker.next("done")));
    return figuresOf(spec, measured, done, server);
  } finally {
    for (const worker of workers) worker.end();
  }
}

type Told<K extends FromWorker["kind"]> = Extract<FromWorker, { kind: K }>;

/** How connections are shared out: as evenly as they divide. */
export function sharesOf(connections: number, workers: number): { first: number; count: number }[] {
  return Array.from({ length: workers }, (_, i) => {
    const first = Math.floor((connections * i) / workers);
    return { first, count: Math.floor((connections * (i + 1)) / workers) - first };
  });
}

class ServerFigures {
  cpuUs: number | undefined;
  rssMib: number | undefined;
  private readonly pid: number | undefined;
  private cpuUsBefore = 0;

  constructor(pid: number | undefined) {
    this.pid = pid;
  }

  begin(): void {
    if (this.pid !== undefined) this.cpuUsBefore = processCpuUs(this.pid);
  }

  end(): void {
    if (this.pid === undefined) return;
    this.cpuUs = processCpuUs(this.pid) - this.cpuUsBefore;
    this.rssMib = residentMib(this.pid);
  }
}

function figuresOf(
  spec: LoadSpec,
  measured: readonly Told<"measured">[],
  done: readonly Told<"done">[],
  server: ServerFigures,
): LoadFigures {
  const histogram = new LatencyHistogram();
  for (const worker of done) histogram.add(worker.histogram);
  const errors = done.reduce((sum, worker) => sum + worker.errors, 0);
  if (errors > 0) {
    const code = done.find((worker) => worker.errors > 0)!.lastError;
    throw new Error(`${spec.text}: ${errors} replies were errors, the last one ${errorName(code) ?? code}`);
  }
  if (histogram.count === 0) throw new Error(`${spec.text}: not one operation in ${spec.seconds} s`);
  return {
    load: spec.text,
    opsPerSecond: histogram.count / spec.seconds,
    p50Us: histogram.percentileUs(0.5),
    p90Us: histogram.percentileUs(0.9),
    p99Us: histogram.percentileUs(0.99),
    p999Us: histogram.percentileUs(0.999),
    maxUs: histogram.maxUs,
    ...(server.cpuUs === undefined ? {} : { cpuUsPerOp: server.cpuUs / histogram.count }),
    ...(server.rssMib === undefined ? {} : { rssMib: server.rssMib }),
    generatorPercent: Math.max(...measured.map((worker) => worker.cpuMs)) / (spec.seconds * 10),
  };
}

/** A worker process and its messages, each awaited by its kind. */
class Worker {
  private readonly process: ChildProcess;
  private readonly inbox: FromWorker[] = [];
  private wake: () => void = () => {};
  private exited = false;

  constructor() {
    this.process = fork(WORKER_FILE, { serialization: "advanced" });
    this.process.on("message", (message) => {
      this.inbox.push(message as FromWorker);
      this.wake();
    });
    this.process.on("exit", () => {
      this.exited = true;
      this.wake();
    });
  }

  ask<K extends FromWorker["kind"]>(message: ToWorker, answer: K): Promise<Told<K>> {
    this.process.send(message);
    return this.next(answer);
  }

  async next<K extends FromWorker["kind"]>(kind: K): Promise<Told<K>> {
    const deadlineMs = performance.now() + START_MS_MAX;
    for (;;) {
      const message = this.inbox.shift();
      if (message?.kind === "failed") throw new Error(message.message);
      if (message?.kind === kind) return message as Told<K>;
      if (this.exited) throw new Error("a load generator process ended early");
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new Error(`a load generator process did not say "${kind}" in ${START_MS_MAX / 1000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  end(): void {
    if (!this.exited) this.process.kill("SIGKILL");
  }
}
