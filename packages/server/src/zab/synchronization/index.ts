/**
 * Zab's second phase: every learner's history is made the leader's, and with a quorum of them the leader
 * is established.
 */
export { HistoryWalk, type WalkStep } from "./history-walk.js";
export { NewLeaderAcks } from "./new-leader-acks.js";
export { planSync, type SyncInputs, type SyncPlan } from "./plan-sync.js";
export { type SyncBeginning, SyncIntake, type SyncTxn } from "./sync-intake.js";
