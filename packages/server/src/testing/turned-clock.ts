import type { Clock } from "../ports/index.js";

/** A clock that stands still until it is turned: an hour of expiry takes a test no time. */
export class TurnedClock implements Clock {
  private wall: number;
  private monotonic: number;

  constructor(wallMs = 1_700_000_000_000, monotonicMs = 10_000) {
    this.wall = wallMs;
    this.monotonic = monotonicMs;
  }

  wallMs(): number {
    return this.wall;
  }

  monotonicMs(): number {
    return this.monotonic;
  }

  /** Time passes. */
  turn(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }

  /** Somebody sets the wall clock; no time passes. */
  jumpWall(ms: number): void {
    this.wall += ms;
  }
}
