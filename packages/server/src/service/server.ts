import { nodeCompression } from "../host/node-compression.js";
import { NodeDisk } from "../host/node-disk.js";
import { nodeClock, nodeDigester, nodeRandom, nodeScheduler } from "../host/node-world.js";
import type { Disk, Logger } from "../ports/index.js";
import { Replica, type ReplicaSettings, Standalone } from "../replica/index.js";
import { SessionTable } from "../sessions/index.js";
import { dataDirectory, prepareDataDirectory, TxnLog } from "../storage/index.js";
import { ClientPort } from "./client-port.js";
import type { ServerSettings } from "./config/index.js";
import { lockDataDirectory } from "./data-lock.js";
import { dataDirectories, directoryBytes } from "./directory-sizes.js";
import { wordHandler } from "./four-letter-words/index.js";
import { type Database, loadDatabase } from "./load-database.js";
import { messageOf, Snapshotter } from "./snapshotter.js";

/** A running server. */
export interface Server {
  /** Where clients connect: the port is the real one, where the settings said 0. */
  readonly address: { readonly host: string; readonly port: number };
  /** `host:port`, as a client takes it. */
  readonly connectString: string;
  /**
   * Stops taking requests, answers the writes that were accepted, closes every connection and file.
   * Sessions stay, and go on when the server starts again. Idempotent.
   */
  close(): Promise<void>;
  /** Resolves when the server has ended: with undefined after `close`, with the reason where it had to stop. */
  readonly ended: Promise<Error | undefined>;
}

/** Standalone servers make session ids as server 1, with Apache too. */
const STANDALONE_SERVER_ID = 1;
/** Replies of this size and requests behind them are held back until the client has read. */
const OUTPUT_BYTES_PAUSE = 128 << 10;
/** Watch events beyond this, unread, cost a client its connection. */
const OUTPUT_BYTES_MAX = 16 << 20;
const WATCHES_PER_CONNECTION_MAX = 2_000_000;
/** A multiRead's answer; clients take a megabyte unless told otherwise. */
const MULTI_READ_BYTES_MAX = 64 << 20;
/** Received and not answered, in memory. */
const BACKLOG_BYTES_MAX = 64 << 20;
/** Expiry needs no more: a session's bucket is at least this long. */
const TICK_INTERVAL_MS_MAX = 200;

