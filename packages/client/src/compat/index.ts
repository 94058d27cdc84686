/**
 * The API of `node-zookeeper-client` on this package's client, for programs that are to change their import
 * and nothing else:
 *
 * ```ts
 * import * as zookeeper from "@watchkeeper/client/compat";
 * ```
 *
 * docs/migration.md has what differs.
 *
 * @module @watchkeeper/client/compat
 */
export { ACL, Id, Permission } from "./acl.js";
export { type Client, type ClientEvents, type ClientOptions, createClient, type Watcher } from "./client.js";
export { CreateMode } from "./create-mode.js";
export { Event } from "./event.js";
export { Exception } from "./exception.js";
export type { Stat } from "./stat.js";
export { type ClientState, State } from "./state.js";
export type { Transaction, TransactionResult } from "./transaction.js";
