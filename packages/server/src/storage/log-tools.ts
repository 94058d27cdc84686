import { FILE_HEADER_BYTES, WireError } from "@watchkeeper/wire";
import { type Disk, DiskError, type DiskFile } from "../ports/index.js";
import type { Compression } from "./compression.js";
import { DataDirectoryError } from "./data-directory-error.js";
import { type DecodedTxn, decodeTxn } from "./decode-txn.js";
import type { CompressionMethod } from "./file-names.js";
import type { LogVerdict } from "./log-break.js";
import { ENTRY_FRAME_BYTES } from "./log-format.js";
import type { SnapshotSink } from "./snapshot-content.js";
import { readSnapshot, type SnapshotRead, type SnapshotReadOptions } from "./snapshot-reader.js";
import { type LogReadOptions, readTxnLog } from "./txn-log-reader.js";
import { beginsEpoch, formatZxid } from "./zxid.js";

/** What an operator does with single files, by hand: look into them, check them, cut a log short. */
export interface LogCheck {
  readonly verdict: LogVerdict;
  readonly txnCount: number;
  /** Undefined for a log without a txn. */
  readonly firstZxid: number | undefined;
  readonly lastZxid: number | undefined;
  /** Where zxids do not follow one another within an epoch. */
  readonly gaps: readonly { readonly position: number; readonly afterZxid: number; readonly zxid: number }[];
}

/** An entry that could be framed but perhaps not decoded: the bytes' checksum is right, so that its author wrote it so. */
export type LoggedTxn =
  | { readonly position: number; readonly txn: DecodedTxn }
  | { readonly position: number; readonly problem: string };

/** Hands out every whole entry, decoded. @returns how the file ended */
export async function printLog(
  disk: Disk,
  path: string,
  onTxn: (txn: LoggedTxn) => void,
  options: LogReadOptions = {},
): Promise<LogVerdict> {
  return await readTxnLog(
    disk,
    path,
    (bytes, start, end, position) => onTxn(decodeLogged(bytes, start, end, position)),
    options,
  );
}

