import { readInt, readLongAsNumber, TXN_HEADER_BYTES } from "@watchkeeper/wire";
import { adler32 } from "./adler32.js";
import { type FileWindow, indexOfNonZero } from "./file-window.js";
import { ENTRY_END, ENTRY_FRAME_BYTES, ENTRY_HEAD_BYTES, PAYLOAD_ZXID_OFFSET } from "./log-format.js";

/** How a log file ended, read from its beginning. */
export type LogVerdict =
  /** Whole entries, then nothing or zeros. `end` is behind the last entry. */
  | { readonly kind: "complete"; readonly end: number }
  /** What follows the last whole entry at `position` is what a crash in the middle of a write leaves. */
  | { readonly kind: "torn"; readonly position: number; readonly reason: string }
  /** What follows the last whole entry at `position` is not. */
  | { readonly kind: "damaged"; readonly position: number; readonly reason: string };

/**
 * A log file stops making sense at `position`: is this the tail of a write that a crash tore, which was
 * never acknowledged and may be cut, or damage to what was? Cutting damage would lose acknowledged
 * writes in silence; refusing a torn tail would keep a healthy server from starting. The bytes decide:
 *
 * 1. No whole entry follows: torn. (A flip in the very last entry looks the same. Only the next file
 *    can tell then, by the zxid it goes on with; in the last file nothing can.)
 * 2. Whole entries follow: damage, unless sectors of the write never reached the disk. A batch goes out
 *    in one write of many sectors and the disk may take the later ones first, so a power cut can leave
 *
 *        entry 7 | entry 8, first half | 512 zeros | entry 9, second half | entry 10 | zeros
 *
 *    with nothing of 8, 9 and 10 acknowledged. Log files are written over zeros or beyond their end, so a
 *    sector that did not arrive is a whole one of zeros, at a multiple of 512, within the broken entry.
 *    That is what is looked for; a flipped bit does not look like that.
 * 3. One write at a time is unacknowledged, and no writer makes it larger than a few megabytes. What
 *    lies further behind than that was acknowledged: damage, whatever it looks like.
 *
 * The rules err towards refusing: node data that itself holds log entries, torn in the middle, counts
 * as damage.
 */
export async function judgeBreak(
  window: FileWindow,
  position: number,
  lastZxid: number,
  problem: string,
): Promise<LogVerdict> {
  const end = await lastNonZeroEnd(window, position);
  if (end - position > UNACKNOWLEDGED_BYTES_MAX) {
    const reason = `${problem}; ${end - position} bytes follow, more than a write that a crash tore can be`;
    return { kind: "damaged", position, reason };
  }
  const length = await window.ensure(position, end - position);
  const bytes = window.bytes;
  const start = window.index(position);
  const follower = findWholeEntry(bytes, start + 1, start + length, lastZxid);
  if (follower === undefined) return { kind: "torn", position, reason: problem };

  const followerPosition = position + follower - start;
  if (lostSectors(bytes, start, start + length, position, follower)) {
    const reason = `${problem}, and sectors of the write it belongs to did not reach the disk`;
    return { kind: "torn", position, reason };
  }
  return { kind: "damaged", position, reason: `${problem}, yet a whole entry follows at offset ${followerPosition}` };
}

/** More than a writer of ours ever has unacknowledged (`LogBatch.isFull`) and one of Apache's usually has. */
const UNACKNOWLEDGED_BYTES_MAX = 8 << 20;

/** The smallest unit that disks write wholly or not at all. */
const SECTOR_BYTES = 512;

/** An entry's first four bytes are always zero: zeros there say nothing. */
const MEANINGLESS_ZEROS = 4;

export function isWholeEntry(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[end] !== ENTRY_END || readInt(bytes, at) !== 0) return false;
  return readInt(bytes, at + 4) >>> 0 === adler32(bytes, at + ENTRY_HEAD_BYTES, end);
}

async function lastNonZeroEnd(window: FileWindow, position: number): Promise<number> {
  let end = position;
  for (let at = position; at < window.fileBytes; at = window.end) {
    if ((await window.ensure(at, 1)) === 0) break;
    const from = window.index(at);
    let last = window.length;
    while (last > from && window.bytes[last - 1] === 0) last--;
    if (last > from) end = window.base + last;
  }
  return end;
}

/** Tries every offset, since the broken entry's length may be what is broken. */
function findWholeEntry(bytes: Uint8Array, start: number, end: number, lastZxid: number): number | undefined {
  const lastStart = end - ENTRY_FRAME_BYTES - TXN_HEADER_BYTES;
  for (let at = start; at <= lastStart; at++) {
    if (readInt(bytes, at) !== 0) continue;
    const payloadLength = readInt(bytes, at + 8);
    if (payloadLength < TXN_HEADER_BYTES) continue;
    const entryEnd = at + ENTRY_HEAD_BYTES + payloadLength;
    if (entryEnd >= end || bytes[entryEnd] !== ENTRY_END) continue;
    // Nothing else that would go on from here: a zxid is what a chance match does not have.
    const zxid = readLongAsNumber(bytes, at + ENTRY_HEAD_BYTES + PAYLOAD_ZXID_OFFSET);
    if (zxid > lastZxid && isWholeEntry(bytes, at, entryEnd)) return at;
  }
  return undefined;
}

/** Whether a sector that the broken entry at `start` takes part in holds only zeros. `position` is that of `start` in the file. */
function lostSectors(bytes: Uint8Array, start: number, end: number, position: number, follower: number): boolean {
  const payloadLength = readInt(bytes, start + 8);
  const stated = start + ENTRY_FRAME_BYTES + payloadLength;
  // A length that leads past a whole entry is itself what is damaged.
  const lengthFits = payloadLength >= 0 && stated <= follower;
  const entryEnd = lengthFits ? stated : start + ENTRY_HEAD_BYTES;

  let sector = start;
  let sectorEnd = start + SECTOR_BYTES - (position % SECTOR_BYTES);
  let zerosThatCount = MEANINGLESS_ZEROS;
  while (sector < entryEnd) {
    const stop = Math.min(sectorEnd, end);
    if (stop - sector > zerosThatCount && indexOfNonZero(bytes, sector, stop) === stop) return true;
    zerosThatCount = 0;
    sector = sectorEnd;
    sectorEnd += SECTOR_BYTES;
  }
  return false;
}
