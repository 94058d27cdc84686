import type { DurableLog } from "./txn-pipeline.js";

/**
 * In place of a log, for an observer that keeps what it is told in memory alone (`syncEnabled=false`). Nobody counts
 * on its disk: it acknowledges nothing and elects nobody, and whatever it forgets the leader has.
 */
export const unwrittenLog: DurableLog = {
  append: () => Promise.resolve(),
};
