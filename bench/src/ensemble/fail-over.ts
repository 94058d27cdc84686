import { BulkSession } from "../load/bulk-session.js";
import { frames, nodeData } from "../load/request-frames.js";
import type { Target } from "../load/server-connection.js";
import type { ServerKind } from "../servers/server-kind.js";
import { EnsembleHome } from "./ensemble-home.js";
import { WriteProbe } from "./write-probe.js";

const PATH = "/fail-over";
const NODE_EXISTS = -110;

export interface FailOverPlan {
  readonly servers: number;
  readonly trials: number;
  /** Sessions that write as fast as they are answered, spread over all servers. */
  readonly sessions: number;
}

/** Kills the leader again and again under load; how long the next write of a survivor's client took each time. */
export async function* failOvers(kind: ServerKind, plan: FailOverPlan): AsyncIterable<number> {
  const home = await EnsembleHome.start(kind, plan.servers);
  try {
    await prepare(home.servers[0]!.target);
    for (let trial = 0; trial < plan.trials; trial++) {
      yield await failOverOnce(home, plan);
      await home.untilAllServe();
    }
  } finally {
    home.remove();
  }
}

async function failOverOnce(home: EnsembleHome, plan: FailOverPlan): Promise<number> {
  const leader = await home.leader();
  const survivors = home.servers.filter((server) => server !== leader).map(({ target }) => target);
  const probe = new WriteProbe(PATH);
  await probe.nextWriteMs(survivors);
  const load = new Load(
    home.servers.map(({ target }) => target),
    plan.sessions,
  );
  await load.untilBusy();
  leader.kill();
  const tookMs = await probe.nextWriteMs(survivors);
  probe.close();
  await load.stop();
  leader.start();
  return tookMs;
}

async function prepare(target: Target): Promise<void> {
  const session = await BulkSession.open(target);
  const { error } = await session.ask(frames.create(PATH, nodeData(100), 0));
  await session.close();
  if (error !== 0 && error !== NODE_EXISTS) throw new Error(`${PATH} could not be created: error ${error}`);
}

const BUSY_WRITES = 500;
const AGAIN_MS = 20;

/** Sessions that go on at another server when theirs is lost. */
class Load {
  private written = 0;
  private isStopped = false;
  private readonly running: Promise<unknown>;

  constructor(targets: readonly Target[], sessions: number) {
    this.running = Promise.all(Array.from({ length: sessions }, (_, i) => this.run(targets, i)));
  }

  async untilBusy(): Promise<void> {
    while (this.written < BUSY_WRITES) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.running;
  }

  private async run(targets: readonly Target[], first: number): Promise<void> {
    const frame = frames.setData(PATH, nodeData(100));
    for (let at = first; !this.isStopped; at++) {
      try {
        const session = await BulkSession.open(targets[at % targets.length]!, 1000);
        while (!this.isStopped) {
          await session.ask(frame);
          this.written += 1;
        }
        await session.close();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }
}
