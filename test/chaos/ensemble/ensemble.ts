/**
 * An ensemble of real server processes under a load that is recorded, while servers are killed, paused,
 * cut off, slowed down, robbed of what they had not synced, and given a full disk. In the end all is
 * healed: every server must have every acknowledged write, all must agree, and what the clients saw must
 * be what one ZooKeeper could have shown them (`test/checkers`).
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkHistory } from "../../checkers/check-history.js";
import type { Observed } from "../../checkers/history.js";
import { disagreements } from "../../interop/ensemble/support/agreement.js";
import { Ensemble } from "../../interop/ensemble/support/ensemble.js";
import type { Member } from "../../interop/ensemble/support/member.js";
import { kindsOf } from "../../interop/ensemble/support/mix.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { until } from "../../support/until.js";
import { withTmpfs } from "../disk/tmpfs.js";
import type { FaultReport, Progress } from "../support/fault-report.js";
import { JuteReader, JuteWriter, opcode, readBody } from "../support/jute.js";
import { RawClient, succeed } from "../support/raw-client.js";
import { withTemporaryDirectory } from "../support/temporary-directory.js";
import { type Fault, faults, type Stage } from "./faults.js";
import { Links } from "./links.js";
import { PowerLoss } from "./power-loss/power-loss.js";
import { Recorder } from "./recorder.js";
import { RecordingSession, readNode } from "./recording-session.js";

export interface EnsembleChaosOptions {
  readonly servers: number;
  readonly seconds: number;
  readonly seed: number;
  /** A letter per server, A for Apache's and T for Watchkeeper; repeated where there are fewer. */
  readonly kinds: string;
  readonly sessions: number;
  readonly keys: number;
  /** Whose unsynced log is torn off when it is killed. */
  readonly tear: "none" | "watchkeeper" | "all";
  /** Only faults whose name contains this. */
  readonly only: string;
}

/** The checkers of Apache's servers meet nothing larger than this: logs grow by pieces of a megabyte. */
const SMALL_DISK_MIB = 96;
const PAUSE_MS = 4;
const RECOVERY_MS_MAX = 40_000;
/** So many writes are acknowledged between two faults. */
const WRITES_BETWEEN = 100;
const VIOLATIONS_MAX = 10;
const SYNC = 9;
const CONFIG = ["syncLimit=4", "initLimit=20", "snapCount=20000", "maxSessionTimeout=10000"];

export async function ensembleChaos(options: EnsembleChaosOptions, progress: Progress): Promise<FaultReport> {
  return withTemporaryDirectory("ensemble", (home) =>
    withTmpfs(SMALL_DISK_MIB, (tmpfs) => new ChaosRun(options, progress, home, tmpfs.directory).run()),
  );
}

class ChaosRun {
  private readonly options: EnsembleChaosOptions;
  private readonly progress: Progress;
  private readonly home: string;
  private readonly smallDisk: string;
  private readonly random: SeededRandom;
  private readonly recorder = new Recorder();
  private readonly faultsFound: string[] = [];
  private readonly struck = new Map<string, number>();
  private restartedAfterEnd = 0;

  constructor(options: EnsembleChaosOptions, progress: Progress, home: string, smallDisk: string) {
    this.options = options;
    this.progress = progress;
    this.home = home;
    this.smallDisk = smallDisk;
    this.random = new SeededRandom(options.seed);
  }

  async run(): Promise<FaultReport> {
    const { servers, kinds } = this.options;
    const links = await Links.between(servers);
    const powerLoss = PowerLoss.prepare(this.home);
    const letters = Array.from({ length: servers }, (_, i) => kinds[i % kinds.length]).join("");
    const ensemble = await Ensemble.prepare({
      kinds: kindsOf(letters),
      configLines: CONFIG,
      route: (viewer, target) => links.route(viewer, target),
      dataDir: (sid) => (sid === servers ? this.smallDisk : undefined),
      environment: (sid) => powerLoss.environment(sid),
    });
    links.connectTo(new Map(ensemble.members.map(({ sid, ports }) => [sid, ports])));
    const isTorn = ({ kind }: Member): boolean => this.options.tear === "all" || this.options.tear === kind;
    const { random } = this;
    try {
      await this.strikeAgainAndAgain({
        ensemble,
        links,
        random,
        powerLoss,
        isTorn,
        onSmallDisk: ensemble.member(servers),
      });
    } catch (error) {
      this.faultsFound.push(error instanceof Error ? error.message : String(error));
    } finally {
      if (this.faultsFound.length > 0) await this.keep(ensemble);
      await ensemble.dispose();
      links.close();
    }
    const counts = [...this.struck].map(([name, count]) => `${count}x ${name}`).join(", ");
    const summary =
      `${letters}, seed ${this.options.seed}: ${counts}; ${this.recorder.summary}; ` +
      `${powerLoss.bytesTorn} unsynced bytes torn off; ${this.restartedAfterEnd} servers ended by themselves`;
    return { summary, faults: this.faultsFound };
  }

