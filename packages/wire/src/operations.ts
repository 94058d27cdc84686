import type { AnyRecord } from "./records/kit.js";
import * as body from "./records/requests.js";

/**
 * Every opcode: what it carries, what it answers, what kind of request it is and since which release.
 *
 * | kind | meaning |
 * | --- | --- |
 * | read | answered from the tree of the server the client is connected to |
 * | write | becomes a txn with a zxid of its own, failed or not |
 * | watch | touches the watch tables of the connection's server only |
 * | sync | waits for the writes before it, makes no txn |
 * | session | opens, closes or keeps a session |
 * | auth | handled by the connection, overtakes other requests |
 * | internal | made by servers only; refused from clients with UNIMPLEMENTED |
 */
export type OperationKind = "read" | "write" | "watch" | "sync" | "session" | "auth" | "internal";

export interface OperationEntry {
  readonly opcode: number;
  readonly kind: OperationKind;
  readonly since: string;
  readonly request: AnyRecord | null;
  readonly response: AnyRecord | null;
  /** What an operator or a client author should know of how Watchkeeper answers it. */
  readonly remark?: string;
}

function defineOperations<T extends Readonly<Record<string, OperationEntry>>>(table: T): T {
  return table;
}

export const operations = defineOperations({
  create: {
    opcode: 1,
    kind: "write",
    since: "3.0",
    request: body.createRequest,
    response: body.createResponse,
    remark: "flags 0 to 3; others are refused with BAD_ARGUMENTS, since the opcode must agree with the flags",
  },
  delete: { opcode: 2, kind: "write", since: "3.0", request: body.deleteRequest, response: null },
  exists: {
    opcode: 3,
    kind: "read",
    since: "3.0",
    request: body.existsRequest,
    response: body.statResponse,
    remark: "needs READ on the node, as since 3.8.4 and 3.9.2",
  },
  getData: { opcode: 4, kind: "read", since: "3.0", request: body.getDataRequest, response: body.getDataResponse },
  setData: { opcode: 5, kind: "write", since: "3.0", request: body.setDataRequest, response: body.statResponse },
  getACL: { opcode: 6, kind: "read", since: "3.0", request: body.getAclRequest, response: body.getAclResponse },
  setACL: { opcode: 7, kind: "write", since: "3.0", request: body.setAclRequest, response: body.statResponse },
  getChildren: {
    opcode: 8,
    kind: "read",
    since: "3.0",
    request: body.getChildrenRequest,
    response: body.getChildrenResponse,
  },
  sync: { opcode: 9, kind: "sync", since: "3.0", request: body.syncRequest, response: body.syncResponse },
  ping: { opcode: 11, kind: "session", since: "3.0", request: null, response: null },
  getChildren2: {
    opcode: 12,
    kind: "read",
    since: "3.3",
    request: body.getChildrenRequest,
    response: body.getChildren2Response,
  },
  check: {
    opcode: 13,
    kind: "internal",
    since: "3.4",
    request: body.checkVersionRequest,
    response: null,
    remark: "only inside multi, as since 3.8.5 and 3.9.3",
  },
  multi: {
    opcode: 14,
    kind: "write",
    since: "3.4",
    request: body.multiHeader,
    response: body.multiHeader,
    remark: "a sequence of headers and bodies, closed by a header with done",
  },
  create2: {
    opcode: 15,
    kind: "write",
    since: "3.5.0",
    request: body.createRequest,
    response: body.create2Response,
    remark: "flags 0 to 3",
  },
  reconfig: {
    opcode: 16,
    kind: "write",
    since: "3.5.0",
    request: body.reconfigRequest,
    response: body.getDataResponse,
    remark: "a standalone server refuses it",
  },
  checkWatches: {
    opcode: 17,
    kind: "watch",
    since: "3.5.0",
    request: body.watchTypeRequest,
    response: null,
    remark: "sees the connection's own watches only, as since 3.9.0",
  },
  removeWatches: { opcode: 18, kind: "watch", since: "3.5.0", request: body.watchTypeRequest, response: null },
  createContainer: {
    opcode: 19,
    kind: "write",
    since: "3.5.1",
    request: body.createRequest,
    response: body.create2Response,
    remark: "flags 4",
  },
  deleteContainer: {
    opcode: 20,
    kind: "internal",
    since: "3.5.1",
    request: null,
    response: null,
    remark: "the server's own clean-up of containers and TTL nodes",
  },
  createTTL: {
    opcode: 21,
    kind: "write",
    since: "3.5.3",
    request: body.createTtlRequest,
    response: body.create2Response,
    remark: "flags 5 and 6, only with extendedTypesEnabled",
  },
  multiRead: {
    opcode: 22,
    kind: "read",
    since: "3.6.0",
    request: body.multiHeader,
    response: body.multiHeader,
    remark: "getData and getChildren",
  },
  auth: { opcode: 100, kind: "auth", since: "3.0", request: body.authRequest, response: null },
  setWatches: {
    opcode: 101,
    kind: "watch",
    since: "3.0",
    request: body.setWatchesRequest,
    response: null,
    remark: "catch-up events need READ too",
  },
  sasl: {
    opcode: 102,
    kind: "auth",
    since: "3.4",
    request: body.saslRequest,
    response: body.saslResponse,
    remark: "not supported yet: answered with AUTH_FAILED, then closed",
  },
  getEphemerals: {
    opcode: 103,
    kind: "read",
    since: "3.6.0",
    request: body.getEphemeralsRequest,
    response: body.getEphemeralsResponse,
  },
  getAllChildrenNumber: {
    opcode: 104,
    kind: "read",
    since: "3.6.0",
    request: body.getAllChildrenNumberRequest,
    response: body.getAllChildrenNumberResponse,
  },
  setWatches2: { opcode: 105, kind: "watch", since: "3.6.0", request: body.setWatches2Request, response: null },
  addWatch: { opcode: 106, kind: "watch", since: "3.6.0", request: body.addWatchRequest, response: body.errorResponse },
  whoAmI: { opcode: 107, kind: "read", since: "3.7.0", request: null, response: body.whoAmIResponse },
  error: {
    opcode: -1,
    kind: "internal",
    since: "3.0",
    request: null,
    response: null,
    remark: "a txn type: a write that failed",
  },
  createSession: {
    opcode: -10,
    kind: "internal",
    since: "3.0",
    request: null,
    response: null,
    remark: "a txn type; clients open sessions by the handshake",
  },
  closeSession: { opcode: -11, kind: "session", since: "3.0", request: null, response: null },
});

