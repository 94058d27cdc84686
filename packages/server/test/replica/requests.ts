import {
  type Acl,
  addWatchRequest,
  authRequest,
  checkVersionRequest,
  createRequest,
  createTtlRequest,
  deleteRequest,
  type Field,
  getDataRequest,
  multiHeader,
  OP,
  type OperationName,
  operations,
  setAclRequest,
  setDataRequest,
} from "@watchkeeper/wire";
import type { Frame } from "../support/raw-connection.js";
import type { MemoryClient } from "./replica-world.js";

/** Whoever waits for the reply. */
export type Caller = Pick<MemoryClient, "call">;

/** Requests as tests say them. Each waits until everything has come about and gives the reply. */
export const OPEN_ACL: Acl[] = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface CreateParts {
  readonly data?: Uint8Array | null;
  readonly acl?: Acl[] | null;
  readonly flags?: number;
}

export function createBody(path: string, parts: CreateParts = {}) {
  return {
    path,
    data: parts.data ?? null,
    acl: parts.acl === undefined ? OPEN_ACL : parts.acl,
    flags: parts.flags ?? 0,
  };
}

export function create(client: Caller, path: string, parts: CreateParts = {}): Promise<Frame> {
  return client.call("create", createRequest, createBody(path, parts));
}

export function createTtl(client: Caller, path: string, ttlMs: number, flags = 5): Promise<Frame> {
  return client.call("createTTL", createTtlRequest, { ...createBody(path, { flags }), ttl: BigInt(ttlMs) });
}

export function createContainer(client: Caller, path: string): Promise<Frame> {
  return client.call("createContainer", createRequest, createBody(path, { flags: 4 }));
}

export function setData(client: Caller, path: string, data: Uint8Array | null, version = -1): Promise<Frame> {
  return client.call("setData", setDataRequest, { path, data, version });
}

export function remove(client: Caller, path: string, version = -1): Promise<Frame> {
  return client.call("delete", deleteRequest, { path, version });
}

export function setAcl(client: Caller, path: string, acl: Acl[] | null, version = -1): Promise<Frame> {
  return client.call("setACL", setAclRequest, { path, acl, version });
}

/** A read whose request is a path and a watch flag. */
export function read(
  client: Caller,
  operation: "getData" | "exists" | "getChildren" | "getChildren2",
  path: string,
  watch = false,
): Promise<Frame> {
  return client.call(operation, getDataRequest, { path, watch });
}

export function addWatch(client: Caller, path: string, mode: 0 | 1): Promise<Frame> {
  return client.call("addWatch", addWatchRequest, { path, mode });
}

export function authenticate(client: Caller, scheme: string, credential: string): Promise<Frame> {
  return client.call("auth", authRequest, { type: 0, scheme, auth: bytes(credential) });
}

export interface MultiStep {
  readonly op: OperationName;
  // biome-ignore lint/suspicious/noExplicitAny: each operation has a body of its own
  readonly body: any;
}

export const check = (path: string, version: number): MultiStep => ({ op: "check", body: { path, version } });
export const creation = (path: string, parts: CreateParts = {}): MultiStep => ({
  op: "create",
  body: createBody(path, parts),
});
export const deletion = (path: string, version = -1): MultiStep => ({ op: "delete", body: { path, version } });
export const change = (path: string, data: Uint8Array | null, version = -1): MultiStep => ({
  op: "setData",
  body: { path, data, version },
});

/** The body of a multi or multiRead, its end mark included. */
export function multiBody(steps: readonly MultiStep[]): Field<null> {
  return {
    type: "multi",
    bytesMin: 0,
    slotCount: 0,
    decode: () => null,
    size: () => 0,
    scan: () => {},
    encode(writer) {
      for (const { op, body } of steps) {
        multiHeader.encode(writer, { type: OP[op], done: false, err: -1 });
        const record = op === "check" ? checkVersionRequest : (operations[op].request as Field<unknown>);
        record.encode(writer, body);
      }
      multiHeader.encode(writer, { type: -1, done: true, err: -1 });
    },
  };
}

export function multi(client: Caller, steps: readonly MultiStep[]): Promise<Frame> {
  return client.call("multi", multiBody(steps), null);
}

/** The error codes of a multi's results. */
export function multiErrors(frame: Frame): number[] {
  const view = Buffer.from(frame.body);
  const errors: number[] = [];
  for (let at = 0; at + 13 <= view.length; at += 13) {
    if (view.readInt32BE(at) !== OP.error) throw new Error("the multi has succeeded");
    errors.push(view.readInt32BE(at + 9));
  }
  return errors;
}
