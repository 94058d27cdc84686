import { z } from "zod";
import { ensembleSettingsSchema } from "./ensemble-settings.js";
import type { SupportedKeyName } from "./keys.js";
import { bytes, count, milliseconds } from "./numbers.js";

/**
 * Everything a server is told, checked: the one shape that the process, its connections and its
 * storage are built from. Ranges are Apache's; what zoo.cfg says in its own units stands here in the
 * units of the names. The messages complete "expected ...".
 */
const path = z.string().min(1, "a path");

/** How a hash of the digest scheme is called in Node; the Java names are in digest-algorithms.ts. */
const digestAlgorithmNames = [
  "sha1",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "sha512-224",
  "sha512-256",
  "sha3-224",
  "sha3-256",
  "sha3-384",
  "sha3-512",
  "md5",
] as const;

export const serverSettingsSchema = z.strictObject({
  /** 0.0.0.0 stands for every address, IPv6 too where there is IPv6, as with Java. Port 0 takes any free one. */
  clientAddress: z.strictObject({ host: z.string().min(1, "a host"), port: z.int().min(0).max(65_535) }),
  /** -1 leaves it to the system. */
  listenBacklog: count(-1),
  /** 0 for no limit, here and in the next. */
  connectionsPerAddressMax: count(0),
  connectionsMax: count(0),
  outstandingRequestsMax: count(0),
  sessionlessConnectionMs: milliseconds(1),

  tickTimeMs: milliseconds(1),
  minSessionTimeoutMs: milliseconds(0),
  maxSessionTimeoutMs: milliseconds(0),

  /** Absolute, as is the next; `version-2` is not part of them. */
  dataDir: path,
  dataLogDir: path,
  dataDirAutocreate: z.boolean(),
  databaseAutocreate: z.boolean(),
  trustEmptySnapshot: z.boolean(),
  digestEnabled: z.boolean(),

  /** 0 reserves nothing. */
  preAllocBytes: bytes(0),
  forceSync: z.boolean(),
  fsyncWarningMs: milliseconds(0),
  /** 0 never rolls by size. */
  txnLogFileBytesMax: bytes(0),
  snapCount: count(2),
  /** The log's growth between two snapshots; 0 lets snapCount decide alone. */
  snapLogBytesMax: bytes(0),
  snapshotCompression: z.enum(["none", "gz", "snappy"]),
  /** Whether a snapshot ends with the zxid it reaches. */
  snapshotZxidSection: z.boolean(),
  purgeRetainCount: count(3),
  /** 0 never purges. May exceed what one timer can wait for. */
  purgeIntervalMs: milliseconds(0),

  frameBytesMax: bytes(1),
  /** What a stored record may be larger than frameBytesMax. */
  recordExtraBytes: bytes(1024),
  extendedTypesEnabled: z.boolean(),
  containerCheckIntervalMs: milliseconds(1),
  containerDeletionsPerMinuteMax: count(1),
  /** 0 keeps containers that never had a child. */
  containerNeverUsedMs: milliseconds(0),
  enforceQuota: z.boolean(),

  skipAcl: z.boolean(),
  digestAuthEnabled: z.boolean(),
  digestAlgorithm: z.enum(digestAlgorithmNames),
  /** The superuser's digest id, `user:base64`. A secret: print settings through `redactSettings`. */
  superDigest: z
    .string()
    .regex(/^[^:]+:[A-Za-z0-9+/]+={0,2}$/, "super:<base64 of a digest>")
    .optional(),
  /** "*" for all, which also changes the answer to a telnet interrupt. */
  fourLetterWords: z.union([z.literal("*"), z.array(z.string())]),
  readOnlyModeEnabled: z.boolean(),
  reconfigEnabled: z.boolean(),

  /** Undefined for a single server. */
  ensemble: ensembleSettingsSchema.optional(),
});

export type ServerSettings = Readonly<z.infer<typeof serverSettingsSchema>>;

/** The key behind each setting of every server, so that a value out of range is reported where it stands. */
export const keysOfSettings = {
  clientAddress: "clientPort",
  listenBacklog: "clientPortListenBacklog",
  connectionsPerAddressMax: "maxClientCnxns",
  connectionsMax: "maxCnxns",
  outstandingRequestsMax: "globalOutstandingLimit",
  sessionlessConnectionMs: "nio.sessionlessCnxnTimeout",
  tickTimeMs: "tickTime",
  minSessionTimeoutMs: "minSessionTimeout",
  maxSessionTimeoutMs: "maxSessionTimeout",
  dataDir: "dataDir",
  dataLogDir: "dataLogDir",
  dataDirAutocreate: "datadir.autocreate",
  databaseAutocreate: "db.autocreate",
  trustEmptySnapshot: "snapshot.trust.empty",
  digestEnabled: "digest.enabled",
  preAllocBytes: "preAllocSize",
  forceSync: "forceSync",
  fsyncWarningMs: "fsync.warningthresholdms",
  txnLogFileBytesMax: "txnLogSizeLimitInKb",
  snapCount: "snapCount",
  snapLogBytesMax: "snapSizeLimitInKb",
  snapshotCompression: "snapshot.compression.method",
  snapshotZxidSection: "serializeLastProcessedZxid.enabled",
  purgeRetainCount: "autopurge.snapRetainCount",
  purgeIntervalMs: "autopurge.purgeInterval",
  frameBytesMax: "jute.maxbuffer",
  recordExtraBytes: "jute.maxbuffer.extrasize",
  extendedTypesEnabled: "extendedTypesEnabled",
  containerCheckIntervalMs: "znode.container.checkIntervalMs",
  containerDeletionsPerMinuteMax: "znode.container.maxPerMinute",
  containerNeverUsedMs: "znode.container.maxNeverUsedIntervalMs",
  enforceQuota: "enforceQuota",
  skipAcl: "skipACL",
  digestAuthEnabled: "DigestAuthenticationProvider.enabled",
  digestAlgorithm: "DigestAuthenticationProvider.digestAlg",
  superDigest: "DigestAuthenticationProvider.superDigest",
  fourLetterWords: "4lw.commands.whitelist",
  readOnlyModeEnabled: "readonlymode.enabled",
  reconfigEnabled: "reconfigEnabled",
} as const satisfies Readonly<Record<Exclude<keyof ServerSettings, "ensemble">, SupportedKeyName>>;
