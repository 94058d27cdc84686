import { nodeCompression } from "../../src/host/node-compression.js";
import { type Database, loadDatabase } from "../../src/replica/load-database.js";
import { dataDirectory } from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import type { MemoryDisk } from "../../src/testing/memory-disk.js";

/** The state of a server that starts on what the disk has in `/data`. */
export async function loadedFrom(
  disk: MemoryDisk,
  { logger = new KeptLines(), treeDigestEnabled = true } = {},
): Promise<Database> {
  return loadDatabase({
    disk,
    directory: dataDirectory(disk, "/data"),
    compression: nodeCompression,
    logger,
    hashSeed: 7,
    treeDigestEnabled,
    trustEmptySnapshot: false,
    autocreateDatabase: true,
    entryBytesMax: 0xfffff,
  });
}
