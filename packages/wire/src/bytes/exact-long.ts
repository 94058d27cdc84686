import { WireError } from "./wire-error.js";
import { readLongAsNumber } from "./writer.js";

/** Reads a 64-bit integer that must be one of those a double holds exactly: zxids, epochs, server ids, versions. */
export function readExactLong(bytes: Uint8Array, at: number): number {
  const value = readLongAsNumber(bytes, at);
  // What lies beyond is rounded, but never back to a safe integer.
  if (!Number.isSafeInteger(value)) throw new WireError(`64-bit value at ${at} beyond 2^53`);
  return value;
}
