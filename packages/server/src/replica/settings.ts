import type { AccessSettings } from "../requests/index.js";
import type { SweepSettings } from "./container-sweeper.js";
import type { BacklogLimits } from "./request-backlog.js";
import type { SessionGateSettings } from "./session-gate.js";

/** Everything a replica must be told; the service fills it from the configuration. */
export interface ReplicaSettings extends AccessSettings, SessionGateSettings, BacklogLimits {
  readonly tickTimeMs: number;
  /** jute.maxbuffer. */
  readonly frameBytesMax: number;
  /** The longest txn that readers of the log accept: jute.maxbuffer and its extra size. */
  readonly txnBytesMax: number;
  /** Unsent bytes above which a connection is not read from until it has taken some. */
  readonly outputBytesPause: number;
  /** Unsent bytes above which a connection that takes nothing is closed. */
  readonly outputBytesMax: number;
  readonly watchesPerConnectionMax: number;
  /** A multiRead whose answer grows beyond this is refused: a megabyte of small reads can ask for gigabytes. */
  readonly multiReadBytesMax: number;
  /** A connection that has not opened a session by then is closed. */
  readonly sessionlessTimeoutMs: number;
  readonly digestEnabled: boolean;
  readonly treeDigestEnabled: boolean;
  readonly enforceQuota: boolean;
  readonly extendedTypesEnabled: boolean;
  readonly reconfigEnabled: boolean;
  readonly sweep: SweepSettings;
}
