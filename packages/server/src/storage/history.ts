import type { Disk } from "../ports/index.js";
import { listLogs } from "./data-directory.js";
import type { LogName } from "./file-names.js";
import { ENTRY_FRAME_BYTES } from "./log-format.js";
import { type LogReadOptions, LogScan } from "./txn-log-reader.js";
import { beginsEpoch, formatZxid, namesTxn } from "./zxid.js";

/**
 * Reads logged txns back, in order, for a learner whose history ends so far behind that memory does not
 * reach there (`FileTxnSnapLog.readTxnLog`, row 4 of the decision table). What comes out leaves nothing
 * out, or the history has a gap and the learner needs a snapshot: it would take a history with a hole for
 * a whole one, as it does with Apache (ZOOKEEPER-2846).
 *
 * A hole comes about where a server was given a snapshot by its leader: its log ends before it and goes
 * on behind it. Within an epoch the counters show it. At the beginning of an epoch they do not:
 *
 *     log of (1,5); then a snapshot at (2,0), which holds (1,6) to (1,900); log of (2,1)
 *
 * So a later epoch is accepted only where the log is known to have no such hole: behind what this process
 * found when it started, since it removes the log that lies before a snapshot it is given. Before that, and
 * a server of Apache's may have written there, only the very next zxid proves that nothing is missing.
 *
 * The log may be appended to meanwhile: all that is asked for must have been appended, and be on the disk,
 * when the reading begins. A file that is purged meanwhile ends it with a `DiskError`.
 */
export interface HistoryRange extends LogReadOptions {
  readonly disk: Disk;
  readonly logDirectory: string;
  /** The learner's last zxid: the history must join it. */
  readonly afterZxid: number;
  /** Beyond `afterZxid`; the txn of this zxid must be in the log. */
  readonly throughZxid: number;
  /** The log behind this zxid is whole, whatever epochs it goes through. */
  readonly wholeFromZxid: number;
}

/** Some of the txns, in order; valid until the next are asked for. */
export interface HistoryChunk {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** The payload of each lies in `bytes[payloadStarts[i]..payloadEnds[i])`. */
  readonly payloadStarts: readonly number[];
  readonly payloadEnds: readonly number[];
  readonly zxids: readonly number[];
}

export type HistoryEnd =
  | {
      readonly kind: "whole";
      readonly txns: number;
      /** What the txns take in the log: what is to be sent. */
      readonly txnBytes: number;
    }
  | { readonly kind: "gap"; readonly reason: string };

/**
 * Yields the txns behind `afterZxid` up to `throughZxid`; returns how that ended. What was yielded before
 * a gap was found is history, but not all of it: survey it first, where none of it may be sent then.
 */
export async function* readHistory(range: HistoryRange): AsyncGenerator<HistoryChunk, HistoryEnd, undefined> {
  const { disk, logDirectory, afterZxid } = range;
  const files = logsFrom(await listLogs(disk, logDirectory), afterZxid);
  if (files.length === 0) return { kind: "gap", reason: `no log reaches back to ${formatZxid(afterZxid)}` };
  const chunk = new ChunkOfHistory(range);
  for (const { name } of files) {
    const scan = await LogScan.open(disk, disk.join(logDirectory, name), chunk.take, range);
    try {
      for (let fileEnded = false; !fileEnded && chunk.end === undefined; ) {
        chunk.clear();
        // However a file ends, the next one's first txn tells whether anything is missing.
        fileEnded = (await scan.next()) !== undefined;
        if (chunk.count > 0) yield chunk;
      }
    } finally {
      await scan.close();
    }
    if (chunk.end !== undefined) return chunk.end;
  }
  return { kind: "gap", reason: `the log ends before ${formatZxid(range.throughZxid)}` };
}

/** "too-large": it would take more than `txnBytesMax` to send. */
export type HistorySurvey = HistoryEnd | { readonly kind: "too-large" };

/**
 * Whether the whole range is there, and how much it is, reading no further than the answer needs.
 * @param txnBytesMax above this a snapshot is cheaper: `snapshotSizeFactor` of its size. (Apache counts
 * whole files instead, with the zeros that they are filled with.)
 */
