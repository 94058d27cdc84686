/**
 * A client that writes and reads a few nodes at random, in a session that it takes from server to server,
 * and records what it sent and what came back. It hides nothing: an answer that did not come is recorded
 * as such, never repeated.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Call, Observed, Write, WriteError } from "../../checkers/history.js";
import type { SeededRandom } from "../../support/seeded-random.js";
import {
  createBody,
  framed,
  JuteReader,
  JuteWriter,
  multiBody,
  opcode,
  readBody,
  readStat,
  requestPayload,
  setDataBody,
  versionBody,
} from "../support/jute.js";
import type { Begun, Recorder } from "./recorder.js";

const SESSION_MS = 8_000;
const ANSWER_MS_MAX = 2_500;
const AGAIN_MS = 30;
const NOTIFICATION_XID = -1;
const SYNC = 9;
const IN_FLIGHT_MAX = 4;

const ERRORS: ReadonlyMap<number, WriteError> = new Map([
  [-110, "NODE_EXISTS"],
  [-101, "NO_NODE"],
  [-103, "BAD_VERSION"],
]);
const NO_NODE = -101;

export interface Workload {
  readonly ports: readonly number[];
  readonly paths: readonly string[];
  /** Between two bursts of one session. */
  readonly pauseMs: number;
}

interface InFlight {
  readonly begun: Begun;
  readonly xid: number;
}

export class RecordingSession {
  /** Sessions that the servers ended, for having been away too long. */
  expired = 0;
  private readonly label: string;
  private readonly workload: Workload;
  private readonly recorder: Recorder;
  private readonly random: SeededRandom;
  private socket: Socket | undefined;
  private unread = Buffer.alloc(0);
  private isOpen = false;
  private wake: () => void = () => {};
  private inFlight: InFlight[] = [];
  private readonly versions = new Map<string, number>();
  private id = 0n;
  private password = Buffer.alloc(16);
  private lastZxid = 0n;
  private sequence = 0;
  private arrival = 0;
  private connection = 0;
  private written = 0;
  private stopped = false;

  constructor(label: string, workload: Workload, recorder: Recorder, random: SeededRandom) {
    this.label = label;
    this.workload = workload;
    this.recorder = recorder;
    this.random = random;
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      if (!this.isOpen && !(await this.open())) {
        await sleep(AGAIN_MS);
        continue;
      }
      await this.burst();
      await sleep(this.workload.pauseMs);
    }
    await this.close();
  }

  stop(): void {
    this.stopped = true;
  }

  private get name(): string {
    return `${this.label}.${this.expired}`;
  }

  /** A few operations at once; resolves when all are answered or lost. */
  private async burst(): Promise<void> {
    const count = 1 + this.random.below(IN_FLIGHT_MAX);
    for (let i = 0; i < count; i++) this.send(this.drawCall());
    const isDone = await this.wait(() => this.inFlight.length === 0);
    if (!isDone) this.disconnect();
  }

  private drawCall(): Call {
    const die = this.random.below(100);
    if (die < 3) return { kind: "sync" };
    if (die < 40) return { kind: "read", path: this.drawPath(), watch: this.random.chance(0.3) };
    if (die < 95) return { kind: "write", writes: [this.drawWrite(this.drawPath())] };
    const [first, second] = [this.drawPath(), this.drawPath()];
    return {
      kind: "write",
      writes: first === second ? [this.drawWrite(first)] : [first, second].map((path) => this.drawWrite(path)),
    };
  }

  private drawPath(): string {
    return this.random.pick(this.workload.paths);
  }

  private drawWrite(path: string): Write {
    const data = `${this.label}-${++this.written}`;
    const version = this.random.chance(0.4) ? (this.versions.get(path) ?? -1) : -1;
    const die = this.random.below(100);
    if (die < 25) return { kind: "create", path, data };
    return die < 37 ? { kind: "delete", path, version } : { kind: "set", path, data, version };
  }

  private send(call: Call): void {
    if (!this.isOpen) return;
    const { name: session, connection } = this;
    const sequence = this.sequence++;
    const begun = { session, sequence, connection, call, invokedAt: performance.now() };
    this.inFlight.push({ begun, xid: sequence + 1 });
    this.socket!.write(framed(requestOf(call, sequence + 1)));
  }

  private open(): Promise<boolean> {
    this.connection += 1;
    const port = this.random.pick(this.workload.ports);
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket = socket;
    this.unread = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (bytes) => this.onData(socket, bytes));
    socket.on("close", () => this.onClose(socket));
    socket.write(framed(this.connectRequest()));
    return this.wait(() => this.isOpen).then((isOpen) => {
      if (!isOpen) this.disconnect();
      return isOpen;
    });
  }

  private connectRequest(): Buffer {
    const { lastZxid, id, password } = this;
    return new JuteWriter().int(0).long(lastZxid).int(SESSION_MS).long(id).buffer(password).bool(false).done();
  }

  private async close(): Promise<void> {
    if (this.isOpen) {
      this.socket!.write(framed(requestPayload(this.sequence + 1, opcode.closeSession, Buffer.alloc(0))));
      await this.wait(() => !this.isOpen);
    }
    this.disconnect();
  }

  private disconnect(): void {
    const { socket } = this;
    if (socket === undefined) return;
    this.onClose(socket);
    socket.destroy();
  }

  private onClose(socket: Socket): void {
    if (socket !== this.socket) return;
    this.socket = undefined;
    this.isOpen = false;
    for (const { begun } of this.inFlight.splice(0)) this.recorder.lost(begun);
    this.wake();
  }

  private onData(socket: Socket, bytes: Buffer): void {
    if (socket !== this.socket) return;
    this.unread = Buffer.concat([this.unread, bytes]);
    let at = 0;
    while (this.socket === socket && this.unread.length - at >= 4) {
      const end = at + 4 + this.unread.readInt32BE(at);
      if (this.unread.length < end) break;
      this.onFrame(new JuteReader(this.unread.subarray(at + 4, end)));
      at = end;
    }
    this.unread = this.unread.subarray(at);
    this.wake();
  }

  private onFrame(frame: JuteReader): void {
    if (!this.isOpen) {
      this.onConnected(frame);
      return;
    }
    const [xid, zxid, err] = [frame.int(), frame.long(), frame.int()];
    if (xid === NOTIFICATION_XID) this.onEvent(frame);
    else this.onReply(xid, zxid, err, frame);
  }

  private onConnected(frame: JuteReader): void {
    frame.int();
    const timeoutMs = frame.int();
    const id = frame.long();
    if (timeoutMs > 0) {
      this.id = id;
      this.password = Buffer.from(frame.buffer() ?? []);
      this.isOpen = true;
      return;
    }
    // The session is gone: what follows is the history of another.
    this.expired += 1;
    this.id = 0n;
    this.password = Buffer.alloc(16);
    this.lastZxid = 0n;
    this.sequence = 0;
    this.arrival = 0;
    this.disconnect();
  }

  private onEvent(frame: JuteReader): void {
    const type = frame.int();
    frame.int();
    const path = frame.text();
    if (type <= 0) return;
    const { name: session, connection } = this;
    this.recorder.fired({ session, connection, path, arrival: ++this.arrival });
  }

  private onReply(xid: number, zxid: bigint, err: number, frame: JuteReader): void {
    const next = this.inFlight[0];
    if (next === undefined) return;
    if (next.xid !== xid) {
      this.recorder.unexpected(`${this.name}: ${xid} was answered before ${this.inFlight.map(describe).join(", ")}`);
      this.disconnect();
      return;
    }
    this.inFlight.shift();
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    const answer = { zxid: Number(zxid), arrival: ++this.arrival, ...readAnswer(next.begun.call, err, frame) };
    this.remember(next.begun.call, answer);
    this.recorder.answered(next.begun, answer);
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

  private async wait(condition: () => boolean): Promise<boolean> {
    const { socket } = this;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.wake();
    }, ANSWER_MS_MAX);
    while (!condition() && !isLate && this.socket === socket) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    clearTimeout(timer);
    return condition();
  }
}

