import { ByteWriter, createRequest, getDataRequest } from "@watchkeeper/wire";
import { checkHistory } from "../../../../test/checkers/check-history.js";
import type { FinalState, Observed } from "../../../../test/checkers/history.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { NO_NODE, ROOT } from "../../src/tree/index.js";
import { createBody } from "../replica/requests.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { EnsembleWorld, type WorldOptions } from "./ensemble-world.js";
import { nodeOf, RecordedSession } from "./recorded-session.js";
import { Trouble } from "./trouble.js";

/** Enough of them that the checker, which must guess what became of writes that were not answered, has few to guess on each. */
const PATHS = [..."abcdefghijkl"].map((name) => `/${name}`);
const SESSIONS = 4;
const TROUBLE_MS = 40_000;
const HEALING_MS_MAX = 60_000;

/**
 * One run by a seed: clients at work, servers in trouble of every kind, then all of it is made whole again. What must
 * hold meanwhile is seen to by the world's witness; what must hold of the clients' history, by its checker;
 * and in the end all must go on, and all servers be alike.
 */
export class RandomRun {
  readonly world: EnsembleWorld;
  readonly trouble: Trouble;
  readonly sessions: RecordedSession[];
  readonly wrong: string[] = [];

  constructor(options: WorldOptions, seed: number) {
    this.world = new EnsembleWorld({ ...options, seed });
    this.trouble = new Trouble(this.world, new SeededRandom(seed ^ 0x5eed));
    this.sessions = Array.from(
      { length: SESSIONS },
      (_, i) => new RecordedSession(this.world, new SeededRandom(seed * 31 + i), `s${i}`, PATHS),
    );
  }

  /** @returns what was wrong */
  async go(): Promise<string[]> {
    const { world, trouble, sessions } = this;
    try {
      for (const server of world.servers) server.start();
      for (const session of sessions) session.start();
      trouble.start();
      for (let left = TROUBLE_MS; left > 0; left -= 5000) {
        await world.pass(5000);
        world.witness.lookAtEpochs(world.servers);
        this.restartTheFailed();
      }
      trouble.end();
      await this.untilHealed();
      await this.compare();
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
      if (!/planned failure/.test(String(server.failure))) this.wrong.push(`server ${server.sid}: ${server.failure}`);
      server.start();
    }
  }

  /** P1: with everything whole again, a leader within a bound, and every session has a write acknowledged. */
  private async untilHealed(): Promise<void> {
    const { world, sessions } = this;
    const look = () => {
      this.restartTheFailed();
      return world.isSettled && world.servers.every(({ isServing }) => isServing);
    };
    await world.until(look, "every server serving", HEALING_MS_MAX);
    const before = sessions.map(({ acknowledged }) => acknowledged);
    const all = () => sessions.every(({ acknowledged }, i) => acknowledged > before[i]!);
    await world.until(all, "a write of every session acknowledged", HEALING_MS_MAX);
    for (const session of sessions) session.stop();
    await world.until(() => sessions.every(({ isIdle }) => isIdle), "the last answers", HEALING_MS_MAX);
    await world.untilAllServe(HEALING_MS_MAX);
    world.witness.lookAtEpochs(world.servers);
  }

  private async compare(): Promise<void> {
    const { world, sessions } = this;
    const finals: FinalState[] = [];
    const serving = world.servers.filter((server) => world.options.leaderServes || !server.isLeading);
    for (const server of serving)
      finals.push({ server: `server ${server.sid}`, nodes: await nodesInOneEpoch(world, server) });
    await world.untilAllServe();
    const images = world.servers.map((server) => [...treeOf(server), ...sessionsOf(server)].sort().join("\n"));
    for (const [i, image] of images.entries())
      if (image !== images[0]) this.wrong.push(`server ${i + 1} differs from server 1 in tree or sessions`);
    for (const server of world.servers) this.wrong.push(...orphansOf(server), ...misunderstandingsOf(server));
    this.wrong.push(...sessions.flatMap(({ surprises }) => surprises));
    const history = {
      operations: sessions.flatMap(({ operations }) => operations),
      events: sessions.flatMap(({ events }) => events),
      finals,
    };
    this.wrong.push(...checkHistory(history).map(({ rule, detail }) => `${rule}: ${detail}`));
  }
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

/** Data and stat of every node, but for the configuration, which each server writes for itself. */
function treeOf({ replica: { tree } }: EnsembleServer): string[] {
  const lines: string[] = [];
  for (let node = ROOT; node !== NO_NODE; node = tree.nodeAfter(node)) {
    const path = new ByteWriter();
    tree.writePath(node, path);
    const name = Buffer.from(path.view()).toString();
    const start = tree.replyStart(node);
    const reply = tree.cellBytesOf(node).subarray(start, start + tree.replyBytes(node));
    if (name !== "/zookeeper/config") lines.push(`${name} ${Buffer.from(reply).toString("hex")}`);
  }
  return lines;
}

function sessionsOf({ replica }: EnsembleServer): string[] {
  return [...replica.sessions.all()]
    .map(({ key, createdTimeoutMs }) => `${key.toString(16)} ${createdTimeoutMs}`)
    .sort();
}

/** S24: what one of these servers says to another has its place; who hears otherwise says so, and tries again. */
function misunderstandingsOf({ sid, lines }: EnsembleServer): string[] {
  const said = lines.lines.map(({ facts, sentence }) => `${sentence} ${JSON.stringify(facts)}`);
  return said.filter((line) => MISUNDERSTOOD.test(line)).map((line) => `server ${sid}: ${line}`);
}

const MISUNDERSTOOD =
  /not the next txn|oldest pending|no proposal is pending|has nothing between|no quorum packet|makes? no sense|in place of|a second time/;

/** S20: ephemeral nodes of sessions that are gone. */
function orphansOf({ sid, replica }: EnsembleServer): string[] {
  const orphans = [...replica.tree.ephemerals.keys()].filter((key) => replica.sessions.get(key) === undefined);
  return orphans.map((key) => `server ${sid} has ephemeral nodes of session ${key.toString(16)}, which is gone`);
}
