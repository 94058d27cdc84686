import { ByteReader, type ByteWriter, connectRequest, RECORD_SLOTS_MAX, writeInt } from "@watchkeeper/wire";
import { PASSWORD_BYTES, sessionPassword } from "../sessions/index.js";

/** What a client says first. */
export interface ConnectAttempt {
  readonly lastZxidSeen: number;
  readonly timeoutMs: number;
  readonly sessionHigh: number;
  readonly sessionLow: number;
  readonly password: Uint8Array | null;
  /** Undefined from clients up to 3.3, which do not say. */
  readonly readOnly: boolean | undefined;
}

const slots = new Int32Array(RECORD_SLOTS_MAX);
const at = connectRequest.slots;

/** @throws WireError where the bytes are no connect request */
export function readConnectRequest(bytes: Uint8Array, start: number, end: number): ConnectAttempt {
  const reader = new ByteReader(bytes, start, end);
  connectRequest.scan(reader, slots, 0);
  const passwordStart = slots[at.passwd]!;
  const passwordLength = slots[at.passwd + 1]!;
  return {
    lastZxidSeen: slots[at.lastZxidSeen]! * 2 ** 32 + (slots[at.lastZxidSeen + 1]! >>> 0),
    timeoutMs: slots[at.timeOut]!,
    sessionHigh: slots[at.sessionId]!,
    sessionLow: slots[at.sessionId + 1]!,
    password: passwordLength < 0 ? null : bytes.slice(passwordStart, passwordStart + passwordLength),
    readOnly: reader.remaining > 0 ? reader.bool() : undefined,
  };
}

/** The answer that opens a session or takes one up again. */
export function writeConnectResponse(
  writer: ByteWriter,
  session: { readonly key: bigint; readonly idHigh: number; readonly idLow: number },
  timeoutMs: number,
  withReadOnlyFlag: boolean,
  isReadOnly: boolean,
): void {
  const password = sessionPassword(session.key);
  writeResponse(writer, timeoutMs, session.idHigh, session.idLow, password, withReadOnlyFlag, isReadOnly);
}

/** The answer to a session that is unknown, expired or claimed with a wrong password; nobody can tell which. */
export function writeSessionRefused(writer: ByteWriter, withReadOnlyFlag: boolean): void {
  writeResponse(writer, 0, 0, 0, new Uint8Array(PASSWORD_BYTES), withReadOnlyFlag, false);
}

function writeResponse(
  writer: ByteWriter,
  timeoutMs: number,
  idHigh: number,
  idLow: number,
  password: Uint8Array,
  withReadOnlyFlag: boolean,
  isReadOnly: boolean,
): void {
  const frame = writer.reserve(4);
  writer.int(0);
  writer.int(timeoutMs);
  writer.longParts(idHigh, idLow);
  writer.buffer(password);
  if (withReadOnlyFlag) writer.bool(isReadOnly);
  writeInt(writer.bytes, frame, writer.length - frame - 4);
}
