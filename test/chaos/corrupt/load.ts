/** Loads a data directory the way a starting server does, from memory, and tells what came of it. */
import { nodeCompression } from "../../../packages/server/dist/host/node-compression.js";
import type { Logger } from "../../../packages/server/dist/ports/index.js";
import { type Database, loadDatabase } from "../../../packages/server/dist/replica/load-database.js";
import { DataDirectoryError, dataDirectory } from "../../../packages/server/dist/storage/index.js";
import { MemoryDisk } from "../../../packages/server/dist/testing/memory-disk.js";

/** File names, as in `version-2`, and their bytes. */
export type Files = ReadonlyMap<string, Uint8Array>;

export type LoadOutcome =
  | {
      readonly kind: "loaded";
      readonly database: Database;
      readonly lastZxid: number;
      readonly complaints: readonly string[];
    }
  | { readonly kind: "refused"; readonly error: DataDirectoryError; readonly complaints: readonly string[] }
  /** Something was thrown that no operator can act on. */
  | { readonly kind: "crashed"; readonly error: unknown };

const ROOT = "/data";

export async function load(files: Files): Promise<LoadOutcome> {
  const disk = new MemoryDisk();
  const directory = dataDirectory(disk, ROOT);
  for (const [name, bytes] of files) disk.setContents(disk.join(directory.logDirectory, name), bytes);
  const complaints: string[] = [];
  const complain = (_facts: object, sentence: string): void => void complaints.push(sentence);
  const logger: Logger = { debug: () => {}, info: () => {}, warn: complain, error: complain };
  try {
    const database = await loadDatabase({
      disk,
      directory,
      compression: nodeCompression,
      logger,
      hashSeed: 1,
      treeDigestEnabled: true,
      trustEmptySnapshot: false,
      autocreateDatabase: true,
      entryBytesMax: 2_097_150,
    });
    return { kind: "loaded", database, lastZxid: database.recovered.lastZxid, complaints };
  } catch (error) {
    if (error instanceof DataDirectoryError) return { kind: "refused", error, complaints };
    return { kind: "crashed", error };
  }
}