  /** What went wrong must be found out from this run: no seed repeats it to the microsecond. */
  private async keep(ensemble: Ensemble): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), `chaos-seed-${this.options.seed}-`));
    await ensemble.keep(directory);
    const { operations, events, finals } = this.recorder.history;
    const ends = finals.map(({ server, nodes }) => ({ server, nodes: Object.fromEntries(nodes) }));
    writeFileSync(join(directory, "history.json"), JSON.stringify({ operations, events, finals: ends }));
    this.progress(`logs and data of all servers, and the history, are kept in ${directory}`);
  }

  private async strikeAgainAndAgain(stage: Stage): Promise<void> {
    const { ensemble } = stage;
    await ensemble.startAll();
    const paths = Array.from({ length: this.options.keys }, (_, i) => `/key-${i}`);
    const workload = { ports: ensemble.members.map(({ ports }) => ports.client), paths, pauseMs: PAUSE_MS };
    const sessions = Array.from(
      { length: this.options.sessions },
      (_, i) =>
        new RecordingSession(`s${i}`, workload, this.recorder, new SeededRandom(this.options.seed + 1000 * (i + 1))),
    );
    const running = Promise.all(sessions.map((session) => session.run()));
    try {
      await this.untilMoreWrites(stage);
      const deadline = performance.now() + this.options.seconds * 1000;
      while (performance.now() < deadline) await this.strikeOnce(stage);
    } finally {
      for (const session of sessions) session.stop();
      await running;
    }
    await this.recover(stage);
    await this.verify(ensemble, paths);
    const expired = sessions.reduce((sum, session) => sum + session.expired, 0);
    this.progress(`${expired} sessions expired while they were away`);
  }

  private async strikeOnce(stage: Stage): Promise<void> {
    const fault = this.draw(stage);
    this.struck.set(fault.name, (this.struck.get(fault.name) ?? 0) + 1);
    const { acknowledged } = this.recorder;
    await fault.strike(stage);
    const during = this.recorder.acknowledged - acknowledged;
    const startedMs = performance.now();
    await this.untilMoreWrites(stage);
    const tookMs = performance.now() - startedMs;
    const moment = new Date().toISOString().slice(11, 23);
    this.progress(
      `${moment} ${fault.name}: ${during} writes acknowledged meanwhile, ${tookMs.toFixed(0)} ms until more`,
    );
  }

  private draw(stage: Stage): Fault {
    const possible = faults.filter(
      ({ name, isPossible }) => name.includes(this.options.only) && (isPossible === undefined || isPossible(stage)),
    );
    const drawn = possible.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
    return this.random.pick(drawn);
  }

  /** P1: with everything healed the ensemble finds a leader and goes on. */
  private async untilMoreWrites(stage: Stage): Promise<void> {
    const before = this.recorder.acknowledged;
    try {
      await until(
        "writes to go on",
        async () => {
          await this.restartEnded(stage);
          return this.recorder.acknowledged >= before + WRITES_BETWEEN;
        },
        RECOVERY_MS_MAX,
      );
    } catch (error) {
      const logs = stage.ensemble.running.map((member) => `${member.name}: ${member.logTail(2500)}`);
      throw new Error(`${error}\n${logs.join("\n")}`, { cause: error });
    }
  }

  /** A server that ended though nobody killed it is started again; of ours it is a fault. */
  private async restartEnded({ ensemble }: Stage): Promise<void> {
    for (const member of ensemble.running) {
      const how = member.endedWith;
      if (how === undefined) continue;
      this.restartedAfterEnd += 1;
      const told = `${member.name} ended with ${how}. ${member.logTail(1500)}`;
      if (member.kind === "watchkeeper") this.faultsFound.push(told);
      else this.progress(told);
      await member.kill();
      await member.start();
    }
  }

  private async recover(stage: Stage): Promise<void> {
    const { ensemble, links } = stage;
    links.heal();
    for (const member of ensemble.running) member.resume();
    await this.restartEnded(stage);
    await ensemble.untilAllServe(RECOVERY_MS_MAX);
    await ensemble.untilInStep(RECOVERY_MS_MAX);
  }

  /** Among Watchkeeper's own servers nobody is ever sent a history with a hole, not even once. */
  private lookForGaps({ members }: Ensemble): void {
    const told = members
      .filter((member) => GAPS_SAID.some((said) => member.hasEverLogged(said)))
      .map(({ name }) => name);
    if (told.length === 0) return;
    const sentence = `${told.join(", ")} was offered a history with a hole`;
    if (members.every(({ kind }) => kind === "watchkeeper")) this.faultsFound.push(sentence);
    else this.progress(sentence);
  }

  private async verify(ensemble: Ensemble, paths: readonly string[]): Promise<void> {
    // Every server has been given other ports for the others, and shows that in its configuration.
    this.faultsFound.push(...(await disagreements(ensemble, ["/zookeeper/config"])));
    this.lookForGaps(ensemble);
    for (const member of ensemble.members)
      this.recorder.finals.push({ server: member.name, nodes: await finalNodes(member, paths) });
    const startedMs = performance.now();
    const violations = checkHistory(this.recorder.history);
    this.progress(`the history was checked in ${(performance.now() - startedMs).toFixed(0)} ms`);
    this.faultsFound.push(...this.recorder.oddities.slice(0, VIOLATIONS_MAX));
    this.faultsFound.push(...violations.slice(0, VIOLATIONS_MAX).map(({ rule, detail }) => `${rule}: ${detail}`));
    if (violations.length > VIOLATIONS_MAX)
      this.faultsFound.push(`and ${violations.length - VIOLATIONS_MAX} more violations`);
  }
}

/** What Watchkeeper says of a history with a hole; it tries again, and all may look well in the end. */
const GAPS_SAID = ["that is not the next txn", "this leader's history has nothing between"];

async function finalNodes(member: Member, paths: readonly string[]): Promise<ReadonlyMap<string, Observed>> {
  const client = await RawClient.open({ port: member.ports.client });
  await succeed(client, SYNC, new JuteWriter().text("/").done());
  const nodes = new Map<string, Observed>();
  for (const path of paths) {
    const reply = await client.request(opcode.getData, readBody(path));
    if (reply.err === 0) nodes.set(path, readNode(new JuteReader(reply.body)));
  }
  await client.close();
  return nodes;
}
