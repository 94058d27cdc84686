import { STAT_BYTES } from "@watchkeeper/wire";
import { NO_NODE } from "./node-store.js";

/** What a write's reply is made of. For a multi one result an operation. */
export interface OperationResult {
  type: number;
  err: number;
  /** The node written to, where there is one left: its Stat goes into the reply. */
  node: number;
  /** The created path, as offsets into the txn's bytes. */
  pathStart: number;
  pathEnd: number;
  /** In a multi: the node's Stat right after this operation, which later ones may change again. */
  readonly stat: Uint8Array;
}

export function emptyResult(): OperationResult {
  return { type: 0, err: 0, node: NO_NODE, pathStart: 0, pathEnd: 0, stat: new Uint8Array(STAT_BYTES) };
}
