import { CREATE_FLAGS, copyBytes, ERR, OP } from "@watchkeeper/wire";
import { containerOwner, TTL_MS_MAX, ttlOwner } from "../tree/index.js";

/** What the flags of a create mean: which kind of node, whose, and under which name. */

export function isEphemeral(flags: number): boolean {
  return flags === CREATE_FLAGS.ephemeral || flags === CREATE_FLAGS.ephemeralSequential;
}

function isTtl(flags: number): boolean {
  return flags === CREATE_FLAGS.persistentWithTtl || flags === CREATE_FLAGS.persistentSequentialWithTtl;
}

export function isSequential(flags: number): boolean {
  return (
    flags === CREATE_FLAGS.persistentSequential ||
    flags === CREATE_FLAGS.ephemeralSequential ||
    flags === CREATE_FLAGS.persistentSequentialWithTtl
  );
}

/** Opcode and flags must agree: Apache lets the opcode or the flags win, depending on where one asks. */
export function checkFlags(opcode: number, flags: number, ttlMs: number, extendedTypesEnabled: boolean): number {
  if (flags < 0 || flags > 6) return ERR.BAD_ARGUMENTS;
  if (isTtl(flags) && !extendedTypesEnabled) return ERR.UNIMPLEMENTED;
  if (opcode === OP.createTTL) return isTtl(flags) && ttlMs >= 1 && ttlMs <= TTL_MS_MAX ? 0 : ERR.BAD_ARGUMENTS;
  if (opcode === OP.createContainer) return flags === CREATE_FLAGS.container ? 0 : ERR.BAD_ARGUMENTS;
  return flags <= CREATE_FLAGS.ephemeralSequential ? 0 : ERR.BAD_ARGUMENTS;
}

/** The persisted ephemeralOwner of a node made with these flags by this session. */
export function ownerOf(
  flags: number,
  ttlMs: number,
  session: { readonly sessionHigh: number; readonly sessionLow: number },
): { high: number; low: number } {
  if (isEphemeral(flags)) return { high: session.sessionHigh, low: session.sessionLow };
  if (flags === CREATE_FLAGS.container) return containerOwner();
  return isTtl(flags) ? ttlOwner(ttlMs) : NO_OWNER;
}

const NO_OWNER = { high: 0, low: 0 };

const SEQUENCE_DIGITS = 10;
const MINUS = 0x2d;
const ZERO = 0x30;

/** The path of a sequential node: the request's with a number behind it. Its bytes are used again by the next. */
export class SequencePath {
  bytes: Uint8Array = new Uint8Array(512);
  length = 0;

  /** The path with the number its parent gives its next child, as Java's `%010d` writes it. */
  set(path: Uint8Array, start: number, end: number, number: number): void {
    const sign = number < 0 ? 1 : 0;
    const digitsStart = end - start + sign;
    const digitsEnd = digitsStart + (number <= -1_000_000_000 ? SEQUENCE_DIGITS : SEQUENCE_DIGITS - sign);
    if (digitsEnd > this.bytes.length) this.bytes = new Uint8Array(digitsEnd * 2);
    this.length = digitsEnd;
    copyBytes(path, start, end, this.bytes, 0);
    if (sign === 1) this.bytes[end - start] = MINUS;
    let rest = Math.abs(number);
    for (let at = digitsEnd - 1; at >= digitsStart; at--) {
      this.bytes[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}
