import { metricTable } from "../../packages/server/src/metrics/index.js";
import { gauges } from "../../packages/server/src/service/four-letter-words/index.js";
import { table } from "./compatibility.js";

/** Renders docs/metrics.md from the tables that `mntr` prints. */
export function metricsPage(): string {
  const metrics = Object.entries(metricTable);
  const counters = metrics.filter(([, { kind }]) => kind === "counter");
  const summaries = metrics.filter(([, { kind }]) => kind !== "counter");
  return [
    HEAD,
    "## Gauges\n",
    table(
      ["name", "unit", "meaning"],
      gauges.map(({ name, unit, help }) => [`\`${name}\``, unit, help]),
    ),
    "\n## Counters\n",
    table(
      ["name", "unit", "meaning"],
      counters.map(([name, { unit, help }]) => [`\`${name}\``, unit, help]),
    ),
    "\n## Summaries\n",
    table(
      ["name", "unit", "percentiles", "meaning"],
      summaries.map(([name, { kind, unit, help }]) => [
        `\`${name}\``,
        unit,
        kind === "summary with percentiles" ? "yes" : "",
        help,
      ]),
    ),
    ABSENT,
  ].join("\n");
}

const HEAD = `# Metrics

<!-- Generated from the tables in packages/server/src by \`npm run docs\`; a test holds it to them. -->

\`printf mntr | nc HOST 2181\` prints a line of name, tab and value for each of these, with \`zk_\` before the
name, as Apache's default metrics provider does: dashboards and exporters made for ZooKeeper read them as they
are. First come \`zk_version\`, \`zk_server_state\`, in an ensemble \`zk_peer_state\`, and on an observer
\`zk_observer_master_id\`.

A summary stands in several lines: \`zk_avg_NAME\`, \`zk_min_NAME\`, \`zk_max_NAME\`, \`zk_cnt_NAME\` and
\`zk_sum_NAME\`, and one with percentiles in \`zk_p50_NAME\`, \`zk_p95_NAME\`, \`zk_p99_NAME\` and \`zk_p999_NAME\`
too. Times are whole milliseconds. All values count from the server's start; \`srst\` begins anew with the
counters, the summaries, the latencies, the packets and the sizes. Percentiles are of all values since then, and
at most a thirty-second too high; Apache's are of a random sample of 4096.

Times that begin with a txn's making compare the clocks of two servers, as in Apache.
`;

const ABSENT = `
## What Apache prints and Watchkeeper does not

Nothing is printed as 0 that is not counted. A panel that shows one of these stays empty.

| names | why |
| --- | --- |
${[
  [
    "`prep_*`, `sync_process_time`, `sync_processor_queue_size`, `sync_processor_queue_time_ms`, `sync_processor_queue_and_flush_time_ms`, `proposal_process_time`, `close_session_prep_time`, `outstanding_changes_*`",
    "there is no queue between threads: a request is prepared when it is read. What waits for the disk is in `sync_processor_batch_size` and `sync_processor_queue_flush_time_ms`",
  ],
  [
    "`*commit_proc*`, `commit_process_time`, `*_session_queue*`, `session_queues_drained`, `write_batch_time_in_commit_processor`, `time_waiting_empty_pool_*`, `*_write_committed_time_ms`, `*_final_proc_time_ms`, `requests_not_forwarded_to_commit_processor`, `skip_learner_request_to_next_processor_count`, `learner_request_processor_queue_size`",
    "there is no commit processor. `readlatency` and `updatelatency` hold all of a request's time here",
  ],
  [
    "`*_read_per_namespace`, `*_write_per_namespace`",
    "finding the first name of the path would cost every request a look-up",
  ],
  [
    "`quota_*_per_namespace`, `quota_exceeded_error_per_namespace`",
    "not counted yet; a quota and its use are read with `watchkeeper quota`",
  ],
  [
    "`*_learner_handler_qp_size`, `*_learner_handler_qp_time_ms`, `*_ack_latency`",
    "proposals leave for all followers in one piece, without a queue to each",
  ],
  ["`om_*`", "observers follow the leader; no follower serves as an observer's master"],
  ["`startup_txns_load_time`, `startup_snap_load_time`", "`dbinittime` is both"],
  [
    "`stale_requests*`, `stale_replies`, `large_requests_rejected`, `request_throttle_queue_time_ms`, `connection_drop_probability`, `connection_token_deficit`",
    "the request throttler and the connection throttler they belong to do not exist. Requests are held back by `globalOutstandingLimit`: see `request_throttle_wait_count`",
  ],
  [
    "`response_packet_cache_*`, `response_packet_get_children_cache_*`",
    "nodes are kept as their replies, so there is no cache of replies",
  ],
  ["`dead_watchers_*`, `add_dead_watcher_stall_time`", "watches go with their connection, at once"],
  [
    "`ensemble_auth_*`, `auth_failed_count`, `outstanding_tls_handshake`, `tls_handshake_exceeded`, `unsuccessful_handshake`, `non_mtls_*`",
    "no TLS, and no authentication between servers, in this release",
  ],
  ["`insecure_admin_count`", "no AdminServer in this release"],
  ["`jvm_pause_time_ms`, `netty_queued_buffer_capacity`, `socket_closing_time`", "parts of a JVM, and of Netty"],
  ["`unrecoverable_error_count`", "such an error ends the process, with a sentence in the log"],
]
  .map(([names, why]) => `| ${names} | ${why} |`)
  .join("\n")}

\`fsync_threshold_exceed_count\` is the one that Apache no longer prints: it did until 3.5.
`;
