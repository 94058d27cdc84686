import {
  ByteReader,
  createRequest,
  createResponse,
  createTtlRequest,
  deleteRequest,
  type OperationName,
  setAclRequest,
  setDataRequest,
  XID,
} from "@watchkeeper/wire";
import type { Random } from "../../src/ports/index.js";
import {
  bytes,
  change,
  check,
  createBody,
  creation,
  deletion,
  type MultiStep,
  multiBody,
} from "../replica/requests.js";
import type { Frame } from "../support/raw-connection.js";
import { EnsembleClient } from "./ensemble-client.js";
import type { EnsembleServer } from "./ensemble-server.js";
import type { EnsembleWorld } from "./ensemble-world.js";

/**
 * A session that works in a crowd: with others on so few paths that nodes of every kind are made, changed, deleted with
 * all below them and made again, again and again, within the time of a snapshot. It closes, or is left to expire.
 * No model knows what became of each write: whether servers agree about it is what counts, and what a
 * session is promised for itself is looked at (`broken`).
 */
const TOPS = ["/crowd-0", "/crowd-1", "/crowd-2"];
const NAMES = ["x", "y"];
/** Nobody deletes it, so no name below it is ever given twice. */
export const QUEUE = "/queue";
/** What was asked for behind the end of a session. */
export const LATE = "/late-";
const QUIET_MS_MAX = 500;
const ANSWER_MS_MAX = 2500;
const TIMEOUTS_MS = [1000, 2500, 6000];

/** With which nobody is locked out. */
const ACLS = Array.from({ length: 6 }, (_, i) => [
  { perms: 31, id: { scheme: "world", id: "anyone" } },
  ...(i === 0 ? [] : [{ perms: i, id: { scheme: "ip", id: `10.0.0.${i}` } }]),
]);

export class CrowdedSession {
  /** What it was promised and did not get. */
  readonly broken: string[] = [];
  /** Of sessions that were its own: the ephemeral node that it was told of, and deleted nowhere. */
  readonly kept = new Map<bigint, string>();
  private readonly world: EnsembleWorld;
  private readonly random: Random;
  private readonly queued: Set<string>;
  private readonly client: EnsembleClient;
  private readonly waiting = new Map<number, (frame: Frame) => void>();
  private life = 0;
  private connection = 0;
  private isStopped = false;

  /** @param queued the names that were given below `QUEUE`, of all sessions together */
  constructor(world: EnsembleWorld, random: Random, queued: Set<string>) {
    this.world = world;
    this.random = random;
    this.queued = queued;
    this.client = new EnsembleClient(world);
    this.client.onFrame = (frame) => this.onFrame(frame);
    this.client.onOpened = () => this.onOpened();
    this.client.onClosed = () => this.onClosed();
  }

  start(): void {
    this.later(this.random.below(500), () => this.come());
  }

  stop(): void {
    this.isStopped = true;
  }

  private later(ms: number, task: () => void): void {
    this.world.scheduler.after(ms, () => {
      if (!this.isStopped) task();
    });
  }

  private pick<T>(all: readonly T[]): T {
    return all[this.random.below(all.length)]!;
  }

  private come(): void {
    const server: EnsembleServer = this.pick(this.world.servers);
    this.connection += 1;
    const { connection, client } = this;
    client.connect(server, TIMEOUTS_MS[this.life % TIMEOUTS_MS.length]!);
    if (!client.isConnected) this.later(this.random.below(300), () => this.come());
    else this.later(ANSWER_MS_MAX, () => connection === this.connection && !client.isOpen && client.disconnect());
  }

  private onOpened(): void {
    const { sessionId } = this.client;
    const path = `/kept-${sessionId.toString(16)}`;
    this.ask("create", createRequest, createBody(path, { flags: 1 }), ({ err }) => {
      // Made before, and not told: it is there then.
      if (err === 0 || err === -110) this.kept.set(sessionId, path);
    });
    this.ask("create", createRequest, createBody(QUEUE));
    this.later(0, () => this.work());
  }

  private onClosed(): void {
    this.waiting.clear();
    if (this.client.isExpired) this.beginAnew();
    const isAway = this.random.below(6) === 0;
    this.later(isAway ? 2000 + this.random.below(8000) : this.random.below(400), () => this.come());
  }

  private beginAnew(): void {
    this.life += 1;
    this.client.isExpired = false;
    this.client.sessionId = 0n;
    this.client.password = new Uint8Array(16);
    this.client.lastZxid = 0n;
  }

