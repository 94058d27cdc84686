import { createRequest, getDataRequest } from "@watchkeeper/wire";
import { checkHistory } from "../../../../test/checkers/check-history.js";
import type { FinalState, Observed } from "../../../../test/checkers/history.js";
import type { Random } from "../../src/ports/index.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { createBody } from "../replica/requests.js";
import { CrowdedSession, LATE } from "./crowded-session.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { EnsembleWorld, type WorldOptions } from "./ensemble-world.js";
import { nodeOf, RecordedSession } from "./recorded-session.js";
import { imageDifference, serverImage } from "./server-image.js";
import { Trouble } from "./trouble.js";

/** Enough of them that the checker, which must guess what became of writes that were not answered, has few to guess on each. */
const PATHS = [..."abcdefghijkl"].map((name) => `/${name}`);
const SESSIONS = 4;
const CROWD = 3;
const TROUBLE_MS = 40_000;
const HEALING_MS_MAX = 60_000;

/**
 * One run by a seed: clients at work, servers in trouble of every kind, then all of it is made whole again. What must
 * hold meanwhile is seen to by the world's witness; what must hold of the clients' history, by its checker;
 * and in the end all must go on, and all servers be alike, and be what their disks alone make of them.
 */
export class RandomRun {
  readonly world: EnsembleWorld;
  readonly trouble: Trouble;
  readonly sessions: RecordedSession[];
  readonly crowd: CrowdedSession[];
  readonly wrong: string[] = [];

  constructor(options: WorldOptions, seed: number) {
    this.world = new EnsembleWorld({ ...options, seed, ...drawn(options, new SeededRandom(seed * 17)) });
    this.trouble = new Trouble(this.world, new SeededRandom(seed ^ 0x5eed));
    this.sessions = Array.from(
      { length: SESSIONS },
      (_, i) => new RecordedSession(this.world, new SeededRandom(seed * 31 + i), `s${i}`, PATHS),
    );
    const queued = new Set<string>();
    this.crowd = Array.from(
      { length: CROWD },
      (_, i) => new CrowdedSession(this.world, new SeededRandom(seed * 37 + i), queued),
    );
  }

  /** @returns what was wrong */
  async go(): Promise<string[]> {
    const { world, trouble, sessions, crowd } = this;
    try {
      for (const server of world.servers) server.start();
      for (const session of [...sessions, ...crowd]) session.start();
      trouble.start();
      for (let left = TROUBLE_MS; left > 0; left -= 5000) {
        await world.pass(5000);
        world.witness.lookAtEpochs(world.servers);
        this.restartTheFailed();
      }
      trouble.end();
      await this.untilHealed();
      await this.compare();
      await this.compareWithDisks();
    } catch (error) {
      this.wrong.push(String(error));
    }
    return [...this.wrong, ...world.witness.violations];
  }

  /** For whoever looks into a failure. */
  get end(): string {
    return `${this.world.describe()}\n${this.trouble.told.slice(-12).join("\n")}`;
  }

  /** What all servers have said. */
  get lines(): string {
    return this.world.servers
      .flatMap(({ sid, lines }) =>
        lines.lines.map(({ atMs, facts, sentence }) => `${atMs} ${sid}: ${sentence} ${JSON.stringify(facts)}`),
      )
      .sort()
      .join("\n");
  }

  /** A disk that failed ended its server, and nothing else may have. */
  private restartTheFailed(): void {
    for (const server of this.world.servers) {
      if (server.failure === undefined || server.isRunning) continue;
      if (!/planned failure|no space left/.test(String(server.failure)))
        this.wrong.push(`server ${server.sid}: ${server.failure}`);
      server.start();
    }
  }

  /** P1: with everything whole again, a leader within a bound, and every session has a write acknowledged. */
  private async untilHealed(): Promise<void> {
    const { world, sessions, crowd } = this;
    const look = () => {
      this.restartTheFailed();
      return world.isSettled && world.servers.every(({ isServing }) => isServing);
    };
    await world.until(look, "every server serving", HEALING_MS_MAX);
    const before = sessions.map(({ acknowledged }) => acknowledged);
    const all = () => sessions.every(({ acknowledged }, i) => acknowledged > before[i]!);
    await world.until(all, "a write of every session acknowledged", HEALING_MS_MAX);
    for (const session of [...sessions, ...crowd]) session.stop();
    await world.until(() => sessions.every(({ isIdle }) => isIdle), "the last answers", HEALING_MS_MAX);
    await world.untilAllServe(HEALING_MS_MAX);
    world.witness.lookAtEpochs(world.servers);
  }

