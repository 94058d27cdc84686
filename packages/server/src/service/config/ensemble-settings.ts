import { z } from "zod";
import { EnsembleConfig, type ServerRole } from "../../zab/index.js";
import type { SupportedKeyName } from "./keys.js";
import { count, milliseconds } from "./numbers.js";

/**
 * What a server of an ensemble is told about the others: who they are, which of them it is, and how
 * long it waits for them. Defaults that stand for another value (-1 for syncLimit and the like) are
 * resolved here, so that nobody behind this has to know them. The messages complete "expected ...".
 */
const ticks = z.int().min(1, "a whole number of ticks, 1 or more");

export const ensembleSettingsSchema = z.strictObject({
  /** This server's number, one of the config's. */
  myid: z.int().min(0),
  /** The servers, as every server of the ensemble has them. */
  config: z.custom<EnsembleConfig>((value) => value instanceof EnsembleConfig),
  /** This server's, by its line. */
  role: z.enum(["participant", "observer"] as const satisfies readonly ServerRole[]),

  /** Each of: connecting to the leader, agreeing on an epoch, being brought up to date. */
  initLimitTicks: ticks,
  /** Silence and unacknowledged proposals, from then on. */
  syncLimitTicks: ticks,
  /** All attempts to connect to the leader together. */
  connectToLearnerMasterLimitTicks: ticks,

  leaderServes: z.boolean(),
  /** Listen for other servers on every address, not on those of the server line. */
  quorumListenOnAllIps: z.boolean(),
  multiAddressEnabled: z.boolean(),

  /** Connecting to another server's election port. */
  cnxTimeoutMs: milliseconds(1),
  /** Reading the first message of an election connection. */
  quorumCnxnTimeoutMs: milliseconds(1),
  /** Tries of a busy election port, a second apart; 0 for ever. */
  electionPortBindRetry: count(0),
  tcpKeepAlive: z.boolean(),
  minNotificationIntervalMs: milliseconds(1),
  maxNotificationIntervalMs: milliseconds(1),

  leaderConnectDelayDuringRetryMs: milliseconds(0),
  /** For its quorum, before a leader goes by a voter of its own that looks for a leader again; -1 never does. */
  maxTimeToWaitForEpochMs: milliseconds(-1),
  /** Servers that are sent a snapshot, and missing txns, at a time; only observers are turned away. */
  maxConcurrentSnapSyncs: count(1),
  maxConcurrentDiffSyncs: count(1),

  /** The longest of a random wait; 0 does not wait. */
  observerReconnectDelayMs: milliseconds(0),
  observerElectionDelayMs: milliseconds(0),

  /** Committed txns kept in memory for servers that fell behind. */
  commitLogCount: count(500),
  /** The log on disk is sent up to this part of the snapshot's size; 0 sends it whatever its size, less never. */
  snapshotSizeFactor: z.number().max(1),
  forceSnapshotSync: z.boolean(),
  /** Whether an observer writes what it is told to its disk; voters always do. */
  syncEnabled: z.boolean(),
});

export type EnsembleSettings = Readonly<z.infer<typeof ensembleSettingsSchema>>;

/** The key behind each setting, so that a value out of range is reported where it stands. */
export const keysOfEnsembleSettings = {
  myid: "server.N",
  config: "server.N",
  role: "peerType",
  initLimitTicks: "initLimit",
  syncLimitTicks: "syncLimit",
  connectToLearnerMasterLimitTicks: "connectToLearnerMasterLimit",
  leaderServes: "leaderServes",
  quorumListenOnAllIps: "quorumListenOnAllIPs",
  multiAddressEnabled: "multiAddress.enabled",
  cnxTimeoutMs: "cnxTimeout",
  quorumCnxnTimeoutMs: "quorumCnxnTimeoutMs",
  electionPortBindRetry: "electionPortBindRetry",
  tcpKeepAlive: "tcpKeepAlive",
  minNotificationIntervalMs: "fastleader.minNotificationInterval",
  maxNotificationIntervalMs: "fastleader.maxNotificationInterval",
  leaderConnectDelayDuringRetryMs: "leaderConnectDelayDuringRetryMs",
  maxTimeToWaitForEpochMs: "leader.maxTimeToWaitForEpoch",
  maxConcurrentSnapSyncs: "leader.maxConcurrentSnapSyncs",
  maxConcurrentDiffSyncs: "leader.maxConcurrentDiffSyncs",
  observerReconnectDelayMs: "observer.reconnectDelayMs",
  observerElectionDelayMs: "observer.election.DelayMs",
  commitLogCount: "commitLogCount",
  snapshotSizeFactor: "snapshotSizeFactor",
  forceSnapshotSync: "forceSnapshotSync",
  syncEnabled: "syncEnabled",
} as const satisfies Readonly<Record<keyof EnsembleSettings, SupportedKeyName>>;
