/**
 * From what was said to what the server is: flags, file and options are merged, judged by the table
 * of keys, and become `ServerSettings`, or a `ConfigError` that names the place to look at.
 *
 * Reading touches no file but through `readText`, so the same text always gives the same settings.
 */
import { isAbsolute, resolve } from "node:path";
import { parseRole } from "../../zab/index.js";
import { ConfigError, type ConfigWarning, originPhrase } from "./config-error.js";
import { digestAlgorithmOf, digestAlgorithmsExpected } from "./digest-algorithms.js";
import type { ReadText } from "./dynamic-file.js";
import { readEnsemble } from "./ensemble.js";
import { type EnsembleSettings, keysOfEnsembleSettings } from "./ensemble-settings.js";
import { collectGiven, type OptionValue, readEntries } from "./given-values.js";
import { type Environment, readJvmFlags } from "./jvm-flags.js";
import { conflict, type GivenValues, judgeValues, malformed, warning } from "./key-verdicts.js";
import { reading } from "./members.js";
import {
  type ClientPart,
  clientPart,
  type Ensemble,
  peerTypeWarnings,
  readMembership,
  type SingleServer,
} from "./membership.js";
import { type Myid, readMyid } from "./myid.js";
import { SettingValues } from "./setting-values.js";
import { keysOfSettings, type ServerSettings, serverSettingsSchema } from "./settings-schema.js";

export interface SettingsSource {
  /** The configuration file: its name as errors show it, and its text. */
  readonly file?: { readonly name: string; readonly text: string };
  /** Where SERVER_JVMFLAGS and JVMFLAGS are looked for. */
  readonly environment?: Environment;
  /** What outranks both, each under the name that its errors use. */
  readonly options?: readonly OptionValue[];
  /** What relative paths start from. */
  readonly workingDirectory: string;
  /** How the other files of a configuration are read: a dynamic file, myid. */
  readonly readText: ReadText;
}

export interface ReadSettings {
  readonly settings: ServerSettings;
  /** To be logged once there is a log, each at its own level. */
  readonly warnings: readonly ConfigWarning[];
}

export function readSettings(source: SettingsSource): ReadSettings {
  const file = source.file === undefined ? undefined : readEntries(source.file.name, source.file.text);
  const given = collectGiven(readJvmFlags(source.environment ?? {}), file, source.options ?? []);
  const warnings = [...given.warnings, ...judgeValues(given.values)];
  const values = new SettingValues(given.values, file?.file, source.workingDirectory);
  const directories = readDirectories(values, warnings);
  const membership = readMembership({
    values: given.values,
    multiAddressEnabled: values.read("multiAddress.enabled"),
    standaloneEnabled: values.read("standaloneEnabled"),
    extendedTypesEnabled: values.read("extendedTypesEnabled"),
    readText: source.readText,
  });
  warnings.push(...membership.warnings);
  const myid = readMyid(directories.dataDir, source.readText);
  checkElectionAlgorithm(values);
  const settings: ServerSettings = {
    ...directories,
    clientAddress: readClientAddress(values, clientPart(membership, myid.id)),
    ...readConnectionLimits(values),
    ...readTimes(values),
    ...readStorage(values, warnings),
    ...readRecords(values),
    ...readAccess(values),
    ...readRole(values, membership, myid, warnings),
  };
  checkRanges(settings, given.values);
  warnings.push(...dangers(given.values, settings), ...recommendations(values));
  return { settings, warnings };
}

function readDirectories(values: SettingValues, warnings: ConfigWarning[]) {
  const dataDir = values.read("dataDir");
  if (dataDir === undefined) {
    const message = `${values.file}: dataDir is not set: add a line such as dataDir=/var/lib/zookeeper.`;
    throw new ConfigError("MISSING", message, { file: values.file!, key: "dataDir", expected: "a path" });
  }
  const absolute = (key: "dataDir" | "dataLogDir", path: string) => {
    const directory = resolve(values.workingDirectory, path);
    const given = values.given(key);
    if (given?.origin.kind === "file" && !isAbsolute(path) && !path.startsWith("./")) {
      const sentence = `is relative. Prepend ./ to indicate that you're sure! It is taken as ${directory}`;
      warnings.push(warning(given, "TAKEN_AS", sentence));
    }
    return directory;
  };
  const dataLogDir = values.read("dataLogDir");
  const snapshots = absolute("dataDir", dataDir);
  return { dataDir: snapshots, dataLogDir: dataLogDir === undefined ? snapshots : absolute("dataLogDir", dataLogDir) };
}

