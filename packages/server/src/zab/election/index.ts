/**
 * Fast leader election: votes, their order, and one server's part in it as a state machine. It knows the
 * messages, and nothing of how they travel.
 */
export { Election, type ElectionOutput, type ServingState } from "./election.js";
export type { ElectionOptions } from "./look-for-leader.js";
export { beats, initialProposal, type Proposal, type Vote } from "./vote.js";
