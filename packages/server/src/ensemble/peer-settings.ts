import type { EnsembleConfig } from "../zab/index.js";

/** What a member of an ensemble must be told; the service fills it from the configuration. */
export interface PeerSettings {
  readonly myid: number;
  /** The committed configuration: who is in it, and where. */
  readonly config: EnsembleConfig;
  readonly tickTimeMs: number;
  /** Ticks for connecting to a leader, agreeing on an epoch and catching up. */
  readonly initLimitTicks: number;
  /** Ticks of silence, or of falling behind, after which the other side is given up. */
  readonly syncLimitTicks: number;
  /** Ticks for the connection to a leader alone; `initLimitTicks` where it is 0. */
  readonly connectToLeaderLimitTicks: number;
  readonly leaderConnectRetryDelayMs: number;
  /** For its quorum, before a leader goes by a voter of its own that looks for a leader again; -1 never does. */
  readonly maxTimeToWaitForEpochMs: number;
  /** Learners that are sent a snapshot, and missing txns, at a time; only observers are turned away. */
  readonly maxConcurrentSnapSyncs: number;
  readonly maxConcurrentDiffSyncs: number;
  /** Up to so long an observer waits, by chance, before it connects to a leader. */
  readonly observerReconnectDelayMsMax: number;
  /** Up to so long an observer waits, by chance, before it looks for a leader. */
  readonly observerElectionDelayMsMax: number;
  readonly quorumListensOnAllAddresses: boolean;
  /** Whether a leader serves clients itself. */
  readonly leaderServes: boolean;
  readonly readOnlyModeEnabled: boolean;
  /** A learner is always sent a snapshot, whatever it has: to try that out. */
  readonly alwaysSendsSnapshot: boolean;
  /** Sent to a learner and not taken by it: above this it is given up. */
  readonly learnerBytesMax: number;
  /** The longest packet's data. */
  readonly packetBytesMax: number;
}

export function initLimitMs(settings: PeerSettings): number {
  return settings.initLimitTicks * settings.tickTimeMs;
}

export function syncLimitMs(settings: PeerSettings): number {
  return settings.syncLimitTicks * settings.tickTimeMs;
}
