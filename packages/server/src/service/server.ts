import { nodeCompression } from "../host/node-compression.js";
import { nodeDigester, TIMER_MS_MAX } from "../host/node-world.js";
import { elapsedMs } from "../metrics/index.js";
import type { Logger, Timer } from "../ports/index.js";
import {
  type DatabaseContent,
  type LoadDatabase,
  loadDatabase,
  Replica,
  ServerStats,
  unwrittenLog,
} from "../replica/index.js";
import { SessionTable } from "../sessions/index.js";
import { dataDirectory, prepareDataDirectory, TxnLog } from "../storage/index.js";
import { ClientPort } from "./client-port.js";
import type { ServerSettings } from "./config/index.js";
import { dataDirectories } from "./directory-sizes.js";
import { joinEnsemble } from "./ensemble-member.js";
import { connectionsThatLeaveFiles } from "./file-descriptors.js";
import { wordHandler } from "./four-letter-words/index.js";
import type { MakeReplica, Member } from "./member.js";
import { OUTPUT_BYTES_MAX, OUTPUT_BYTES_PAUSE, replicaSettings } from "./replica-settings.js";
import { messageOf, Snapshotter } from "./snapshotter.js";
import { standAlone } from "./standalone-member.js";
import { nodeWorld, type World } from "./world.js";

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

/** Expiry needs no more: a session's bucket is at least this long. */
const TICK_INTERVAL_MS_MAX = 200;
/** What a member of an ensemble keeps of the last txns, in memory, for servers that were away for a moment. */
const COMMITTED_LOG_BYTES_WANTED = 8 << 20;
const COMMITTED_LOG_BYTES_MAX = 64 << 20;

