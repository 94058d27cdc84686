/** Randomness as the session sees it: seeded in tests, so that a run can be repeated. */
export interface Random {
  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number;
}
