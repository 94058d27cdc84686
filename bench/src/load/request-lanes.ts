import { ByteWriter, CREATE_FLAGS, XID } from "@watchkeeper/wire";
import { KeySpace } from "./key-space.js";
import { type Lanes, type LanesParts, OPENED_AT_ONCE, until, whilePinging } from "./lanes.js";
import { keySpaceOf, type LoadSpec } from "./load-spec.js";
import { WORD } from "./reply-scanner.js";
import { appendFrame, frames, KeyedFrame, nodeData } from "./request-frames.js";
import { type ConnectionEvents, ServerConnection } from "./server-connection.js";

/** Writes a connection's next request; `lane` and `step` are its number and how many it has sent. */
type NextRequest = (writer: ByteWriter, lane: number, step: number) => void;

/** The workloads in which a connection sends one request after the other. */
export class RequestLanes implements Lanes {
  private readonly parts: LanesParts;
  private readonly lanes: RequestLane[] = [];
  private running = false;

  constructor(parts: LanesParts) {
    this.parts = parts;
  }

  open(): Promise<void> {
    const ping = (): void => {
      for (const lane of this.lanes) if (lane.isReady) lane.ping();
    };
    return whilePinging(ping, this.openAll());
  }

  private async openAll(): Promise<void> {
    const next = nextRequestOf(this.parts.spec);
    for (let i = 0; i < this.parts.count; i++) {
      this.lanes.push(new RequestLane(this.parts, this.parts.first + i, next, () => this.running));
      if (i % OPENED_AT_ONCE === OPENED_AT_ONCE - 1) await this.allReady();
    }
    await this.allReady();
  }

  private allReady(): Promise<void> {
    return until(() => this.lanes.every((lane) => lane.isReady), "opening the sessions");
  }

  begin(): void {
    this.running = true;
    for (const lane of this.lanes) lane.onChunkEnd();
  }

  async end(): Promise<void> {
    this.running = false;
    await until(() => this.lanes.every((lane) => lane.inFlight === 0), "the last replies");
    for (const lane of this.lanes) lane.close();
  }
}

const PING = frames.ping();

/** One writer for all: a batch is copied out of it before the next one begins. */
const WRITER = new ByteWriter(64 * 1024);

class RequestLane implements ConnectionEvents {
  isReady = false;
  inFlight = 0;
  private readonly parts: LanesParts;
  private readonly lane: number;
  private readonly next: NextRequest;
  private readonly isRunning: () => boolean;
  private readonly connection: ServerConnection;
  private readonly depth: number;
  /** When the requests in flight were sent: a ring, the oldest at `oldest`. */
  private readonly sentAtMs: Float64Array;
  private oldest = 0;
  private step = 0;
  private closing = false;

  constructor(parts: LanesParts, lane: number, next: NextRequest, isRunning: () => boolean) {
    this.parts = parts;
    this.lane = lane;
    this.next = next;
    this.isRunning = isRunning;
    this.depth = parts.spec.depth;
    this.sentAtMs = new Float64Array(this.depth);
    this.connection = new ServerConnection(parts.target, this);
  }

  ping(): void {
    this.connection.write(PING);
  }

  close(): void {
    this.closing = true;
    this.connection.write(frames.closeSession());
  }

  onReady(): void {
    this.isReady = true;
  }

  onFrame(words: Int32Array, atMs: number): void {
    if (this.closing || words[WORD.xid] === XID.ping) return;
    this.parts.recorder.record(this.sentAtMs[this.oldest]!, atMs);
    if (words[WORD.error] !== 0) this.parts.recorder.fail(words[WORD.error]!);
    this.oldest = (this.oldest + 1) % this.depth;
    this.inFlight--;
  }

  onChunkEnd(): void {
    if (!this.isRunning() || this.inFlight === this.depth) return;
    const nowMs = performance.now();
    WRITER.reset();
    while (this.inFlight < this.depth) {
      this.next(WRITER, this.lane, this.step++);
      this.sentAtMs[(this.oldest + this.inFlight) % this.depth] = nowMs;
      this.inFlight++;
    }
    this.connection.write(Buffer.from(WRITER.view()));
  }

  onClosed(error: Error | undefined): void {
    if (!this.closing) this.parts.onFailure(error ?? new Error("the server closed a connection"));
  }
}

function nextRequestOf(spec: LoadSpec): NextRequest {
  const keys = keySpaceOf(spec);
  const value = nodeData(spec.valueBytes);
  const anyKey = (): number => Math.floor(Math.random() * spec.keys);
  const get = new KeyedFrame(keys, frames.getData);
  const set = new KeyedFrame(keys, (path) => frames.setData(path, value));
  switch (spec.workload) {
    case "get":
      return (writer) => get.appendTo(writer, anyKey());
    case "set":
      return (writer) => set.appendTo(writer, anyKey());
    case "mixed":
      return (writer) => (Math.random() * 100 < spec.readPercent ? get : set).appendTo(writer, anyKey());
    case "exists": {
      const exists = new KeyedFrame(keys, frames.exists);
      return (writer) => exists.appendTo(writer, anyKey());
    }
    case "children": {
      const children = frames.getChildren(spec.root);
      return (writer) => appendFrame(writer, children);
    }
    case "create": {
      const create = frames.create(`${spec.root}/n-`, value, CREATE_FLAGS.persistentSequential);
      return (writer) => appendFrame(writer, create);
    }
    case "churn": {
      const own = new KeySpace(spec.root, "/e#####");
      const create = new KeyedFrame(own, (path) => frames.create(path, value, CREATE_FLAGS.ephemeral));
      const remove = new KeyedFrame(own, frames.delete);
      return (writer, lane, step) => (step % 2 === 0 ? create : remove).appendTo(writer, lane);
    }
    default:
      throw new Error(`${spec.workload} is not made of single requests`);
  }
}
