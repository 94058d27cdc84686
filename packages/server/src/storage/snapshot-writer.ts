import { type Disk, DiskError, type DiskFile, type Logger } from "../ports/index.js";
import type { Compression } from "./compression.js";
import { type CompressionMethod, snapshotFileName, unfinishedName } from "./file-names.js";
import type { SnapshotSource } from "./snapshot-content.js";
import { SnapshotEncoder } from "./snapshot-encoder.js";

/**
 * Writes a snapshot while the server goes on: a slice of the tree is encoded, written, and then requests
 * have their turn before the next. The file appears under its name only when it is whole and on the
 * disk (Apache writes in place and unsynced; a reader cannot tell the results apart).
 */
export interface SnapshotWrite {
  readonly disk: Disk;
  readonly directory: string;
  readonly source: SnapshotSource;
  readonly logger: Logger;
  /** Lets others run between two slices. */
  readonly pause: () => Promise<void>;
  readonly compression?: { readonly method: CompressionMethod; readonly codec: Compression } | undefined;
}

export interface SnapshotWritten {
  readonly path: string;
  readonly zxid: number;
  /** As it lies on the disk, packed or not. */
  readonly fileBytes: number;
}

/** So much is written between two syncs: a snapshot that hands its gigabyte to the disk at once would hold up the log's writes. */
const UNSYNCED_BYTES_MAX = 8 << 20;

export async function writeSnapshot(write: SnapshotWrite): Promise<SnapshotWritten> {
  const { disk, directory, source } = write;
  const zxid = source.zxid;
  const name = snapshotFileName(zxid, write.compression?.method);
  const path = disk.join(directory, name);
  const unfinishedPath = disk.join(directory, unfinishedName(name));
  try {
    const fileBytes = await writeUnfinished(write, unfinishedPath);
    await disk.rename(unfinishedPath, path);
    await disk.syncDirectory(directory);
    return { path, zxid, fileBytes };
  } catch (error) {
    await removeUnfinished(write, unfinishedPath);
    throw error;
  } finally {
    source.release();
  }
}

async function writeUnfinished(write: SnapshotWrite, path: string): Promise<number> {
  const { disk, compression } = write;
  const slices = pacedSlices(write.source, write.pause);
  const file = await disk.open(path, { mode: "create" });
  try {
    return await writeAll(
      file,
      compression === undefined ? slices : compression.codec.pack(compression.method, slices),
    );
  } finally {
    await file.close();
  }
}

async function removeUnfinished(write: SnapshotWrite, path: string): Promise<void> {
  try {
    await write.disk.remove(path);
  } catch (error) {
    if (error instanceof DiskError && error.code === "ENOENT") return;
    write.logger.warn(
      { file: path, error: String(error) },
      `removing the unfinished ${path} failed; it may be deleted`,
    );
  }
}

async function writeAll(file: DiskFile, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let position = 0;
  let syncedPosition = 0;
  for await (const piece of pieces) {
    await file.write(piece, position);
    position += piece.length;
    if (position - syncedPosition >= UNSYNCED_BYTES_MAX) {
      await file.sync();
      syncedPosition = position;
    }
  }
  await file.sync();
  return position;
}

async function* pacedSlices(source: SnapshotSource, pause: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for (const slice of new SnapshotEncoder(source).file()) {
    yield slice;
    await pause();
  }
}