/** @param given what of the world is not the machine's own */
export async function startServer(
  settings: ServerSettings,
  logger: Logger,
  given: Partial<World> = {},
): Promise<RunningServer> {
  const world = { ...nodeWorld(), ...given };
  const unlock = lockDirectories(settings, world);
  try {
    return await start(settings, logger, world, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function lockDirectories(settings: ServerSettings, { lockDirectory }: World): () => void {
  const unlocks: (() => void)[] = [];
  try {
    for (const directory of new Set([settings.dataDir, settings.dataLogDir])) unlocks.push(lockDirectory(directory));
  } catch (error) {
    for (const unlock of unlocks) unlock();
    throw error;
  }
  return () => {
    for (const unlock of unlocks) unlock();
  };
}

async function start(
  settings: ServerSettings,
  logger: Logger,
  world: World,
  unlock: () => void,
): Promise<RunningServer> {
  const { disk, clock, random } = world;
  const directory = dataDirectory(disk, settings.dataDir, settings.dataLogDir);
  await prepareDataDirectory(disk, directory, settings.dataDirAutocreate, logger);
  const load: LoadDatabase = {
    disk,
    directory,
    compression: nodeCompression,
    logger,
    hashSeed: random.below(2 ** 31),
    treeDigestEnabled: settings.digestEnabled,
    trustEmptySnapshot: settings.trustEmptySnapshot,
    autocreateDatabase: settings.databaseAutocreate,
    entryBytesMax: settings.frameBytesMax + settings.recordExtraBytes,
  };
  const stats = new ServerStats(clock.monotonicMs());
  const { metrics } = stats;
  const database = await loadDatabase(load);
  metrics.dbinittime.add(elapsedMs(stats.startedMs, clock.monotonicMs()));
  if (database.recovered.snapshot !== undefined) metrics.startup_txns_loaded.add(database.recovered.txnsLoaded);
  const log = new TxnLog(
    { disk, directory: directory.logDirectory, clock, logger },
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
    random,
    logger,
    snapCount: settings.snapCount,
    snapLogBytesMax: settings.snapLogBytesMax,
    purgeRetainCount: settings.purgeRetainCount,
    times: metrics.snapshottime,
  });
  const server = new RunningServer(settings, logger, world, stats, log, snapshotter, unlock);
  const { makeReplica, onFatal } = server;
  const parts = { settings, logger, world, load, database, log, snapshotter, makeReplica, onFatal };
  server.member = settings.ensemble === undefined ? standAlone(parts) : await joinEnsemble(parts, settings.ensemble);
  await server.open();
  return server;
}

/** The process around a member: its client port, its timers, its end. */
export class RunningServer implements Server {
  readonly ended: Promise<Error | undefined>;
  address: { host: string; port: number };
  member!: Member;
  private readonly settings: ServerSettings;
  private readonly logger: Logger;
  private readonly world: World;
  private readonly stats: ServerStats;
  private readonly log: TxnLog;
  private readonly snapshotter: Snapshotter;
  private readonly unlock: () => void;
  private readonly port: ClientPort;
  private tickTimer: Timer | undefined;
  private purgeTimer: Timer | undefined;
  private resolveEnded!: (reason: Error | undefined) => void;
  private closing: Promise<void> | undefined;
  private failed = false;

  constructor(
    settings: ServerSettings,
    logger: Logger,
    world: World,
    stats: ServerStats,
    log: TxnLog,
    snapshotter: Snapshotter,
    unlock: () => void,
  ) {
    this.settings = settings;
    this.logger = logger;
    this.world = world;
    this.stats = stats;
    this.log = log;
    this.snapshotter = snapshotter;
    this.unlock = unlock;
    this.address = settings.clientAddress;
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    const server = this;
    this.port = new ClientPort(
      {
        ...settings.clientAddress,
        listenBacklog: settings.listenBacklog,
        connectionsPerAddressMax: settings.connectionsPerAddressMax,
        connectionsMax: settings.connectionsMax,
        connectionsThatLeaveFiles: connectionsThatLeaveFiles(),
        frameBytesMax: settings.frameBytesMax,
        outputBytesPause: OUTPUT_BYTES_PAUSE,
        outputBytesMax: OUTPUT_BYTES_MAX,
      },
      () => this.member.replica,
      wordHandler({
        get replica() {
          return server.member.replica;
        },
        settings,
        clientPort: () => this.address.port,
        directorySizes: () => this.directorySizes(),
        fsyncThresholdExceedCount: () => log.fsyncThresholdExceedCount,
        ...(settings.ensemble === undefined ? {} : { ensemble: () => this.member.ensembleView!() }),
      }),
      stats.metrics.connection_rejected,
      logger,
    );
  }

  get connectString(): string {
    const { host, port } = this.address;
    return `${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  async open(): Promise<void> {
    await this.member.prepare();
    this.address = await this.port.listen();
    try {
      await this.member.start();
    } catch (error) {
      this.port.destroy();
      throw error;
    }
    this.scheduleTick(Math.min(TICK_INTERVAL_MS_MAX, Math.max(10, Math.floor(this.settings.tickTimeMs / 4))));
    if (this.settings.purgeIntervalMs > 0) this.schedulePurge(0);
  }

  readonly makeReplica: MakeReplica = (content: DatabaseContent, lastZxid: number) => {
    const { settings, stats, log, logger } = this;
    const { clock, scheduler } = this.world;
    const sessions = new SessionTable(settings.tickTimeMs, clock.monotonicMs());
    for (const [key, { idHigh, idLow, timeoutMs }] of content.sessions)
      sessions.add(key, idHigh, idLow, timeoutMs, clock.monotonicMs());
    const { ensemble } = settings;
    const writesHistory = ensemble?.syncEnabled ?? true;
    const replica = new Replica(
      {
        settings: replicaSettings(settings),
        tree: content.tree,
        quotas: content.quotas,
        sessions,
        lastZxid,
        log: writesHistory ? log : unwrittenLog,
        committedLog:
          ensemble === undefined
            ? { txnsMin: 0, bytesWanted: 0, bytesMax: 0 }
            : {
                txnsMin: ensemble.commitLogCount,
                bytesWanted: COMMITTED_LOG_BYTES_WANTED,
                bytesMax: COMMITTED_LOG_BYTES_MAX,
              },
        clock,
        scheduler,
        digester: nodeDigester(settings.digestAlgorithm),
        logger,
        stats,
      },
      {
        onDurable: (txns, bytes) => {
          if (writesHistory) this.onLogged(txns, bytes);
        },
        onRoundEnd: () => this.snapshotter.onRoundEnd(replica),
        onFatal: (error) => this.onFatal(error),
      },
    );
    if (!content.digestsComparable) replica.pipeline.digestsCountAfterZxid = Number.POSITIVE_INFINITY;
    return replica;
  };

  private onLogged(txns: number, bytes: number): void {
    const { fsynctime, sync_processor_batch_size, sync_processor_queue_flush_time_ms } = this.stats.metrics;
    const ms = Math.floor(this.log.lastAppendMs);
    if (this.settings.forceSync) fsynctime.add(ms);
    sync_processor_queue_flush_time_ms.add(ms);
    sync_processor_batch_size.add(txns);
    this.snapshotter.onDurable(txns, bytes);
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.port.stopListening();
    await this.member.replica.drain();
    await this.release();
    this.resolveEnded(undefined);
  }

  private async release(): Promise<void> {
    this.tickTimer?.cancel();
    this.purgeTimer?.cancel();
    await this.member.stop();
    if (this.failed) this.port.destroy();
    else await this.port.close();
    await this.snapshotter.close();
    await this.log.close();
    this.unlock();
  }

  /** The log failed: nothing that was not acknowledged may be, and nothing more can be promised. */
  readonly onFatal = (cause: unknown): void => {
    if (this.failed) return;
    this.failed = true;
    const message = `the transaction log cannot be written: ${messageOf(cause)}. Nothing unacknowledged was acknowledged; the server stops. Make space or mend the disk, then start it again`;
    this.logger.error({ error: messageOf(cause) }, message);
    this.port.destroy();
    this.closing ??= this.release().then(
      () => this.resolveEnded(new Error(message, { cause })),
      () => this.resolveEnded(new Error(message, { cause })),
    );
  };

  private scheduleTick(intervalMs: number): void {
    this.tickTimer = this.world.scheduler.after(intervalMs, () => {
      this.scheduleTick(intervalMs);
      this.member.replica.tick();
    });
  }

  /** Intervals may be longer than one timer can wait for. */
  private schedulePurge(waitedMs: number): void {
    if (waitedMs === 0) void this.snapshotter.purge();
    const leftMs = this.settings.purgeIntervalMs - waitedMs;
    const stepMs = Math.min(leftMs, TIMER_MS_MAX);
    this.purgeTimer = this.world.scheduler.after(stepMs, () =>
      this.schedulePurge(stepMs < leftMs ? waitedMs + stepMs : 0),
    );
  }

  private directorySizes(): { dataDirBytes: number; logDirBytes: number } {
    const { snapDirectory, logDirectory } = dataDirectories(this.settings);
    const { directoryBytes } = this.world;
    return { dataDirBytes: directoryBytes(snapDirectory), logDirBytes: directoryBytes(logDirectory) };
  }
}
