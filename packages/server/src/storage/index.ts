/**
 * A server's files: the txn log, snapshots, and what a start makes of them. Everything is read and
 * written in Apache ZooKeeper's formats, so that a data directory can move either way. Storage knows
 * bytes, zxids and files; what a txn or a node means is the tree's affair, and it reaches the disk only
 * through the `Disk` port.
 *
 * Writing: `LogBatch` gathers txns, `TxnLog` brings a batch to the disk, `SnapshotSchedule` says when a
 * snapshot is due, `writeSnapshot` writes it, `purge` removes what no start needs any more.
 * Reading: `prepareDataDirectory`, then `recover`.
 */
export { adler32 } from "./adler32.js";
export { type Compression, CompressionError } from "./compression.js";
export {
  type DataDirectory,
  dataDirectory,
  listLogs,
  listSnapshots,
  looksWhole,
  prepareDataDirectory,
} from "./data-directory.js";
export { DataDirectoryError } from "./data-directory-error.js";
export { type DecodedTxn, decodeTxn, type TxnOperation } from "./decode-txn.js";
export { type EpochName, readEpoch, writeEpoch } from "./epoch-files.js";
export {
  type AcceptedEpochOnDisk,
  type CurrentEpochOnDisk,
  type Epochs,
  loadEpochs,
  writeAcceptedEpoch,
  writeCurrentEpoch,
} from "./epochs.js";
export {
  type CompressionMethod,
  isStrayName,
  type LogName,
  parseLogName,
  parseSnapshotName,
  type SnapshotName,
} from "./file-names.js";
export {
  type HistoryChunk,
  type HistoryEnd,
  type HistoryRange,
  type HistorySurvey,
  readHistory,
  surveyHistory,
} from "./history.js";
export { LogBatch } from "./log-batch.js";
export type { LogVerdict } from "./log-break.js";
export { REPAIR_ADVICE, replayLogs, type TornTail } from "./log-replay.js";
export {
  checkLog,
  cutLog,
  IGNORE_CONTENT,
  type LogCheck,
  type LogCut,
  type LoggedTxn,
  planLogCut,
  printLog,
  printSnapshot,
} from "./log-tools.js";
export { type Recovered, type Recovery, type RecoveryOptions, recover } from "./recovery.js";
export { type PurgePlan, planPurge, purge } from "./retention.js";
export type { SnapshotSession, SnapshotSink, SnapshotSource } from "./snapshot-content.js";
export { readSnapshot, type SnapshotRead, type SnapshotReadOptions } from "./snapshot-reader.js";
export { type SnapshotDue, SnapshotSchedule, type SnapshotScheduleOptions } from "./snapshot-schedule.js";
export {
  readSnapshotStream,
  SnapshotStreamError,
  type SnapshotStreamRead,
  snapshotPieces,
} from "./snapshot-stream.js";
export { type SnapshotWrite, type SnapshotWritten, writeSnapshot } from "./snapshot-writer.js";
export { discardHistory, type Truncation, truncateHistory } from "./truncate-history.js";
export { TxnLog, type TxnLogOptions } from "./txn-log.js";
export { type LogReadOptions, readTxnLog } from "./txn-log-reader.js";
export { beginsEpoch, formatZxid, isZxid } from "./zxid.js";