/** What only an ensemble's server has, and what peerType says of either. */
function readRole(
  values: SettingValues,
  membership: SingleServer | Ensemble,
  myid: Myid,
  warnings: ConfigWarning[],
): Pick<ServerSettings, "ensemble"> {
  const given = values.given("peerType");
  const asked = given === undefined ? "participant" : reading(given, () => parseRole(given.text));
  const line =
    membership.kind === "single" ? undefined : membership.members.find((one) => one.line.id === myid.id)?.line;
  warnings.push(...peerTypeWarnings(given, asked, line?.role ?? "participant"));
  return membership.kind === "single" ? {} : { ensemble: readEnsemble(values, membership, myid, warnings) };
}

function readClientAddress(values: SettingValues, client: ClientPart | undefined): ServerSettings["clientAddress"] {
  const host = values.read("clientPortAddress");
  const given = values.given("clientPort");
  const port = values.read("clientPort");
  if (port === undefined || (port === 0 && given?.origin.kind === "file")) return addressWithoutPort(values, client);
  if (client?.isOwn && given?.origin.kind === "file") {
    const { address, origin } = client;
    const everywhere = values.given("clientPortAddress") === undefined || host === "0.0.0.0" || host === "::";
    if (address.port !== port || (!everywhere && address.host !== host)) {
      const sentence = `client address for this server in static config file is ${host}:${port}`;
      throw conflict(given, `${sentence}, but ${originPhrase(origin)} says ${address.host}:${address.port}`);
    }
    return address;
  }
  return { host, port };
}

/** Apache would start here and listen nowhere: nobody wants that, so it is an error. */
function addressWithoutPort(values: SettingValues, client: ClientPart | undefined): ServerSettings["clientAddress"] {
  const address = values.given("clientPortAddress");
  if (address !== undefined) throw conflict(address, "clientPortAddress is set but clientPort is not set");
  if (client !== undefined) return client.address;
  const message = `${values.file}: clientPort is not set, so no client could connect: add a line such as clientPort=2181.`;
  throw new ConfigError("MISSING", message, { file: values.file!, key: "clientPort", expected: "a port" });
}

function checkElectionAlgorithm(values: SettingValues): void {
  if (values.read("electionAlg") !== 3) throw malformed(values.given("electionAlg")!, "3, the only one supported");
}

function readConnectionLimits(values: SettingValues) {
  return {
    listenBacklog: values.read("clientPortListenBacklog"),
    connectionsPerAddressMax: Math.max(0, values.read("maxClientCnxns")),
    connectionsMax: Math.max(0, values.read("maxCnxns")),
    outstandingRequestsMax: values.read("globalOutstandingLimit"),
    sessionlessConnectionMs: values.read("nio.sessionlessCnxnTimeout"),
  };
}

function readTimes(values: SettingValues) {
  const tickTimeMs = values.read("tickTime");
  const shortest = values.read("minSessionTimeout");
  const longest = values.read("maxSessionTimeout");
  const minSessionTimeoutMs = shortest === -1 ? 2 * tickTimeMs : shortest;
  const maxSessionTimeoutMs = longest === -1 ? 20 * tickTimeMs : longest;
  if (tickTimeMs > 0 && minSessionTimeoutMs > maxSessionTimeoutMs) {
    const given = values.given("minSessionTimeout") ?? values.given("maxSessionTimeout")!;
    const sentence = `minSessionTimeout must not be larger than maxSessionTimeout: ${minSessionTimeoutMs} ms`;
    throw conflict(given, `${sentence} and ${maxSessionTimeoutMs} ms`);
  }
  return { tickTimeMs, minSessionTimeoutMs, maxSessionTimeoutMs };
}

const KIB = 1024;

function readStorage(values: SettingValues, warnings: ConfigWarning[]) {
  return {
    dataDirAutocreate: values.read("datadir.autocreate"),
    databaseAutocreate: values.read("db.autocreate"),
    trustEmptySnapshot: values.read("snapshot.trust.empty"),
    digestEnabled: values.read("digest.enabled"),
    preAllocBytes: Math.max(0, values.read("preAllocSize")) * KIB,
    forceSync: values.read("forceSync"),
    fsyncWarningMs: Math.max(0, values.read("fsync.warningthresholdms")),
    txnLogFileBytesMax: Math.max(0, values.read("txnLogSizeLimitInKb")) * KIB,
    snapCount: raised(values, "snapCount", 2, warnings),
    snapLogBytesMax: Math.max(0, values.read("snapSizeLimitInKb")) * KIB,
    snapshotCompression: readCompression(values),
    snapshotZxidSection: values.read("serializeLastProcessedZxid.enabled"),
    purgeRetainCount: raised(values, "autopurge.snapRetainCount", 3, warnings),
    purgeIntervalMs: values.read("autopurge.purgeInterval"),
  };
}