function describe({ xid, begun: { call } }: InFlight): string {
  return `${xid} (${call.kind === "write" ? call.writes.map(({ kind }) => kind).join(" and ") : call.kind})`;
}

function requestOf(call: Call, xid: number): Buffer {
  switch (call.kind) {
    case "sync":
      return requestPayload(xid, SYNC, new JuteWriter().text("/").done());
    case "read":
      return requestPayload(xid, opcode.getData, readBody(call.path, call.watch));
    case "write": {
      const requests = call.writes.map(writeRequest);
      const [only] = requests;
      if (requests.length === 1) return requestPayload(xid, only!.opcode, only!.body);
      return requestPayload(xid, opcode.multi, multiBody(requests));
    }
  }
}

function writeRequest(write: Write): { readonly opcode: number; readonly body: Buffer } {
  switch (write.kind) {
    case "create":
      return { opcode: opcode.create, body: createBody(write.path, Buffer.from(write.data)) };
    case "set":
      return { opcode: opcode.setData, body: setDataBody(write.path, Buffer.from(write.data), write.version) };
    case "delete":
      return { opcode: opcode.delete, body: versionBody(write.path, write.version) };
  }
}

function readAnswer(call: Call, err: number, frame: JuteReader): Omit<Answer, "zxid" | "arrival"> {
  if (call.kind === "read") {
    if (err === NO_NODE) return { node: undefined };
    return err === 0 ? { node: readNode(frame) } : { error: "OTHER" };
  }
  if (call.kind === "sync") return {};
  if (call.writes.length > 1) return err === 0 ? readMulti(frame) : { error: "OTHER" };
  if (err !== 0) return { error: ERRORS.get(err) ?? "OTHER" };
  return { versions: [call.writes[0]!.kind === "set" ? readStat(frame).version : undefined] };
}

export function readNode(frame: JuteReader): Observed {
  const data = frame.buffer()?.toString() ?? "";
  const { version, czxid, mzxid } = readStat(frame);
  return { data, version, czxid: Number(czxid), mzxid: Number(mzxid) };
}

/** The versions that its sets made; of a multi that failed every result is an error. */
function readMulti(frame: JuteReader): Omit<Answer, "zxid" | "arrival"> {
  const versions: (number | undefined)[] = [];
  for (;;) {
    const [type, isDone] = [frame.int(), frame.bool()];
    frame.int();
    if (isDone) return { versions };
    if (type === -1) return { error: "OTHER" };
    if (type === opcode.create) frame.text();
    versions.push(type === opcode.setData ? readStat(frame).version : undefined);
  }
}
