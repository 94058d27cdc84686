import { type Field, FrameSplitter, type OperationName, XID } from "@watchkeeper/wire";
import { nodeDigester } from "../../src/host/node-world.js";
import {
  type Connection,
  type ConnectionPort,
  Replica,
  type ReplicaSettings,
  Standalone,
} from "../../src/replica/index.js";
import { SessionTable } from "../../src/sessions/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryLog } from "../../src/testing/memory-log.js";
import { TurnedClock } from "../../src/testing/turned-clock.js";
import { TurnedScheduler } from "../../src/testing/turned-scheduler.js";
import { addSystemNodes, Quotas, Tree } from "../../src/tree/index.js";
import {
  type Frame,
  type Handshake,
  type HandshakeAnswer,
  handshakeFrame,
  type RawEvent,
  readEvent,
  readFrame,
  readHandshakeAnswer,
  requestFrame,
} from "../support/raw-connection.js";

export const SETTINGS: ReplicaSettings = {
  serverId: 1,
  tickTimeMs: 1000,
  minSessionTimeoutMs: 2000,
  maxSessionTimeoutMs: 20_000,
  frameBytesMax: 0xfffff,
  txnBytesMax: 0xfffff + 0xfffff,
  globalOutstandingLimit: 1000,
  outputBytesPause: 1 << 20,
  outputBytesMax: 16 << 20,
  watchesPerConnectionMax: 1000,
  multiReadBytesMax: 64 << 20,
  backlogBytesMax: 64 << 20,
  sessionlessTimeoutMs: 10_000,
  skipAcl: false,
  digestEnabled: true,
  superDigest: undefined,
  treeDigestEnabled: true,
  enforceQuota: true,
  extendedTypesEnabled: true,
  reconfigEnabled: false,
  sweep: { checkIntervalMs: 60_000, maxPerMinute: 10_000, maxNeverUsedIntervalMs: 0 },
};

/** A whole server without sockets, files and time of its own. */
export class ReplicaWorld {
  readonly clock = new TurnedClock();
  readonly scheduler = new TurnedScheduler();
  readonly log = new MemoryLog();
  readonly lines = new KeptLines();
  readonly tree = new Tree(1);
  readonly quotas = new Quotas(this.tree);
  readonly fatal: unknown[] = [];
  readonly replica: Replica;

  /** `prepare` lays down what a data directory would have held. */
  constructor(settings: Partial<ReplicaSettings> = {}, prepare: (tree: Tree) => void = () => {}, lastZxid = 0) {
    addSystemNodes(this.tree);
    prepare(this.tree);
    const all = { ...SETTINGS, ...settings };
    this.replica = new Replica(
      {
        settings: all,
        tree: this.tree,
        quotas: this.quotas,
        sessions: new SessionTable(all.tickTimeMs, this.clock.monotonicMs()),
        lastZxid,
        log: this.log,
        committedLog: { txnsMin: 0, bytesWanted: 0, bytesMax: 0 },
        clock: this.clock,
        scheduler: this.scheduler,
        digester: nodeDigester("sha1"),
        logger: this.lines,
      },
      { onDurable: () => {}, onRoundEnd: () => {}, onFatal: (error) => this.fatal.push(error) },
    );
    const { proposer, pipeline, sessions } = this.replica;
    this.replica.serve(new Standalone(proposer, pipeline, sessions));
  }

  /** A connection that has not said anything yet. */
  connect(address = "127.0.0.1"): MemoryClient {
    return new MemoryClient(this, address);
  }

  /** A connection with a session. */
  async open(handshake: Handshake = {}, address?: string): Promise<MemoryClient> {
    const client = this.connect(address);
    await client.handshake(handshake);
    return client;
  }

  /** Everything that can happen without time passing happens. */
  async settle(): Promise<void> {
    do {
      this.scheduler.endTurn();
      await new Promise((resolve) => setImmediate(resolve));
    } while (!this.scheduler.isIdle);
  }

  /** Time passes in ticks, as the host's timer lets it, and what follows from each comes about. */
  async pass(ms: number, stepMs = 200): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.turn(Math.min(stepMs, left));
      this.replica.tick();
      await this.settle();
    }
  }
}

/** A client's end of a connection: hands frames in as a socket would, and keeps what comes out. */
export class MemoryClient implements ConnectionPort {
  readonly connection: Connection;
  readonly frames: Uint8Array[] = [];
  isClosed = false;
  sessionId = 0n;
  password: Uint8Array = new Uint8Array(16);
  /** While set, the kernel takes no more output of this connection. */
  isStuck = false;
  private readonly world: ReplicaWorld;
  private readonly splitter = new FrameSplitter(64 << 20);
  private readonly input: Uint8Array[] = [];
  private xid = 0;

  constructor(world: ReplicaWorld, address: string) {
    this.world = world;
    this.connection = world.replica.connect(address, 50_000, this);
  }

  flush(): void {
    if (this.isStuck) return;
    const output = this.connection.takeOutput();
    if (output === undefined) return;
    this.splitter.push(output.view().slice());
    while (this.splitter.next()) {
      this.frames.push(Uint8Array.from(this.splitter.bytes.subarray(this.splitter.start, this.splitter.end)));
    }
  }

  close(): void {
    this.isClosed = true;
    this.world.replica.disconnect(this.connection);
  }

  finish(): void {
    this.close();
  }

  resume(): void {
    this.world.scheduler.soon(() => this.pump());
  }

  /** The socket breaks; the server learns of it. */
  breakOff(): void {
    this.world.replica.disconnect(this.connection);
  }

  /** Frames as they stand on the wire, lengths in front. */
  write(...frames: Uint8Array[]): void {
    this.input.push(...frames.map((frame) => frame.subarray(4)));
    this.pump();
  }

  get unread(): number {
    return this.input.length;
  }

  private pump(): void {
    const { replica } = this.world;
    if (this.connection.phase === "closed") return;
    replica.beginInput(this.connection);
    while (this.input.length > 0 && replica.mayReceive(this.connection)) {
      const frame = this.input.shift()!;
      replica.receive(this.connection, frame, 0, frame.length);
    }
    replica.flushOutputs();
  }

  async handshake(handshake: Handshake = {}): Promise<HandshakeAnswer | undefined> {
    this.write(handshakeFrame(handshake));
    await this.world.settle();
    const frame = this.frames.shift();
    if (frame === undefined) return undefined;
    const answer = readHandshakeAnswer(frame);
    this.sessionId = answer.sessionId;
    this.password = answer.passwd;
    return answer;
  }

  send<T>(operation: OperationName | number, record?: Field<T>, body?: T): number {
    this.xid += 1;
    this.write(requestFrame(this.xid, operation, record, body));
    return this.xid;
  }

  /** Sends a request, lets everything come about, and gives its reply. */
  async call<T>(operation: OperationName | number, record?: Field<T>, body?: T): Promise<Frame> {
    const xid = this.send(operation, record, body);
    await this.world.settle();
    const reply = this.take().find((frame) => frame.xid === xid);
    if (reply === undefined) throw new Error(`no reply to request ${xid}`);
    return reply;
  }

  /** What has come since the last look. */
  take(): Frame[] {
    return this.frames.splice(0).map(readFrame);
  }

  events(): RawEvent[] {
    return this.take()
      .filter((frame) => frame.xid === XID.notification)
      .map(readEvent);
  }

  ping(): void {
    this.write(requestFrame(XID.ping, "ping"));
  }
}
