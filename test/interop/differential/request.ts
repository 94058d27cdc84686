/**
 * Requests as the comparison sends them: any opcode, any values, also such as no client would send
 * (nulls, bodies cut short, counts below zero), with enough kept beside the bytes to explain a reply.
 */
import * as wire from "@watchkeeper/wire";

const { ByteWriter, OP } = wire;

/** The fields of a request's record; nulls may stand where the protocol has none. */
export type RequestValues = Readonly<Record<string, unknown>>;

export interface SubOperation {
  readonly opcode: number;
  readonly values: RequestValues;
}

export interface Request {
  readonly xid: number;
  readonly opcode: number;
  readonly values: RequestValues;
  /** The operations of a multi or multiRead. */
  readonly operations: readonly SubOperation[];
  /** The whole frame, length included, as it is sent. */
  readonly bytes: Uint8Array;
  /** How the bytes differ from the values, where they were damaged. */
  readonly damage?: string;
}

interface Encodable {
  encode(writer: wire.ByteWriter, value: never): void;
}

const requestRecords = new Map<number, Encodable>([
  [OP.create, wire.createRequest],
  [OP.create2, wire.createRequest],
  [OP.createContainer, wire.createRequest],
  [OP.createTTL, wire.createTtlRequest],
  [OP.delete, wire.deleteRequest],
  [OP.exists, wire.existsRequest],
  [OP.getData, wire.getDataRequest],
  [OP.setData, wire.setDataRequest],
  [OP.getACL, wire.getAclRequest],
  [OP.setACL, wire.setAclRequest],
  [OP.getChildren, wire.getChildrenRequest],
  [OP.getChildren2, wire.getChildrenRequest],
  [OP.sync, wire.syncRequest],
  [OP.check, wire.checkVersionRequest],
  [OP.reconfig, wire.reconfigRequest],
  [OP.checkWatches, wire.watchTypeRequest],
  [OP.removeWatches, wire.watchTypeRequest],
  [OP.auth, wire.authRequest],
  [OP.setWatches, wire.setWatchesRequest],
  [OP.setWatches2, wire.setWatches2Request],
  [OP.sasl, wire.saslRequest],
  [OP.getEphemerals, wire.getEphemeralsRequest],
  [OP.getAllChildrenNumber, wire.getAllChildrenNumberRequest],
  [OP.addWatch, wire.addWatchRequest],
]);

export function makeRequest(xid: number, opcode: number, values: RequestValues = {}): Request {
  const writer = beginFrame(xid, opcode);
  requestRecords.get(opcode)?.encode(writer, values as never);
  return { xid, opcode, values, operations: [], bytes: endFrame(writer) };
}

export function makeMulti(xid: number, opcode: number, operations: readonly SubOperation[]): Request {
  const writer = beginFrame(xid, opcode);
  for (const operation of operations) {
    wire.multiHeader.encode(writer, { type: operation.opcode, done: false, err: -1 });
    requestRecords.get(operation.opcode)?.encode(writer, operation.values as never);
  }
  wire.multiHeader.encode(writer, { type: -1, done: true, err: -1 });
  return { xid, opcode, values: {}, operations, bytes: endFrame(writer) };
}

/** The request with its last bytes missing, its frame length set to what is left. */
export function truncated(request: Request, missing: number): Request {
  const bytes = request.bytes.slice(0, request.bytes.length - missing);
  wire.writeInt(bytes, 0, bytes.length - 4);
  return { ...request, bytes, damage: `the last ${missing} bytes missing` };
}

/** The request with bytes behind its record, which servers ignore. */
export function lengthened(request: Request, extra: Uint8Array): Request {
  const bytes = new Uint8Array(request.bytes.length + extra.length);
  bytes.set(request.bytes);
  bytes.set(extra, request.bytes.length);
  wire.writeInt(bytes, 0, bytes.length - 4);
  return { ...request, bytes, damage: `${extra.length} bytes more at the end` };
}

/** The request with one of its ints, counted in bytes from the body's start, replaced. */
export function withInt(request: Request, offset: number, value: number): Request {
  const bytes = request.bytes.slice();
  wire.writeInt(bytes, bodyStart + offset, value);
  return { ...request, bytes, damage: `${value} written at byte ${offset} of the body` };
}

/** Bytes that are no frame with a request in it: the server is expected to close the connection. */
export function noRequest(bytes: Uint8Array, damage: string): Request {
  return { xid: 0, opcode: 0, values: {}, operations: [], bytes, damage };
}

/** Where in the body lengths and counts stand: of the path, of what comes behind it, of the first scheme in an ACL. */
export function lengthOffsets({ opcode, values }: Request): readonly number[] {
  const path = values["path"];
  if (typeof path !== "string") return [0];
  const afterPath = 4 + wire.encodeText(path).length;
  if (opcode === OP.setACL) return [0, afterPath, afterPath + 8];
  if (!("data" in values)) return [0];
  const afterData = afterPath + 4 + ((values["data"] as Uint8Array | null)?.length ?? 0);
  return "acl" in values ? [0, afterPath, afterData, afterData + 8] : [0, afterPath];
}

const bodyStart = 12;

export function bodyBytes(request: Request): number {
  return request.bytes.length - bodyStart;
}

function beginFrame(xid: number, opcode: number): wire.ByteWriter {
  const writer = new ByteWriter();
  writer.int(0);
  wire.requestHeader.encode(writer, { xid, type: opcode });
  return writer;
}

function endFrame(writer: wire.ByteWriter): Uint8Array {
  const bytes = writer.view().slice();
  wire.writeInt(bytes, 0, bytes.length - 4);
  return bytes;
}

export function describeRequest(request: Request): string {
  const name = wire.operationName(request.opcode) ?? `opcode ${request.opcode}`;
  const operations = request.operations.map(
    (one) => `\n      ${wire.operationName(one.opcode) ?? one.opcode} ${JSON.stringify(one.values, showValue)}`,
  );
  const damage = request.damage === undefined ? "" : ` (${request.damage})`;
  return `${name} xid ${request.xid} ${JSON.stringify(request.values, showValue)}${damage}${operations.join("")}`;
}

function showValue(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? `bytes(${wire.decodeText(value, 0, value.length)})` : value;
}
