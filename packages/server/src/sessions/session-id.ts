/**
 * Session ids and passwords as Apache's servers make them. All members of an ensemble, and whoever
 * opens its data directory later, must derive the same password from an id, or sessions could not move.
 * It is a checksum, computable by anyone who knows the id: it protects nothing, and nothing relies on it.
 */
const TWO_32 = 2 ** 32;
const PASSWORD_SALT = 0xb3415c00n;
const MULTIPLIER = 0x5deece66dn;
const MASK_48 = (1n << 48n) - 1n;
export const PASSWORD_BYTES = 16;

/** Makes ids: the server's id in the top byte, 40 bits of start time, a count in the rest (`SessionTrackerImpl.initializeNextSessionId`). */
export class SessionIds {
  private high: number;
  private low: number;

  constructor(serverId: number, startMs: number) {
    // (ms << 24) >>> 8 keeps the low 40 bits of the time in bits 55..16.
    const time40 = startMs % 2 ** 40;
    this.high = (serverId << 24) | (Math.floor(time40 / 2 ** 16) & 0xffffff);
    this.low = ((time40 % 2 ** 16) * 2 ** 16) | 0;
  }

  /** The next id as `[high, low]`; the container marker is skipped. */
  next(): [number, number] {
    if (this.high === (0x80000000 | 0) && this.low === 0) this.low = 1;
    const id: [number, number] = [this.high, this.low];
    const next = (this.low >>> 0) + 1;
    this.low = next | 0;
    if (next === TWO_32) this.high = (this.high + 1) | 0;
    return id;
  }
}

/** Java's `Random(id ^ salt).nextBytes(16)`. */
export function sessionPassword(key: bigint): Uint8Array {
  const password = new Uint8Array(PASSWORD_BYTES);
  let state = (BigInt.asUintN(64, key) ^ PASSWORD_SALT ^ MULTIPLIER) & MASK_48;
  for (let at = 0; at < PASSWORD_BYTES; at += 4) {
    state = (state * MULTIPLIER + 0xbn) & MASK_48;
    const word = Number((state >> 16n) & 0xffffffffn);
    password[at] = word;
    password[at + 1] = word >>> 8;
    password[at + 2] = word >>> 16;
    password[at + 3] = word >>> 24;
  }
  return password;
}

/** Compares in constant time, so that a wrong password does not tell how much of it was right. */
export function isPasswordOf(key: bigint, candidate: Uint8Array | null): boolean {
  if (candidate === null || candidate.length !== PASSWORD_BYTES) return false;
  const password = sessionPassword(key);
  let difference = 0;
  for (let i = 0; i < PASSWORD_BYTES; i++) difference |= password[i]! ^ candidate[i]!;
  return difference === 0;
}
