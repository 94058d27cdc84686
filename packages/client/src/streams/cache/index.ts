/** Local views of parts of the tree that follow the servers, and can be compared with them (M16). */
export type { CacheChange, CacheCounters, CachedNode, ChangeCause, Drift } from "./cached-node.js";
export { type CacheOptions, ChildrenCache, NodeCache, TreeCache, type TreeCacheOptions } from "./caches.js";
export type { ReconcileOptions, Reconciliation } from "./reconciler.js";
