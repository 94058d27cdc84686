/**
 * A client of one connection that does what it is told and hides nothing: no reconnecting, no pings, no
 * retries. Requests are sent at once however many are unanswered, so that the order on the wire is the
 * order of the calls.
 */
import { connect, type Socket } from "node:net";
import { connectPayload, framed, JuteReader, NEW_SESSION, opcode, requestPayload, type SessionKey } from "./jute.js";

export interface Reply {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: number;
  readonly body: Buffer;
}

export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** The server says that there is no such session, any more or ever. */
export class SessionRefused extends Error {
  override readonly name = "SessionRefused";
}

export interface OpenOptions {
  readonly port: number;
  readonly session?: SessionKey;
  readonly timeoutMs?: number;
  readonly onEvent?: () => void;
}

interface Waiting {
  readonly xid: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

const NOTIFICATION_XID = -1;

export class RawClient {
  session: SessionKey = NEW_SESSION;
  timeoutMs = 0;
  readonly socket: Socket;
  private readonly waiting: Waiting[] = [];
  private readonly onEvent: () => void;
  private handshake: { resolve: (client: RawClient) => void; reject: (error: Error) => void } | undefined;
  private unread: Buffer[] = [];
  private unreadBytes = 0;
  private nextXid = 1;

  private constructor(socket: Socket, onEvent: () => void) {
    this.socket = socket;
    this.onEvent = onEvent;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.onData(chunk));
    socket.on("error", () => {});
    socket.on("close", () => this.onClose());
  }

  static open({
    port,
    session = NEW_SESSION,
    timeoutMs = 40_000,
    onEvent = () => {},
  }: OpenOptions): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const client = new RawClient(connect({ host: "127.0.0.1", port }), onEvent);
      client.handshake = { resolve, reject };
      client.socket.write(framed(connectPayload(timeoutMs, session)));
    });
  }

  get unanswered(): number {
    return this.waiting.length;
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  /** Rejects with ConnectionLost where the connection ends before the answer. */
  request(type: number, body: Uint8Array = Buffer.alloc(0)): Promise<Reply> {
    const xid = this.nextXid++;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new ConnectionLost("the connection is closed"));
        return;
      }
      this.waiting.push({ xid, resolve, reject });
      this.socket.write(framed(requestPayload(xid, type, body)));
    });
  }

  /** Ends the session, not only the connection. */
  async close(): Promise<void> {
    await this.request(opcode.closeSession).catch(() => {});
    this.destroy();
  }

  /** Drops the connection; the session goes on. */
  destroy(): void {
    this.socket.destroy();
  }

  private onData(chunk: Buffer): void {
    this.unread.push(chunk);
    this.unreadBytes += chunk.length;
    if (this.unreadBytes < this.bytesWanted()) return;
    const bytes = this.unread.length === 1 ? chunk : Buffer.concat(this.unread);
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readInt32BE(at);
      if (bytes.length < end) break;
      this.onFrame(bytes.subarray(at + 4, end));
      at = end;
    }
    this.unread = at === bytes.length ? [] : [bytes.subarray(at)];
    this.unreadBytes = bytes.length - at;
  }

  /** So that a long reply is joined once, not with each of its chunks. */
  private bytesWanted(): number {
    const first = this.unread[0];
    return first === undefined || first.length < 4 ? 4 : 4 + first.readInt32BE(0);
  }

  private onFrame(frame: Buffer): void {
    const reader = new JuteReader(frame);
    if (this.handshake !== undefined) {
      this.onConnected(reader);
      return;
    }
    const xid = reader.int();
    const reply = { xid, zxid: reader.long(), err: reader.int(), body: frame.subarray(16) };
    if (xid === NOTIFICATION_XID) {
      this.onEvent();
      return;
    }
    const next = this.waiting.shift();
    if (next === undefined || next.xid !== xid) {
      this.socket.destroy(new Error("out of order"));
      const error = new Error(`a reply has xid ${xid} where ${next?.xid ?? "none"} was to be answered`);
      for (const { reject } of next === undefined ? [] : [next, ...this.waiting.splice(0)]) reject(error);
      return;
    }
    next.resolve(reply);
  }

  private onConnected(reader: JuteReader): void {
    const { resolve, reject } = this.handshake!;
    this.handshake = undefined;
    reader.int();
    this.timeoutMs = reader.int();
    const id = reader.long();
    this.session = { id, password: Buffer.from(reader.buffer() ?? []) };
    if (this.timeoutMs > 0) resolve(this);
    else {
      this.destroy();
      reject(new SessionRefused("the server does not know the session"));
    }
  }

  private onClose(): void {
    const lost = new ConnectionLost("the connection ended");
    this.handshake?.reject(lost);
    this.handshake = undefined;
    for (const { reject } of this.waiting.splice(0)) reject(lost);
  }
}

/** A request that is known to succeed. */
export async function succeed(client: RawClient, type: number, body: Uint8Array): Promise<Reply> {
  const reply = await client.request(type, body);
  if (reply.err !== 0) throw new Error(`operation ${type} was answered with error ${reply.err}`);
  return reply;
}
