/**
 * Two servers led through the same steps, one step at a time on both. A step is a burst of requests on
 * one connection; it is over when a ping behind the burst has been answered, or the connection closed,
 * and a ping on every other connection has brought the events that the burst caused there. So nothing
 * of one step can be mistaken for part of the next, and no time is waited for anything.
 *
 * Zxids are compared as they are: both servers start empty and every write takes one zxid on both.
 * Where a documented difference takes one on one side only, the other side is made to catch up.
 */
import * as wire from "@watchkeeper/wire";
import { until } from "../../support/until.js";
import type { ServerProcess } from "../support/server-process.js";
import { type Difference, laidSideBySide, sameOrder, withEventRunsSorted } from "./difference.js";
import { RawConnection } from "./raw-connection.js";
import { decodeFrames, type Item, SessionNames } from "./reply.js";
import { makeRequest, type Request } from "./request.js";

const { OP, XID } = wire;

export interface Handshake {
  readonly timeoutMs: number;
  readonly lastZxidSeen: bigint;
  readonly password: "right" | "wrong" | "empty" | "none" | "long";
  /** Whether the client takes a read-only server; clients up to 3.3 do not say. */
  readonly flag: "readWrite" | "readOnly" | "none";
  readonly protocolVersion: number;
  /** Behind the record, which servers ignore. */
  readonly extraBytes: number;
  /** Named instead of the client's own session. */
  readonly foreignSession?: bigint;
}

export const plainHandshake: Handshake = {
  timeoutMs: 60_000,
  lastZxidSeen: 0n,
  password: "right",
  flag: "readWrite",
  protocolVersion: 0,
  extraBytes: 0,
};

interface SessionTicket {
  readonly id: bigint;
  readonly password: Uint8Array;
}

/** One server, with everything that was opened on it. */
export class Side {
  readonly port: number;
  readonly names = new SessionNames();
  readonly connections: (RawConnection | undefined)[] = [];
  readonly tickets: (SessionTicket | undefined)[] = [];

  constructor(server: ServerProcess) {
    this.port = server.clientPort;
  }

  isConnected(client: number): boolean {
    const connection = this.connections[client];
    return connection !== undefined && !connection.isClosed;
  }

  /** Shakes hands; what came back, in a form that both sides can have in common. */
  async connect(client: number, handshake: Handshake): Promise<unknown> {
    const connection = new RawConnection(this.port);
    const ticket = this.tickets[client];
    connection.send(connectFrame(handshake, ticket));
    const frame = await connection.connectResponse();
    if (frame === undefined) return "closed";
    const reader = new wire.ByteReader(frame);
    const { protocolVersion, timeOut, sessionId, passwd } = wire.connectResponse.decode(reader);
    const answer = { protocolVersion, timeOut, passwordBytes: passwd.length, frameBytes: frame.length };
    if (timeOut <= 0) {
      await connection.untilClosed();
      return { ...answer, session: "refused" };
    }
    this.connections[client] = connection;
    const isResumed = ticket?.id === sessionId;
    if (isResumed) return { ...answer, session: this.names.of(sessionId) };
    this.tickets[client] = { id: sessionId, password: passwd.slice() };
    return { ...answer, session: this.names.add(sessionId) };
  }

  /** Sends the burst and a ping, and gives what came up to the ping's answer or the connection's end. */
  async exchange(client: number, requests: readonly Request[]): Promise<Item[]> {
    return decodeFrames(await this.exchangeFrames(client, requests), [...requests, barrierPing], this.names);
  }

  async exchangeFrames(client: number, requests: readonly Request[]): Promise<Uint8Array[]> {
    const connection = this.connections[client]!;
    // Behind a closeSession Apache answers or drops a request as it happens; there the close ends the step.
    const closes = requests.at(-1)?.opcode === OP.closeSession;
    const sent = closes ? requests : [...requests, barrierPing];
    connection.send(joined(sent.map((one) => one.bytes)));
    const pings = sent.filter((one) => one.opcode === OP.ping).length;
    return connection.framesUntilPings(closes ? Number.POSITIVE_INFINITY : pings);
  }

