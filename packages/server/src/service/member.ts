import type { Logger } from "../ports/index.js";
import type { Database, DatabaseContent, LoadDatabase, Replica } from "../replica/index.js";
import type { TxnLog } from "../storage/index.js";
import type { ServerSettings } from "./config/index.js";
import type { EnsembleView } from "./four-letter-words/index.js";
import type { Snapshotter } from "./snapshotter.js";
import type { World } from "./world.js";

/** What a server is besides its client port: alone, or one of an ensemble. */
export interface Member {
  /** The one that serves now; in an ensemble another one may take its place while no client is served. */
  readonly replica: Replica;
  /** Before the client port is open. */
  prepare(): Promise<void>;
  /** Serves clients, or looks for others to serve them with. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly ensembleView?: () => EnsembleView;
}

export type MakeReplica = (content: DatabaseContent, lastZxid: number) => Replica;

export interface MemberParts {
  readonly settings: ServerSettings;
  readonly logger: Logger;
  readonly world: World;
  readonly load: LoadDatabase;
  readonly database: Database;
  readonly log: TxnLog;
  readonly snapshotter: Snapshotter;
  readonly makeReplica: MakeReplica;
  /** The server must stop: its disk has failed, or it has found a bug of its own. */
  readonly onFatal: (error: unknown) => void;
}
