/**
 * Writes before they happen: what a request may do and what transaction it becomes. It sees the tree
 * and what is accepted but not applied; it changes neither disk nor tree.
 */
export { AccessControl, type AccessSettings, type AclReference, type Identity, userName } from "./access-control.js";
export { PendingChanges } from "./pending-changes.js";
export type { PreparerSettings } from "./preparer-parts.js";
export { QuotaCheck } from "./quota-check.js";
export { type TxnSink, WritePreparer } from "./write-preparer.js";
export { emptyWriteRequest, type WriteRequest } from "./write-request.js";
