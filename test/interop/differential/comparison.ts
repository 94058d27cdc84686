/**
 * A whole run: two servers, a seed, so many operations. Sessions come and go, connections are cut and
 * taken up again, and between them the generator's bursts are sent; whatever the two servers answer
 * differently is looked up in the table of known differences.
 */
import * as wire from "@watchkeeper/wire";
import { SeededRandom } from "../../support/seeded-random.js";
import type { ServerProcess } from "../support/server-process.js";
import { type Difference, describeDifference } from "./difference.js";
import { type KnownDifference, knownDifferences } from "./known-differences.js";
import { type Handshake, Lockstep, plainHandshake } from "./lockstep.js";
import { lastDigest, readNodes } from "./one-server.js";
import { probes, quotaProbes, runProbes } from "./probes.js";
import { makeRequest, type Request } from "./request.js";
import { type GeneratorOptions, RequestGenerator } from "./request-generator.js";
import { childOf, openAcl } from "./request-values.js";
import { treeDigest } from "./tree-digest.js";

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
  /** How often Apache's server answered with each error code. */
  readonly errors = new Map<number, number>();
  private readonly random: SeededRandom;
  private readonly generator: RequestGenerator;
  private readonly pending: { readonly known: KnownDifference; readonly difference: Difference }[] = [];
  private readonly options: GeneratorOptions;
  private paths: readonly string[] = [];
  private zxid = 0n;

  constructor(apache: ServerProcess, watchkeeper: ServerProcess, seed: number, options: GeneratorOptions) {
    this.options = options;
    this.random = new SeededRandom(seed);
    this.generator = new RequestGenerator(this.random, options);
    this.lockstep = new Lockstep(apache, watchkeeper, (difference) => this.onDifference(difference));
  }

  get hasFailed(): boolean {
    return this.unexplained.length >= unexplainedMax;
  }

  /** The differences since the last report that the table does not explain, for a person to read. */
  report(): string {
    return this.unexplained.splice(0).join("\n\n");
  }

  /** Both servers in the same state, a session for the caretaker, who may do everything. */
  async begin(): Promise<void> {
    const superuser = { type: 0, scheme: "digest", auth: wire.encodeText("super:pw") };
    await this.lockstep.connect(caretaker);
    await this.lockstep.alignZxids(caretaker);
    await this.lockstep.step(caretaker, [makeRequest(wire.XID.auth, OP.auth, superuser)]);
  }

  async runRandom(operationsWanted: number): Promise<void> {
    while (this.operations < operationsWanted && !this.hasFailed) {
      const client = this.random.below(clientCount);
      if (!this.lockstep.isConnected(client)) await this.connectSomehow(client);
      else if (this.random.chance(0.01)) await this.lockstep.drop(client);
      else if (this.random.chance(0.005)) await this.lockstep.takeOver(client);
      else await this.burst(client, this.generator.burst(client, this.zxid));
    }
  }

  private async burst(client: number, requests: readonly Request[]): Promise<void> {
    const { lockstep } = this;
    const { items, isClosed } = await lockstep.step(client, requests);
    this.operations += requests.length;
    for (const item of items)
      if (item.kind === "reply") this.errors.set(item.err, (this.errors.get(item.err) ?? 0) + 1);
    this.generator.known.learn(requests, items);
    await this.putRight();
    if (isClosed && requests.some((one) => one.opcode === OP.closeSession)) lockstep.forget(client);
    this.zxid = await lockstep.zxid(caretaker);
  }

  /** A session that is not heard of again, and what its end tells the others. */
  async expireSession(): Promise<void> {
    const { lockstep } = this;
    const client = clientCount + 1;
    await this.reopen();
    lockstep.forget(client);
    await lockstep.connect(client, { ...plainHandshake, timeoutMs: 1 });
    await this.burst(client, this.generator.ephemeralNodes());
    await lockstep.drop(client);
    const zxid = await lockstep.zxid(caretaker);
    await lockstep.untilZxid(caretaker, zxid + 1n);
    await lockstep.step(caretaker, []);
  }

  /** What everybody needs is opened again: one setACL of the root would refuse most of what comes after. */
  async reopen(): Promise<void> {
    const requests = ["/", "/zookeeper", "/zookeeper/quota"].map((path) =>
      makeRequest(1, OP.setACL, { path, acl: openAcl, version: -1 }),
    );
    await this.lockstep.step(caretaker, requests);
  }

  async runProbes(): Promise<void> {
    await this.reopen();
    for (let client = 0; client < clientCount; client++) await this.lockstep.drop(client);
    await runProbes(this.lockstep, caretaker, this.options.withQuotas ? quotaProbes : probes);
  }

  /** Every node of both trees: data, Stat, ACL and children. Returns how many there are. */
  async compareTrees(): Promise<number> {
    const { lockstep } = this;
    const paths = ["/"];
    for (let next = 0; next < paths.length; next++) {
      const path = paths[next]!;
      const { items } = await lockstep.step(caretaker, [
        makeRequest(1, OP.getChildren2, { path, watch: false }),
        makeRequest(2, OP.getData, { path, watch: false }),
        makeRequest(3, OP.getACL, { path }),
      ]);
      const children = items[0]?.kind === "reply" ? (items[0].body as { readonly children: string[] }).children : [];
      paths.push(...children.map((name) => childOf(path, name)));
    }
    this.paths = paths;
    return paths.length;
  }

  /** For each server the digest that it has and the one that its tree should have. */
  async digests(): Promise<{ readonly told: readonly bigint[]; readonly computed: readonly bigint[] }> {
    const { lockstep } = this;
    const zxid = await lockstep.zxid(caretaker);
    // Servers note the digest at every zxid that 128 divides.
    const missing = Number((128n - (zxid % 128n)) % 128n);
    const failing = makeRequest(1, OP.delete, { path: "/no-such-node", version: -1 });
    await lockstep.step(
      caretaker,
      Array.from({ length: missing }, () => failing),
    );
    const told = await lockstep.onBoth((side) => lastDigest(side.port));
    const computed = await lockstep.onBoth(async (side) => treeDigest(await readNodes(side, caretaker, this.paths)));
    return { told, computed };
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
        await this.lockstep.settle(difference.client, [
          makeRequest(1, OP.removeWatches, { path, type: wire.WATCH_TYPE.any }),
        ]);
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
      [8, { ...plainHandshake, flag: "none" }],
      [8, { ...plainHandshake, flag: "readOnly" }],
      [4, { ...plainHandshake, protocolVersion: random.pick([1, -1, 2 ** 31 - 1]) }],
      [4, { ...plainHandshake, extraBytes: 1 + random.below(9) }],
      [4, { ...plainHandshake, lastZxidSeen: -5n }],
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
