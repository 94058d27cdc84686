/**
 * A client that behaves: set, get, compare, at a steady pace, on a node that is its own. It measures
 * what others notice of what is done to the server.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { authBody, createBody, JuteReader, opcode, readBody, setDataBody } from "./jute.js";
import { RawClient, succeed } from "./raw-client.js";

const CREDENTIAL = "control:a-word-nobody-guesses";
const PACE_MS = 10;

export class ControlClient {
  readonly latenciesMs: number[] = [];
  readonly faults: string[] = [];
  private readonly client: RawClient;
  private readonly path: string;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  private constructor(client: RawClient, path: string) {
    this.client = client;
    this.path = path;
  }

  /** Its node is closed to others, and its parent cannot be removed for having a child. */
  static async start(port: number): Promise<ControlClient> {
    const client = await RawClient.open({ port });
    await succeed(client, opcode.auth, authBody("digest", CREDENTIAL)).catch(() => {});
    const acls = [{ perms: 31, scheme: "auth", id: "" }];
    await succeed(client, opcode.create, createBody("/control", Buffer.alloc(0), 0, acls));
    await succeed(client, opcode.create, createBody("/control/node", Buffer.alloc(0), 0, acls));
    const control = new ControlClient(client, "/control/node");
    control.running = control.run();
    return control;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    this.client.destroy();
  }

  latency(share: number): number {
    const sorted = this.latenciesMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  }

  get summary(): string {
    const figures = [0.5, 0.99, 1].map((share) => this.latency(share).toFixed(1));
    return `control client: ${this.latenciesMs.length} set-and-get, p50 ${figures[0]} ms, p99 ${figures[1]} ms, max ${figures[2]} ms`;
  }

  private async run(): Promise<void> {
    for (let i = 0; !this.stopped; i++) {
      try {
        await this.setAndGet(`value ${i}`);
      } catch (error) {
        this.faults.push(`the control client failed: ${error}`);
        return;
      }
      await sleep(PACE_MS);
    }
  }

  private async setAndGet(value: string): Promise<void> {
    const startedMs = performance.now();
    const [set, get] = await Promise.all([
      this.client.request(opcode.setData, setDataBody(this.path, Buffer.from(value))),
      this.client.request(opcode.getData, readBody(this.path)),
    ]);
    this.latenciesMs.push(performance.now() - startedMs);
    if (set.err !== 0 || get.err !== 0) throw new Error(`errors ${set.err} and ${get.err}`);
    const read = new JuteReader(get.body).buffer()?.toString();
    if (read !== value) throw new Error(`${read} was read where ${value} had been written`);
  }
}
