/**
 * The names of log and snapshot files. A name carries a zxid in lower-case hex: of a log, its first
 * txn; of a snapshot, the last txn that had been applied when it began.
 *
 * Apache takes anything whose second dot part is hex for a live file, so that `log.1.fixed` beside
 * `log.1` is replayed too. Here only the exact names count; what merely looks like one is a stray,
 * never read and never deleted (`strayName`).
 */
export type CompressionMethod = "gz" | "snappy";

export interface LogName {
  readonly name: string;
  readonly zxid: number;
}

export interface SnapshotName {
  readonly name: string;
  readonly zxid: number;
  readonly compression: CompressionMethod | undefined;
}

const LOG_NAME = /^log\.(0|[1-9a-f][0-9a-f]{0,15})$/;
const SNAPSHOT_NAME = /^snapshot\.(0|[1-9a-f][0-9a-f]{0,15})(?:\.(gz|snappy))?$/;

/**
 * Files are written under these names until they are whole. They must not parse as live files, neither
 * here nor in Apache, which would take `snapshot.1a.tmp` for a snapshot.
 */
const UNFINISHED_PREFIX = "unfinished-";

export function logFileName(zxid: number): string {
  return `log.${zxid.toString(16)}`;
}

export function snapshotFileName(zxid: number, compression?: CompressionMethod): string {
  const name = `snapshot.${zxid.toString(16)}`;
  return compression === undefined ? name : `${name}.${compression}`;
}

export function unfinishedName(name: string): string {
  return UNFINISHED_PREFIX + name;
}

export function isUnfinishedName(name: string): boolean {
  return name.startsWith(UNFINISHED_PREFIX);
}

/** @returns undefined for any other name. A zxid beyond 2^53-1 comes back as it is rounded: `isZxid` tells. */
export function parseLogName(name: string): LogName | undefined {
  const match = LOG_NAME.exec(name);
  return match === null ? undefined : { name, zxid: Number.parseInt(match[1]!, 16) };
}

export function parseSnapshotName(name: string): SnapshotName | undefined {
  const match = SNAPSHOT_NAME.exec(name);
  if (match === null) return undefined;
  return { name, zxid: Number.parseInt(match[1]!, 16), compression: match[2] as CompressionMethod | undefined };
}

/** Whether a name begins like a live file's and is none: a copy, most often, which Apache would take for live. */
export function isStrayName(name: string): boolean {
  if (name.startsWith("log.")) return parseLogName(name) === undefined;
  return name.startsWith("snapshot.") && parseSnapshotName(name) === undefined;
}
