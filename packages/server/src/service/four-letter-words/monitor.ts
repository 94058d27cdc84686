import { readdirSync, readFileSync } from "node:fs";
import { SERVER_VERSION } from "../version.js";
import {
  type EnsembleView,
  ensembleCounts,
  type LeaderView,
  type LearnerView,
  modeOf,
  proposalBytes,
} from "./ensemble-view.js";
import { averageLatency } from "./server-views.js";
import type { WordContext } from "./word-context.js";

/** `mntr`: Apache's names for what this server counts. */
export function monitor(context: WordContext): string {
  const { replica } = context;
  const { stats, tree } = replica;
  const view = context.ensemble?.();
  const answered = stats.latencyCount > 0;
  const values: [string, string | number][] = [
    ["version", SERVER_VERSION],
    ["server_state", modeOf(view)],
    ...(view === undefined || view.serves === "read-only" ? [] : roleValues(view)),
    ["avg_latency", averageLatency(context)],
    ["max_latency", stats.latencyMaxMs],
    ["min_latency", answered ? stats.latencyMinMs : 0],
    ["packets_received", stats.packetsReceived],
    ["packets_sent", stats.packetsSent],
    ["num_alive_connections", replica.connections.size],
    ["outstanding_requests", replica.outstandingRequests],
    ["znode_count", tree.count + 1],
    ["watch_count", replica.watches.watchCount],
    ["ephemerals_count", tree.ephemeralCount],
    ["approximate_data_size", tree.approximateBytes],
    ["global_sessions", replica.sessions.count],
    ["local_sessions", 0],
    ["open_file_descriptor_count", openFileDescriptors()],
    ["max_file_descriptor_count", fileDescriptorsMax()],
    ["uptime", Math.floor(performance.now() - stats.startedMs)],
    ["connection_rejected", context.refusedConnections()],
    ["digest_mismatches_count", replica.digestMismatches],
    ["fsync_threshold_exceed_count", context.fsyncThresholdExceedCount()],
    ...(view === undefined ? [] : ensembleValues(view)),
  ];
  return values.map(([name, value]) => `zk_${name}\t${value}\n`).join("");
}

type Values = [string, string | number][];

function roleValues({ state, phase, syncMode, leaderId }: EnsembleView): Values {
  const values: Values = [["peer_state", [state, phase, ...(syncMode === undefined ? [] : [syncMode])].join(" - ")]];
  if (state === "observing" && leaderId !== undefined) values.push(["observer_master_id", leaderId]);
  return values;
}

function ensembleValues(view: EnsembleView): Values {
  const counts = ensembleCounts.flatMap((name): Values => {
    const count = view.counts[name];
    return count === undefined ? [] : [[name, count]];
  });
  if (view.serves === "read-only") return counts;
  return [
    ["quorum_size", view.config.voters.size],
    ...(view.leader === undefined ? [] : leaderValues(view.leader)),
    ...counts,
  ];
}

function leaderValues(leader: LeaderView): Values {
  const synced = (role: LearnerView["role"]): number =>
    leader.learners.filter((learner) => learner.isSynced && learner.role === role).length;
  const { last, min, max } = proposalBytes(leader);
  return [
    ["learners", leader.learners.length],
    ["synced_followers", synced("follower")],
    ["synced_non_voting_followers", synced("non-voting follower")],
    ["synced_observers", synced("observer")],
    ["pending_syncs", leader.pendingSyncs],
    ["leader_uptime", Math.floor(leader.uptimeMs)],
    ["last_proposal_size", last],
    ["min_proposal_size", min],
    ["max_proposal_size", max],
  ];
}

function openFileDescriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return -1; // only Linux tells
  }
}

/** What the process may open: beyond it neither clients nor other servers get in. */
function fileDescriptorsMax(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? -1 : Number(soft);
  } catch {
    return -1;
  }
}
