/**
 * A server on a disk that fails at one planned operation, in this process. Where the log fails the server
 * must stop, having acknowledged nothing that a start on a healthy disk would not bring back; where only
 * a snapshot or the zeros ahead fail it must go on.
 */
import type { Disk, Logger } from "../../../packages/server/dist/ports/index.js";
import { loadSettings } from "../../../packages/server/dist/service/config/index.js";
import { type Server, startServer } from "../../../packages/server/dist/service/server.js";
import type { SeededRandom } from "../../support/seeded-random.js";
import { until } from "../../support/until.js";
import { Lane } from "../kill/lane.js";
import { createBody, opcode } from "../support/jute.js";
import { RawClient } from "../support/raw-client.js";
import { withTemporaryDirectory } from "../support/temporary-directory.js";
import { FailingDisk, type PlannedFailure } from "./failing-disk.js";

/** Whether a server that meets the failure must stop. */
export interface FailureCase {
  readonly failure: PlannedFailure;
  readonly stops: boolean;
}

export function failureCases(random: SeededRandom, rounds: number): FailureCase[] {
  const cases: FailureCase[] = [];
  for (let round = 0; round < rounds; round++) {
    const late = (): number => random.below(40);
    cases.push(
      { failure: { step: "sync", of: "log.", after: late(), code: "EIO" }, stops: true },
      { failure: { step: "write", of: "log.", after: late(), code: "ENOSPC" }, stops: true },
      { failure: { step: "create", of: "log.", after: random.below(2), code: "ENOSPC" }, stops: true },
      { failure: { step: "rename", of: "log.", after: random.below(2), code: "EIO" }, stops: true },
      { failure: { step: "syncDirectory", of: "version-2", after: random.below(3), code: "EIO" }, stops: true },
      { failure: { step: "fill", of: "log.", after: random.below(3), code: "ENOSPC" }, stops: false },
      { failure: { step: "fill", of: "snapshot.", after: random.below(2), code: "ENOSPC" }, stops: false },
      { failure: { step: "rename", of: "snapshot.", after: random.below(2), code: "EIO" }, stops: false },
    );
  }
  return cases;
}

const LANES = 3;
/** So many writes are acknowledged behind a failure that a server must survive. */
const WRITES_AFTERWARDS = 100;

/** @returns what is wrong, nothing where all is well */
export async function failOn({ failure, stops }: FailureCase, random: SeededRandom): Promise<string[]> {
  const name = `${failure.step} of ${failure.of} (${failure.code}) after ${failure.after}`;
  const faults = await withTemporaryDirectory("disk", async (dataDir) =>
    new FailingRun(dataDir, random).run(failure, stops),
  );
  return faults.map((fault) => `${name}: ${fault}`);
}

/** An empty directory begins with a snapshot: a server that could not write it would leave a log that no server starts on. */
export async function failOnFirstSnapshot(random: SeededRandom): Promise<string[]> {
  return withTemporaryDirectory("disk", async (dataDir) => {
    const run = new FailingRun(dataDir, random);
    return run.mustNotStart({ step: "fill", of: "snapshot.", after: 0, code: "ENOSPC" });
  });
}

class FailingRun {
  private readonly dataDir: string;
  private readonly lanes: readonly Lane[];
  private readonly errors: string[] = [];

  constructor(dataDir: string, random: SeededRandom) {
    this.dataDir = dataDir;
    this.lanes = Array.from({ length: LANES }, (_, i) => new Lane(random, i));
  }

  async run(failure: PlannedFailure, stops: boolean): Promise<string[]> {
    const disk = new FailingDisk(failure);
    const faults = await this.meet(disk, stops);
    const server = await this.start();
    try {
      const reader = await RawClient.open({ port: server.address.port });
      for (const lane of this.lanes) faults.push(...(await lane.verify(reader)));
      if (faults.length === 0) for (const lane of this.lanes) faults.push(...(await lane.resume(server.address.port)));
      reader.destroy();
    } finally {
      for (const lane of this.lanes) lane.disconnect();
      await server.close();
    }
    return faults;
  }

  async mustNotStart(failure: PlannedFailure): Promise<string[]> {
    try {
      const disk = new FailingDisk(failure);
      disk.armed = true;
      await (await this.start(disk)).close();
      return ["a server starts that could not write its first snapshot"];
    } catch {
      await (await this.start()).close();
      return [];
    }
  }

  private async meet(disk: FailingDisk, stops: boolean): Promise<string[]> {
    const server = await this.start(disk);
    const { port } = server.address;
    const client = await RawClient.open({ port });
    await client.request(opcode.create, createBody("/kill", Buffer.alloc(0)));
    for (const lane of this.lanes) await lane.connect(port);
    disk.armed = true;
    const loads = Promise.all(this.lanes.map((lane) => lane.load()));
    let isOver = false;
    const ended = server.ended.then(() => {
      isOver = true;
    });
    await until("the planned failure", () => disk.struck);
    const struckAt = this.acknowledged;
    const outcome = stops ? "the server to stop" : "writes to go on";
    await until(outcome, () => isOver || (!stops && this.acknowledged >= struckAt + WRITES_AFTERWARDS)).catch(
      ({ message }: Error) => this.errors.push(message),
    );
    const faults = this.faultsOf(stops, isOver ? "stopped" : "serving");
    client.destroy();
    for (const lane of this.lanes) lane.disconnect();
    await server.close();
    await Promise.all([loads, ended]);
    return faults;
  }

  private get acknowledged(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.acknowledged, 0);
  }

  private faultsOf(stops: boolean, end: "stopped" | "serving"): string[] {
    if (end !== (stops ? "stopped" : "serving"))
      return [`the server is ${end} afterwards. It said: ${this.errors.join("; ")}`];
    const ofTheLog = this.errors.filter((line) => line.includes("log cannot be written"));
    if (stops && ofTheLog.length !== 1) return [`one line was to say why: ${this.errors.join("; ")}`];
    return [];
  }

  private start(disk?: Disk): Promise<Server> {
    const options = Object.entries({ clientPort: "0", dataDir: this.dataDir, snapCount: "200", preAllocSize: "512" });
    const { settings } = loadSettings({
      environment: {},
      workingDirectory: this.dataDir,
      options: options.map(([key, value]) => ({ key, value, option: key })),
    });
    const error = (_facts: object, sentence: string): void => void this.errors.push(sentence);
    const logger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error };
    return startServer(settings, logger, disk === undefined ? {} : { disk });
  }
}
