import { connect, type Socket } from "node:net";
import {
  ByteReader,
  ByteWriter,
  connectRequest,
  connectRequestReadOnly,
  connectResponse,
  connectResponseReadOnly,
  type Field,
  FrameSplitter,
  OP,
  type OperationName,
  replyHeader,
  watcherEvent,
  writeInt,
  XID,
} from "@watchkeeper/wire";

export interface Handshake {
  readonly timeoutMs?: number;
  readonly sessionId?: bigint;
  readonly password?: Uint8Array | null;
  readonly lastZxidSeen?: bigint;
  /** Undefined: as a client up to 3.3, which does not send the flag. */
  readonly readOnly?: boolean | undefined;
}

export interface HandshakeAnswer {
  readonly timeOut: number;
  readonly sessionId: bigint;
  readonly passwd: Uint8Array;
  /** Undefined where the server left the flag out. */
  readonly readOnly: boolean | undefined;
}

/** A frame from the server: a reply, or a watch event where the xid is -1. */
export interface Frame {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: number;
  /** What comes behind the header. */
  readonly body: Uint8Array;
}

export interface RawEvent {
  readonly type: number;
  readonly path: string;
  readonly zxid: bigint;
}

/** A request's frame, its length in front. */
export function requestFrame<T>(
  xid: number,
  operation: OperationName | number,
  record?: Field<T>,
  body?: T,
): Uint8Array {
  const writer = new ByteWriter();
  writer.int(0);
  writer.int(xid);
  writer.int(typeof operation === "number" ? operation : OP[operation]);
  if (record !== undefined) record.encode(writer, body as T);
  writeInt(writer.bytes, 0, writer.length - 4);
  return writer.view().slice();
}

export function handshakeFrame(handshake: Handshake): Uint8Array {
  const { timeoutMs = 10_000, sessionId = 0n, password = new Uint8Array(16), lastZxidSeen = 0n } = handshake;
  const value = { protocolVersion: 0, lastZxidSeen, timeOut: timeoutMs, sessionId, passwd: password };
  const writer = new ByteWriter();
  writer.int(0);
  if ("readOnly" in handshake && handshake.readOnly === undefined) connectRequest.encode(writer, value);
  else connectRequestReadOnly.encode(writer, { ...value, readOnly: handshake.readOnly ?? false });
  writeInt(writer.bytes, 0, writer.length - 4);
  return writer.view().slice();
}

export function readHandshakeAnswer(bytes: Uint8Array): HandshakeAnswer {
  const withFlag = bytes.length === 37;
  const reader = new ByteReader(bytes);
  const answer = withFlag ? connectResponseReadOnly.decode(reader) : connectResponse.decode(reader);
  const readOnly = "readOnly" in answer ? (answer.readOnly as boolean) : undefined;
  return { timeOut: answer.timeOut, sessionId: answer.sessionId, passwd: answer.passwd.slice(), readOnly };
}

export function readFrame(bytes: Uint8Array): Frame {
  const reader = new ByteReader(bytes);
  const { xid, zxid, err } = replyHeader.decode(reader);
  return { xid, zxid, err, body: bytes.slice(reader.position) };
}

export function readEvent(frame: Frame): RawEvent {
  const { type, path } = watcherEvent.decode(new ByteReader(frame.body));
  return { type, path, zxid: frame.zxid };
}

/**
 * The wire itself, for what a client would hide: frames in the order in which they came, requests that
 * no client sends, bytes in pieces.
 */
export class RawConnection {
  sessionId = 0n;
  password: Uint8Array = new Uint8Array(16);
  private readonly socket: Socket;
  private readonly splitter = new FrameSplitter(64 << 20);
  private readonly frames: Uint8Array[] = [];
  private readonly received: Uint8Array[] = [];
  private readonly waiting: { resolve(frame: Uint8Array): void; reject(error: Error): void }[] = [];
  private ended = false;
  private readonly closed: Promise<void>;
  private xid = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    socket.on("data", (chunk: Uint8Array) => this.onChunk(chunk));
    socket.on("close", () => {
      this.ended = true;
      for (const one of this.waiting.splice(0)) one.reject(new Error("the server has closed the connection"));
    });
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RawConnection(socket)));
    });
  }

  private onChunk(chunk: Uint8Array): void {
    this.received.push(chunk);
    try {
      this.splitter.push(chunk);
      while (this.splitter.next()) {
        const frame = Uint8Array.from(this.splitter.bytes.subarray(this.splitter.start, this.splitter.end));
        const one = this.waiting.shift();
        if (one === undefined) this.frames.push(frame);
        else one.resolve(frame);
      }
    } catch {
      // The text of a four-letter word is no frame; `untilClosed` has it.
    }
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Takes nothing from the socket any more. */
  stopReading(): void {
    this.socket.pause();
  }

  readAgain(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  get isClosed(): boolean {
    return this.ended;
  }

  /** Resolves when the server has closed, with every byte it sent. */
  async untilClosed(): Promise<Buffer> {
    await this.closed;
    return Buffer.concat(this.received);
  }

  nextBytes(): Promise<Uint8Array> {
    const frame = this.frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.ended) return Promise.reject(new Error("the server has closed the connection"));
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  async next(): Promise<Frame> {
    return readFrame(await this.nextBytes());
  }

  async handshake(handshake: Handshake = {}): Promise<HandshakeAnswer> {
    this.write(handshakeFrame(handshake));
    const answer = readHandshakeAnswer(await this.nextBytes());
    this.sessionId = answer.sessionId;
    this.password = answer.passwd;
    return answer;
  }

  /** Sends a request and returns its xid; waits for nothing. */
  send<T>(operation: OperationName | number, record?: Field<T>, body?: T): number {
    this.xid += 1;
    this.write(requestFrame(this.xid, operation, record, body));
    return this.xid;
  }

  /** Everything up to the reply to `xid`: what came before it, and the reply. */
  async upTo(xid: number): Promise<{ before: Frame[]; reply: Frame }> {
    const before: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.xid === xid) return { before, reply: frame };
      before.push(frame);
    }
  }

  /** Sends a request and gives its reply; frames before it are dropped. */
  async call<T>(operation: OperationName | number, record?: Field<T>, body?: T): Promise<Frame> {
    return (await this.upTo(this.send(operation, record, body))).reply;
  }

  /** The events that came before the answer to a ping sent now: everything the server had for us. */
  async events(): Promise<RawEvent[]> {
    this.write(requestFrame(XID.ping, "ping"));
    const { before } = await this.upTo(XID.ping);
    return before.filter((frame) => frame.xid === XID.notification).map(readEvent);
  }
}
