import {
  bool,
  buffer,
  int,
  long,
  nullableBuffer,
  nullableUstring,
  nullableVector,
  record,
  ustring,
  type ValueOf,
  vector,
} from "./kit.js";
import { acl, requestedAcl, stat } from "./shared.js";

/** Bodies of requests and responses, in the order of the operations table. Bodies without fields have no record. */

export const connectRequest = record("ConnectRequest", {
  protocolVersion: int,
  lastZxidSeen: long,
  timeOut: int,
  sessionId: long,
  passwd: nullableBuffer,
});
/** Clients up to 3.3 leave the trailing flag out; they are then answered without one. */
export const connectRequestReadOnly = record("ConnectRequest (3.4 and later)", {
  ...connectRequest.fields,
  readOnly: bool,
});
export const connectResponse = record("ConnectResponse", {
  protocolVersion: int,
  timeOut: int,
  sessionId: long,
  passwd: buffer,
});
export const connectResponseReadOnly = record("ConnectResponse (3.4 and later)", {
  ...connectResponse.fields,
  readOnly: bool,
});
export type ConnectRequest = ValueOf<typeof connectRequestReadOnly>;
export type ConnectResponse = ValueOf<typeof connectResponseReadOnly>;

export const requestHeader = record("RequestHeader", { xid: int, type: int });
export const replyHeader = record("ReplyHeader", { xid: int, zxid: long, err: int });
export type ReplyHeader = ValueOf<typeof replyHeader>;
export const REPLY_HEADER_BYTES = 16;

export const createRequest = record("CreateRequest", {
  path: ustring,
  data: nullableBuffer,
  acl: nullableVector(requestedAcl),
  flags: int,
});
export const createTtlRequest = record("CreateTTLRequest", { ...createRequest.fields, ttl: long });
export const createResponse = record("CreateResponse", { path: ustring });
export const create2Response = record("Create2Response", { path: ustring, stat });
export const deleteRequest = record("DeleteRequest", { path: ustring, version: int });
export const existsRequest = record("ExistsRequest", { path: ustring, watch: bool });
export const statResponse = record("StatResponse", { stat });
export const getDataRequest = record("GetDataRequest", { path: ustring, watch: bool });
export const getDataResponse = record("GetDataResponse", { data: nullableBuffer, stat });
export const setDataRequest = record("SetDataRequest", { path: ustring, data: nullableBuffer, version: int });
export const getAclRequest = record("GetACLRequest", { path: ustring });
export const getAclResponse = record("GetACLResponse", { acl: vector(acl), stat });
export const setAclRequest = record("SetACLRequest", {
  path: ustring,
  acl: nullableVector(requestedAcl),
  version: int,
});
export const getChildrenRequest = record("GetChildrenRequest", { path: ustring, watch: bool });
export const getChildrenResponse = record("GetChildrenResponse", { children: vector(ustring) });
export const getChildren2Response = record("GetChildren2Response", { children: vector(ustring), stat });
export const syncRequest = record("SyncRequest", { path: nullableUstring });
export const syncResponse = record("SyncResponse", { path: nullableUstring });
export const checkVersionRequest = record("CheckVersionRequest", { path: ustring, version: int });
export const reconfigRequest = record("ReconfigRequest", {
  joiningServers: nullableUstring,
  leavingServers: nullableUstring,
  newMembers: nullableUstring,
  curConfigId: long,
});
export const watchTypeRequest = record("CheckWatchesRequest", { path: ustring, type: int });
export const authRequest = record("AuthPacket", { type: int, scheme: nullableUstring, auth: nullableBuffer });
export const setWatchesRequest = record("SetWatches", {
  relativeZxid: long,
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
});
export const setWatches2Request = record("SetWatches2", {
  ...setWatchesRequest.fields,
  persistentWatches: vector(ustring),
  persistentRecursiveWatches: vector(ustring),
});
export const saslRequest = record("GetSASLRequest", { token: nullableBuffer });
export const saslResponse = record("SetSASLResponse", { token: nullableBuffer });
export const getEphemeralsRequest = record("GetEphemeralsRequest", { prefixPath: nullableUstring });
export const getEphemeralsResponse = record("GetEphemeralsResponse", { ephemerals: vector(ustring) });
export const getAllChildrenNumberRequest = record("GetAllChildrenNumberRequest", { path: ustring });
export const getAllChildrenNumberResponse = record("GetAllChildrenNumberResponse", { totalNumber: int });
export const addWatchRequest = record("AddWatchRequest", { path: ustring, mode: int });
export const errorResponse = record("ErrorResponse", { err: int });
export const clientInfo = record("ClientInfo", { authScheme: nullableUstring, user: nullableUstring });
export const whoAmIResponse = record("WhoAmIResponse", { clientInfo: vector(clientInfo) });

/** Between the operations of a multi: the request's type or the result's, `done` on the last. */
export const multiHeader = record("MultiHeader", { type: int, done: bool, err: int });
export const MULTI_HEADER_BYTES = 9;

export const watcherEvent = record("WatcherEvent", { type: int, state: int, path: ustring });
