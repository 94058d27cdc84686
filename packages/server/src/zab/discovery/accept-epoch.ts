/** What a learner does with the epoch of a LEADERINFO. */
export type EpochVerdict =
  /** Persist it as acceptedEpoch, then ACKEPOCH with the currentEpoch. */
  | "accept"
  /** It has been promised already: ACKEPOCH with -1, so that the promise is not counted twice. */
  | "accept-again"
  /** A higher epoch was promised to another leader: close the connection and elect again. */
  | "refuse";

/** `Learner.registerWithLeader`, reference F4. */
export function acceptEpoch(acceptedEpoch: number, newEpoch: number): EpochVerdict {
  if (newEpoch > acceptedEpoch) return "accept";
  return newEpoch === acceptedEpoch ? "accept-again" : "refuse";
}
