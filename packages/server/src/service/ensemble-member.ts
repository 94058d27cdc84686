import {
  ElectionConnections,
  LocalState,
  type PeerActivity,
  type PeerSettings,
  QuorumPeer,
} from "../ensemble/index.js";
import type { Clock } from "../ports/index.js";
import { loadEpochs } from "../storage/index.js";
import type { EnsembleSettings, ServerSettings } from "./config/index.js";
import type { EnsembleView, LeaderView } from "./four-letter-words/index.js";
import type { Member, MemberParts } from "./member.js";

/** Sent to another server and not taken by it. */
const LEARNER_BYTES_MAX = 256 << 20;

/** One of several: it serves while it has a leader, or is one. @throws DataDirectoryError where its epochs contradict each other */
export async function joinEnsemble(parts: MemberParts, ensemble: EnsembleSettings): Promise<Member> {
  const { settings, world, database, load, log, logger, snapshotter, makeReplica } = parts;
  const { clock, scheduler, random } = world;
  const { disk, directory } = load;
  const { recovered } = database;
  const epochs = await loadEpochs(disk, directory.snapDirectory, recovered.lastZxid, logger);
  const state = new LocalState(
    {
      disk,
      directory,
      log,
      load,
      scheduler,
      logger,
      snapshotSizeFactor: ensemble.snapshotSizeFactor,
      writesHistory: ensemble.syncEnabled,
      makeReplica,
      withoutUpkeep: (change) => snapshotter.suspendedDuring(change),
    },
    makeReplica(database, Math.max(0, recovered.lastZxid)),
    epochs,
    recovered.lastZxid < 0,
  );
  const network = world.network({ keepAlive: ensemble.tcpKeepAlive });
  const connections = new ElectionConnections({
    myid: ensemble.myid,
    config: ensemble.config,
    network,
    scheduler,
    logger,
    connectTimeoutMs: ensemble.cnxTimeoutMs,
    handshakeTimeoutMs: ensemble.quorumCnxnTimeoutMs,
    bindRetries: ensemble.electionPortBindRetry,
    listensOnAllAddresses: ensemble.quorumListenOnAllIps,
    multiAddress: ensemble.multiAddressEnabled,
  });
  const peer = new QuorumPeer({
    settings: peerSettings(settings, ensemble),
    electionOptions: {
      minNotificationIntervalMs: ensemble.minNotificationIntervalMs,
      maxNotificationIntervalMs: ensemble.maxNotificationIntervalMs,
      finalizeWaitMs: FINALIZE_WAIT_MS,
    },
    connections,
    state,
    network,
    scheduler,
    clock,
    random,
    logger,
    onFatal: parts.onFatal,
  });
  return {
    get replica() {
      return state.replica;
    },
    async prepare() {
      // What is not known to be committed is not put into a snapshot; an empty beginning is nobody's uncommitted end.
      if (recovered.snapshot === undefined && recovered.lastZxid === 0) await snapshotter.takeFirst(state.replica);
    },
    start: () => peer.start(),
    stop: () => peer.stop(),
    ensembleView: () => viewOf(peer, state, ensemble, clock),
  };
}

/** How long the last vote must stay unchallenged. */
const FINALIZE_WAIT_MS = 200;

function peerSettings(settings: ServerSettings, ensemble: EnsembleSettings): PeerSettings {
  return {
    myid: ensemble.myid,
    config: ensemble.config,
    tickTimeMs: settings.tickTimeMs,
    initLimitTicks: ensemble.initLimitTicks,
    syncLimitTicks: ensemble.syncLimitTicks,
    connectToLeaderLimitTicks: ensemble.connectToLearnerMasterLimitTicks,
    leaderConnectRetryDelayMs: ensemble.leaderConnectDelayDuringRetryMs,
    maxTimeToWaitForEpochMs: ensemble.maxTimeToWaitForEpochMs,
    maxConcurrentSnapSyncs: ensemble.maxConcurrentSnapSyncs,
    maxConcurrentDiffSyncs: ensemble.maxConcurrentDiffSyncs,
    observerReconnectDelayMsMax: ensemble.observerReconnectDelayMs,
    observerElectionDelayMsMax: ensemble.observerElectionDelayMs,
    quorumListensOnAllAddresses: ensemble.quorumListenOnAllIps,
    leaderServes: ensemble.leaderServes,
    readOnlyModeEnabled: settings.readOnlyModeEnabled,
    alwaysSendsSnapshot: ensemble.forceSnapshotSync,
    learnerBytesMax: LEARNER_BYTES_MAX,
    packetBytesMax: settings.frameBytesMax + settings.recordExtraBytes,
  };
}

function viewOf(
  { activity }: QuorumPeer,
  state: LocalState,
  { myid, config }: EnsembleSettings,
  clock: Clock,
): EnsembleView {
  const { replica } = state;
  const common = {
    state: activity.kind,
    syncMode: undefined,
    serves: !replica.isServing ? "nobody" : replica.isReadOnly ? "read-only" : "all",
    config,
  } as const;
  switch (activity.kind) {
    case "looking":
      return { ...common, phase: "election", leaderId: undefined, leader: undefined };
    case "leading": {
      const { leader } = activity;
      const phase = leader.established.isOpen ? "broadcast" : leader.epoch < 0 ? "discovery" : "synchronization";
      return { ...common, phase, leaderId: myid, leader: leaderView(leader) };
    }
    default: {
      const { learner } = activity;
      const phase = learner.isUpToDate ? "broadcast" : learner.epoch < 0 ? "discovery" : "synchronization";
      return { ...common, phase, leaderId: learner.leaderSid, leader: undefined };
    }
  }

  function leaderView(leader: Extract<PeerActivity, { kind: "leading" }>["leader"]): LeaderView {
    const learners = [...leader.handlers]
      .filter(({ sid }) => sid !== undefined)
      .map(
        ({ sid, isObserver, isUpToDate }) =>
          ({
            id: sid!,
            role: isObserver ? "observer" : config.voters.has(sid!) ? "follower" : "non-voting follower",
            isSynced: isUpToDate,
          }) as const,
      );
    const uptimeMs = leader.established.isOpen ? Math.floor(clock.monotonicMs() - leader.startedMs) : 0;
    const { historyZxid, pendingSyncs } = leader;
    return { learners, historyZxid, uptimeMs, pendingSyncs };
  }
}
