import { ByteReader, RECORD_SLOTS_MAX, syncRequest, WireError } from "@watchkeeper/wire";

const slots = new Int32Array(RECORD_SLOTS_MAX);

/** The path of a sync, encoded as its reply gives it back; undefined where it cannot be decoded. */
export function readSyncedPath(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const reader = new ByteReader(bytes, start, end);
  try {
    syncRequest.scan(reader, slots, 0);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  return bytes.slice(start, reader.position);
}
