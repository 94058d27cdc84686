import { authRequest, ByteReader, WireError } from "@watchkeeper/wire";

export interface AuthPacket {
  readonly scheme: string;
  readonly credential: Uint8Array;
}

/** Undefined where it cannot be decoded or lacks a part: refused like a wrong credential. */
export function readAuthPacket(bytes: Uint8Array, start: number, end: number): AuthPacket | undefined {
  try {
    const { scheme, auth } = authRequest.decode(new ByteReader(bytes, start, end));
    return scheme === null || auth === null ? undefined : { scheme, credential: auth };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
