import { type ByteWriter, connectRequestReadOnly, writeInt } from "@watchkeeper/wire";

/** Frames as a client writes them: length, header, body. The length is filled in when the body is known. */
export function beginFrame(writer: ByteWriter, xid: number, opcode: number): number {
  const start = writer.reserve(4);
  writer.int(xid);
  writer.int(opcode);
  return start;
}

/** Returns the length of the frame that began at `start`. */
export function endFrame(writer: ByteWriter, start: number): number {
  const length = writer.length - start - 4;
  writeInt(writer.bytes, start, length);
  return length;
}

export function appendFrame(writer: ByteWriter, xid: number, opcode: number, body?: () => void): void {
  const start = beginFrame(writer, xid, opcode);
  body?.();
  endFrame(writer, start);
}

export interface Handshake {
  readonly lastZxidSeen: bigint;
  readonly timeOut: number;
  readonly sessionId: bigint;
  readonly passwd: Uint8Array;
  /** A server that is cut off from the others will do as well. */
  readonly readOnly: boolean;
}

/** The first frame of a connection, the only one without a header. */
export function appendConnectRequest(writer: ByteWriter, handshake: Handshake): void {
  const start = writer.reserve(4);
  connectRequestReadOnly.encode(writer, { protocolVersion: 0, ...handshake });
  endFrame(writer, start);
}