  async drop(client: number): Promise<void> {
    await this.connections[client]?.drop();
    this.connections[client] = undefined;
  }
}

const barrierPing = makeRequest(XID.ping, OP.ping);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function connectFrame(handshake: Handshake, ticket: SessionTicket | undefined): Uint8Array {
  const writer = new wire.ByteWriter();
  const session = handshake.foreignSession ?? ticket?.id ?? 0n;
  writer.int(0);
  wire.connectRequest.encode(writer, {
    protocolVersion: handshake.protocolVersion,
    lastZxidSeen: handshake.lastZxidSeen,
    timeOut: handshake.timeoutMs,
    sessionId: session,
    passwd: passwordBytes(handshake.password, ticket),
  });
  if (handshake.flag !== "none") {
    writer.bool(handshake.flag === "readOnly");
    for (let i = 0; i < handshake.extraBytes; i++) writer.bool(true);
  }
  const bytes = writer.view().slice();
  wire.writeInt(bytes, 0, bytes.length - 4);
  return bytes;
}

function passwordBytes(kind: Handshake["password"], ticket: SessionTicket | undefined): Uint8Array | null {
  switch (kind) {
    case "right":
      return ticket?.password ?? new Uint8Array(16);
    case "wrong":
      return new Uint8Array(16).fill(7);
    case "empty":
      return new Uint8Array(0);
    case "long":
      return new Uint8Array(40);
    case "none":
      return null;
  }
}

/** The answers to one step, on the connection that acted and on all others. */
export interface StepResult {
  /** What the acting connection received from Apache's server, the barrier's ping left out. */
  readonly items: readonly Item[];
  readonly isClosed: boolean;
}

export class Lockstep {
  readonly apache: Side;
  readonly watchkeeper: Side;
  /** Set while a probe runs: which one. */
  probe: string | undefined;
  private readonly report: (difference: Difference) => void;

  constructor(apache: ServerProcess, watchkeeper: ServerProcess, report: (difference: Difference) => void) {
    this.apache = new Side(apache);
    this.watchkeeper = new Side(watchkeeper);
    this.report = report;
  }

  /** Opens a session or, where the client has one, takes it up again; says whether both servers agreed to. */
  async connect(client: number, handshake: Handshake = plainHandshake): Promise<boolean> {
    const [apache, watchkeeper] = await this.onBoth((side) => side.connect(client, handshake));
    if (JSON.stringify(apache) !== JSON.stringify(watchkeeper))
      this.report({ ...this.where(client, client, []), aspect: "handshake", apache, watchkeeper });
    return this.isConnected(client);
  }

  /** Tries to take up the session of `owner` on a connection of another client. */
  async connectInto(client: number, owner: number, handshake: Handshake): Promise<void> {
    await this.drop(client);
    for (const side of [this.apache, this.watchkeeper]) side.tickets[client] = side.tickets[owner];
    await this.connect(client, handshake);
    this.forget(client);
  }

  /** Takes up the client's session on a new connection while the old one stands: the servers are to close that. */
  async takeOver(client: number): Promise<void> {
    const before = [this.apache, this.watchkeeper].map((side) => side.connections[client]);
    await this.connect(client);
    await Promise.all(before.map((connection) => connection?.untilClosed()));
  }

  isConnected(client: number): boolean {
    return this.apache.isConnected(client) && this.watchkeeper.isConnected(client);
  }

  async drop(client: number): Promise<void> {
    await this.onBoth((side) => side.drop(client));
  }

  /** Forgets the client's session, so that it opens a new one. */
  forget(client: number): void {
    this.apache.tickets[client] = undefined;
    this.watchkeeper.tickets[client] = undefined;
  }

  /** One burst on one connection, and what it caused on the others. */
  async step(client: number, requests: readonly Request[]): Promise<StepResult> {
    const [apache, watchkeeper] = await this.onBoth((side) => side.exchange(client, requests));
    const where = this.where(client, client, requests);
    this.compare(where, apache, watchkeeper);
    const closed = { apache: !this.apache.isConnected(client), watchkeeper: !this.watchkeeper.isConnected(client) };
    if (closed.apache !== closed.watchkeeper) this.report({ ...where, aspect: "closed", ...closed });
    const others = this.apache.connections.map((_connection, other) => other).filter((other) => other !== client);
    await Promise.all(others.map((other) => this.listen(other, client, requests)));
    const lastItem = apache.at(-1);
    const isPing = lastItem?.kind === "reply" && lastItem.xid === XID.ping;
    return { items: isPing ? apache.slice(0, -1) : apache, isClosed: closed.apache || closed.watchkeeper };
  }