  private async compare(): Promise<void> {
    const { world, sessions, crowd } = this;
    const finals: FinalState[] = [];
    const serving = world.servers.filter((server) => world.options.leaderServes || !server.isLeading);
    for (const server of serving)
      finals.push({ server: `server ${server.sid}`, nodes: await nodesInOneEpoch(world, server) });
    await world.untilAllServe();
    const images = world.servers.map(({ replica }) => serverImage(replica));
    for (const [i, image] of images.entries()) this.requireAlike(`server ${i + 1}`, image, images[0]!);
    const image = images[0]!.join("\n");
    for (const path of crowd.flatMap((session) => keptBy(session, world.servers[0]!)))
      if (!image.includes(`\n${path} `)) this.wrong.push(`${path} is gone, and its session lives`);
    if (image.includes(`\n${LATE}`)) this.wrong.push("a write of a session that had closed itself was carried out");
    this.wrong.push(...crowd.flatMap(({ broken }) => broken));
    for (const server of world.servers) this.wrong.push(...orphansOf(server), ...misunderstandingsOf(server));
    this.wrong.push(...sessions.flatMap(({ surprises }) => surprises));
    const history = {
      operations: sessions.flatMap(({ operations }) => operations),
      events: sessions.flatMap(({ events }) => events),
      finals,
    };
    this.wrong.push(...checkHistory(history).map(({ rule, detail }) => `${rule}: ${detail}`));
  }

  /** All lose their power at once; who starts again without a word from anybody has all that it had. */
  private async compareWithDisks(): Promise<void> {
    const { world } = this;
    const servers = world.servers.filter(({ writesHistory }) => writesHistory);
    await world.untilAllServe();
    const images = servers.map(({ replica }) => serverImage(replica));
    for (const server of world.servers) server.crash();
    for (const server of servers) server.startAlone();
    await world.until(() => servers.every(({ process }) => process?.state !== undefined), "every disk loaded");
    for (const [i, server] of servers.entries())
      this.requireAlike(`the disk of server ${server.sid}`, serverImage(server.replica), images[i]!);
  }

  private requireAlike(whose: string, image: readonly string[], expected: readonly string[]): void {
    const difference = imageDifference(expected, image);
    if (difference.length > 0) this.wrong.push(`${whose} differs in tree or sessions:\n${difference.join("\n")}`);
  }
}

/**
 * Half of the runs have fuzzy snapshots: in small slices, each sent when the one before was taken, and between slices on their
 * way to a disk much happens. Of these half send a snapshot to whoever comes.
 */
function drawn({ server }: WorldOptions, random: Random): Partial<WorldOptions> {
  if (random.below(2) === 0) return { server: { sweepIntervalMs: 2000, ...server } };
  const fuzzy = {
    snapshotSliceBytes: 150 + random.below(1000),
    snapshotPauseMsMax: 1 + random.below(60),
    alwaysSendsSnapshot: random.below(2) === 0,
  };
  return { windowBytes: 300 + random.below(2000), server: { sweepIntervalMs: 2000, ...fuzzy, ...server } };
}

function keptBy({ kept }: CrowdedSession, { replica }: EnsembleServer): string[] {
  return [...kept].filter(([key]) => replica.sessions.get(key) !== undefined).map(([, path]) => path);
}

/** To look writes, too, and where an epoch has few zxids that may end it: then it is looked again in the next one. */
async function nodesInOneEpoch(world: EnsembleWorld, server: EnsembleServer): Promise<Map<string, Observed>> {
  const { epoch } = server;
  try {
    return await nodesOf(world, server);
  } catch (error) {
    await world.untilAllServe();
    if (server.epoch === epoch) throw error;
    return await nodesInOneEpoch(world, server);
  }
}

async function nodesOf(world: EnsembleWorld, server: EnsembleServer): Promise<Map<string, Observed>> {
  const nodes = new Map<string, Observed>();
  const client = await world.clientOf(server);
  await client.call("create", createRequest, createBody(`/seen-by-${server.sid}`, { flags: 1 }));
  for (const path of PATHS) {
    const { err, body } = await client.call("getData", getDataRequest, { path, watch: false });
    if (err === 0) nodes.set(path, nodeOf(body));
  }
  return nodes;
}

/** S24: what one of these servers says to another has its place; who hears otherwise says so, and tries again. */
function misunderstandingsOf({ sid, lines }: EnsembleServer): string[] {
  const said = lines.lines.map(({ facts, sentence }) => `${sentence} ${JSON.stringify(facts)}`);
  return said.filter((line) => MISUNDERSTOOD.test(line)).map((line) => `server ${sid}: ${line}`);
}

const MISUNDERSTOOD =
  /not the next txn|Digests are not matching|oldest pending|no proposal is pending|has nothing between|no quorum packet|makes? no sense|in place of|a second time/;

/** S20: ephemeral nodes of sessions that are gone. */
function orphansOf({ sid, replica }: EnsembleServer): string[] {
  const orphans = [...replica.tree.ephemerals.keys()].filter((key) => replica.sessions.get(key) === undefined);
  return orphans.map((key) => `server ${sid} has ephemeral nodes of session ${key.toString(16)}, which is gone`);
}
