import { OP, readInt, TXN_HEADER_BYTES } from "@watchkeeper/wire";
import type { Disk, Logger } from "../ports/index.js";
import { type Compression, type DataDirectory, type Recovered, recover, type SnapshotSink } from "../storage/index.js";
import { addSystemNodes, Quotas, sessionKey, Tree, TxnApplier } from "../tree/index.js";
import { TreeRestore } from "./tree-snapshot.js";

/** What a server serves: a tree and the sessions that live. */
export interface DatabaseContent {
  readonly tree: Tree;
  readonly quotas: Quotas;
  readonly sessions: ReadonlyMap<bigint, LoadedSession>;
  /** False where the tree is ahead of its zxid by nobody knows what: as a leader's snapshot is, until the log behind it was replayed. */
  readonly digestsComparable: boolean;
}

/** A server's state as its data directory has it. */
export interface Database extends DatabaseContent {
  readonly recovered: Recovered;
}

export interface LoadedSession {
  readonly idHigh: number;
  readonly idLow: number;
  readonly timeoutMs: number;
}

export interface LoadDatabase {
  readonly disk: Disk;
  readonly directory: DataDirectory;
  readonly compression: Compression;
  readonly logger: Logger;
  readonly hashSeed: number;
  readonly treeDigestEnabled: boolean;
  readonly trustEmptySnapshot: boolean;
  readonly autocreateDatabase: boolean;
  readonly entryBytesMax: number;
}

/** Reads the newest snapshot and replays the logs behind it; ephemerals of sessions that are gone do not come back. */
export async function loadDatabase(load: LoadDatabase): Promise<Database> {
  const { hashSeed, treeDigestEnabled, logger } = load;
  let state = new LoadingState(new Tree(hashSeed, treeDigestEnabled), 0, logger);
  const recovered = await recover({
    ...load,
    options: load,
    openSnapshot: (zxid) => {
      state = new LoadingState(new Tree(hashSeed, treeDigestEnabled), zxid, logger);
      return state.restore;
    },
    apply: (bytes, start, end, zxid) => state.apply(bytes, start, end, zxid),
  });
  state.finish(recovered);
  return { ...state.content, recovered };
}

/** A server's state as a leader's snapshot has it, whose last txn is `zxid`; it may be ahead of its name, as every snapshot. */
export async function receiveDatabase(
  load: Pick<LoadDatabase, "hashSeed" | "treeDigestEnabled" | "logger">,
  zxid: number,
  read: (sink: SnapshotSink) => Promise<void>,
): Promise<DatabaseContent> {
  const state = new LoadingState(new Tree(load.hashSeed, load.treeDigestEnabled), zxid, load.logger);
  await read(state.restore);
  state.completeSnapshot();
  return { ...state.content, digestsComparable: false };
}

class LoadingState {
  readonly restore: TreeRestore;
  readonly quotas: Quotas;
  readonly sessions: Map<bigint, LoadedSession>;
  private readonly applier: TxnApplier;
  private readonly logger: Logger;
  private snapshotComplete = false;
  private digestsComparable: boolean;
  private digestMismatches = 0;
  private readonly snapshotZxid: number;

  constructor(tree: Tree, snapshotZxid: number, logger: Logger) {
    this.snapshotZxid = snapshotZxid;
    this.restore = new TreeRestore(tree);
    this.quotas = new Quotas(tree);
    this.sessions = this.restore.sessions;
    this.applier = new TxnApplier(tree, this.quotas);
    this.logger = logger;
    this.digestsComparable = true;
  }

  get content(): DatabaseContent {
    const { restore, quotas, sessions, digestsComparable } = this;
    return { tree: restore.tree, quotas, sessions, digestsComparable };
  }

  apply(bytes: Uint8Array, start: number, end: number, zxid: number): void {
    this.completeSnapshot();
    const { applier } = this;
    applier.apply(bytes, start, end);
    if (applier.type === OP.createSession) {
      const key = sessionKey(applier.clientHigh, applier.clientLow);
      const timeoutMs = readInt(bytes, start + TXN_HEADER_BYTES);
      this.sessions.set(key, { idHigh: applier.clientHigh, idLow: applier.clientLow, timeoutMs });
    } else if (applier.type === OP.closeSession) {
      this.sessions.delete(sessionKey(applier.clientHigh, applier.clientLow));
    }
    this.compareDigest(bytes, zxid);
  }

  finish(recovered: Recovered): void {
    this.completeSnapshot();
    const { tree } = this.restore;
    for (const [key, nodes] of [...tree.ephemerals]) {
      if (this.sessions.has(key)) continue;
      this.logger.info({ nodes: nodes.size }, "Removing ephemeral nodes of a session that is gone");
      this.applier.removeEphemeralsOf(key, recovered.lastZxid);
    }
  }

  /** The tree of a snapshot has no quotas yet, and an old one's lacks nodes that every tree has now. */
  completeSnapshot(): void {
    if (this.snapshotComplete) return;
    this.snapshotComplete = true;
    const { tree, recordedDigest } = this.restore;
    addSystemNodes(tree);
    tree.acls.dropUnused();
    this.quotas.rebuild();
    // A fuzzy snapshot is ahead of its name: only from the zxid of its digest on do digests mean anything.
    this.digestsComparable =
      recordedDigest === undefined || (recordedDigest.zxid < this.snapshotZxid && !this.isReceived);
    if (recordedDigest?.zxid === this.snapshotZxid) this.compareRecorded(recordedDigest.zxid);
  }

  private compareDigest(bytes: Uint8Array, zxid: number): void {
    if (this.digestsComparable) {
      if (!this.applier.digestMatches(bytes)) this.onMismatch(zxid);
    } else if (this.isReceived) {
      this.digestsComparable = this.applier.saysDigest(bytes) && this.applier.digestMatches(bytes);
    } else if (zxid >= (this.restore.recordedDigest?.zxid ?? 0)) this.compareRecorded(zxid);
  }

  /** A leader's snapshot, ahead by nobody knows what: from the first digest that matches on, they do. */
  private get isReceived(): boolean {
    return this.restore.recordedDigest?.zxid === 0 && this.snapshotZxid > 0;
  }

  private compareRecorded(zxid: number): void {
    this.digestsComparable = true;
    const { tree, recordedDigest } = this.restore;
    if (!tree.digestEnabled || recordedDigest?.zxid !== zxid || zxid === 0) return;
    if (!tree.digest.equals(recordedDigest.high, recordedDigest.low)) this.onMismatch(zxid);
  }

  private onMismatch(zxid: number): void {
    this.digestMismatches += 1;
    if (this.digestMismatches > 1) return;
    this.logger.error(
      { zxid: `0x${zxid.toString(16)}` },
      "Digests are not matching while loading: the tree differs from what the log's author had. Compare with another server of the ensemble, or with a backup",
    );
  }
}
