/**
 * The data tree: znodes, paths, ACL lists, quotas, digests, and how transactions change them. It
 * knows no session, watch, socket or disk; everything in it is bytes and numbers.
 */
export { AclTable, encodeAcl, isOpenAcl, OPEN_ACL } from "./acl-table.js";
export { TxnApplier } from "./apply.js";
export type { ChangeListener } from "./change-listener.js";
export { CRC32_START, crc32Continue } from "./crc32.js";
export type { Forecasts, NodeForecast } from "./forecast.js";
export { containerOwner, NODE_KIND, type NodeKind, ownerKind, TTL_MS_MAX, ttlMsOf, ttlOwner } from "./node-owner.js";
export { emptyStat, NO_NODE, type NodeStat, ROOT } from "./node-store.js";
export type { OperationResult } from "./operation-result.js";
export { hasNul, hasSlashAndNoNul, isSystemPath, isValidPath, lastSlash } from "./path-rules.js";
export { Quotas } from "./quotas.js";
export { addSystemNodes } from "./system-nodes.js";
export { type NodeSource, sessionKey, Tree } from "./tree.js";
export { TreeCursor } from "./tree-cursor.js";
export { type DigestedStat, nodeDigest, TreeDigest } from "./tree-digest.js";
