import type { Identity } from "./access-control.js";

/** Who asks, and with what: the body lies in `[start, end)`. */
export interface WriteRequest {
  opcode: number;
  xid: number;
  sessionHigh: number;
  sessionLow: number;
  identities: readonly Identity[];
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** To be filled in: one is used for all requests, which none of the callees keeps. */
export function emptyWriteRequest(): WriteRequest {
  return {
    opcode: 0,
    xid: 0,
    sessionHigh: 0,
    sessionLow: 0,
    identities: [],
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
  };
}