/** Apache raises these to what it can work with, and says so. */
function raised(
  values: SettingValues,
  key: "snapCount" | "autopurge.snapRetainCount",
  least: number,
  warnings: ConfigWarning[],
): number {
  const value = values.read(key);
  if (value >= least) return value;
  warnings.push(warning(values.given(key)!, "TAKEN_AS", `is too small: ${least} is taken instead`));
  return least;
}

function readCompression(values: SettingValues): ServerSettings["snapshotCompression"] {
  const method = values.read("snapshot.compression.method").toLowerCase();
  if (method === "") return "none";
  if (method === "gz" || method === "snappy") return method;
  throw malformed(values.given("snapshot.compression.method")!, "gz, snappy, or nothing for no compression");
}

const RECORD_EXTRA_BYTES_MIN = 1024;

function readRecords(values: SettingValues) {
  const frameBytesMax = values.read("jute.maxbuffer");
  const extra = values.read("jute.maxbuffer.extrasize") ?? frameBytesMax;
  return {
    frameBytesMax,
    recordExtraBytes: Math.max(RECORD_EXTRA_BYTES_MIN, extra),
    extendedTypesEnabled: values.read("extendedTypesEnabled"),
    containerCheckIntervalMs: values.read("znode.container.checkIntervalMs"),
    containerDeletionsPerMinuteMax: values.read("znode.container.maxPerMinute"),
    containerNeverUsedMs: Math.max(0, values.read("znode.container.maxNeverUsedIntervalMs")),
    enforceQuota: values.read("enforceQuota"),
  };
}

function readAccess(values: SettingValues) {
  const superDigest = values.read("DigestAuthenticationProvider.superDigest");
  const digestAlgorithm = digestAlgorithmOf(values.read("DigestAuthenticationProvider.digestAlg"));
  if (digestAlgorithm === undefined) {
    throw malformed(values.given("DigestAuthenticationProvider.digestAlg")!, digestAlgorithmsExpected);
  }
  const readOnlyModeEnabled = values.read("readonlymode.enabled");
  return {
    skipAcl: values.read("skipACL"),
    digestAuthEnabled: values.read("DigestAuthenticationProvider.enabled"),
    digestAlgorithm,
    ...(superDigest === "" ? {} : { superDigest }),
    fourLetterWords: allowedWords(values.read("4lw.commands.whitelist"), readOnlyModeEnabled),
    readOnlyModeEnabled,
    reconfigEnabled: values.read("reconfigEnabled"),
  };
}

/** srvr is always answered, and isro where a read-only mode makes it worth asking. */
function allowedWords(listed: readonly string[], readOnlyModeEnabled: boolean): ServerSettings["fourLetterWords"] {
  if (listed.includes("*")) return "*";
  return [...new Set([...listed, "srvr", ...(readOnlyModeEnabled ? ["isro"] : [])])];
}

function checkRanges(settings: ServerSettings, values: GivenValues): void {
  const issue = serverSettingsSchema.safeParse(settings).error?.issues[0];
  if (issue === undefined) return;
  const given = values.get(keyOf(issue.path));
  if (given === undefined) throw new Error(`settings that nobody gave are out of range: ${issue.message}`);
  throw malformed(given, issue.message);
}

/** The key behind the place in the settings that a value out of range was found in. */
function keyOf([setting, detail]: readonly PropertyKey[]): string {
  if (setting === "ensemble") return keysOfEnsembleSettings[detail as keyof EnsembleSettings];
  return keysOfSettings[setting as keyof typeof keysOfSettings];
}

function dangers(values: GivenValues, { skipAcl, forceSync }: ServerSettings): ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  if (skipAcl) {
    const sentence = "leaves every access control list unchecked: any client may read and change everything";
    warnings.push(warning(values.get("skipACL")!, "DANGEROUS", sentence));
  }
  if (!forceSync) {
    const sentence = "acknowledges writes before they are on the disk: a power cut can lose them";
    warnings.push(warning(values.get("forceSync")!, "DANGEROUS", sentence));
  }
  return warnings;
}

function recommendations(values: SettingValues): ConfigWarning[] {
  const key = "autopurge.purgeInterval";
  if (values.file === undefined || values.given(key) !== undefined) return [];
  const message =
    `${values.file}: ${key} is not set, so old snapshots and logs are kept for ever, as with Apache, and will fill ` +
    `the disk. To keep the newest three of them, add ${key}=1.`;
  return [{ code: "RECOMMENDED", level: "warn", message, key, file: values.file }];
}
