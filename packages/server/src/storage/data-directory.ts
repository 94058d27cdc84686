import { type Disk, DiskError, type Logger } from "../ports/index.js";
import { DataDirectoryError } from "./data-directory-error.js";
import {
  isStrayName,
  isUnfinishedName,
  type LogName,
  parseLogName,
  parseSnapshotName,
  type SnapshotName,
} from "./file-names.js";
import { SNAPSHOT_HEADER, TERMINATOR } from "./snapshot-format.js";
import { isZxid } from "./zxid.js";

/**
 * Where a server's files are: `dataDir/version-2` for snapshots and epochs, `dataLogDir/version-2` for
 * logs, the two roots often being one. Looks at names and, of snapshots, at a few bytes.
 */
export interface DataDirectory {
  /** As configured: `myid` and the marker `initialize` lie here. */
  readonly dataDir: string;
  readonly dataLogDir: string;
  readonly snapDirectory: string;
  readonly logDirectory: string;
}

const FORMAT_DIRECTORY = "version-2";

export function dataDirectory(disk: Disk, dataDir: string, dataLogDir: string = dataDir): DataDirectory {
  return {
    dataDir,
    dataLogDir,
    snapDirectory: disk.join(dataDir, FORMAT_DIRECTORY),
    logDirectory: disk.join(dataLogDir, FORMAT_DIRECTORY),
  };
}

/**
 * Makes sure, before a server starts, that its directories are there, can be written and have not been
 * mixed up; removes what a crash left unfinished.
 * @param autocreate `zookeeper.datadir.autocreate`: make missing directories
 * @throws DataDirectoryError
 */
export async function prepareDataDirectory(
  disk: Disk,
  directory: DataDirectory,
  autocreate: boolean,
  logger: Logger,
): Promise<void> {
  const { snapDirectory, logDirectory } = directory;
  await prepareOne(disk, logDirectory, autocreate, "dataLogDir");
  if (snapDirectory !== logDirectory) {
    await prepareOne(disk, snapDirectory, autocreate, "dataDir");
    await refuseNames(disk, logDirectory, "snapshot.", "the directory for logs holds a snapshot");
    await refuseNames(disk, snapDirectory, "log.", "the directory for snapshots holds a log");
  }
  for (const path of new Set([snapDirectory, logDirectory])) await tidy(disk, path, logger);
}

async function prepareOne(disk: Disk, path: string, autocreate: boolean, key: string): Promise<void> {
  try {
    if (!(await exists(disk, path))) {
      if (!autocreate) {
        const found = "the directory is missing, and zookeeper.datadir.autocreate is false";
        throw new DataDirectoryError({
          file: path,
          found,
          advice: `Create it, or correct ${key} in the configuration`,
        });
      }
      await disk.makeDirectory(path);
    }
    await writeProbe(disk, path);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    const advice = `Correct ${key} in the configuration, or let the server's user create and write this directory`;
    throw new DataDirectoryError({ file: path, found: error.message, advice }, { cause: error });
  }
}

async function exists(disk: Disk, directory: string): Promise<boolean> {
  try {
    await disk.list(directory);
    return true;
  } catch (error) {
    if (error instanceof DiskError && error.code === "ENOENT") return false;
    throw error;
  }
}

/** Whether a directory can be written is known when it has been. */
async function writeProbe(disk: Disk, directory: string): Promise<void> {
  const path = disk.join(directory, "unfinished-probe");
  const file = await disk.open(path, { mode: "create" });
  await file.close();
  await disk.remove(path);
}

async function refuseNames(disk: Disk, directory: string, prefix: string, found: string): Promise<void> {
  const name = (await disk.list(directory)).find((candidate) => candidate.startsWith(prefix));
  if (name === undefined) return;
  const advice =
    "Check dataDir and dataLogDir in the configuration: they may be exchanged, or were one directory before";
  throw new DataDirectoryError({ file: disk.join(directory, name), found, advice });
}

async function tidy(disk: Disk, directory: string, logger: Logger): Promise<void> {
  for (const name of await disk.list(directory)) {
    const path = disk.join(directory, name);
    if (isUnfinishedName(name)) {
      await disk.remove(path);
      logger.info({ file: path }, `removed ${path}, which a crash had left unfinished`);
    } else if (isStrayName(name)) {
      logger.warn(
        { file: path },
        `${path} is ignored: its name is neither a log's nor a snapshot's. Move it elsewhere, since Apache ZooKeeper would read it`,
      );
    }
  }
}

/** The logs, oldest first. */
export async function listLogs(disk: Disk, logDirectory: string): Promise<LogName[]> {
  return sorted(disk, logDirectory, (await disk.list(logDirectory)).map(parseLogName));
}

/** The snapshots, oldest first, whole or not. */
export async function listSnapshots(disk: Disk, snapDirectory: string): Promise<SnapshotName[]> {
  return sorted(disk, snapDirectory, (await disk.list(snapDirectory)).map(parseSnapshotName));
}

/** A zxid with the sign bit set is no zxid in Apache's reading either: `snapshot.ffffffffffffffff` is passed over. */
const SIGN_BIT = 2 ** 63;

function sorted<T extends { readonly name: string; readonly zxid: number }>(
  disk: Disk,
  directory: string,
  parsed: (T | undefined)[],
): T[] {
  const names = parsed.filter((name) => name !== undefined && name.zxid < SIGN_BIT) as T[];
  for (const { name, zxid } of names) {
    if (isZxid(zxid)) continue;
    const found = "the zxid in the name is beyond 2^53-1, the largest that can be held";
    throw new DataDirectoryError({
      file: disk.join(directory, name),
      found,
      advice: "Move the file elsewhere if it is none of this server's",
    });
  }
  return names.sort((a, b) => a.zxid - b.zxid || (a.name < b.name ? -1 : 1));
}

const GZ_MAGIC = Uint8Array.of(0x1f, 0x8b);
const SNAPPY_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const PLAIN_BYTES_MIN = 10;

/** The cheap test that chooses candidates: a plain file must end as every snapshot does, a packed one begin as its kind does. */
export async function looksWhole(disk: Disk, snapDirectory: string, snapshot: SnapshotName): Promise<boolean> {
  const file = await disk.open(disk.join(snapDirectory, snapshot.name), { mode: "read" });
  try {
    if (snapshot.compression === "gz") return await hasBytes(file, 0, GZ_MAGIC);
    if (snapshot.compression === "snappy") return await hasBytes(file, 0, SNAPPY_MAGIC);
    const size = await file.size();
    return (
      size >= Math.max(PLAIN_BYTES_MIN, SNAPSHOT_HEADER.length) &&
      (await hasBytes(file, size - TERMINATOR.length, TERMINATOR))
    );
  } finally {
    await file.close();
  }
}

async function hasBytes(
  file: { read(target: Uint8Array, position: number): Promise<number> },
  position: number,
  expected: Uint8Array,
): Promise<boolean> {
  const found = new Uint8Array(expected.length);
  return (await file.read(found, position)) === expected.length && found.every((byte, i) => byte === expected[i]);
}

/**
 * Takes the marker `initialize` away, which an operator lays down to say that an empty database here is
 * meant to be empty. Apache looks for it beside the logs only, the manual says dataDir: both are looked at.
 * @returns whether it was there
 */
export async function takeInitializeMarker(disk: Disk, directory: DataDirectory): Promise<boolean> {
  let found = false;
  for (const root of new Set([directory.dataLogDir, directory.dataDir])) {
    try {
      await disk.remove(disk.join(root, "initialize"));
      found = true;
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== "ENOENT") throw error;
    }
  }
  return found;
}
