import { decodeText } from "../bytes/text.js";
import { type ByteWriter, readInt, readLong, readLongAsNumber } from "../bytes/writer.js";

/**
 * The first bytes on an election connection (`QuorumCnxManager.InitialMessage`), from the side that
 * connects: who it is and where it can be reached. There is no answer. Versions are negative, so that the
 * oldest form, a bare sid, is told apart by its sign.
 */
export interface ElectionGreeting {
  /** Undefined for the one sid that means "an observer without a name". */
  readonly sid: number | undefined;
  /** Where the sender listens for elections; none from the oldest form. */
  readonly addresses: readonly ElectionAddress[];
  /** The offset behind the greeting: what follows are frames. */
  readonly end: number;
}

export interface ElectionAddress {
  readonly host: string;
  readonly port: number;
}

/** Why a connection with such a beginning has to be closed. */
export interface RefusedGreeting {
  readonly refused: string;
}

const ONE_ADDRESS = -65536;
const SEVERAL_ADDRESSES = -65535;
const ANONYMOUS_OBSERVER = 2n ** 63n - 1n;
const ADDRESSES_BYTES_MAX = 2048;
const ADDRESSES_AT = 20;
/** The longest greeting. */
export const ELECTION_GREETING_BYTES_MAX = ADDRESSES_AT + ADDRESSES_BYTES_MAX;

/** Servers before 3.6 understand one address only. */
export function writeElectionGreeting(writer: ByteWriter, sid: number, addresses: readonly ElectionAddress[]): void {
  writer.longFromNumber(addresses.length === 1 ? ONE_ADDRESS : SEVERAL_ADDRESSES);
  writer.longFromNumber(sid);
  writer.ustring(addresses.map(formatAddress).join("|"));
}

/**
 * Reads a greeting from what has come so far; undefined while that is not all of it. What cannot become
 * a greeting is refused without waiting for more.
 */
export function readElectionGreeting(
  bytes: Uint8Array,
  start: number,
  end: number,
): ElectionGreeting | RefusedGreeting | undefined {
  if (end - start < 8) return undefined;
  const version = readLongAsNumber(bytes, start);
  if (version >= 0) return withSid(bytes, start, [], start + 8);
  if (version !== ONE_ADDRESS && version !== SEVERAL_ADDRESSES) {
    return { refused: `protocol version ${version} of the election greeting is unknown` };
  }
  if (end - start < ADDRESSES_AT) return undefined;
  const length = readInt(bytes, start + ADDRESSES_AT - 4);
  if (length < 1 || length > ADDRESSES_BYTES_MAX) {
    return { refused: `addresses of ${length} bytes in the election greeting, 1 to ${ADDRESSES_BYTES_MAX} allowed` };
  }
  const addressesEnd = start + ADDRESSES_AT + length;
  if (addressesEnd > end) return undefined;
  const addresses: ElectionAddress[] = [];
  for (const text of decodeText(bytes, start + ADDRESSES_AT, addressesEnd).split("|")) {
    const address = parseAddress(text);
    if (address === undefined) return { refused: `"${text}" in the election greeting is not host:port` };
    addresses.push(address);
  }
  return withSid(bytes, start + 8, addresses, addressesEnd);
}

function withSid(
  bytes: Uint8Array,
  at: number,
  addresses: readonly ElectionAddress[],
  end: number,
): ElectionGreeting | RefusedGreeting {
  if (readLong(bytes, at) === ANONYMOUS_OBSERVER) return { sid: undefined, addresses, end };
  const sid = readLongAsNumber(bytes, at);
  if (!Number.isSafeInteger(sid)) return { refused: `server id ${readLong(bytes, at)} is beyond 2^53` };
  return { sid, addresses, end };
}

function formatAddress({ host, port }: ElectionAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseAddress(text: string): ElectionAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port > 65535 ? undefined : { host, port };
}
