/**
 * `kill -9` of a real server under load, again and again on one data directory: at any moment of the
 * load, of a snapshot, of a log's roll and of the start itself. After each restart every acknowledged
 * write is there, in order and whole, and the sessions go on. Now and then Apache's server opens a copy
 * of the directory and must see the same tree; at the end it writes to its copy and Watchkeeper takes
 * that over.
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as momentOfKill } from "node:timers/promises";

import type { ServerProcess } from "../../interop/support/server-process.js";
import { startWatchkeeper } from "../../interop/support/watchkeeper.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { startApacheQuietly } from "../support/apache-on-copy.js";
import { countedByServer, digestOfServer } from "../support/digest-of-server.js";
import type { FaultReport, Progress } from "../support/fault-report.js";
import { RawClient } from "../support/raw-client.js";
import { withTemporaryDirectory } from "../support/temporary-directory.js";
import { differences, dumpTree } from "../support/tree-dump.js";
import { Lane } from "./lane.js";
import { SharedCounter } from "./shared-counter.js";

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Apache opens a copy after every so many kills. */
  readonly apacheEvery: number;
  readonly lanes?: number;
}

const LANES = 4;
const LOAD_MS_MAX = 700;
const START_MS_MAX = 500;

/** Snapshots and rolls come every few hundred txns, so that kills meet them; sessions outlive every pause. */
const CONFIG = ["tickTime=2000", "snapCount=400", "preAllocSize=64", "maxClientCnxns=0"];

export async function killAgainAndAgain(options: KillOptions, progress: Progress): Promise<FaultReport> {
  return withTemporaryDirectory("kill", (home) => new KillRun(options, progress, home).run());
}

class KillRun {
  private readonly options: KillOptions;
  private readonly progress: Progress;
  private readonly dataDir: string;
  private readonly copyDir: string;
  private readonly random: SeededRandom;
  private readonly lanes: readonly Lane[];
  private readonly faults: string[] = [];
  private counter: SharedCounter | undefined;
  private server: ServerProcess | undefined;
  private kills = 0;
  private killsDuringStart = 0;
  private keptUnanswered = 0;
  private openedByApache = 0;

  constructor(options: KillOptions, progress: Progress, home: string) {
    this.options = options;
    this.progress = progress;
    this.dataDir = join(home, "data");
    this.copyDir = join(home, "copy");
    this.random = new SeededRandom(options.seed);
    this.lanes = Array.from({ length: options.lanes ?? LANES }, (_, i) => new Lane(this.random, i));
  }

  async run(): Promise<FaultReport> {
    try {
      await this.begin();
      while (this.kills < this.options.kills && this.faults.length === 0) await this.round();
      if (this.faults.length === 0) await this.handOverToApacheAndBack();
    } finally {
      for (const lane of this.lanes) lane.disconnect();
      await this.server?.stop("SIGKILL");
    }
    const acknowledged = this.lanes.reduce((sum, lane) => sum + lane.acknowledged, 0);
    const summary =
      `${this.kills} kills (${this.killsDuringStart} during the start), seed ${this.options.seed}: ` +
      `${acknowledged} acknowledged writes checked, ${this.keptUnanswered} unacknowledged ones kept whole, ` +
      `${this.openedByApache} times opened by Apache`;
    return { summary, faults: this.faults };
  }

  private async begin(): Promise<void> {
    const server = await this.start();
    const client = await RawClient.open({ port: server.clientPort });
    this.counter = await SharedCounter.create(client);
    await client.close();
    for (const lane of this.lanes) await lane.connect(server.clientPort);
  }

  private async start(): Promise<ServerProcess> {
    this.server = await startWatchkeeper({ dataDir: this.dataDir, configLines: CONFIG });
    return this.server;
  }

  private async round(): Promise<void> {
    await this.loadAndKill();
    while (this.random.chance(0.2) && this.kills < this.options.kills) await this.killDuringStart();
    const forApache = Math.floor(this.kills / this.options.apacheEvery) > this.openedByApache;
    if (forApache) this.copyData();
    await this.restartAndVerify(forApache);
    if (this.kills % 10 === 0 || forApache) this.progress(`${this.kills} of ${this.options.kills} kills`);
  }

