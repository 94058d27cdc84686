/**
 * A whole run: two servers, a seed, so many operations. Sessions come and go, connections are cut and
 * taken up again, and between them the generator's bursts are sent; whatever the two servers answer
 * differently is looked up in the table of known differences.
 */
import * as wire from "@watchkeeper/wire";
import type { ServerProcess } from "../support/server-process.js";
import { describeDifference, type Difference } from "./difference.js";
import { type KnownDifference, knownDifferences } from "./known-differences.js";
import { type Handshake, Lockstep, plainHandshake } from "./lockstep.js";
import { makeRequest, type Request } from "./request.js";
import { type GeneratorOptions, RequestGenerator } from "./request-generator.js";
import { SeededRandom } from "./seeded-random.js";

const { OP } = wire;

/** Connections that take turns at random, and one behind them that only puts things right. */
const clientCount = 5;
const caretaker = clientCount;

const unexplainedMax = 20;

export class Comparison {
  readonly lockstep: Lockstep;
  readonly met = new Map<string, number>();
  readonly unexplained: string[] = [];
  operations = 0;
  readonly requestsByOpcode = new Map<number, number>();
  private readonly random: SeededRandom;
  private readonly generator: RequestGenerator;
  private readonly pending: { readonly known: KnownDifference; readonly difference: Difference }[] = [];
  private zxid = 0n;

  constructor(apache: ServerProcess, watchkeeper: ServerProcess, seed: number, options: GeneratorOptions) {
    this.random = new SeededRandom(seed);
    this.generator = new RequestGenerator(this.random, options);
    this.lockstep = new Lockstep(apache, watchkeeper, (difference) => this.onDifference(difference));
  }

  get hasFailed(): boolean {
    return this.unexplained.length >= unexplainedMax;
  }

  /** Both servers in the same state, a session for the caretaker. */
  async begin(): Promise<void> {
    await this.lockstep.connect(caretaker);
    await this.lockstep.alignZxids(caretaker);
  }

  async runRandom(operationsWanted: number): Promise<void> {
    while (this.operations < operationsWanted && !this.hasFailed) {
      const client = this.random.below(clientCount);
      if (!this.lockstep.isConnected(client)) await this.connectSomehow(client);
      else if (this.random.chance(0.01)) await this.lockstep.drop(client);
      else await this.burst(client, this.generator.burst(client, this.zxid));
    }
  }

  private async burst(client: number, requests: readonly Request[]): Promise<void> {
    const { lockstep } = this;
    const { items, isClosed } = await lockstep.step(client, requests);
    this.operations += requests.length;
    for (const { opcode } of requests) this.requestsByOpcode.set(opcode, (this.requestsByOpcode.get(opcode) ?? 0) + 1);
    this.generator.known.learn(requests, items);
    await this.putRight();
    if (isClosed && requests.some((one) => one.opcode === OP.closeSession)) lockstep.forget(client);
    this.zxid = await lockstep.zxid(caretaker);
  }

  /** After documented differences: the state in which the rest can be compared again. */
  private async putRight(): Promise<void> {
    const pending = this.pending.splice(0);
    for (const { known, difference } of pending) {
      if (known.after === "alignZxids") await this.lockstep.alignZxids(caretaker);
      if (known.after === "reattach") {
        await this.lockstep.drop(difference.client);
        await this.lockstep.connect(difference.client);
      }
      if (known.after === "removeWatches" && difference.aspect === "reply" && difference.request !== undefined) {
        const path = difference.request.values["path"];
        await this.lockstep.settle(difference.client, [makeRequest(1, OP.removeWatches, { path, type: wire.WATCH_TYPE.any })]);
      }
    }
  }

  /** A new session or the old one again, now and then in a way that is refused. */
  private async connectSomehow(client: number): Promise<void> {
    const { random } = this;
    const handshake = random.weighted<Handshake>([
      [60, plainHandshake],
      [8, { ...plainHandshake, lastZxidSeen: this.zxid }],
      [4, { ...plainHandshake, lastZxidSeen: this.zxid + 1_000_000n }],
      [8, { ...plainHandshake, withReadOnlyFlag: false }],
      [6, { ...plainHandshake, timeoutMs: random.pick([0, -1, 2 ** 31 - 1, 90_000]) }],
      [4, { ...plainHandshake, password: random.pick(["wrong", "empty", "long", "none"]) }],
      [4, { ...plainHandshake, foreignSession: 0x0123456789abcdefn }],
    ]);
    const isConnected = await this.lockstep.connect(client, handshake);
    if (isConnected && handshake.timeoutMs < 60_000) {
      await this.lockstep.drop(client);
      await this.lockstep.connect(client);
    }
  }

  private onDifference(difference: Difference): void {
    const known = knownDifferences.find((one) => one.explains(difference));
    if (known === undefined) {
      if (this.unexplained.length < unexplainedMax) this.unexplained.push(describeDifference(difference));
      return;
    }
    this.met.set(known.id, (this.met.get(known.id) ?? 0) + 1);
    if (known.after !== undefined) this.pending.push({ known, difference });
  }
}
