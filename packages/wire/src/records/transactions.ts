import { bool, buffer, int, long, nullableBuffer, record, ustring, type ValueOf, vector } from "./kit.js";
import { acl } from "./shared.js";

/**
 * What the txn log holds, proposals carry and snapshots are made of. A txn's bytes are its header, the
 * record of its type, and the tree digest after it; they are stored and forwarded unchanged.
 */
export const txnHeader = record("TxnHeader", { clientId: long, cxid: int, zxid: long, time: long, type: int });
export const TXN_HEADER_BYTES = 32;

export const txnDigest = record("TxnDigest", { version: int, treeDigest: long });
export const TXN_DIGEST_BYTES = 12;
/** The only digest version that ever was; the first int of a TxnDigest. */
export const DIGEST_VERSION = 2;

/** Logs of releases up to 3.3 lack the parent's cversion. */
export const createTxnV0 = record("CreateTxnV0", {
  path: ustring,
  data: nullableBuffer,
  acl: vector(acl),
  ephemeral: bool,
});
export const createTxn = record("CreateTxn", { ...createTxnV0.fields, parentCVersion: int });
export const createContainerTxn = record("CreateContainerTxn", {
  path: ustring,
  data: nullableBuffer,
  acl: vector(acl),
  parentCVersion: int,
});
export const createTtlTxn = record("CreateTTLTxn", { ...createContainerTxn.fields, ttl: long });
export const deleteTxn = record("DeleteTxn", { path: ustring });
export const setDataTxn = record("SetDataTxn", { path: ustring, data: nullableBuffer, version: int });
export const checkVersionTxn = record("CheckVersionTxn", { path: ustring, version: int });
export const setAclTxn = record("SetACLTxn", { path: ustring, acl: vector(acl), version: int });
export const createSessionTxn = record("CreateSessionTxn", { timeOut: int });
export const closeSessionTxn = record("CloseSessionTxn", { paths2Delete: vector(ustring) });
export const errorTxn = record("ErrorTxn", { err: int });
/** One operation of a multi: its record stands serialised on its own in `data`. */
export const txn = record("Txn", { type: int, data: buffer });
export const multiTxn = record("MultiTxn", { txns: vector(txn) });

/** A node's Stat in snapshots: 60 bytes, pzxid last, cversion counting creations only. */
export const statPersisted = record("StatPersisted", {
  czxid: long,
  mzxid: long,
  ctime: long,
  mtime: long,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: long,
  pzxid: long,
});
export type StatPersisted = ValueOf<typeof statPersisted>;
export const STAT_PERSISTED_BYTES = 60;

/** Opens every log and snapshot file. */
export const fileHeader = record("FileHeader", { magic: int, version: int, dbid: long });
export const FILE_HEADER_BYTES = 16;