  /** Asks for some things at once, and goes on when all are answered. */
  private work(): void {
    if (!this.client.isOpen || this.waiting.size > 0) return;
    const die = this.random.below(40);
    if (die < 2) {
      if (die === 0) this.client.disconnect();
      else this.close();
      return;
    }
    for (let left = 1 + this.random.below(6); left > 0; left--) this.askSomething();
    const { connection } = this;
    const [first] = this.waiting.keys();
    this.later(ANSWER_MS_MAX, () => {
      if (connection === this.connection && this.waiting.has(first!)) this.client.disconnect();
    });
  }

  /** The session's end, asked for; what is asked for behind it is not done. */
  private close(): void {
    const { client, connection } = this;
    const { sessionId } = client;
    this.kept.delete(sessionId);
    client.send("closeSession");
    client.send("create", createRequest, createBody(`${LATE}${sessionId.toString(16)}`));
    this.beginAnew();
    this.later(ANSWER_MS_MAX, () => connection === this.connection && client.disconnect());
  }

  private askSomething(): void {
    const path = this.drawPath();
    const data = bytes("z".repeat(this.random.below(40)));
    switch (this.random.below(16)) {
      case 0:
      case 1:
      case 2:
        this.create(path, data, 0);
        return;
      case 3:
        this.create(path, data, this.pick([1, 1, 2, 3]));
        return;
      case 4:
        this.ask("createContainer", createRequest, createBody(path, { data, flags: 4 }));
        return;
      case 5: {
        const ttl = BigInt(1 + this.random.below(6000));
        this.ask("createTTL", createTtlRequest, { ...createBody(path, { data, flags: 5 }), ttl });
        return;
      }
      case 6:
      case 7:
      case 8:
        this.ask("delete", deleteRequest, { path, version: -1 });
        return;
      case 9:
      case 10:
        this.ask("setData", setDataRequest, { path, data, version: this.pick([-1, -1, 0, 1]) });
        return;
      case 11:
        this.ask("setACL", setAclRequest, { path, acl: this.pick(ACLS), version: this.pick([-1, -1, 0]) });
        return;
      case 12:
        this.enqueue();
        return;
      case 13:
        this.multi([creation(path), change(path, data), check(path, 1), deletion(path), creation(path)]);
        return;
      case 14:
        this.multi([change(path, data), this.pick([check(path, 7), deletion("/nobody"), creation(QUEUE)])]);
        return;
      default:
        this.renew(this.pick(TOPS));
        return;
    }
  }

  private drawPath(): string {
    const top = this.pick(TOPS);
    const depth = this.random.below(5);
    if (depth === 0) return top;
    return depth < 4 ? `${top}/${this.pick(NAMES)}` : `${top}/${this.pick(NAMES)}/${this.pick(NAMES)}`;
  }

  private create(path: string, data: Uint8Array, flags: number): void {
    const operation = this.pick(["create", "create2"] as const);
    this.ask(operation, createRequest, createBody(path, { data, flags, acl: this.pick(ACLS) }));
  }

  private enqueue(): void {
    const flags = this.pick([2, 3]);
    this.ask("create", createRequest, createBody(`${QUEUE}/n-`, { flags }), ({ err, body }) => {
      if (err !== 0) return;
      const { path } = createResponse.decode(new ByteReader(body));
      if (path === null || this.queued.has(path)) this.broken.push(`${path} was given twice`);
      else this.queued.add(path);
      if (this.random.below(2) === 0) this.ask("delete", deleteRequest, { path: path!, version: -1 });
    });
  }

  /** All of a small family goes, and comes again, at once or one by one. */
  private renew(top: string): void {
    const family = [top, ...NAMES.map((name) => `${top}/${name}`)];
    const steps = [...family.toReversed().map((path) => deletion(path)), ...family.map((path) => creation(path))];
    if (this.random.below(2) === 0) {
      this.multi(steps);
      return;
    }
    for (const path of family.toReversed()) this.ask("delete", deleteRequest, { path, version: -1 });
    for (const path of family) this.ask("create", createRequest, createBody(path, { data: bytes(path) }));
  }

  private multi(steps: readonly MultiStep[]): void {
    this.ask("multi", multiBody(steps), null);
  }

  private ask(...[operation, record, body, onReply]: Asked): void {
    if (!this.client.isOpen) return;
    this.waiting.set(this.client.send(operation, record, body), onReply ?? (() => {}));
  }

  private onFrame(frame: Frame): void {
    if (frame.xid === XID.notification) return;
    const onReply = this.waiting.get(frame.xid);
    this.waiting.delete(frame.xid);
    onReply?.(frame);
    if (this.waiting.size === 0) this.later(10 + this.random.below(QUIET_MS_MAX), () => this.work());
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each operation has a body of its own
type Asked = [operation: OperationName, record?: any, body?: any, onReply?: (frame: Frame) => void];