function decodeLogged(bytes: Uint8Array, start: number, end: number, position: number): LoggedTxn {
  try {
    return { position, txn: decodeTxn(bytes, start, end) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { position, problem: error.message };
  }
}

export async function checkLog(disk: Disk, path: string, options: LogReadOptions = {}): Promise<LogCheck> {
  const gaps: { position: number; afterZxid: number; zxid: number }[] = [];
  let txnCount = 0;
  let firstZxid: number | undefined;
  let lastZxid: number | undefined;
  const onEntry = (_bytes: Uint8Array, _start: number, _end: number, position: number, zxid: number) => {
    if (lastZxid !== undefined && zxid !== lastZxid + 1 && !beginsEpoch(lastZxid, zxid)) {
      gaps.push({ position, afterZxid: lastZxid, zxid });
    }
    txnCount++;
    firstZxid ??= zxid;
    lastZxid = zxid;
  };
  const verdict = await readTxnLog(disk, path, onEntry, options);
  return { verdict, txnCount, firstZxid, lastZxid, gaps };
}

export interface LogCut {
  /** Behind the last entry kept: the file's new size. */
  readonly end: number;
  readonly txnsKept: number;
  readonly lastZxidKept: number | undefined;
  /** Whole entries that were cut off; damage behind them may have hidden more. */
  readonly txnsCut: number;
  readonly firstZxidCut: number | undefined;
  /** How the log ended before. */
  readonly verdict: LogVerdict;
}

/**
 * Keeps the txns of a log up to `lastZxid` and cuts off all that follows, padding and damage too. With
 * `targetPath` the kept part is written there and the log stays as it is; that file must not lie among
 * the live ones. Without it the log is cut in place, and what is cut is gone.
 */
export async function cutLog(
  disk: Disk,
  path: string,
  lastZxid: number,
  targetPath?: string,
  options: LogReadOptions = {},
): Promise<LogCut> {
  if (targetPath !== undefined) await refuseExisting(disk, targetPath);
  const cut = await planLogCut(disk, path, lastZxid, options);
  if (targetPath === undefined) await truncateFile(disk, path, cut.end);
  else await copyBeginning(disk, path, targetPath, cut.end);
  return cut;
}

/** What `cutLog` would do. An entry above `lastZxid` ends the part that is kept, whatever comes behind it. */
export async function planLogCut(
  disk: Disk,
  path: string,
  lastZxid: number,
  options: LogReadOptions = {},
): Promise<LogCut> {
  let end = FILE_HEADER_BYTES;
  let txnsKept = 0;
  let txnsCut = 0;
  let lastZxidKept: number | undefined;
  let firstZxidCut: number | undefined;
  const onEntry = (_bytes: Uint8Array, start: number, payloadEnd: number, position: number, zxid: number) => {
    if (txnsCut > 0 || zxid > lastZxid) {
      txnsCut++;
      firstZxidCut ??= zxid;
      return;
    }
    end = position + ENTRY_FRAME_BYTES + payloadEnd - start;
    txnsKept++;
    lastZxidKept = zxid;
  };
  const verdict = await readTxnLog(disk, path, onEntry, options);
  if (verdict.kind !== "complete" && verdict.position < FILE_HEADER_BYTES) {
    const advice = "It holds no txn that could be kept; it may be deleted if no other log goes on from it";
    throw new DataDirectoryError({ file: path, offset: verdict.position, found: verdict.reason, advice });
  }
  if (txnsKept === 0) {
    const found = `it has no txn up to ${formatZxid(lastZxid)}`;
    throw new DataDirectoryError({ file: path, found, advice: "Nothing was cut; give a zxid that the log contains" });
  }
  return { end, txnsKept, lastZxidKept, txnsCut, firstZxidCut, verdict };
}

/** Resolves when the file is on the disk as it is then. */
export async function truncateFile(disk: Disk, path: string, size: number): Promise<void> {
  const file = await disk.open(path, { mode: "write" });
  try {
    await file.truncate(size);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function refuseExisting(disk: Disk, path: string): Promise<void> {
  let file: DiskFile;
  try {
    file = await disk.open(path, { mode: "read" });
  } catch (error) {
    if (error instanceof DiskError && error.code === "ENOENT") return;
    throw error;
  }
  await file.close();
  const advice = "Nothing was cut; give a name that is not taken, or delete the file";
  throw new DataDirectoryError({ file: path, found: "the file to write to exists already", advice });
}

const COPY_BYTES = 1 << 20;

async function copyBeginning(disk: Disk, path: string, targetPath: string, size: number): Promise<void> {
  const source = await disk.open(path, { mode: "read" });
  try {
    const target = await disk.open(targetPath, { mode: "create" });
    try {
      await copyBytes(source, target, size);
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function copyBytes(source: DiskFile, target: DiskFile, size: number): Promise<void> {
  const piece = new Uint8Array(COPY_BYTES);
  for (let position = 0; position < size; ) {
    const length = await source.read(piece.subarray(0, Math.min(COPY_BYTES, size - position)), position);
    if (length === 0) throw new DiskError("EIO", source.path, `${source.path} shrinks while it is copied`);
    await target.write(piece.subarray(0, length), position);
    position += length;
  }
}

/**
 * Reads a snapshot into `sink`, to print it, or only to check it. How it is packed is told by the last
 * part of its name, whatever stands before.
 * @throws DataDirectoryError where it is not whole
 */
export async function printSnapshot(
  disk: Disk,
  path: string,
  codec: Compression,
  sink: SnapshotSink,
  options: Pick<SnapshotReadOptions, "valueBytesMax"> = {},
): Promise<SnapshotRead> {
  const method = compressionOf(path);
  const compression = method === undefined ? undefined : { method, codec };
  return await readSnapshot(disk, path, sink, { ...options, compression });
}

function compressionOf(path: string): CompressionMethod | undefined {
  if (path.endsWith(".gz")) return "gz";
  return path.endsWith(".snappy") ? "snappy" : undefined;
}

/** For a check alone: takes everything and keeps nothing. */
export const IGNORE_CONTENT: SnapshotSink = {
  session: () => {},
  acl: () => {},
  node: () => true,
  digest: () => {},
};
