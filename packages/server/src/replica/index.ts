/**
 * One whole server, still pure: requests, tree, watches, sessions and log put together behind
 * connections that are queues of bytes. It knows no socket, no file and no clock of its own.
 */
export { Connection, type ConnectionPort, type ConnectionStats, recycleOutput } from "./connection.js";
export type { SweepSettings } from "./container-sweeper.js";
export { Replica, type ReplicaHooks, type ReplicaParts } from "./replica.js";
export { hex64, sessionName } from "./session-name.js";
export type { ReplicaSettings } from "./settings.js";
export { readPersistedStat, TreeRestore } from "./tree-snapshot.js";
export type { DurableLog } from "./write-pipeline.js";