  /** The events a step caused on a connection that did not act in it. */
  private async listen(client: number, actor: number, requests: readonly Request[]): Promise<void> {
    if (!this.isConnected(client)) return;
    const [apache, watchkeeper] = await this.onBoth((side) => side.exchange(client, []));
    const where = this.where(client, actor, requests);
    this.compare(where, apache, watchkeeper);
    const closed = { apache: !this.apache.isConnected(client), watchkeeper: !this.watchkeeper.isConnected(client) };
    if (closed.apache !== closed.watchkeeper) this.report({ ...where, aspect: "closed", ...closed });
  }

  private compare(where: ReturnType<Lockstep["where"]>, apache: readonly Item[], watchkeeper: readonly Item[]): void {
    const closes = where.requests.some((one) => one.opcode === OP.closeSession) || where.requests.length === 0;
    let left = apache;
    let right = watchkeeper;
    if (closes && !sameOrder(left, right)) {
      left = withEventRunsSorted(apache);
      right = withEventRunsSorted(watchkeeper);
      if (sameOrder(left, right)) this.report({ ...where, aspect: "event order", apache, watchkeeper });
    }
    let replies = 0;
    for (const [one, other] of laidSideBySide(left, right)) {
      const isReply = (one ?? other)!.kind === "reply";
      const request = isReply && where.client === where.actor ? where.requests[replies++] : undefined;
      if (JSON.stringify(one) === JSON.stringify(other)) continue;
      if (isReply) {
        const pair = { apache: one, watchkeeper: other } as { apache: undefined; watchkeeper: undefined };
        this.report({ ...where, aspect: "reply", request, ...pair });
      } else {
        const pair = { apache: one, watchkeeper: other } as { apache: undefined; watchkeeper: undefined };
        this.report({ ...where, aspect: "event", ...pair });
      }
    }
  }

  /** Brings the server that has given out fewer zxids to where the other one is, by writes that fail. */
  async alignZxids(client: number): Promise<void> {
    for (;;) {
      const [apache, watchkeeper] = await this.onBoth((side) => this.zxidOf(side, client));
      if (apache === watchkeeper) return;
      const behind = apache < watchkeeper ? this.apache : this.watchkeeper;
      const missing = Number(apache < watchkeeper ? watchkeeper - apache : apache - watchkeeper);
      await behind.exchange(
        client,
        Array.from({ length: missing }, () => failingWrite),
      );
    }
  }

  async zxid(client: number): Promise<bigint> {
    return this.zxidOf(this.apache, client);
  }

  /** Until both servers have come so far by themselves. */
  async untilZxid(client: number, zxid: bigint): Promise<void> {
    await this.onBoth(async (side) => {
      await until(`zxid ${zxid}`, async () => (await this.zxidOf(side, client)) >= zxid);
    });
  }

  private async zxidOf(side: Side, client: number): Promise<bigint> {
    const items = await side.exchange(client, []);
    const last = items.at(-1);
    if (last === undefined) throw new Error(`connection ${client} was closed while the zxids were compared`);
    return BigInt(last.zxid);
  }

  /** The same requests without comparing the answers: to bring both servers into the same state again. */
  async settle(client: number, requests: readonly Request[]): Promise<void> {
    await this.onBoth((side) => side.exchange(client, requests));
  }

  onBoth<T>(act: (side: Side) => Promise<T>): Promise<[T, T]> {
    return Promise.all([act(this.apache), act(this.watchkeeper)]);
  }

  private where(client: number, actor: number, requests: readonly Request[]) {
    return { client, actor, requests, probe: this.probe };
  }
}

const failingWrite = makeRequest(1, OP.delete, { path: "/no-such-node", version: -1 });
