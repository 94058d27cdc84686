/**
 * Every error code a ZooKeeper server or client knows: number, sentence, where it comes from and
 * whether trying again can help. Retired numbers stay, so that they are never given another meaning.
 *
 * `origin`: "server" is sent in replies; "client" arises in a client; "reserved" is never seen.
 * `retryable`: the same request may succeed later without the application changing it.
 */
export const errorCodes = {
  SYSTEM_ERROR: { code: -1, sentence: "the server met an internal error", origin: "reserved", retryable: false },
  RUNTIME_INCONSISTENCY: {
    code: -2,
    sentence: "not attempted, because an earlier operation of the multi failed",
    origin: "server",
    retryable: false,
  },
  DATA_INCONSISTENCY: { code: -3, sentence: "the server's data is inconsistent", origin: "reserved", retryable: false },
  CONNECTION_LOSS: {
    code: -4,
    sentence: "the connection was lost; the request may have been carried out or not",
    origin: "client",
    retryable: true,
  },
  MARSHALLING_ERROR: { code: -5, sentence: "the request could not be decoded", origin: "server", retryable: false },
  UNIMPLEMENTED: {
    code: -6,
    sentence: "the server does not know or does not allow this operation",
    origin: "server",
    retryable: false,
  },
  OPERATION_TIMEOUT: {
    code: -7,
    sentence: "the operation took longer than its deadline",
    origin: "client",
    retryable: true,
  },
  BAD_ARGUMENTS: { code: -8, sentence: "an argument is invalid", origin: "server", retryable: false },
  UNKNOWN_SESSION: { code: -12, sentence: "the server does not know the session", origin: "server", retryable: false },
  NEW_CONFIG_NO_QUORUM: {
    code: -13,
    sentence: "no quorum of the new configuration is connected and in step",
    origin: "server",
    retryable: true,
  },
  RECONFIG_IN_PROGRESS: {
    code: -14,
    sentence: "another reconfiguration is in progress",
    origin: "server",
    retryable: true,
  },
  API_ERROR: { code: -100, sentence: "an API error", origin: "reserved", retryable: false },
  NO_NODE: { code: -101, sentence: "the node does not exist", origin: "server", retryable: false },
  NO_AUTH: { code: -102, sentence: "not permitted by the access control list", origin: "server", retryable: false },
  BAD_VERSION: { code: -103, sentence: "the version does not match", origin: "server", retryable: false },
  NO_CHILDREN_FOR_EPHEMERALS: {
    code: -108,
    sentence: "ephemeral nodes cannot have children",
    origin: "server",
    retryable: false,
  },
  NODE_EXISTS: { code: -110, sentence: "the node exists already", origin: "server", retryable: false },
  NOT_EMPTY: { code: -111, sentence: "the node has children", origin: "server", retryable: false },
  SESSION_EXPIRED: { code: -112, sentence: "the session has expired", origin: "server", retryable: false },
  INVALID_CALLBACK: { code: -113, sentence: "the callback is invalid", origin: "client", retryable: false },
  INVALID_ACL: { code: -114, sentence: "the access control list is invalid", origin: "server", retryable: false },
  AUTH_FAILED: { code: -115, sentence: "the credentials were refused", origin: "server", retryable: false },
  CLOSING: { code: -116, sentence: "the client is closing", origin: "client", retryable: false },
  NOTHING: { code: -117, sentence: "nothing to process", origin: "client", retryable: false },
  SESSION_MOVED: { code: -118, sentence: "the session has moved to another server", origin: "server", retryable: true },
  NOT_READ_ONLY: {
    code: -119,
    sentence: "the server is cut off and serves reads only",
    origin: "server",
    retryable: true,
  },
  EPHEMERAL_ON_LOCAL_SESSION: {
    code: -120,
    sentence: "a local session cannot have ephemeral nodes",
    origin: "server",
    retryable: false,
  },
  NO_WATCHER: { code: -121, sentence: "there is no such watch", origin: "server", retryable: false },
  REQUEST_TIMEOUT: { code: -122, sentence: "no answer came in time", origin: "client", retryable: true },
  RECONFIG_DISABLED: { code: -123, sentence: "reconfiguration is disabled", origin: "server", retryable: false },
  SESSION_CLOSED_REQUIRE_SASL_AUTH: {
    code: -124,
    sentence: "the server requires authentication; it closes the session without",
    origin: "server",
    retryable: false,
  },
  QUOTA_EXCEEDED: { code: -125, sentence: "a hard quota would be exceeded", origin: "server", retryable: false },
  THROTTLED_OP: {
    code: -127,
    sentence: "the server is overloaded and did not attempt the operation",
    origin: "server",
    retryable: true,
  },
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
