/**
 * One whole server, still pure: requests, tree, watches, sessions and log put together behind
 * connections that are queues of bytes. It knows no socket, no file and no clock of its own.
 */

export { emptyWriteRequest, type WriteRequest } from "../requests/index.js";
export type { CommittedLog, CommittedLogLimits } from "./committed-log.js";
export { Connection, type ConnectionPort, type ConnectionStats, recycleOutput } from "./connection.js";
export type { SweepSettings } from "./container-sweeper.js";
export {
  type Database,
  type DatabaseContent,
  type LoadDatabase,
  loadDatabase,
  receiveDatabase,
} from "./load-database.js";
export type { Proposer } from "./proposer.js";
export { Replica, type ReplicaHooks, type ReplicaParts } from "./replica.js";
export type { Role } from "./role.js";
export { ServerStats } from "./server-stats.js";
export { hex64, sessionName } from "./session-name.js";
export type { ReplicaSettings } from "./settings.js";
export { itemOf, Standalone } from "./standalone.js";
export { readPersistedStat } from "./tree-snapshot.js";
export type { DurableLog, PipelineItem, TxnObserver, TxnPipeline } from "./txn-pipeline.js";
export { unwrittenLog } from "./unwritten-log.js";