export async function surveyHistory(range: HistoryRange, txnBytesMax: number): Promise<HistorySurvey> {
  const history = readHistory(range);
  let txnBytes = 0;
  for (;;) {
    const next = await history.next();
    if (next.done === true)
      return next.value.kind === "whole" && next.value.txnBytes > txnBytesMax ? TOO_LARGE : next.value;
    txnBytes += entryBytesOf(next.value);
    if (txnBytes > txnBytesMax) {
      await history.return({ kind: "gap", reason: "" });
      return TOO_LARGE;
    }
  }
}

const TOO_LARGE = { kind: "too-large" } as const;

/** From the newest log that begins at or below `afterZxid`: the first that can hold it. */
function logsFrom(logs: readonly LogName[], afterZxid: number): readonly LogName[] {
  // A zxid with counter 0 is no txn: a log may begin right behind it.
  const firstMax = namesTxn(afterZxid) ? afterZxid : afterZxid + 1;
  const first = logs.findLastIndex(({ zxid }) => zxid <= firstMax);
  return first < 0 ? [] : logs.slice(first);
}

function entryBytesOf(chunk: HistoryChunk): number {
  let bytes = 0;
  for (let i = 0; i < chunk.count; i++) bytes += chunk.payloadEnds[i]! - chunk.payloadStarts[i]! + ENTRY_FRAME_BYTES;
  return bytes;
}

/** Takes the entries of one file after the other and keeps those that are asked for. */
class ChunkOfHistory implements HistoryChunk {
  bytes: Uint8Array = new Uint8Array(0);
  count = 0;
  readonly payloadStarts: number[] = [];
  readonly payloadEnds: number[] = [];
  readonly zxids: number[] = [];
  end: HistoryEnd | undefined;
  private readonly afterZxid: number;
  private readonly throughZxid: number;
  private lastZxid = -1;
  private readonly wholeFromZxid: number;
  private txns = 0;
  private txnBytes = 0;

  constructor({ afterZxid, throughZxid, wholeFromZxid }: HistoryRange) {
    this.afterZxid = afterZxid;
    this.throughZxid = throughZxid;
    this.wholeFromZxid = wholeFromZxid;
  }

  clear(): void {
    this.count = 0;
  }

  readonly take = (bytes: Uint8Array, start: number, end: number, _position: number, zxid: number): void => {
    if (this.end !== undefined) return;
    if (zxid > this.throughZxid) {
      this.gap(`${formatZxid(this.throughZxid)} is not in the log, which has ${formatZxid(zxid)}`);
      return;
    }
    if (zxid > this.afterZxid) {
      if (!this.goesOn(zxid)) {
        const before = this.lastZxid < 0 ? "begins with" : `goes on from ${formatZxid(this.lastZxid)} with`;
        this.gap(`the log ${before} ${formatZxid(zxid)}, where ${formatZxid(this.afterZxid)} is to be continued`);
        return;
      }
      this.add(bytes, start, end, zxid);
    }
    this.lastZxid = zxid;
  };

  private goesOn(zxid: number): boolean {
    const { afterZxid, lastZxid, wholeFromZxid } = this;
    const isWhole = lastZxid >= wholeFromZxid;
    const continues = zxid === lastZxid + 1 || (isWhole && namesTxn(zxid) && beginsEpoch(lastZxid, zxid));
    if (lastZxid >= afterZxid) return continues;
    // Who holds the beginning of an epoch has all of those before it.
    return !namesTxn(afterZxid) && (zxid === afterZxid + 1 || (lastZxid >= 0 && continues));
  }

  private add(bytes: Uint8Array, start: number, end: number, zxid: number): void {
    this.bytes = bytes;
    this.payloadStarts[this.count] = start;
    this.payloadEnds[this.count] = end;
    this.zxids[this.count] = zxid;
    this.count++;
    this.txns++;
    this.txnBytes += end - start + ENTRY_FRAME_BYTES;
    if (zxid === this.throughZxid) this.end = { kind: "whole", txns: this.txns, txnBytes: this.txnBytes };
  }

  private gap(reason: string): void {
    this.end = { kind: "gap", reason };
  }
}
