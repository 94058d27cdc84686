/**
 * What a server counts and measures, beside what can be read off its state at any moment (gauges): by Apache's
 * names and with Apache's meanings. What `mntr` prints and what docs/metrics.md says come from this table, so
 * a metric is declared here once, with a sentence for operators, and counted where it happens.
 *
 * A metric of Apache's that has no counterpart in how this server works is not here: it would be made up.
 *
 * Nothing here costs a request more than an addition: times are differences of clock readings that are taken
 * anyway, once for a chunk of input, a write to the disk or a round of commits. They are whole milliseconds.
 */
export type MetricKind = "counter" | "summary" | "summary with percentiles";

export interface MetricDeclaration {
  readonly kind: MetricKind;
  /** "ms" where it is a time. */
  readonly unit: string;
  readonly help: string;
}

function counter(help: string, unit = "count") {
  return { kind: "counter", unit, help } as const;
}

function summary(help: string, unit = "ms") {
  return { kind: "summary", unit, help } as const;
}

function percentiles(help: string, unit = "ms") {
  return { kind: "summary with percentiles", unit, help } as const;
}

export const metricTable = {
  proposal_count: counter("txns that this server proposed as leader"),
  watch_bytes: counter("watch events sent to clients", "bytes"),
  throttled_ops: counter("requests answered with THROTTLED_OP: too many watches, or too long a multiRead"),
  connection_rejected: counter("connections closed at once for `maxClientCnxns` or `maxCnxns`"),
  cnxn_closed_without_zk_server_running: counter("clients turned away because this server serves none just now"),
  sessionless_connections_expired: counter("connections closed because no session was opened in time"),
  looking_count: counter("elections taken part in"),
  connection_drop_count: counter("connections with a session that broke off: neither side had closed them"),
  learner_proposal_received_count: counter("PROPOSALs received from a leader"),
  digest_mismatches_count: counter("txns after which this tree was not what its leader, or the log's author, had"),
  bytes_received_count: counter("requests, with their lengths", "bytes"),
  request_throttle_wait_count: counter("times a client had to wait because too many requests were outstanding"),
  learner_commit_received_count: counter("COMMITs received from a leader"),
  connection_request_count: counter("connections that asked for a session, a new one or their own"),
  response_bytes: counter("replies to requests", "bytes"),
  diff_count: counter("learners that this leader brought up to date by txns (DIFF or TRUNC)"),
  connection_revalidate_count: counter("sessions of returning clients that this learner asked its leader about"),
  quit_leading_due_to_disloyal_voter: counter(
    "times this server gave up leading, for one who had voted for it looked for a leader again",
  ),
  snap_count: counter("learners that this leader brought up to date by a snapshot (SNAP)"),
  commit_count: counter("txns that this server committed as leader"),
  stale_sessions_expired: counter("sessions that this server ended because nothing was heard of them in time"),
  sync_processor_request_queued: counter("txns handed to the log"),
  request_commit_queued: counter("commits that this server carried out, or is about to, as leader or learner"),
  revalidate_count: counter("sessions that learners asked this leader about"),

  node_created_watch_count: summary("watches that a created node set off, where there were any", "count"),
  node_deleted_watch_count: summary("watches that a deleted node set off, where there were any", "count"),
  node_changed_watch_count: summary("watches that changed data set off, where there were any", "count"),
  node_children_watch_count: summary("watches that a change of children set off, where there were any", "count"),
  leader_unavailable_time: summary("from looking for a leader to serving as the leader"),
  follower_sync_time: summary("taking over the leader's history, as a follower"),
  observer_sync_time: summary("taking over the leader's history, as an observer"),
  fsynctime: summary("writing to the log until it is durable"),
  inflight_snap_count: summary("learners being sent a snapshot, when one begins or ends", "count"),
  inflight_diff_count: summary("learners being sent txns that they missed, when one begins or ends", "count"),
  snapshottime: summary("writing a snapshot, with the pauses it makes for requests"),
  unavailable_time: summary("from looking for a leader to serving clients"),
  startup_txns_loaded: summary("txns that the start replayed from the log behind a snapshot", "count"),
  dbinittime: summary("loading snapshot and logs at the start"),
  election_time: summary("an election, until this server knew its role"),
  sync_processor_batch_size: summary("txns made durable by one write to the log", "count"),

  readlatency: percentiles("from the arrival of a request that changes nothing, pings included, to its reply"),
  updatelatency: percentiles("from the arrival of a write at this server to its reply"),
  quorum_ack_latency: percentiles("from a txn's making to its being on the disks of a quorum, at the leader"),
  commit_propagation_latency: percentiles("from a txn's making at the leader to its COMMIT's arrival here"),
  proposal_ack_creation_latency: percentiles("from a txn's making at the leader to this follower's ACK"),
  proposal_latency: percentiles("from a txn's making at the leader to its PROPOSAL's arrival here"),
  propagation_latency: percentiles("from a txn's making at the leader to its being applied here"),
  sync_processor_queue_flush_time_ms: percentiles("writing to the log until it is durable, as fsynctime"),
} as const satisfies Readonly<Record<string, MetricDeclaration>>;
