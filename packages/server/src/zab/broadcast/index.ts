/** Zab's third phase: txns are proposed in order, acknowledged from disks, and committed in the same order. */
export { PendingProposals } from "./pending-proposals.js";
export { Proposals } from "./proposals.js";
