/** Sentences that several rows of the table share. */
export const NO_ORACLE = "two servers go on only while both are there, whatever the file says";
export const NO_OBSERVER_MASTER = "no follower takes observers in; they connect to the leader";
export const NO_LOCAL_SESSIONS = "every session is known to all servers";
export const NO_REQUEST_QUEUES = "requests do not wait in queues of this kind";
export const NEVER_BLOCKS = "sending and closing never hold anything up";
export const ALL_AT_ONCE = "all addresses of a server are tried at once, and the first that answers is taken";
export const ALWAYS_AT_ONCE = "small packets are always sent at once";
export const NO_ACK_LATENCY = "the latency of single acknowledgements is not measured";
export const CHECKED_BY_THE_LEADER = "a write is checked once, where it gets its place in the order: by the leader";
export const NO_WATCH_MANAGER = "watches are held in one table that needs no tuning";
export const NO_ADMIN_SERVER = "there is no AdminServer, and nothing listens on its port";
export const NO_METRICS_PROVIDER = "no metrics are exported over HTTP; the four-letter word mntr shows them";
export const NO_AUDIT_LOG = "no audit log is written";
export const NO_REQUEST_THROTTLE = "requests are not throttled; globalOutstandingLimit bounds what is in process";
export const NO_CONNECTION_THROTTLE = "new connections are not throttled; maxClientCnxns and maxCnxns bound them";
export const NO_PATH_STATISTICS = "request paths are not counted";
export const NO_PACKET_TRACE = "packets between servers are not traced";
export const NO_THREAD_POOLS = "one event loop does this work, without pools of threads";
export const NO_NETTY = "there is no Netty in it";
export const NO_JVM = "there is no JVM to watch";
export const GROUP_COMMIT =
  "each write to the disk takes all that gathered during the one before, without a delay to tune";
export const NO_TLS_TO_TUNE = "there is no TLS for it to tune";
export const NO_SASL_TO_TUNE = "there is no SASL for it to tune";
export const OTHER_PROGRAMS = "it is read by Apache's clients or log configuration, not by its server";
