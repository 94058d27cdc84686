/**
 * Where a client stands with its session, and what the application must now assume.
 *
 * | state | assume |
 * | --- | --- |
 * | connecting | there is no session yet; requests wait |
 * | connected | requests are answered, events arrive |
 * | read-only | the server is cut off from the others and says so. Reads are answered with what it knew, writes are refused with NOT_READ_ONLY. The session may have ended elsewhere: hold nothing by it. The client looks for a full server. Only with `readOnly: true` |
 * | suspended | the connection is lost. The session, its ephemeral nodes and its locks still live on the servers, for a while: start nothing new that depends on them. No event arrives. The client goes on trying |
 * | presumed-lost | suspended for so long that by this client's clock the servers may have ended the session: whoever held a lock holds it no more and must stop now. The client goes on trying, and may yet find the session alive: "connected" follows then |
 * | lost | the servers have ended the session: its ephemeral nodes are gone. Final, and its watches are dropped, unless the client renews lost sessions (`whenLost: "renew"`): then "connecting" follows, and a new session |
 * | auth-failed | the servers refused a credential. Final |
 * | closed | the client was closed by the application. Final |
 */
export type SessionState =
  | "connecting"
  | "connected"
  | "read-only"
  | "suspended"
  | "presumed-lost"
  | "lost"
  | "auth-failed"
  | "closed";

/** The states that no other follows (see "lost" for the exception). */
export type FinalState = Extract<SessionState, "lost" | "auth-failed" | "closed">;

export function isFinal(state: SessionState): state is FinalState {
  return state === "lost" || state === "auth-failed" || state === "closed";
}

/** Whether requests are sent at once: to a full server or to a cut-off one. */
export function isServed(state: SessionState): boolean {
  return state === "connected" || state === "read-only";
}
