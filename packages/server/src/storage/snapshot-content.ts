import type { ByteWriter } from "@watchkeeper/wire";

/**
 * What a snapshot holds, as storage sees it: storage knows the file, not the tree. The replica gives
 * a `SnapshotSource` to write from and takes what is read through a `SnapshotSink`.
 */
export interface SnapshotSource {
  /** The last zxid that had been applied when the snapshot began: its name. */
  readonly zxid: number;
  /** How much is encoded at once: others wait for so long. @default 256 KiB, about a millisecond */
  readonly sliceBytes?: number;
  /** Global sessions at the start. */
  sessions(): Iterable<SnapshotSession>;
  /** The distinct ACL lists in use: their id, and the jute `vector<ACL>` as bytes. */
  acls(): Iterable<{ readonly aclId: number; readonly bytes: Uint8Array }>;
  /**
   * Appends the next nodes (path, data, aclId, StatPersisted: the file's own encoding, parents before
   * children) until the writer holds at least `bytesWanted` or the tree is done. Between two calls the
   * tree goes on changing: the snapshot is fuzzy, and replaying the log makes it whole.
   * @returns whether nodes are left
   */
  writeNodes(writer: ByteWriter, bytesWanted: number): boolean;
  /** The zxid applied last, asked when all nodes are written: nothing later is in them. */
  lastZxid(): number;
  /** The tree's digest and the zxid applied last, asked at the same moment; undefined where the tree keeps none. */
  digest(): { readonly zxid: number; readonly digestHigh: number; readonly digestLow: number } | undefined;
  /** Called once, whether the snapshot was written, failed or was abandoned. */
  release(): void;
}

export interface SnapshotSession {
  readonly idHigh: number;
  readonly idLow: number;
  readonly timeoutMs: number;
}

/** Takes what a snapshot file holds, in file order. All offsets are into `bytes`, valid during the call only. */
export interface SnapshotSink {
  session(session: SnapshotSession): void;
  /** `[start, end)` is a jute `vector<ACL>`. */
  acl(aclId: number, bytes: Uint8Array, start: number, end: number): void;
  /**
   * The path (root is empty), the data (`dataLength` -1 for null) and 60 bytes of StatPersisted.
   * `aclId` is -1 for the open ACL that is in no table.
   * @returns false where the node's parent has not been seen: the file is damaged
   */
  node(
    bytes: Uint8Array,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    aclId: number,
    statStart: number,
  ): boolean;
  /** The digest section, where the file has one. */
  digest(zxid: number, digestHigh: number, digestLow: number): void;
}
