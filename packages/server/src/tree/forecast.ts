/**
 * What the server that made a txn worked out about a node while it predicted the tree's digest. Applying
 * the txn on that same server need not find and compute all of it again.
 */
export interface NodeForecast {
  /** The node's row, or NO_NODE where it did not exist yet. */
  readonly node: number;
  /** Of its path. */
  readonly hash: number;
  /** As the txn leaves the node. */
  readonly prefixCrc: number;
  readonly digest: number;
}

export interface Forecasts {
  /**
   * The next forecast of the txn: one for each node that it changes, in the order of the changes; a
   * create's parent comes before the child, a delete's behind it. Undefined for another server's txn.
   */
  next(zxid: number): NodeForecast | undefined;
}
