/** Time as the pure code sees it. Two clocks, because a wall clock jumps and a session must not expire by that. */
export interface Clock {
  /** Milliseconds since 1970: what a txn is stamped with. */
  wallMs(): number;
  /** Milliseconds that only ever grow, from an arbitrary start: what deadlines are made of. */
  monotonicMs(): number;
}
