import type { Session } from "../sessions/index.js";

/** A session's id as logs and operators' tools show it. */
export function sessionName(session: Session | undefined): string | undefined {
  return session === undefined ? undefined : hex64(session.idHigh, session.idLow);
}

export function hex64(high: number, low: number): string {
  const lowText = (low >>> 0).toString(16);
  return high === 0 ? `0x${lowText}` : `0x${(high >>> 0).toString(16)}${lowText.padStart(8, "0")}`;
}
