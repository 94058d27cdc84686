import { crc32ContinueInts, crc32Finish } from "./crc32.js";

/**
 * The digest of a whole tree: the sum modulo 2^64 of the CRC-32 of every node (Apache's
 * `DigestCalculator`, version 2). Servers that applied the same transactions have the same one.
 * Kept as two halves: a sum of more than two million nodes' digests does not fit a double.
 */
export class TreeDigest {
  high = 0;
  low = 0;

  add(nodeDigest: number): void {
    const sum = this.low + (nodeDigest >>> 0);
    if (sum >= TWO_32) this.high = (this.high + 1) >>> 0;
    this.low = sum >>> 0;
  }

  subtract(nodeDigest: number): void {
    const difference = this.low - (nodeDigest >>> 0);
    if (difference < 0) this.high = (this.high - 1) >>> 0;
    this.low = difference >>> 0;
  }

  copyFrom(other: TreeDigest): void {
    this.high = other.high;
    this.low = other.low;
  }

  equals(high: number, low: number): boolean {
    return this.high === high >>> 0 && this.low === low >>> 0;
  }
}

const TWO_32 = 2 ** 32;

/** The persisted values of a node's Stat that its digest covers. */
export interface DigestedStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  /** Children ever created: not the cversion that clients see. */
  readonly creations: number;
  readonly aversion: number;
  readonly ownerHigh: number;
  readonly ownerLow: number;
}

const digested = new Int32Array(15);

function putLong(at: number, value: number): void {
  digested[at] = Math.floor(value / TWO_32);
  digested[at + 1] = value;
}

/** `prefixCrc` is the CRC state after the node's path and data. */
export function nodeDigest(prefixCrc: number, stat: DigestedStat): number {
  putLong(0, stat.czxid);
  putLong(2, stat.mzxid);
  putLong(4, stat.pzxid);
  putLong(6, stat.ctime);
  putLong(8, stat.mtime);
  digested[10] = stat.version;
  digested[11] = stat.creations;
  digested[12] = stat.aversion;
  digested[13] = stat.ownerHigh;
  digested[14] = stat.ownerLow;
  return crc32Finish(crc32ContinueInts(prefixCrc, digested)) | 0;
}
