import { CREATE_FLAGS, ERR, OP } from "@watchkeeper/wire";
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

/** A path being made: of the request's, or with a number behind it. Its bytes are used again by the next. */
export class SequencePath {
  bytes: Uint8Array = new Uint8Array(512);
  length = 0;

  /** The path with the number its parent gives its next child, as Java's `%010d` writes it. */
  set(path: Uint8Array, start: number, end: number, number: number): void {
    const digits =
      number < 0
        ? `-${String(-number).padStart(SEQUENCE_DIGITS - 1, "0")}`
        : String(number).padStart(SEQUENCE_DIGITS, "0");
    this.length = end - start + digits.length;
    if (this.length > this.bytes.length) this.bytes = new Uint8Array(this.length * 2);
    this.bytes.set(path.subarray(start, end));
    for (let i = 0; i < digits.length; i++) this.bytes[end - start + i] = digits.charCodeAt(i);
  }
}