  private async loadAndKill(): Promise<void> {
    const { server, random } = this;
    const loads = [...this.lanes.map((lane) => lane.load()), this.counter!.load(server!.clientPort)];
    await momentOfKill(random.below(random.chance(0.3) ? 60 : LOAD_MS_MAX));
    this.checkForComplaints();
    await server!.stop("SIGKILL");
    this.kills += 1;
    await Promise.all(loads);
  }

  private async killDuringStart(): Promise<void> {
    const options = { dataDir: this.dataDir, configLines: CONFIG, waitUntilServing: false };
    const server = await startWatchkeeper(options);
    await momentOfKill(this.random.below(START_MS_MAX));
    await server.stop("SIGKILL");
    this.kills += 1;
    this.killsDuringStart += 1;
  }

  private async restartAndVerify(withApache: boolean): Promise<void> {
    const server = await this.start();
    const reader = await RawClient.open({ port: server.clientPort });
    for (const lane of this.lanes) {
      this.faults.push(...(await lane.verify(reader)));
      this.keptUnanswered += lane.keptUnanswered;
    }
    this.faults.push(...(await this.counter!.verify(reader)));
    if (withApache) await this.compareWithApache(reader, server);
    await reader.close();
    if (this.faults.length > 0) return;
    for (const lane of this.lanes) this.faults.push(...(await lane.resume(server.clientPort)));
    this.checkForComplaints();
  }

  /** A server that sees its own digests differ says so, whatever its clients see. */
  private checkForComplaints(): void {
    const complaint = this.server!.log()
      .split("\n")
      .find((line) => line.includes("Digests are not matching"));
    if (complaint !== undefined) this.faults.push(complaint);
  }

  private copyData(): void {
    rmSync(this.copyDir, { recursive: true, force: true });
    cpSync(this.dataDir, this.copyDir, { recursive: true });
  }

  private async compareWithApache(reader: RawClient, server: ServerProcess): Promise<void> {
    const apache = await startApacheQuietly({ dataDir: this.copyDir, configLines: CONFIG });
    try {
      const client = await RawClient.open({ port: apache.clientPort });
      this.openedByApache += 1;
      await this.compare(reader, server, client, apache);
      for (const lane of this.lanes) {
        if (await lane.canResume(apache.clientPort)) continue;
        this.faults.push(`${lane.root}: Apache's server does not let the session go on`);
      }
      await client.close();
    } finally {
      await apache.stop("SIGKILL");
    }
  }

  private async compare(
    first: RawClient,
    ours: ServerProcess,
    second: RawClient,
    apache: ServerProcess,
  ): Promise<void> {
    const found = differences(await dumpTree(first), await dumpTree(second));
    this.faults.push(...found.map((line) => `Watchkeeper's and Apache's trees differ, ${line}`));
    const digests = [await digestOfServer(first, ours.clientPort), await digestOfServer(second, apache.clientPort)];
    if (digests[0] !== digests[1])
      this.faults.push(`the tree's digest is ${digests[0]} here, ${digests[1]} at Apache's`);
    for (const server of [ours, apache]) {
      const mismatches = await countedByServer(server.clientPort, "zk_digest_mismatches_count");
      if (mismatches !== "0") this.faults.push(`${server.name} counts ${mismatches} digest mismatches`);
    }
  }

  /** Apache writes to the directory and is killed in its turn; then Watchkeeper takes over. */
  private async handOverToApacheAndBack(): Promise<void> {
    await this.server!.stop("SIGKILL");
    const apache = await startApacheQuietly({ dataDir: this.dataDir, configLines: CONFIG });
    const client = await RawClient.open({ port: apache.clientPort });
    for (const lane of this.lanes)
      this.faults.push(...(await lane.verify(client)), ...(await lane.resume(apache.clientPort)));
    if (this.faults.length === 0) await Promise.all(this.lanes.map((lane) => lane.load(WRITES_ON_APACHE)));
    const before = await dumpTree(client);
    await apache.stop("SIGKILL");
    this.openedByApache += 1;

    const server = await this.start();
    const reader = await RawClient.open({ port: server.clientPort });
    const found = differences(before, await dumpTree(reader));
    this.faults.push(...found.map((line) => `what Apache wrote came back changed, ${line}`));
    for (const lane of this.lanes)
      this.faults.push(...(await lane.verify(reader)), ...(await lane.resume(server.clientPort)));
    await reader.close();
  }
}

const WRITES_ON_APACHE = 500;
