/** Sessions: their ids and passwords, which ones live, and when they expire. It knows no connection and no tree. */
export { isPasswordOf, PASSWORD_BYTES, SessionIds, sessionPassword } from "./session-id.js";
export { newSession, type Session, SessionTable } from "./session-table.js";
