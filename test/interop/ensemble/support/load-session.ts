/**
 * A session that writes, one write after the other, while servers come and go: a counter of its own,
 * nodes that it creates and deletes again, and an ephemeral node that must live as long as it does. It
 * keeps a ledger of what was acknowledged and what may or may not have happened.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, connect, ZkError } from "@watchkeeper/client";
import { Ledger } from "./ledger.js";

const SESSION_MS = 10_000;
const CREATE_EVERY = 10;
const DELETE_EVERY = 25;
/** So long a new attempt waits after one that failed with nobody there. */
const RETRY_MS = 10;

export class LoadSession {
  readonly ledger = new Ledger();
  readonly client: Client;
  /** How often it lost its connection. */
  cuts = 0;
  /** The session was ended by the servers. */
  isLost = false;
  private readonly root: string;
  private readonly pauseMs: number;
  private readonly created: string[] = [];
  private count = 0;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  private constructor(client: Client, root: string, pauseMs: number) {
    this.client = client;
    this.root = root;
    this.pauseMs = pauseMs;
    client.onState((state) => {
      if (state === "suspended") this.cuts += 1;
      if (state === "lost") this.isLost = true;
    });
  }

  /** `parent` must exist. A pause between two writes of one session bounds the load. */
  static async start(connectString: string, parent: string, id: number, pauseMs = 0): Promise<LoadSession> {
    const client = await connect(connectString, { sessionTimeoutMs: SESSION_MS, reconnectDelayMsMax: 50 });
    const session = new LoadSession(client, `${parent}/${id}`, pauseMs);
    await client.create(session.root, "0");
    await client.create(session.ephemeral, `${client.sessionId}`, { mode: "ephemeral" });
    session.running = session.run();
    return session;
  }

  get ephemeral(): string {
    return `${this.root}-alive`;
  }

  /** Resolves when the write on its way is answered or lost. The session stays open. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped && !this.isLost) {
      this.count += 1;
      if (this.count % DELETE_EVERY === 0) await this.deleteOldest();
      else if (this.count % CREATE_EVERY === 0) await this.createNext();
      else await this.attempt(this.root, `${this.count}`, () => this.client.setData(this.root, `${this.count}`));
      if (this.pauseMs > 0) await sleep(this.pauseMs);
    }
  }

  private async createNext(): Promise<void> {
    const path = `${this.root}/${this.count}`;
    this.created.push(path);
    await this.attempt(path, `${this.count}`, () => this.client.create(path, `${this.count}`));
  }

  private async deleteOldest(): Promise<void> {
    const path = this.created.shift();
    if (path !== undefined) await this.attempt(path, undefined, () => this.client.delete(path));
  }

  private async attempt(path: string, state: string | undefined, write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
      this.ledger.wrote(path, state);
    } catch (error) {
      if (!(error instanceof ZkError)) throw error;
      if (error.outcome === "unknown") this.ledger.mayHaveWritten(path, state);
      else if (error.code === "NO_NODE" && state === undefined) this.ledger.wrote(path, undefined);
      else if (error.code === "CONNECTION_LOSS") await sleep(RETRY_MS);
      else if (error.code !== "SESSION_EXPIRED") throw error;
    }
  }
}

/** Starts several at once. */
export async function startLoad(
  connectString: string,
  parent: string,
  sessions: number,
  pauseMs = 0,
): Promise<LoadSession[]> {
  const client = await connect(connectString, { sessionTimeoutMs: SESSION_MS });
  await client.create(parent);
  await client.close();
  return Promise.all(
    Array.from({ length: sessions }, (_, id) => LoadSession.start(connectString, parent, id, pauseMs)),
  );
}

export function acknowledgedBy(load: readonly LoadSession[]): number {
  return load.reduce((sum, session) => sum + session.ledger.acknowledged, 0);
}
