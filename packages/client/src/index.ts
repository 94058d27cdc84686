/**
 * A client for ZooKeeper servers, Watchkeeper's and Apache's: `connect` opens a session, `Client` is
 * what can be done with it.
 */
export { type ErrorName, errorCodes, type Stat } from "@watchkeeper/wire";
export { type AclEntry, CREATOR_ACL, OPEN_ACL, PERMISSION, READ_ONLY_ACL } from "./acl.js";
export type {
  Client,
  PersistentWatchMode,
  ReadOptions,
  VersionOptions,
  WatchOptions,
  WatchType,
} from "./client.js";
export { type ConnectOptions, connect } from "./connect.js";
export type { CreateMode, CreateOptions, NodeContent } from "./create-options.js";
export { ZkError } from "./errors.js";
export type { MultiOperation, MultiReadOperation, MultiReadResult, MultiResult } from "./multi.js";
export type { Identity, NodeAcl, NodeChildren, NodeData } from "./requests.js";
export type {
  NodeEvent,
  Outcome,
  SessionEvent,
  SessionIdentity,
  SessionState,
  WatchEvent,
  WatchListener,
  WatchRemovedEvent,
} from "./session/index.js";
export type { OverflowEvent, WatchStream, WatchStreamEvent } from "./watch-stream.js";
