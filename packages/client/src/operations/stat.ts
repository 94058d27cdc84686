/** What the servers keep of a node beside its data. Two with the same `czxid` and `mzxid` tell of the same data. */
export interface Stat {
  /** The zxid of the txn that created the node. */
  readonly czxid: bigint;
  /** The zxid of the txn that last changed its data. */
  readonly mzxid: bigint;
  /** When it was created, by the leader's clock: milliseconds since 1970. */
  readonly ctime: bigint;
  /** When its data last changed, by the leader's clock: milliseconds since 1970. */
  readonly mtime: bigint;
  /** How often its data has changed: what `setData` and `delete` compare. */
  readonly version: number;
  /** How often children of it came or went. */
  readonly cversion: number;
  /** How often its access control list has changed: what `setAcl` compares. */
  readonly aversion: number;
  /** The id of the session that an ephemeral node lives as long as; 0n for all others. */
  readonly ephemeralOwner: bigint;
  /** In bytes. */
  readonly dataLength: number;
  readonly numChildren: number;
  /** The zxid of the txn by which a child last came or went. */
  readonly pzxid: bigint;
}
