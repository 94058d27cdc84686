import {
  ByteReader,
  ByteWriter,
  connectRequestReadOnly,
  connectResponseReadOnly,
  type ErrorName,
  errorCodes,
  type OperationName,
  operationName,
  operations,
  type Stat,
  watcherEvent,
  writeInt,
  XID,
} from "@watchkeeper/wire";
import { type CallLimits, ClientCall, NO_LIMITS } from "../../src/operations/client-call.js";
import { type RequestKind, requests } from "../../src/operations/requests.js";
import {
  type Delivery,
  SessionMachine,
  type SessionOptions,
  type SessionOutput,
  type WatchListener,
} from "../../src/session/index.js";

export const TIMEOUT_MS = 9000;
export const SESSION_ID = 0x0100_0000_0000_0007n;
export const NO_STAT: Stat = {
  czxid: 0n,
  mzxid: 0n,
  ctime: 0n,
  mtime: 0n,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 0n,
};

export interface SentRequest {
  readonly xid: number;
  readonly name: OperationName | undefined;
  readonly body: RequestBody;
}

/** The fields that tests look at; others are compared as a whole. */
interface RequestBody {
  readonly path?: string;
  readonly watch?: boolean;
  readonly persistentWatches?: string[];
}

/**
 * A session machine under a turned clock, and beside it what a server would say: the test writes both
 * sides of the conversation. Every output is carried out at once, as a host would.
 */
export class ScriptedSession {
  nowMs = 1000;
  readonly machine: SessionMachine;
  readonly dialed: string[] = [];
  readonly probed: string[] = [];
  readonly saslTurns: (Uint8Array | null | undefined)[] = [];
  hangUps = 0;
  /** What was handed to the listener half and not looked at yet. */
  private delivered: Delivery[] = [];
  private sent: Uint8Array[] = [];

  constructor(options: Partial<SessionOptions> = {}) {
    const servers = options.servers ?? [{ host: "one", port: 2181 }];
    this.machine = new SessionMachine(
      { chroot: "", sessionTimeoutMs: TIMEOUT_MS, random: { below: () => 0 }, ...options, servers },
      this.nowMs,
    );
    this.tick();
  }

  /** Turns the clock to the machine's next deadline, or by `ms`. */
  tick(ms = 0): void {
    this.nowMs += ms;
    this.machine.onTick(this.nowMs);
    this.settleOutput();
  }

  tickToDeadline(): number {
    const before = this.nowMs;
    this.tick(this.machine.nextDeadlineMs - this.nowMs);
    return this.nowMs - before;
  }

  open(): void {
    this.machine.onOpened(this.nowMs);
    this.settleOutput();
  }

  /** The server accepts the session. */
  accept(timeOut = TIMEOUT_MS, sessionId = SESSION_ID, readOnly = false): void {
    this.open();
    this.handshake();
    this.answerHandshake(timeOut, sessionId, readOnly);
  }

  answerHandshake(timeOut = TIMEOUT_MS, sessionId = SESSION_ID, readOnly = false): void {
    this.frame((writer) =>
      connectResponseReadOnly.encode(writer, {
        protocolVersion: 0,
        timeOut,
        sessionId,
        passwd: new Uint8Array(16).fill(timeOut > 0 ? 7 : 0),
        readOnly,
      }),
    );
  }

  /** The ConnectRequest that was sent. */
  handshake(): ReturnType<typeof connectRequestReadOnly.decode> {
    const frame = this.sent.shift();
    if (frame === undefined) throw new Error("no ConnectRequest was sent");
    return connectRequestReadOnly.decode(new ByteReader(frame));
  }

  closeSocket(reason = "connection reset"): void {
    this.machine.onClosed(reason, this.nowMs);
    this.settleOutput();
  }

  /** Loses the connection and stands again on the next server. */
  reconnect(): void {
    this.closeSocket();
    this.tickToDeadline();
    this.accept();
  }