/** @param disk the machine's, unless a test brings one that fails */
export async function startServer(
  settings: ServerSettings,
  logger: Logger,
  disk: Disk = new NodeDisk(),
): Promise<Server> {
  const unlock = lockDirectories(settings);
  try {
    return await start(settings, logger, disk, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function lockDirectories(settings: ServerSettings): () => void {
  const unlocks: (() => void)[] = [];
  try {
    for (const directory of new Set([settings.dataDir, settings.dataLogDir]))
      unlocks.push(lockDataDirectory(directory));
  } catch (error) {
    for (const unlock of unlocks) unlock();
    throw error;
  }
  return () => {
    for (const unlock of unlocks) unlock();
  };
}

async function start(settings: ServerSettings, logger: Logger, disk: Disk, unlock: () => void): Promise<Server> {
  const directory = dataDirectory(disk, settings.dataDir, settings.dataLogDir);
  await prepareDataDirectory(disk, directory, settings.dataDirAutocreate, logger);
  const database = await loadDatabase({
    disk,
    directory,
    compression: nodeCompression,
    logger,
    hashSeed: nodeRandom.below(2 ** 31),
    treeDigestEnabled: settings.digestEnabled,
    trustEmptySnapshot: settings.trustEmptySnapshot,
    autocreateDatabase: settings.databaseAutocreate,
    entryBytesMax: settings.frameBytesMax + settings.recordExtraBytes,
  });
  const log = new TxnLog(
    { disk, directory: directory.logDirectory, clock: nodeClock, logger },
    {
      preAllocBytes: settings.preAllocBytes,
      txnLogSizeLimitBytes: settings.txnLogFileBytesMax,
      forceSync: settings.forceSync,
      fsyncWarningThresholdMs: settings.fsyncWarningMs,
    },
  );
  const snapshotter = new Snapshotter({
    disk,
    directory,
    compression: nodeCompression,
    method: settings.snapshotCompression === "none" ? undefined : settings.snapshotCompression,
    log,
    random: nodeRandom,
    logger,
    snapCount: settings.snapCount,
    snapLogBytesMax: settings.snapLogBytesMax,
    purgeRetainCount: settings.purgeRetainCount,
  });
  const server = new StandaloneServer(settings, logger, database, log, snapshotter, unlock);
  await server.open();
  return server;
}

class StandaloneServer implements Server {
  readonly ended: Promise<Error | undefined>;
  address: { host: string; port: number };
  private readonly settings: ServerSettings;
  private readonly logger: Logger;
  private readonly database: Database;
  private readonly log: TxnLog;
  private readonly snapshotter: Snapshotter;
  private readonly unlock: () => void;
  private readonly replica: Replica;
  private readonly port: ClientPort;
  private readonly timers: NodeJS.Timeout[] = [];
  private resolveEnded!: (reason: Error | undefined) => void;
  private closing: Promise<void> | undefined;
  private failed = false;

  constructor(
    settings: ServerSettings,
    logger: Logger,
    database: Database,
    log: TxnLog,
    snapshotter: Snapshotter,
    unlock: () => void,
  ) {
    this.settings = settings;
    this.logger = logger;
    this.database = database;
    this.log = log;
    this.snapshotter = snapshotter;
    this.unlock = unlock;
    this.address = settings.clientAddress;
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    this.replica = this.makeReplica();
    this.port = new ClientPort(
      {
        ...settings.clientAddress,
        listenBacklog: settings.listenBacklog,
        connectionsPerAddressMax: settings.connectionsPerAddressMax,
        connectionsMax: settings.connectionsMax,
        frameBytesMax: settings.frameBytesMax,
        outputBytesPause: OUTPUT_BYTES_PAUSE,
        outputBytesMax: OUTPUT_BYTES_MAX,
      },
      this.replica,
      wordHandler({
        replica: this.replica,
        settings,
        clientPort: () => this.address.port,
        directorySizes: () => this.directorySizes(),
        fsyncThresholdExceedCount: () => log.fsyncThresholdExceedCount,
        refusedConnections: () => this.port.refusedConnections,
      }),
      logger,
    );
  }

  get connectString(): string {
    const { host, port } = this.address;
    return `${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  async open(): Promise<void> {
    const { recovered } = this.database;
    // An empty directory must not be left with a log and no snapshot: no server would start on that.
    if (recovered.snapshot === undefined) await this.snapshotter.takeFirst(this.replica);
    this.address = await this.port.listen();
    if (recovered.snapshot !== undefined && recovered.txnsLoaded > 0) void this.snapshotter.take(this.replica);
    const tickMs = Math.min(TICK_INTERVAL_MS_MAX, Math.max(10, Math.floor(this.settings.tickTimeMs / 4)));
    this.timers.push(setInterval(() => this.replica.tick(), tickMs));
    if (this.settings.purgeIntervalMs > 0) this.schedulePurge(0);
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.port.stopListening();
    await this.replica.drain();
    await this.release();
    this.resolveEnded(undefined);
  }

  private async release(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    if (this.failed) this.port.destroy();
    else await this.port.close();
    await this.snapshotter.close();
    await this.log.close();
    this.unlock();
  }

  /** The log failed: nothing that was not acknowledged may be, and nothing more can be promised. */
  private onFatal(cause: unknown): void {
    if (this.failed) return;
    this.failed = true;
    const message = `the transaction log cannot be written: ${messageOf(cause)}. Nothing unacknowledged was acknowledged; the server stops. Make space or mend the disk, then start it again`;
    this.logger.error({ error: messageOf(cause) }, message);
    this.port.destroy();
    this.closing ??= this.release().then(
      () => this.resolveEnded(new Error(message, { cause })),
      () => this.resolveEnded(new Error(message, { cause })),
    );
  }

  private makeReplica(): Replica {
    const { settings, database, log, logger } = this;
    const sessions = new SessionTable(settings.tickTimeMs, nodeClock.monotonicMs());
    for (const [key, { idHigh, idLow, timeoutMs }] of database.sessions)
      sessions.add(key, idHigh, idLow, timeoutMs, nodeClock.monotonicMs());
    const replica = new Replica(
      {
        settings: replicaSettings(settings),
        tree: database.tree,
        quotas: database.quotas,
        sessions,
        lastZxid: Math.max(0, database.recovered.lastZxid),
        log,
        committedLog: { txnsMin: 0, bytesMax: 0 },
        clock: nodeClock,
        scheduler: nodeScheduler,
        digester: nodeDigester(settings.digestAlgorithm),
        logger,
      },
      {
        onDurable: (txns, bytes) => this.snapshotter.onDurable(txns, bytes),
        onRoundEnd: () => this.snapshotter.onBatchEnd(this.replica),
        onFatal: (error) => this.onFatal(error),
      },
    );
    replica.serve(new Standalone(replica.proposer, replica.pipeline, replica.sessions));
    return replica;
  }

  /** Intervals may be longer than one timer can wait for. */
  private schedulePurge(waitedMs: number): void {
    if (waitedMs === 0) void this.snapshotter.purge();
    const leftMs = this.settings.purgeIntervalMs - waitedMs;
    const stepMs = Math.min(leftMs, 2 ** 31 - 1);
    const timer = setTimeout(() => this.schedulePurge(stepMs < leftMs ? waitedMs + stepMs : 0), stepMs);
    this.timers.push(timer.unref());
  }

  private directorySizes(): { dataDirBytes: number; logDirBytes: number } {
    const { snapDirectory, logDirectory } = dataDirectories(this.settings);
    return { dataDirBytes: directoryBytes(snapDirectory), logDirBytes: directoryBytes(logDirectory) };
  }
}

function replicaSettings(settings: ServerSettings): ReplicaSettings {
  return {
    serverId: STANDALONE_SERVER_ID,
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
