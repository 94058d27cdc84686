/**
 * Where a client stands with its session, and what the application must now assume.
 *
 * | state | assume |
 * | --- | --- |
 * | connecting | there is no session yet; requests wait |
 * | connected | requests are answered, events arrive |
 * | suspended | the connection is lost. The session, its ephemeral nodes and its locks may still live on the servers, or may not: act on nothing that depends on them. No event arrives. The client goes on trying |
 * | lost | the servers have ended the session: its ephemeral nodes are gone, its watches are dropped. Final; connect again for a new session |
 * | auth-failed | the servers refused a credential. Final |
 * | closed | the client was closed by the application. Final |
 */
export type SessionState = "connecting" | "connected" | "suspended" | "lost" | "auth-failed" | "closed";

/** The states that no other follows. */
export type FinalState = Extract<SessionState, "lost" | "auth-failed" | "closed">;

export function isFinal(state: SessionState): state is FinalState {
  return state === "lost" || state === "auth-failed" || state === "closed";
}