  call<A, R>(
    request: RequestKind<A, R>,
    args: A,
    watch?: WatchListener,
    kind: "data" | "child" = "data",
    limits?: Partial<CallLimits>,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      const { path } = args as { path: string };
      const details = { path, watch: watch === undefined ? undefined : { kind, path, listener: watch } };
      this.machine.submit(
        new ClientCall(request, args, this.machine.chroot, resolve, reject, details, { ...NO_LIMITS, ...limits }),
        this.nowMs,
      );
      this.settleOutput();
    });
  }

  getData(path: string, watch?: WatchListener): Promise<Buffer | null> {
    return this.call(requests.getDataOnly, { path, watch: watch !== undefined }, watch);
  }

  addWatch(path: string, listener: WatchListener): Promise<void> {
    return new Promise((resolve, reject) => {
      const details = { path, addsWatch: { kind: "persistent", path, listener } } as const;
      const { chroot } = this.machine;
      const call = new ClientCall(requests.addWatch, { path, mode: 0 }, chroot, resolve, reject, details);
      this.machine.submit(call, this.nowMs);
      this.settleOutput();
    });
  }

  addCredential(scheme: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = new ClientCall(requests.auth, undefined, this.machine.chroot, resolve, reject, { path: scheme });
      this.machine.addCredential(scheme, new Uint8Array([1]), call, this.nowMs);
      this.settleOutput();
    });
  }

  /** The requests sent since the last look. */
  requests(): SentRequest[] {
    const frames = this.sent;
    this.sent = [];
    return frames.map(decodeRequest);
  }

  reply(xid: number, zxid: bigint, body?: (writer: ByteWriter) => void): void {
    this.replyWith(xid, zxid, 0, body);
  }

  refuse(xid: number, zxid: bigint, error: ErrorName): void {
    this.replyWith(xid, zxid, errorCodes[error].code);
  }

  replyData(xid: number, zxid: bigint, text: string): void {
    const data = new TextEncoder().encode(text);
    this.reply(xid, zxid, (writer) => operations.getData.response.encode(writer, { data, stat: NO_STAT }));
  }

  event(type: number, path: string, zxid = -1n): void {
    this.reply(XID.notification, zxid, (writer) => watcherEvent.encode(writer, { type, state: 3, path }));
  }

  frame(body: (writer: ByteWriter) => void): void {
    const writer = new ByteWriter();
    writer.int(0);
    body(writer);
    writeInt(writer.bytes, 0, writer.length - 4);
    this.bytes(writer.view().slice());
  }

  bytes(chunk: Uint8Array): void {
    this.machine.onChunk(chunk, this.nowMs);
    this.settleOutput();
  }

  /** What was delivered since the last look, completions as "call", events as their kind. */
  deliveries(): Delivery[] {
    const deliveries = this.delivered;
    this.delivered = [];
    return deliveries;
  }

  /** Delivers everything at once, as the listener half would. */
  deliver(): void {
    for (const delivery of this.deliveries()) {
      if (delivery.kind === "call") delivery.settle();
      else for (const listener of delivery.listeners) listener(delivery.event);
    }
  }

  private replyWith(xid: number, zxid: bigint, err: number, body?: (writer: ByteWriter) => void): void {
    this.frame((writer) => {
      writer.int(xid);
      writer.long(zxid);
      writer.int(err);
      body?.(writer);
    });
  }

  private settleOutput(): void {
    const output: SessionOutput | undefined = this.machine.takeOutput(this.nowMs);
    if (output === undefined) return;
    if (output.hangUp) {
      this.hangUps++;
      this.sent = [];
    }
    if (output.sasl !== undefined) this.saslTurns.push(output.sasl.token);
    if (output.probe !== undefined) this.probed.push(output.probe.host);
    if (output.dial !== undefined) this.dialed.push(output.dial.host);
    if (output.bytes !== undefined) this.sent.push(...splitFrames(output.bytes));
    this.delivered.push(...output.deliveries);
  }
}

function splitFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) frames.push(reader.buffer() ?? new Uint8Array(0));
  return frames;
}

function decodeRequest(frame: Uint8Array): SentRequest {
  const reader = new ByteReader(frame);
  const xid = reader.int();
  const name = operationName(reader.int());
  const record = name === undefined ? null : operations[name].request;
  return { xid, name, body: record === null ? {} : (record.decode(reader) as RequestBody) };
}
