import { createInterface } from "node:readline";
import { nodeData } from "../load/request-frames.js";
import type { ClientOperation, DriverAnswer, DriverLoad, DriverSetup } from "./driver-messages.js";

/** A client under measurement, with one connection. */
export interface DrivenClient {
  /** Keeps one request in flight until the load is over. */
  runLane(load: LoadInProgress): Promise<void>;
}

/** One load while it runs: what the lanes ask for next, and how often they were answered. */
export class LoadInProgress {
  readonly operation: ClientOperation;
  readonly value: Buffer;
  calls = 0;
  isOver = false;
  private readonly paths: readonly string[];
  private next = 0;

  constructor(operation: ClientOperation, paths: readonly string[], value: Buffer) {
    this.operation = operation;
    this.paths = paths;
    this.value = value;
  }

  nextPath(): string {
    if (this.next === this.paths.length) this.next = 0;
    return this.paths[this.next++]!;
  }
}

/**
 * The body of every driver written in TypeScript: opens the client and runs the loads it is told, each
 * with so many requests in flight, in a closed loop. CPU time is that of this whole process, all threads.
 */
export async function drive(open: (setup: DriverSetup) => Promise<DrivenClient>): Promise<void> {
  const setup = JSON.parse(process.argv[2]!) as DriverSetup;
  const client = await open(setup);
  answer({ kind: "ready" });
  for await (const line of createInterface({ input: process.stdin })) {
    answer(await measure(client, JSON.parse(line) as DriverLoad, setup));
  }
  process.exit(0); // whatever the client keeps open: nobody asks any more
}

/** A lane of a client that calls back: the next request is made from the callback of the last. */
export function callbackLane(load: LoadInProgress, ask: (answered: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const answered = (error: unknown): void => {
      if (error !== null && error !== undefined) {
        reject(error);
        return;
      }
      load.calls++;
      if (load.isOver) resolve();
      else ask(answered);
    };
    ask(answered);
  });
}

async function measure(client: DrivenClient, load: DriverLoad, setup: DriverSetup): Promise<DriverAnswer> {
  const progress = new LoadInProgress(load.operation, setup.paths, Buffer.from(nodeData(setup.valueBytes)));
  const lanes = Promise.all(Array.from({ length: load.inFlight }, () => client.runLane(progress)));
  const failed = lanes.then(() => undefined);
  await Promise.race([sleep(load.warmupSeconds), failed]);
  const { calls } = progress;
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  await Promise.race([sleep(load.seconds), failed]);
  const { user, system } = process.cpuUsage(cpu);
  const measured: DriverAnswer = {
    kind: "measured",
    calls: progress.calls - calls,
    seconds: (performance.now() - startedMs) / 1000,
    cpuUs: user + system,
  };
  progress.isOver = true;
  await lanes;
  return measured;
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function answer(message: DriverAnswer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
