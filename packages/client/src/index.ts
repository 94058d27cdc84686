/**
 * A client for ZooKeeper servers, Watchkeeper's and Apache's: `connect` opens a session, `Client` is
 * what can be done with it.
 *
 * @module @watchkeeper/client
 */
export type {
  Client,
  ReadOptions,
  VersionOptions,
  Watched,
  WatchOptions,
  WatchType,
} from "./client.js";
export { type ConnectOptions, connect } from "./connect.js";
export type { CallSpan, CallTracer } from "./diagnostics/call-observer.js";
export type { CallEnded, CallStarted, ServerDialed, StateChanged } from "./diagnostics/channels.js";
export { ZkError, type ZkErrorFacts } from "./errors.js";
export type { ListenerErrorHandler } from "./listeners/delivery-queue.js";
export {
  type AclEntry,
  CREATOR_ACL,
  digestAcl,
  digestId,
  OPEN_ACL,
  PERMISSION,
  READ_ONLY_ACL,
} from "./operations/acl.js";
export type { CallOptions } from "./operations/call-options.js";
export type { CreateMode, CreateOptions, NodeContent, NodeOptions } from "./operations/create-options.js";
export type {
  MultiOperation,
  MultiReadOperation,
  MultiReadResult,
  MultiReadResults,
  MultiResult,
  MultiResults,
} from "./operations/multi.js";
export type { ReconfigOptions } from "./operations/reconfig.js";
export type { Identity, NodeAcl, NodeChildren, NodeData } from "./operations/requests.js";
export type { Stat } from "./operations/stat.js";
export type { Transaction } from "./operations/transaction.js";
export type { Change, UpdateOptions } from "./operations/update.js";
export { type RetryPolicy, retryPolicies } from "./retry/retry-policy.js";
export { type DigestMd5Credentials, digestMd5 } from "./sasl/digest-md5.js";
export type { SaslExchange, SaslMechanism, SaslResponse } from "./sasl/sasl-mechanism.js";
export {
  type ClientCounters,
  type ErrorCode,
  type ErrorName,
  errorCodes,
  type Failure,
  type NodeEvent,
  type Outcome,
  type ServerAddress,
  type SessionEvent,
  type SessionIdentity,
  type SessionState,
  type WatchEvent,
  type WatchListener,
  type WatchRemovedEvent,
  type WhenSuspended,
} from "./session/index.js";
export {
  type CacheChange,
  type CacheCounters,
  type CachedNode,
  type CacheOptions,
  type ChangeCause,
  ChildrenCache,
  type Drift,
  NodeCache,
  type ReconcileOptions,
  type Reconciliation,
  TreeCache,
  type TreeCacheOptions,
} from "./streams/cache/index.js";
export type { PersistentWatchMode } from "./streams/persistent-watch.js";
export type { OverflowEvent, WatchStream, WatchStreamEvent } from "./streams/watch-stream.js";
export type { TlsOptions } from "./transport/tls.js";
export type { DeleteTreeOptions } from "./tree/delete-tree.js";
export {
  copyTree,
  type ExportOptions,
  exportTree,
  type ImportOptions,
  importTree,
  type TreeJson,
  type TreeJsonNode,
} from "./tree/tree-json.js";
export type { WalkedNode, WalkOptions } from "./tree/walk-tree.js";
