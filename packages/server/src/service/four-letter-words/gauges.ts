import { decimalText } from "../../metrics/index.js";
import { fileDescriptorsMax, openFileDescriptors } from "../file-descriptors.js";
import type { EnsembleView, LeaderView, LearnerView } from "./ensemble-view.js";
import type { WordContext } from "./word-context.js";

/** What can be read off a server at any moment: the first part of `mntr`, in the order in which Apache's prints it. */
export interface Gauge {
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  /** Undefined where the server, in the role it has, has no such thing. */
  readonly read: (context: WordContext, view: EnsembleView | undefined) => string | number | undefined;
}

export const gauges: readonly Gauge[] = [
  gauge("ephemerals_count", "count", "ephemeral nodes", ({ replica }) => replica.tree.ephemeralCount),
  gauge("num_alive_connections", "count", "open connections of clients", ({ replica }) => replica.connections.size),
  gauge("avg_latency", "ms", "the average time from a request's arrival to its reply", ({ replica }) =>
    decimalText(replica.stats.latencyMs.average),
  ),
  ofLeader(
    "min_proposal_size",
    "bytes",
    "the smallest txn proposed",
    (_, { replica }) => replica.stats.proposalBytes.min,
  ),
  gauge(
    "outstanding_requests",
    "count",
    "requests received and not answered",
    ({ replica }) => replica.outstandingRequests,
  ),
  // The root has two names in Apache's map and counts twice.
  gauge("znode_count", "count", "nodes, the root counted twice", ({ replica }) => replica.tree.count + 1),
  gauge("global_sessions", "count", "sessions of the whole ensemble", ({ replica }) => replica.sessions.count),
  gauge(
    "last_client_response_size",
    "bytes",
    "the last reply; -1 before the first",
    ({ replica }) => replica.stats.responseBytes.last,
  ),
  gauge("packets_sent", "count", "replies sent", ({ replica }) => replica.stats.packetsSent),
  gauge("packets_received", "count", "requests received", ({ replica }) => replica.stats.packetsReceived),
  ofLeader(
    "max_proposal_size",
    "bytes",
    "the greatest txn proposed",
    (_, { replica }) => replica.stats.proposalBytes.max,
  ),
  gauge("max_client_response_size", "bytes", "the greatest reply", ({ replica }) => replica.stats.responseBytes.max),
  ofLeader("synced_followers", "count", "followers in step", (leader) => synced(leader, "follower")),
  gauge(
    "watch_count",
    "count",
    "pairs of a connection and a path that it watches",
    ({ replica }) => replica.watches.watchCount,
  ),
  ofLeader("synced_non_voting_followers", "count", "followers in step that the configuration does not list", (leader) =>
    synced(leader, "non-voting follower"),
  ),
  ofLeader("synced_observers", "count", "observers in step", (leader) => synced(leader, "observer")),
  gauge("min_latency", "ms", "the shortest such time", ({ replica }) => replica.stats.latencyMs.min),
  gauge(
    "max_file_descriptor_count",
    "count",
    "files and sockets that the process may have open; -1 where the system does not tell",
    fileDescriptorsMax,
  ),
  gauge(
    "approximate_data_size",
    "bytes",
    "paths and data of all nodes",
    ({ replica }) => replica.tree.approximateBytes,
  ),
  gauge(
    "open_file_descriptor_count",
    "count",
    "files and sockets that it has open; -1 where the system does not tell",
    openFileDescriptors,
  ),
  ofLeader(
    "last_proposal_size",
    "bytes",
    "the txn proposed last; -1 before the first",
    (_, { replica }) => replica.stats.proposalBytes.last,
  ),
  ofLeader(
    "pending_syncs",
    "count",
    "syncs of clients that wait for proposals before them",
    (leader) => leader.pendingSyncs,
  ),
  ofLeader("leader_uptime", "ms", "since a quorum follows this leader", (leader) => Math.floor(leader.uptimeMs)),
  gauge("local_sessions", "count", "always 0: there are no local sessions", () => 0),
  gauge("uptime", "ms", "since the server was started", ({ replica }) =>
    Math.floor(performance.now() - replica.stats.startedMs),
  ),
  gauge("max_latency", "ms", "the longest such time", ({ replica }) => replica.stats.latencyMs.max),
  ofLeader(
    "learners",
    "count",
    "followers and observers that are connected, in step or not",
    (leader) => leader.learners.length,
  ),
  gauge("min_client_response_size", "bytes", "the smallest reply", ({ replica }) => replica.stats.responseBytes.min),
  gauge("quorum_size", "count", "voting members of the ensemble", (_, view) =>
    view === undefined || view.serves === "read-only" ? undefined : view.config.voters.size,
  ),
  gauge("fsync_threshold_exceed_count", "count", "durable writes slower than `fsync.warningthresholdms`", (context) =>
    context.fsyncThresholdExceedCount(),
  ),
];

function gauge(name: string, unit: string, help: string, read: Gauge["read"]): Gauge {
  return { name, unit, help, read };
}

function ofLeader(
  name: string,
  unit: string,
  help: string,
  read: (leader: LeaderView, context: WordContext) => number,
): Gauge {
  return {
    name,
    unit,
    help: `leader: ${help}`,
    read: (context, view) => (view?.leader === undefined ? undefined : read(view.leader, context)),
  };
}

function synced({ learners }: LeaderView, role: LearnerView["role"]): number {
  return learners.filter((learner) => learner.isSynced && learner.role === role).length;
}
