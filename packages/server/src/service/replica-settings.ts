import type { ReplicaSettings } from "../replica/index.js";
import type { ServerSettings } from "./config/index.js";

/** Replies of this size and requests behind them are held back until the client has read. */
export const OUTPUT_BYTES_PAUSE = 128 << 10;
/** Watch events beyond this, unread, cost a client its connection. */
export const OUTPUT_BYTES_MAX = 16 << 20;
const WATCHES_PER_CONNECTION_MAX = 2_000_000;
/** A multiRead's answer; clients take a megabyte unless told otherwise. */
const MULTI_READ_BYTES_MAX = 64 << 20;
/** Received and not answered, in memory. */
const BACKLOG_BYTES_MAX = 64 << 20;
/** Standalone servers make session ids as server 1, with Apache too. */
const STANDALONE_SERVER_ID = 1;

export function replicaSettings(settings: ServerSettings): ReplicaSettings {
  return {
    serverId: settings.ensemble?.myid ?? STANDALONE_SERVER_ID,
    tickTimeMs: settings.tickTimeMs,
    minSessionTimeoutMs: settings.minSessionTimeoutMs,
    maxSessionTimeoutMs: settings.maxSessionTimeoutMs,
    frameBytesMax: settings.frameBytesMax,
    txnBytesMax: settings.frameBytesMax + settings.recordExtraBytes,
    globalOutstandingLimit: settings.outstandingRequestsMax,
    outputBytesPause: OUTPUT_BYTES_PAUSE,
    outputBytesMax: OUTPUT_BYTES_MAX,
    watchesPerConnectionMax: WATCHES_PER_CONNECTION_MAX,
    multiReadBytesMax: MULTI_READ_BYTES_MAX,
    backlogBytesMax: BACKLOG_BYTES_MAX,
    sessionlessTimeoutMs: settings.sessionlessConnectionMs,
    skipAcl: settings.skipAcl,
    digestEnabled: settings.digestAuthEnabled,
    superDigest: settings.superDigest,
    treeDigestEnabled: settings.digestEnabled,
    enforceQuota: settings.enforceQuota,
    extendedTypesEnabled: settings.extendedTypesEnabled,
    reconfigEnabled: settings.reconfigEnabled,
    sweep: {
      checkIntervalMs: settings.containerCheckIntervalMs,
      maxPerMinute: settings.containerDeletionsPerMinuteMax,
      maxNeverUsedIntervalMs: settings.containerNeverUsedMs,
    },
  };
}