export type OperationName = keyof typeof operations;

/** The opcodes alone: `OP.getData` is 4. */
export const OP = Object.fromEntries(Object.entries(operations).map(([name, entry]) => [name, entry.opcode])) as {
  readonly [N in OperationName]: (typeof operations)[N]["opcode"];
};

const namesByOpcode = new Map<number, OperationName>(
  Object.entries(operations).map(([name, entry]) => [entry.opcode, name as OperationName]),
);

/** The name of an opcode, or undefined for one this table does not have. */
export function operationName(opcode: number): OperationName | undefined {
  return namesByOpcode.get(opcode);
}

/** xids with a meaning of their own; all other requests carry positive ones. */
export const XID = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** The kinds of node, as the flags of a create request name them. */
export const CREATE_FLAGS = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentWithTtl: 5,
  persistentSequentialWithTtl: 6,
} as const;

export const EVENT_TYPE = {
  none: -1,
  nodeCreated: 1,
  nodeDeleted: 2,
  nodeDataChanged: 3,
  nodeChildrenChanged: 4,
} as const;

/** The state every event from a server carries. */
export const EVENT_STATE_SYNC_CONNECTED = 3;

export const ADD_WATCH_MODE = { persistent: 0, persistentRecursive: 1 } as const;

/** What removeWatches and checkWatches speak of. */
export const WATCH_TYPE = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 } as const;
