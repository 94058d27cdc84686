/** Quorum systems: which sets of voters may decide. They know server ids and weights, and nothing of what is decided. */
export { HierarchicalQuorum } from "./hierarchical.js";
export { MajorityQuorum } from "./majority.js";
export type { QuorumVerifier } from "./quorum-verifier.js";
