/** What there is to know of an error by its name. */
interface ErrorFacts<C extends number> {
  readonly code: C;
  readonly sentence: string;
  /** "server" is sent in replies; "client" arises in a client; "reserved" is never seen. */
  readonly origin: "server" | "client" | "reserved";
  /** The same request may succeed later without the application changing it. */
  readonly retryable: boolean;
}

function error<C extends number>(
  code: C,
  sentence: string,
  origin: ErrorFacts<C>["origin"] = "server",
  retryable = false,
): ErrorFacts<C> {
  return { code, sentence, origin, retryable };
}

/**
 * Every error code a ZooKeeper server or client knows: number, sentence, where it comes from and
 * whether trying again can help. Retired numbers stay, so that they are never given another meaning.
 */
export const errorCodes = {
  SYSTEM_ERROR: error(-1, "the server met an internal error", "reserved"),
  RUNTIME_INCONSISTENCY: error(-2, "not attempted, because an earlier operation of the multi failed"),
  DATA_INCONSISTENCY: error(-3, "the server's data is inconsistent", "reserved"),
  CONNECTION_LOSS: error(-4, "the connection was lost; the request may have been carried out or not", "client", true),
  MARSHALLING_ERROR: error(-5, "the request could not be decoded"),
  UNIMPLEMENTED: error(-6, "the server does not know or does not allow this operation"),
  OPERATION_TIMEOUT: error(-7, "the operation took longer than its deadline", "client", true),
  BAD_ARGUMENTS: error(-8, "an argument is invalid"),
  UNKNOWN_SESSION: error(-12, "the server does not know the session"),
  NEW_CONFIG_NO_QUORUM: error(-13, "no quorum of the new configuration is connected and in step", "server", true),
  RECONFIG_IN_PROGRESS: error(-14, "another reconfiguration is in progress", "server", true),
  API_ERROR: error(-100, "an API error", "reserved"),
  NO_NODE: error(-101, "the node does not exist"),
  NO_AUTH: error(-102, "not permitted by the access control list"),
  BAD_VERSION: error(-103, "the version does not match"),
  NO_CHILDREN_FOR_EPHEMERALS: error(-108, "ephemeral nodes cannot have children"),
  NODE_EXISTS: error(-110, "the node exists already"),
  NOT_EMPTY: error(-111, "the node has children"),
  SESSION_EXPIRED: error(-112, "the session has expired"),
  INVALID_CALLBACK: error(-113, "the callback is invalid", "client"),
  INVALID_ACL: error(-114, "the access control list is invalid"),
  AUTH_FAILED: error(-115, "the credentials were refused"),
  CLOSING: error(-116, "the client is closing", "client"),
  NOTHING: error(-117, "nothing to process", "client"),
  SESSION_MOVED: error(-118, "the session has moved to another server", "server", true),
  NOT_READ_ONLY: error(-119, "the server is cut off and serves reads only", "server", true),
  EPHEMERAL_ON_LOCAL_SESSION: error(-120, "a local session cannot have ephemeral nodes"),
  NO_WATCHER: error(-121, "there is no such watch"),
  REQUEST_TIMEOUT: error(-122, "no answer came in time", "client", true),
  RECONFIG_DISABLED: error(-123, "reconfiguration is disabled"),
  SESSION_CLOSED_REQUIRE_SASL_AUTH: error(-124, "the server requires authentication; it closes the session without"),
  QUOTA_EXCEEDED: error(-125, "a hard quota would be exceeded"),
  THROTTLED_OP: error(-127, "the server is overloaded and did not attempt the operation", "server", true),
} as const;

export type ErrorName = keyof typeof errorCodes;
export type ErrorCode = (typeof errorCodes)[ErrorName]["code"];

/** The numbers alone, for servers that answer with them. */
export const ERR = Object.fromEntries(Object.entries(errorCodes).map(([name, entry]) => [name, entry.code])) as {
  readonly [N in ErrorName]: (typeof errorCodes)[N]["code"];
};

const namesByCode = new Map<number, ErrorName>(
  Object.entries(errorCodes).map(([name, entry]) => [entry.code, name as ErrorName]),
);

/** The name of a code, or undefined for one this table does not have. */
export function errorName(code: number): ErrorName | undefined {
  return namesByCode.get(code);
}
