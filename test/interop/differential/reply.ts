/**
 * Frames from a server as values that can be compared: what two servers cannot have in common (session
 * ids, times, the order of names in a set) is put in a common form, everything else stays.
 */
import * as wire from "@watchkeeper/wire";
import type { Request } from "./request.js";

const { ByteReader, OP, XID } = wire;

export interface EventItem {
  readonly kind: "event";
  readonly zxid: string;
  readonly err: number;
  readonly type: number;
  readonly state: number;
  readonly path: string;
}

export interface ReplyItem {
  readonly kind: "reply";
  readonly xid: number;
  readonly zxid: string;
  readonly err: number;
  /** Decoded as the request's reply; null without a body; hexadecimal where it cannot be decoded. */
  readonly body: unknown;
}

export type Item = EventItem | ReplyItem;

/** A result of a multi. */
export interface MultiResult {
  readonly type: number;
  readonly err: number;
  readonly body: unknown;
}

/** Names for the ids of sessions, the same on both servers: the first session opened, the second, ... */
export class SessionNames {
  private readonly names = new Map<bigint, string>();

  add(id: bigint): string {
    const name = `session ${this.names.size + 1}`;
    this.names.set(id, name);
    return name;
  }

  of(id: bigint): string {
    return id === 0n ? "none" : (this.names.get(id) ?? `unknown session ${id}`);
  }

  /** The owner of an ephemeral node under the name that `of` gave it. */
  idOf(name: string): bigint {
    for (const [id, known] of this.names) if (known === name) return id;
    return 0n;
  }
}

export interface ComparableStat {
  readonly czxid: string;
  readonly mzxid: string;
  readonly pzxid: string;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly owner: string;
  readonly dataLength: number;
  readonly numChildren: number;
}

export function comparableStat(stat: wire.Stat, names: SessionNames): ComparableStat {
  return {
    czxid: stat.czxid.toString(),
    mzxid: stat.mzxid.toString(),
    pzxid: stat.pzxid.toString(),
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    owner: names.of(stat.ephemeralOwner),
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
  };
}

/** Decodes what came on a connection; `requests` are those it answers, in order. */
export function decodeFrames(frames: readonly Uint8Array[], requests: readonly Request[], names: SessionNames): Item[] {
  let next = 0;
  return frames.map((frame) => {
    const reader = new ByteReader(frame);
    if (frame.length < wire.REPLY_HEADER_BYTES) return unreadable(frame);
    const { xid, zxid, err } = wire.replyHeader.decode(reader);
    if (xid === XID.notification) {
      const { type, state, path } = wire.watcherEvent.decode(reader);
      return { kind: "event", zxid: zxid.toString(), err, type, state, path };
    }
    const request = requests[next++];
    return { kind: "reply", xid, zxid: zxid.toString(), err, body: decodeBody(reader, request, names) };
  });
}

function unreadable(frame: Uint8Array): ReplyItem {
  return { kind: "reply", xid: 0, zxid: "", err: 0, body: hexOf(frame, 0) };
}

function decodeBody(reader: wire.ByteReader, request: Request | undefined, names: SessionNames): unknown {
  if (reader.remaining === 0) return null;
  const start = reader.position;
  try {
    const body = request === undefined ? undefined : bodyOf(reader, request.opcode, names);
    if (body !== undefined && reader.remaining === 0) return body;
  } catch (error) {
    if (!(error instanceof wire.WireError)) throw error;
  }
  return hexOf(reader.bytes, start);
}

function hexOf(bytes: Uint8Array, start: number): string {
  return `0x${Buffer.from(bytes.subarray(start)).toString("hex")}`;
}

function bodyOf(reader: wire.ByteReader, opcode: number, names: SessionNames): unknown {
  switch (opcode) {
    case OP.create:
      return wire.createResponse.decode(reader);
    case OP.create2:
    case OP.createContainer:
    case OP.createTTL: {
      const { path, stat } = wire.create2Response.decode(reader);
      return { path, stat: comparableStat(stat, names) };
    }
    case OP.exists:
    case OP.setData:
    case OP.setACL:
      return { stat: comparableStat(wire.stat.decode(reader), names) };
    case OP.getData: {
      const { data, stat } = wire.getDataResponse.decode(reader);
      return { data: showData(data), stat: comparableStat(stat, names) };
    }
    case OP.getACL: {
      const { acl, stat } = wire.getAclResponse.decode(reader);
      return { acl, stat: comparableStat(stat, names) };
    }
    case OP.getChildren:
      return wire.getChildrenResponse.decode(reader).children.sort();
    case OP.getChildren2: {
      const { children, stat } = wire.getChildren2Response.decode(reader);
      return { children: children.sort(), stat: comparableStat(stat, names) };
    }
    case OP.sync:
      return wire.syncResponse.decode(reader);
    case OP.multi:
    case OP.multiRead:
      return multiResults(reader, names);
    case OP.sasl:
      return wire.saslResponse.decode(reader);
    case OP.getEphemerals:
      return wire.getEphemeralsResponse.decode(reader).ephemerals.sort();
    case OP.getAllChildrenNumber:
      return wire.getAllChildrenNumberResponse.decode(reader);
    case OP.addWatch:
      return wire.errorResponse.decode(reader);
    case OP.whoAmI:
      return wire.whoAmIResponse
        .decode(reader)
        .clientInfo.map(({ authScheme, user }) => `${authScheme} ${user}`)
        .sort();
    default:
      return undefined;
  }
}

function multiResults(reader: wire.ByteReader, names: SessionNames): MultiResult[] {
  const results: MultiResult[] = [];
  for (;;) {
    const { type, done, err } = wire.multiHeader.decode(reader);
    if (done) return results;
    const body = type === OP.error ? wire.errorResponse.decode(reader) : multiBody(reader, type, names);
    results.push({ type, err, body });
  }
}

/** Inside a multi a delete and a check have no body, and a create2 has that of create2. */
function multiBody(reader: wire.ByteReader, type: number, names: SessionNames): unknown {
  return type === OP.delete || type === OP.check ? null : bodyOf(reader, type, names);
}

export function showData(data: Uint8Array | null): string | null {
  return data === null ? null : Buffer.from(data).toString("latin1");
}
