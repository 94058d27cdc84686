import { readdirSync } from "node:fs";
import { SERVER_VERSION } from "../version.js";
import { averageLatency } from "./server-views.js";
import type { WordContext } from "./word-context.js";

/** `mntr`: Apache's names for what this server counts. */
export function monitor(context: WordContext): string {
  const { replica } = context;
  const { stats, tree } = replica;
  const answered = stats.latencyCount > 0;
  const values: [string, string | number][] = [
    ["version", SERVER_VERSION],
    ["server_state", "standalone"],
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
    ["uptime", Math.floor(performance.now() - stats.startedMs)],
    ["connection_rejected", context.refusedConnections()],
    ["digest_mismatches_count", replica.digestMismatches],
    ["fsync_threshold_exceed_count", context.fsyncThresholdExceedCount()],
  ];
  return values.map(([name, value]) => `zk_${name}\t${value}\n`).join("");
}

function openFileDescriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return -1; // only Linux tells
  }
}
