import {
  ByteReader,
  createRequest,
  deleteRequest,
  getDataRequest,
  getDataResponse,
  setDataRequest,
  stat,
  syncRequest,
  XID,
} from "@watchkeeper/wire";
import type { Answer, Call, Operation, WatchEvent, Write, WriteError } from "../../../../test/checkers/history.js";
import type { Random } from "../../src/ports/index.js";
import { bytes, createBody, multiBody } from "../replica/requests.js";
import { type Frame, readEvent } from "../support/raw-connection.js";
import { EnsembleClient } from "./ensemble-client.js";
import type { EnsembleServer } from "./ensemble-server.js";
import type { EnsembleWorld } from "./ensemble-world.js";

/**
 * A session that writes and reads a few nodes by chance, moves from server to server, and records what it sent
 * and what came back, for the checker of histories. It repeats nothing: of what was not answered nobody
 * knows whether it happened.
 */
const SESSION_MS = 4000;
const ANSWER_MS_MAX = 2500;
const IN_FLIGHT_MAX = 4;
const ERRORS: ReadonlyMap<number, WriteError> = new Map([
  [-110, "NODE_EXISTS"],
  [-101, "NO_NODE"],
  [-103, "BAD_VERSION"],
]);

type Begun = Omit<Operation, "returnedAt" | "answer"> & { readonly xid: number };

export class RecordedSession {
  readonly operations: Operation[] = [];
  readonly events: WatchEvent[] = [];
  readonly surprises: string[] = [];
  readonly client: EnsembleClient;
  acknowledged = 0;
  private readonly world: EnsembleWorld;
  private readonly random: Random;
  private readonly label: string;
  private readonly paths: readonly string[];
  private life = 0;
  private connection = 0;
  private sequence = 0;
  private arrival = 0;
  private written = 0;
  private inFlight: Begun[] = [];
  /** Requests that are not of the history. */
  private readonly besides = new Set<number>();
  private readonly versions = new Map<string, number>();
  private isStopped = false;

  constructor(world: EnsembleWorld, random: Random, label: string, paths: readonly string[]) {
    this.world = world;
    this.random = random;
    this.label = label;
    this.paths = paths;
    this.client = new EnsembleClient(world);
    this.client.onFrame = (frame) => this.onFrame(frame);
    this.client.onOpened = () => this.onOpened();
    this.client.onClosed = () => this.onClosed();
  }

  start(): void {
    this.later(this.random.below(500), () => this.comeTo(this.anyServer()));
  }

  /** Sends nothing more; what is under way may still be answered. */
  stop(): void {
    this.isStopped = true;
  }

  get isIdle(): boolean {
    return this.inFlight.length === 0;
  }

  private get name(): string {
    return `${this.label}.${this.life}`;
  }

  private later(ms: number, task: () => void): void {
    this.world.scheduler.after(ms, () => {
      if (!this.isStopped) task();
    });
  }

  private anyServer(): EnsembleServer {
    return this.world.servers[this.random.below(this.world.servers.length)]!;
  }

  private comeTo(server: EnsembleServer): void {
    this.connection += 1;
    this.client.connect(server, SESSION_MS);
    const { connection } = this;
    if (!this.client.isConnected) this.later(this.random.below(300), () => this.comeTo(this.anyServer()));
    else
      this.later(
        ANSWER_MS_MAX,
        () => connection === this.connection && !this.client.isOpen && this.client.disconnect(),
      );
  }

  /** Every session has a node that is to go with it; the history knows nothing of those. */
  private onOpened(): void {
    const path = `/ephemeral-${this.client.sessionId.toString(16)}`;
    this.besides.add(this.client.send("create", createRequest, createBody(path, { flags: EPHEMERAL })));
    this.later(0, () => this.burst());
  }

  private onClosed(): void {
    for (const { xid: _, ...begun } of this.inFlight.splice(0))
      this.operations.push({ ...begun, returnedAt: undefined, answer: undefined });
    if (this.client.isExpired) this.beginAnew();
    this.later(20 + this.random.below(400), () => this.comeTo(this.anyServer()));
  }

  /** The session is gone: what follows is the history of another. */
  private beginAnew(): void {
    this.life += 1;
    this.client.isExpired = false;
    this.client.lastZxid = 0n;
  }

  /** A few operations at once; when all are answered, a pause, and the next. */
  private burst(): void {
    if (!this.client.isOpen || this.inFlight.length > 0) return;
    if (this.random.below(30) === 0) {
      this.client.disconnect();
      return;
    }
    const { connection, sequence } = this;
    for (let left = 1 + this.random.below(IN_FLIGHT_MAX); left > 0; left--) this.send(this.drawCall());
    this.later(ANSWER_MS_MAX, () => {
      const isStuck = connection === this.connection && this.inFlight[0]?.sequence === sequence;
      if (isStuck) this.client.disconnect();
    });
  }

  private send(call: Call): void {
    const xid = this.sendCall(call);
    const { name: session, connection } = this;
    this.inFlight.push({ session, sequence: this.sequence++, call, connection, invokedAt: this.world.moment, xid });
  }

