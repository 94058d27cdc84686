import {
  ByteWriter,
  connectRequestReadOnly,
  copyBytes,
  createRequest,
  deleteRequest,
  getChildrenRequest,
  getDataRequest,
  OP,
  PERMISSIONS,
  requestHeader,
  setDataRequest,
  writeInt,
  XID,
} from "@watchkeeper/wire";
import type { KeySpace } from "./key-space.js";

/**
 * Requests as whole frames, encoded once. All carry the same xid: a server echoes it and never compares
 * it, and replies come in the order of the requests, so counting needs no more.
 */
const XID_OF_ALL = 1;
const LENGTH_BYTES = 4;
const HEADER_BYTES = 8;
/** Where the path's first byte stands: every request used here begins with its path. */
const PATH_AT = LENGTH_BYTES + HEADER_BYTES + 4;
const OPEN_ACL = [{ perms: PERMISSIONS.all, id: { scheme: "world", id: "anyone" } }];

/** Well within the shortest session time-out any server grants for the one that is asked for. */
export const PING_INTERVAL_MS = 8000;

function frame(encode: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  const at = writer.reserve(LENGTH_BYTES);
  encode(writer);
  writeInt(writer.bytes, at, writer.length - LENGTH_BYTES);
  return writer.view().slice();
}

function request(type: number, encodeBody: (writer: ByteWriter) => void = () => {}, xid = XID_OF_ALL): Uint8Array {
  return frame((writer) => {
    requestHeader.encode(writer, { xid, type });
    encodeBody(writer);
  });
}

export const frames = {
  connect: (sessionTimeoutMs: number) =>
    frame((writer) =>
      connectRequestReadOnly.encode(writer, {
        protocolVersion: 0,
        lastZxidSeen: 0n,
        timeOut: sessionTimeoutMs,
        sessionId: 0n,
        passwd: new Uint8Array(16),
        readOnly: false,
      }),
    ),
  closeSession: () => request(OP.closeSession),
  ping: () => request(OP.ping, undefined, XID.ping),
  getData: (path: string, watch = false) =>
    request(OP.getData, (writer) => getDataRequest.encode(writer, { path, watch })),
  exists: (path: string, watch = false) =>
    request(OP.exists, (writer) => getDataRequest.encode(writer, { path, watch })),
  getChildren: (path: string) =>
    request(OP.getChildren, (writer) => getChildrenRequest.encode(writer, { path, watch: false })),
  setData: (path: string, data: Uint8Array) =>
    request(OP.setData, (writer) => setDataRequest.encode(writer, { path, data, version: -1 })),
  create: (path: string, data: Uint8Array, flags: number) =>
    request(OP.create, (writer) => createRequest.encode(writer, { path, data, acl: OPEN_ACL, flags })),
  delete: (path: string) => request(OP.delete, (writer) => deleteRequest.encode(writer, { path, version: -1 })),
};

/** One prepared request for any key of a key space: a copy with the key's digits written over. */
export class KeyedFrame {
  private readonly bytes: Uint8Array;
  private readonly digitsAt: readonly number[];

  constructor(keys: KeySpace, encode: (path: string) => Uint8Array) {
    this.bytes = encode(keys.pathOf(0));
    this.digitsAt = keys.digitPositions.map((position) => PATH_AT + position);
  }

  appendTo(writer: ByteWriter, key: number): void {
    const at = writer.reserve(this.bytes.length);
    copyBytes(this.bytes, 0, this.bytes.length, writer.bytes, at);
    let rest = key;
    for (let i = this.digitsAt.length - 1; i >= 0; i--) {
      writer.bytes[at + this.digitsAt[i]!] = 0x30 + (rest % 10);
      rest = (rest / 10) | 0;
    }
  }
}

export function appendFrame(writer: ByteWriter, bytes: Uint8Array): void {
  writer.copy(bytes, 0, bytes.length);
}

/** What every node holds: letters, so that a dump of it can be read. */
export function nodeData(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => 0x61 + (i % 26));
}
