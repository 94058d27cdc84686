import {
  ByteReader,
  ByteWriter,
  connectRequestReadOnly,
  connectResponseReadOnly,
  FrameSplitter,
  OP,
  operations,
  type Stat,
  watcherEvent,
  writeInt,
} from "@watchkeeper/wire";

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

const EVENT_DATA_CHANGED = 3;
const NO_NODE = -101;

export interface SimulatedSession {
  readonly id: bigint;
  readonly timeoutMs: number;
  expiresAtMs: number;
  isExpired: boolean;
}

/** How one connection misbehaves on the server's side. */
export type Mischief = "garbage" | "oversized frame" | "wrong xid" | "reply to nobody" | "truncated frame";

/**
 * What all servers know, and one server's half of each connection: enough of ZooKeeper to answer reads,
 * writes and pings, to fire one-shot data watches and to end sessions. Nodes are "/0" to "/9", and their
 * data is their version, so that a reader can tell what it has seen.
 */
export class SimulatedEnsemble {
  readonly sessions = new Map<bigint, SimulatedSession>();
  readonly versions = new Map<string, { version: number; mzxid: bigint }>();
  readonly connections = new Set<SimulatedConnection>();
  zxid = 1n;
  private lastSessionId = 0n;

  constructor() {
    for (let i = 0; i < 10; i++) this.versions.set(`/${i}`, { version: 0, mzxid: 1n });
  }

  openSession(timeoutMs: number, nowMs: number): SimulatedSession {
    const session = { id: ++this.lastSessionId, timeoutMs, expiresAtMs: nowMs + timeoutMs, isExpired: false };
    this.sessions.set(session.id, session);
    return session;
  }

  /** A write, whoever makes it: the watchers of every connection are told. */
  write(path: string): void {
    const node = this.versions.get(path)!;
    this.zxid++;
    this.versions.set(path, { version: node.version + 1, mzxid: this.zxid });
    for (const connection of this.connections) connection.fire(path);
  }

  expire(nowMs: number): SimulatedSession[] {
    const due = [...this.sessions.values()].filter((session) => !session.isExpired && session.expiresAtMs <= nowMs);
    for (const session of due) {
      session.isExpired = true;
      for (const connection of this.connections) if (connection.session === session) connection.hangUp();
    }
    return due;
  }
}

export class SimulatedConnection {
  session: SimulatedSession | undefined;
  mischief: Mischief | undefined;
  private readonly ensemble: SimulatedEnsemble;
  private readonly send: (bytes: Uint8Array) => void;
  readonly hangUp: () => void;
  private readonly splitter = new FrameSplitter(1 << 20);
  private readonly watched = new Set<string>();
  private answers = 0;

  constructor(ensemble: SimulatedEnsemble, send: (bytes: Uint8Array) => void, hangUp: () => void) {
    this.ensemble = ensemble;
    this.send = send;
    this.hangUp = hangUp;
    ensemble.connections.add(this);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.splitter.push(bytes);
    while (this.splitter.next()) {
      const reader = new ByteReader(this.splitter.bytes, this.splitter.start, this.splitter.end);
      if (this.session === undefined) this.handshake(reader, nowMs);
      else this.request(reader, this.session, nowMs);
    }
  }

  fire(path: string): void {
    if (this.watched.delete(path)) this.event(path);
  }

  private handshake(reader: ByteReader, nowMs: number): void {
    const { ensemble } = this;
    const { sessionId, timeOut, lastZxidSeen } = connectRequestReadOnly.decode(reader);
    if (lastZxidSeen > ensemble.zxid) throw new Error("the client has seen a zxid that nobody gave");
    const known = ensemble.sessions.get(sessionId);
    const session = sessionId === 0n ? ensemble.openSession(timeOut, nowMs) : known;
    const isGone = session === undefined || session.isExpired;
    this.frame((writer) =>
      connectResponseReadOnly.encode(writer, {
        protocolVersion: 0,
        timeOut: isGone ? 0 : session.timeoutMs,
        sessionId: isGone ? 0n : session.id,
        passwd: new Uint8Array(16),
        readOnly: false,
      }),
    );
    if (isGone) {
      this.hangUp();
      return;
    }
    // A session has one connection: an older one is closed before the new one speaks.
    for (const other of ensemble.connections) if (other !== this && other.session === session) other.hangUp();
    this.session = session;
    session.expiresAtMs = nowMs + session.timeoutMs;
  }

  private request(reader: ByteReader, session: SimulatedSession, nowMs: number): void {
    if (session.isExpired) return;
    session.expiresAtMs = nowMs + session.timeoutMs;
    const xid = reader.int();
    const opcode = reader.int();
    this.answers++;
    if (this.mischief !== undefined && this.answers > 2) {
      this.misbehave(this.mischief, xid);
      return;
    }
    switch (opcode) {
      case OP.getData: {
        const { path, watch } = operations.getData.request.decode(reader);
        const node = this.ensemble.versions.get(path);
        if (node === undefined) {
          this.reply(xid, NO_NODE);
          return;
        }
        if (watch) this.watched.add(path);
        const data = new TextEncoder().encode(String(node.version));
        const stat = { ...NO_STAT, version: node.version, mzxid: node.mzxid };
        this.reply(xid, 0, (writer) => operations.getData.response.encode(writer, { data, stat }));
        return;
      }
      case OP.setData: {
        const { path } = operations.setData.request.decode(reader);
        this.ensemble.write(path);
        this.reply(xid, 0, (writer) => operations.setData.response.encode(writer, { stat: NO_STAT }));
        return;
      }
      case OP.setWatches: {
        const { relativeZxid, dataWatches } = operations.setWatches.request.decode(reader);
        for (const path of dataWatches) {
          if (this.ensemble.versions.get(path)!.mzxid > relativeZxid) this.event(path);
          else this.watched.add(path);
        }
        this.reply(xid, 0);
        return;
      }
      case OP.closeSession:
        session.isExpired = true;
        this.reply(xid, 0);
        this.hangUp();
        return;
      default:
        this.reply(xid, 0);
    }
  }

  private misbehave(mischief: Mischief, xid: number): void {
    const writer = new ByteWriter();
    switch (mischief) {
      case "garbage":
        this.send(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
        return;
      case "oversized frame":
        writer.int(0x7fffffff);
        this.send(writer.view().slice());
        return;
      case "truncated frame":
        writer.int(3);
        writer.int(0x61626364);
        this.send(writer.view().slice());
        return;
      case "wrong xid":
        this.reply(xid + 7, 0);
        return;
      case "reply to nobody":
        this.reply(xid, 0);
        this.reply(xid, 0);
    }
  }

  private event(path: string): void {
    this.header(-1, 0, (writer) => watcherEvent.encode(writer, { type: EVENT_DATA_CHANGED, state: 3, path }));
  }

  private reply(xid: number, err: number, body?: (writer: ByteWriter) => void): void {
    this.header(xid, err, body);
  }

  private header(xid: number, err: number, body?: (writer: ByteWriter) => void): void {
    this.frame((writer) => {
      writer.int(xid);
      writer.long(this.ensemble.zxid);
      writer.int(err);
      body?.(writer);
    });
  }

  private frame(body: (writer: ByteWriter) => void): void {
    const writer = new ByteWriter();
    writer.int(0);
    body(writer);
    writeInt(writer.bytes, 0, writer.length - 4);
    this.send(writer.view().slice());
  }
}