  private sendCall(call: Call): number {
    const { client } = this;
    if (call.kind === "sync") return client.send("sync", syncRequest, { path: "/" });
    if (call.kind === "read") return client.send("getData", getDataRequest, { path: call.path, watch: call.watch });
    const [write] = call.writes;
    if (call.writes.length > 1) {
      const steps = call.writes.map((one) => ({ op: OPERATIONS[one.kind], body: bodyOf(one) }));
      return client.send("multi", multiBody(steps), null);
    }
    switch (write!.kind) {
      case "create":
        return client.send("create", createRequest, createBody(write!.path, { data: bytes(write!.data) }));
      case "set":
        return client.send("setData", setDataRequest, bodyOf(write!) as never);
      case "delete":
        return client.send("delete", deleteRequest, bodyOf(write!) as never);
    }
  }

  private drawCall(): Call {
    const die = this.random.below(100);
    if (die < 4) return { kind: "sync" };
    if (die < 35) return { kind: "read", path: this.drawPath(), watch: this.random.below(3) === 0 };
    if (die < 94) return { kind: "write", writes: [this.drawWrite(this.drawPath())] };
    const paths = [...new Set([this.drawPath(), this.drawPath()])];
    return { kind: "write", writes: paths.map((path) => this.drawWrite(path)) };
  }

  private drawPath(): string {
    return this.paths[this.random.below(this.paths.length)]!;
  }

  private drawWrite(path: string): Write {
    const data = `${this.label}-${++this.written}`;
    const version = this.random.below(5) < 2 ? (this.versions.get(path) ?? -1) : -1;
    const die = this.random.below(100);
    if (die < 25) return { kind: "create", path, data };
    return die < 37 ? { kind: "delete", path, version } : { kind: "set", path, data, version };
  }

  private onFrame(frame: Frame): void {
    if (frame.xid === XID.notification) {
      const { path, type } = readEvent(frame);
      const { name: session, connection } = this;
      if (type > 0) this.events.push({ session, connection, path, arrival: ++this.arrival });
      return;
    }
    if (this.besides.delete(frame.xid)) return;
    const next = this.inFlight.shift();
    if (next === undefined || next.xid !== frame.xid) {
      const waiting = [next, ...this.inFlight].map((one) => (one === undefined ? "nothing" : nameOf(one)));
      this.surprises.push(`${this.name}: ${frame.xid} was answered (${frame.err}) before ${waiting.join(", ")}`);
      return;
    }
    const { xid: _, ...begun } = next;
    const answer = { zxid: Number(frame.zxid), arrival: ++this.arrival, ...readAnswer(next.call, frame) };
    this.operations.push({ ...begun, returnedAt: this.world.moment, answer });
    this.remember(next.call, answer);
    if (next.call.kind === "write" && answer.error === undefined) this.acknowledged += 1;
    if (this.inFlight.length === 0) this.later(10 + this.random.below(400), () => this.burst());
  }

  /** The versions last seen, for writes that name one. */
  private remember(call: Call, { node, versions }: Answer): void {
    if (call.kind === "read" && node !== undefined) this.versions.set(call.path, node.version);
    if (call.kind !== "write") return;
    for (const [i, { path }] of call.writes.entries()) {
      const version = versions?.[i];
      if (version !== undefined) this.versions.set(path, version);
    }
  }
}

function nameOf({ xid, call }: Begun): string {
  return `${xid}: ${call.kind === "write" ? call.writes.map(({ kind }) => kind).join(" and ") : call.kind}`;
}

const EPHEMERAL = 1;
const OPERATIONS = { create: "create", set: "setData", delete: "delete" } as const;

function bodyOf(write: Write): object {
  const { path } = write;
  if (write.kind === "create") return createBody(path, { data: bytes(write.data) });
  return write.kind === "set"
    ? { path, data: bytes(write.data), version: write.version }
    : { path, version: write.version };
}

function readAnswer(call: Call, frame: Frame): Omit<Answer, "zxid" | "arrival"> {
  const { err, body } = frame;
  if (call.kind === "sync") return {};
  if (call.kind === "read") {
    if (err === -101) return { node: undefined };
    return err === 0 ? { node: nodeOf(body) } : { error: "OTHER" };
  }
  if (call.writes.length > 1) return readMulti(call.writes, frame);
  if (err !== 0) return { error: ERRORS.get(err) ?? "OTHER" };
  const version = call.writes[0]!.kind === "set" ? stat.decode(new ByteReader(body)).version : undefined;
  return { versions: [version] };
}

/** What a multi's sets made is not looked at: reads show it. Of one that failed it is not said which was at fault. */
function readMulti(writes: readonly Write[], frame: Frame): Omit<Answer, "zxid" | "arrival"> {
  const failed = frame.err !== 0 || new ByteReader(frame.body).int() === -1;
  if (failed) return { error: "OTHER" };
  return { versions: writes.map(() => undefined) };
}

export function nodeOf(body: Uint8Array): NonNullable<Answer["node"]> {
  const { data, stat: found } = getDataResponse.decode(new ByteReader(body));
  const { version, czxid, mzxid } = found;
  return { data: Buffer.from(data ?? []).toString(), version, czxid: Number(czxid), mzxid: Number(mzxid) };
}
