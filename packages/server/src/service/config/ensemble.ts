import type { ServerRole } from "../../zab/index.js";
import { ConfigError, type ConfigWarning, originFacts, originPhrase } from "./config-error.js";
import type { EnsembleSettings } from "./ensemble-settings.js";
import { warning } from "./key-verdicts.js";
import type { SupportedKeyName } from "./keys.js";
import type { Ensemble } from "./membership.js";
import type { Myid } from "./myid.js";
import type { SettingValues } from "./setting-values.js";

/** What a server of an ensemble needs beyond a list of servers, in the order in which Apache's server asks for it. */
export function readEnsemble(
  values: SettingValues,
  ensemble: Ensemble,
  { id, file }: Myid,
  warnings: ConfigWarning[],
): EnsembleSettings {
  checkReconfiguration(values);
  const initLimitTicks = requiredTicks(values, "initLimit", 10, "connect to the leader and catch up");
  const syncLimitTicks = requiredTicks(values, "syncLimit", 5, "answer the leader");
  const myid = knownId(ensemble, id, file);
  const own = ensemble.members.find(({ line }) => line.id === myid)!;
  return {
    myid,
    config: ensemble.config,
    role: own.line.role,
    initLimitTicks,
    syncLimitTicks,
    connectToLearnerMasterLimitTicks: values.read("connectToLearnerMasterLimit") || initLimitTicks,
    ...readPeerPorts(values, syncLimitTicks),
    ...readWaits(values),
    ...readSynchronization(values, warnings),
    syncEnabled: readSyncEnabled(values, own.line.role, warnings),
  };
}

/**
 * A server without dynamic reconfiguration that sees, while it looks for a leader, a newer configuration with
 * other members starts its election again and again: where the others could be changed at run time, it
 * would be lost with the first change.
 */
function checkReconfiguration(values: SettingValues): void {
  if (!values.read("reconfigEnabled")) return;
  const given = values.given("reconfigEnabled")!;
  const message =
    `${originPhrase(given.origin)}: reconfigEnabled=true: this release cannot change the members of a running ensemble, ` +
    "and a server that cannot must not be mixed with servers that can: after their first change it would look for a " +
    "leader for ever. Set reconfigEnabled=false on every server of the ensemble.";
  throw new ConfigError("ENSEMBLE", message, { key: "reconfigEnabled", ...originFacts(given.origin) });
}

/** Apache takes 0 for not set. */
function requiredTicks(values: SettingValues, key: "initLimit" | "syncLimit", usual: number, purpose: string): number {
  const ticks = values.read(key);
  if (ticks !== undefined && ticks !== 0) return ticks;
  const file = values.file!;
  const message =
    `${file}: ${key} is not set: an ensemble needs it, the number of ticks that a server may take to ${purpose}; ` +
    `add a line such as ${key}=${usual}.`;
  throw new ConfigError("MISSING", message, { file, key, expected: "a number of ticks" });
}

function knownId({ config }: Ensemble, id: number | undefined, file: string): number {
  const ids = [...config.members.keys()];
  if (id === undefined) {
    const message =
      `${file}: myid file is missing: it tells which of the servers ${inWords(ids)} this one is. ` +
      `Write the number into it, for server ${ids[0]} by: echo ${ids[0]} > ${file}`;
    throw new ConfigError("MISSING", message, { file, key: "myid", expected: "this server's number" });
  }
  if (ids.includes(id)) return id;
  const message =
    `${file}: My id ${id} not in the peer list: the server lines are of ${inWords(ids)}. Correct the number in the ` +
    `file, or add a line server.${id}=host:quorumPort:electionPort to the configuration of every server.`;
  throw new ConfigError("CONFLICT", message, { file, line: 1, key: "myid", found: String(id) });
}

function inWords(ids: readonly number[]): string {
  return ids.length === 1 ? String(ids[0]) : `${ids.slice(0, -1).join(", ")} and ${ids.at(-1)}`;
}

function readPeerPorts(values: SettingValues, syncLimitTicks: number) {
  const silence = values.read("quorumCnxnTimeoutMs");
  return {
    leaderServes: values.read("leaderServes"),
    quorumListenOnAllIps: values.read("quorumListenOnAllIPs"),
    multiAddressEnabled: values.read("multiAddress.enabled"),
    cnxTimeoutMs: values.read("cnxTimeout"),
    quorumCnxnTimeoutMs: silence === -1 ? syncLimitTicks * values.read("tickTime") : silence,
    electionPortBindRetry: values.read("electionPortBindRetry"),
    tcpKeepAlive: values.read("tcpKeepAlive"),
  };
}

function readWaits(values: SettingValues) {
  return {
    minNotificationIntervalMs: values.read("fastleader.minNotificationInterval"),
    maxNotificationIntervalMs: values.read("fastleader.maxNotificationInterval"),
    leaderConnectDelayDuringRetryMs: values.read("leaderConnectDelayDuringRetryMs"),
    observerReconnectDelayMs: values.read("observer.reconnectDelayMs"),
    observerElectionDelayMs: values.read("observer.election.DelayMs"),
    maxTimeToWaitForEpochMs: Math.max(-1, values.read("leader.maxTimeToWaitForEpoch")),
    maxConcurrentSnapSyncs: values.read("leader.maxConcurrentSnapSyncs"),
    maxConcurrentDiffSyncs: values.read("leader.maxConcurrentDiffSyncs"),
  };
}

const COMMIT_LOG_COUNT_MIN = 500;
const SNAPSHOT_SIZE_FACTOR_DEFAULT = 0.33;

function readSynchronization(values: SettingValues, warnings: ConfigWarning[]) {
  const commitLogCount = values.read("commitLogCount");
  if (commitLogCount < COMMIT_LOG_COUNT_MIN) {
    taken(values, "commitLogCount", `is too small: ${COMMIT_LOG_COUNT_MIN} is taken instead`, warnings);
  }
  const factor = values.read("snapshotSizeFactor");
  if (factor > 1) {
    const sentence = `is more than the whole snapshot: ${SNAPSHOT_SIZE_FACTOR_DEFAULT} is taken instead, as with Apache`;
    taken(values, "snapshotSizeFactor", sentence, warnings);
  }
  return {
    commitLogCount: Math.max(COMMIT_LOG_COUNT_MIN, commitLogCount),
    snapshotSizeFactor: factor > 1 ? SNAPSHOT_SIZE_FACTOR_DEFAULT : factor,
    forceSnapshotSync: values.read("forceSnapshotSync"),
  };
}

/** The same line may stand in the files of all servers. */
function readSyncEnabled(values: SettingValues, role: ServerRole, warnings: ConfigWarning[]): boolean {
  if (values.read("syncEnabled")) return true;
  if (role === "observer") return false;
  const sentence =
    "has no effect: this server votes, and its word is worth what is on its disk; only observers go without";
  warnings.push(warning(values.given("syncEnabled")!, "NO_EFFECT", sentence, "info"));
  return true;
}

function taken(values: SettingValues, key: SupportedKeyName, sentence: string, warnings: ConfigWarning[]): void {
  warnings.push(warning(values.given(key)!, "TAKEN_AS", sentence));
}
