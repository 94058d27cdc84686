import type { EnsembleConfig } from "../../zab/index.js";

/**
 * What a server of an ensemble tells of itself and, while it leads, of the others: all that the
 * four-letter words need beyond what a single server has. Read at the moment a word comes in.
 */
export interface EnsembleView {
  readonly state: "looking" | "leading" | "following" | "observing";
  /** How far the server is in taking that role on. */
  readonly phase: "election" | "discovery" | "synchronization" | "broadcast";
  /** How the leader brings this learner up to date, while it does. */
  readonly syncMode: "diff" | "trunc" | "snap" | undefined;
  /** Whether clients are served now; without a leader at most those that asked to read only. */
  readonly serves: "nobody" | "read-only" | "all";
  /** The configuration that holds: the last one committed. */
  readonly config: EnsembleConfig;
  /** The server that is followed or observed, or this one; undefined while there is none. */
  readonly leaderId: number | undefined;
  /** Defined while this server leads. */
  readonly leader: LeaderView | undefined;
}

export interface LeaderView {
  /** Every learner that is connected, in step or not. */
  readonly learners: readonly LearnerView[];
  /** Where its epoch begins: what it serves holds everything up to there, though no txn has this zxid. */
  readonly historyZxid: number;
  /** Since it has a quorum that follows it. */
  readonly uptimeMs: number;
  /** Syncs of clients that wait for proposals before them. */
  readonly pendingSyncs: number;
}

export interface LearnerView {
  readonly id: number;
  /** A non-voting follower is a participant that the configuration does not list. */
  readonly role: "follower" | "non-voting follower" | "observer";
  /** Brought up to date, and given all that is proposed or committed. */
  readonly isSynced: boolean;
}

/** What `srvr` calls the role. */
export function modeOf(view: EnsembleView | undefined): string {
  if (view === undefined) return "standalone";
  if (view.serves === "read-only") return "read-only";
  return MODES[view.state];
}

const MODES = { looking: "looking", leading: "leader", following: "follower", observing: "observer" } as const;
