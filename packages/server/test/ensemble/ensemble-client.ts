import { type Field, FrameSplitter, type OperationName, XID } from "@watchkeeper/wire";
import type { Connection, ConnectionPort, Replica } from "../../src/replica/index.js";
import {
  type Frame,
  handshakeFrame,
  type RawEvent,
  readEvent,
  readFrame,
  readHandshakeAnswer,
  requestFrame,
} from "../support/raw-connection.js";
import type { EnsembleServer } from "./ensemble-server.js";
import type { EnsembleWorld } from "./ensemble-world.js";
import type { ProcessLife } from "./process-life.js";

/** On the way from a client to its server. */
const LATENCY_MS = 1;

/** A client and its session, which it can take from server to server; one connection at a time. */
export class EnsembleClient {
  sessionId = 0n;
  password: Uint8Array = new Uint8Array(16);
  /** The highest zxid it was ever told. */
  lastZxid = 0n;
  /** The session was refused: it is no more. */
  isExpired = false;
  /** The server that it is connected to changes nothing. */
  isReadOnly = false;
  /** What has come and nobody has taken yet: replies and events, in their order. */
  readonly frames: Frame[] = [];
  /** Told of each frame instead. */
  onFrame: ((frame: Frame) => void) | undefined;
  onOpened: () => void = () => {};
  onClosed: () => void = () => {};
  private readonly world: EnsembleWorld;
  private wire: ClientWire | undefined;
  private timeoutMs = 10_000;
  private xid = 0;
  private isShaken = false;

  constructor(world: EnsembleWorld) {
    this.world = world;
  }

  get isOpen(): boolean {
    return this.isShaken;
  }

  get isConnected(): boolean {
    return this.wire !== undefined;
  }

  /** Makes a connection and asks for its session there, a new one where it has none. */
  connect(server: EnsembleServer, timeoutMs = this.timeoutMs, readOnly = false): void {
    this.disconnect();
    this.timeoutMs = timeoutMs;
    const life = server.process?.life;
    const replica = server.process?.state?.replica;
    if (life === undefined || replica === undefined) return;
    const wire = new ClientWire(this.world, life, replica, (bytes) => this.receive(wire, bytes));
    this.wire = wire;
    wire.onClosed = () => this.lost(wire);
    const { sessionId, password, lastZxid: lastZxidSeen } = this;
    wire.write(handshakeFrame({ timeoutMs, sessionId, password, lastZxidSeen, readOnly }));
  }

  /** The same, and waits until the server has taken it. @throws where it does not */
  async open(server: EnsembleServer, timeoutMs?: number, readOnly?: boolean): Promise<void> {
    this.connect(server, timeoutMs, readOnly);
    await this.world.until(() => this.isOpen || !this.isConnected, `server ${server.sid} answering a client`);
    if (!this.isOpen) throw new Error(`server ${server.sid} refused a client${this.isExpired ? ": expired" : ""}`);
  }

  disconnect(): void {
    const { wire } = this;
    if (wire === undefined) return;
    wire.breakOff();
    this.lost(wire);
  }

  send<T>(operation: OperationName | number, record?: Field<T>, body?: T): number {
    this.xid += 1;
    this.wire?.write(requestFrame(this.xid, operation, record, body));
    return this.xid;
  }

  ping(): void {
    this.wire?.write(requestFrame(XID.ping, "ping"));
  }

  /** Sends a request and waits for its reply. @throws where the connection is lost before */
  async call<T>(operation: OperationName | number, record?: Field<T>, body?: T): Promise<Frame> {
    const xid = this.send(operation, record, body);
    const { wire } = this;
    const isReply = (frame: Frame) => frame.xid === xid;
    await this.world.until(() => this.frames.some(isReply) || this.wire !== wire, `a reply to request ${xid}`);
    const at = this.frames.findIndex(isReply);
    if (at < 0) throw new Error(`the connection was lost before request ${xid} was answered`);
    return this.frames.splice(at, 1)[0]!;
  }

  /** The watch events that have come. */
  events(): RawEvent[] {
    return this.frames
      .splice(0)
      .filter(({ xid }) => xid === XID.notification)
      .map(readEvent);
  }

  private receive(wire: ClientWire, bytes: Uint8Array): void {
    if (wire !== this.wire) return;
    if (!this.isShaken) {
      this.onAnswer(bytes);
      return;
    }
    const frame = readFrame(bytes);
    if (frame.zxid > this.lastZxid) this.lastZxid = frame.zxid;
    if (frame.xid === XID.ping) return;
    if (this.onFrame === undefined) this.frames.push(frame);
    else this.onFrame(frame);
  }

  private onAnswer(bytes: Uint8Array): void {
    const answer = readHandshakeAnswer(bytes);
    if (answer.timeOut <= 0) {
      this.isExpired = true;
      this.sessionId = 0n;
      this.password = new Uint8Array(16);
      return;
    }
    this.isExpired = false;
    this.sessionId = answer.sessionId;
    this.password = answer.passwd;
    this.isReadOnly = answer.readOnly === true;
    this.isShaken = true;
    this.onOpened();
  }

  private lost(wire: ClientWire): void {
    if (wire !== this.wire) return;
    this.wire = undefined;
    this.isShaken = false;
    this.onClosed();
  }
}

/** A connection: hands frames in as a socket would, and gives what comes out. */
class ClientWire implements ConnectionPort {
  onClosed: () => void = () => {};
  private readonly world: EnsembleWorld;
  private readonly life: ProcessLife;
  private readonly replica: Replica;
  private readonly connection: Connection;
  private readonly onBytes: (frame: Uint8Array) => void;
  private readonly splitter = new FrameSplitter(64 << 20);
  private readonly input: Uint8Array[] = [];
  private isClosed = false;

  constructor(world: EnsembleWorld, life: ProcessLife, replica: Replica, onBytes: (frame: Uint8Array) => void) {
    this.world = world;
    this.life = life;
    this.replica = replica;
    this.onBytes = onBytes;
    this.connection = replica.connect("127.0.0.1", 50_000, this);
    life.onEnd(() => this.ended());
  }

  flush(): void {
    const output = this.connection.takeOutput();
    if (output === undefined || this.isClosed) return;
    this.splitter.push(output.view().slice());
    while (this.splitter.next()) this.onBytes(this.splitter.bytes.slice(this.splitter.start, this.splitter.end));
  }

  close(): void {
    this.replica.disconnect(this.connection);
    this.ended();
  }

  finish(): void {
    this.close();
  }

  resume(): void {
    this.life.scheduler.soon(() => this.pump());
  }

  /** The socket breaks; the server learns of it. */
  breakOff(): void {
    this.isClosed = true;
    this.life.run(() => this.replica.disconnect(this.connection));
  }

  write(frame: Uint8Array): void {
    this.world.scheduler.after(LATENCY_MS, () => {
      this.input.push(frame.subarray(4));
      this.life.run(() => this.pump());
    });
  }

  private pump(): void {
    const { replica, connection, input } = this;
    if (connection.phase === "closed") return;
    replica.beginInput(connection);
    while (input.length > 0 && replica.mayReceive(connection)) {
      const frame = input.shift()!;
      replica.receive(connection, frame, 0, frame.length);
    }
    replica.flushSoon();
  }

  private ended(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClosed();
  }
}
