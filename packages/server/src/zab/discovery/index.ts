/**
 * Zab's first phase: a leader and a quorum agree on an epoch higher than all they have accepted, and
 * the leader learns that none of that quorum has a longer history than it.
 */
export { acceptEpoch, type EpochVerdict } from "./accept-epoch.js";
export { EPOCH_ALREADY_ACCEPTED, type EpochAckOutcome, EpochAcks, type StateSummary } from "./epoch-acks.js";
export { EpochProposal } from "./epoch-proposal.js";
