import { NO_NODE, type NodeForecast, type NodeStat } from "../tree/index.js";
import type { AclReference } from "./access-control.js";

export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** A node as one of the txns in flight leaves it: one of `PendingChanges`' records. */
export class PendingNode implements NodeStat, NodeForecast {
  /** Where its path lies: in the bytes of the request until it is put, then in those of its own txn. */
  path: Uint8Array = NO_BYTES;
  pathStart = 0;
  pathEnd = 0;
  hash = 0;
  node = NO_NODE;
  czxid = 0;
  mzxid = 0;
  pzxid = 0;
  ctime = 0;
  mtime = 0;
  version = 0;
  creations = 0;
  aversion = 0;
  ownerHigh = 0;
  ownerLow = 0;
  exists = true;
  zxid = 0;
  childCount = 0;
  dataLength = 0;
  acl: AclReference = 0;
  prefixCrc = 0;
  digest = 0;
  digested = true;
  /** The record this one replaced, while the txn that made it may still be taken back. */
  replaced: PendingNode | undefined = undefined;
  /** Its row in the index, 0 while it is not in it. */
  row = 0;
}

export function isOwned(record: PendingNode): boolean {
  return record.ownerHigh !== 0 || record.ownerLow !== 0;
}
