/** Whole milliseconds; never below 0, though clocks may be set back, and two servers' may differ. */
export function elapsedMs(sinceMs: number, nowMs: number): number {
  return Math.max(0, Math.floor(nowMs - sinceMs));
}
