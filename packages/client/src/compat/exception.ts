import { type ErrorName, errorCodes, ZkError } from "../index.js";

/** An error of ZooKeeper's, as a callback gets it. What this client knows besides is its `cause`, a `ZkError`. */
export class Exception extends Error {
  static readonly OK = 0;
  static readonly SYSTEM_ERROR = errorCodes.SYSTEM_ERROR.code;
  static readonly RUNTIME_INCONSISTENCY = errorCodes.RUNTIME_INCONSISTENCY.code;
  static readonly DATA_INCONSISTENCY = errorCodes.DATA_INCONSISTENCY.code;
  static readonly CONNECTION_LOSS = errorCodes.CONNECTION_LOSS.code;
  static readonly MARSHALLING_ERROR = errorCodes.MARSHALLING_ERROR.code;
  static readonly UNIMPLEMENTED = errorCodes.UNIMPLEMENTED.code;
  static readonly OPERATION_TIMEOUT = errorCodes.OPERATION_TIMEOUT.code;
  static readonly BAD_ARGUMENTS = errorCodes.BAD_ARGUMENTS.code;
  static readonly API_ERROR = errorCodes.API_ERROR.code;
  static readonly NO_NODE = errorCodes.NO_NODE.code;
  static readonly NO_AUTH = errorCodes.NO_AUTH.code;
  static readonly BAD_VERSION = errorCodes.BAD_VERSION.code;
  static readonly NO_CHILDREN_FOR_EPHEMERALS = errorCodes.NO_CHILDREN_FOR_EPHEMERALS.code;
  static readonly NODE_EXISTS = errorCodes.NODE_EXISTS.code;
  static readonly NOT_EMPTY = errorCodes.NOT_EMPTY.code;
  static readonly SESSION_EXPIRED = errorCodes.SESSION_EXPIRED.code;
  static readonly INVALID_CALLBACK = errorCodes.INVALID_CALLBACK.code;
  static readonly INVALID_ACL = errorCodes.INVALID_ACL.code;
  static readonly AUTH_FAILED = errorCodes.AUTH_FAILED.code;
  static readonly SESSION_MOVED = errorCodes.SESSION_MOVED.code;

  readonly code: number;
  override readonly name: string;
  readonly path: string | undefined;

  constructor(code: number, name: string, path: string | undefined, options?: ErrorOptions) {
    super(`Exception: ${name}[${code}]${path === undefined ? "" : `@${path}`}`, options);
    this.code = code;
    this.name = name;
    this.path = path;
  }

  /** One of this class's numbers. */
  getCode(): number {
    return this.code;
  }

  /** Such as "NO_NODE". */
  getName(): string {
    return this.name;
  }

  /** The path of the call, if it had one. */
  getPath(): string | undefined {
    return this.path;
  }

  override toString(): string {
    return this.message;
  }
}

/** What is no error of ZooKeeper's stays as it is. */
export function exceptionOf(error: unknown): Error {
  if (error instanceof Exception) return error;
  if (!(error instanceof ZkError)) return error instanceof Error ? error : new Error(String(error));
  // A client that was closed: node-zookeeper-client has no word of its own for it.
  const name: ErrorName = error.code === "CLOSING" ? "CONNECTION_LOSS" : error.code;
  return new Exception(errorCodes[name].code, name, error.path, { cause: error });
}
