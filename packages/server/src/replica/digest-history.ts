import type { TreeDigest } from "../tree/index.js";

/** The tree's digest now and then, for comparing servers with `hash`: one entry per zxid divisible by 128, the last 1024. */
const INTERVAL = 128;
const ENTRIES_MAX = 1024;

export interface DigestEntry {
  readonly zxid: number;
  readonly high: number;
  readonly low: number;
}

export class DigestHistory {
  private readonly recorded: DigestEntry[] = [];

  onApplied(zxid: number, digest: TreeDigest): void {
    if (zxid % INTERVAL !== 0) return;
    this.recorded.push({ zxid, high: digest.high, low: digest.low });
    if (this.recorded.length > ENTRIES_MAX) this.recorded.shift();
  }

  entries(): readonly DigestEntry[] {
    return this.recorded;
  }
}
