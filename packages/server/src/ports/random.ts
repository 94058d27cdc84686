/** Randomness as the pure code sees it: seeded in tests, so that a run can be repeated. */
export interface Random {
  /** A whole number from 0 up to, not including, `bound` (at most 2^32). */
  below(bound: number): number;
}
