/**
 * What a client promises to whoever uses it, checked while it happens: every call is settled, once, and by its
 * deadline; no event comes before its change; nobody is shown a change before the watch that waits for it has
 * told (M7); what a session has seen it does not unsee. The versions of nodes stand for their contents, and
 * "told" and "shown" mean the order in which the application is. In simulated time and on real sockets alike.
 */
export interface PromisedCall {
  readonly what: string;
  /** Infinity where it has none. */
  readonly deadlineMs: number;
  settled: number;
}

/** A persistent watch, as far as one connection goes. */
interface StandingWatch {
  /** The version of the first read behind its registration; undefined before that. */
  base: number | undefined;
  /** Changes told since then. */
  told: number;
}

const VIOLATIONS_MAX = 5;

export class ClientPromises {
  readonly violations: string[] = [];
  private readonly nowMs: () => number;
  private readonly calls = new Set<PromisedCall>();
  /** For each path with a one-shot watch, the version that was read with it. */
  private readonly watchedAt = new Map<string, number>();
  private readonly standing = new Map<string, StandingWatch>();
  private readonly newestSeen = new Map<string, number>();

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  begin(what: string, timeoutMs: number): PromisedCall {
    const deadlineMs = timeoutMs > 0 ? this.nowMs() + timeoutMs : Number.POSITIVE_INFINITY;
    const call: PromisedCall = { what, deadlineMs, settled: 0 };
    this.calls.add(call);
    return call;
  }

  settle(call: PromisedCall): void {
    call.settled++;
    this.calls.delete(call);
    if (call.settled > 1) this.violate(`${call.what} was settled ${call.settled} times`);
  }

  /** @param slackMs by how much a deadline may be late */
  checkDeadlines(slackMs: number): void {
    const nowMs = this.nowMs();
    for (const call of this.calls) {
      if (nowMs <= call.deadlineMs + slackMs) continue;
      this.violate(`${call.what} hangs past its deadline`);
      this.calls.delete(call);
    }
  }

  /** The client is closed: nothing more will come. */
  checkAllSettled(): void {
    for (const { what } of this.calls) this.violate(`${what} was never settled`);
  }

  /** @param leavesWatch with the read a one-shot watch was registered */
  onRead(path: string, version: number, leavesWatch: boolean): void {
    const at = this.watchedAt.get(path);
    if (at !== undefined && version > at)
      this.violate(`version ${version} of ${path} was seen before the watch of ${at} told`);
    if (leavesWatch) this.watchedAt.set(path, at === undefined ? version : Math.min(at, version));
    this.checkStanding(path, version);
    const newest = this.newestSeen.get(path) ?? -1;
    if (version < newest) this.violate(`version ${version} of ${path} was seen after ${newest}`);
    this.newestSeen.set(path, Math.max(newest, version));
  }

  /**
   * A change of the path was told.
   *
   * @param latest the latest version that any write begun so far can have made
   */
  onEvent(path: string, latest: number): void {
    const at = this.watchedAt.get(path);
    if (latest <= (at ?? 0)) this.violate(`an event of ${path} before its time`);
    this.watchedAt.delete(path);
  }

  /** A persistent watch stands on the path, registered before any read from now on. */
  onStanding(path: string): void {
    if (!this.standing.has(path)) this.standing.set(path, { base: undefined, told: 0 });
  }

  onStandingEvent(path: string): void {
    const watch = this.standing.get(path);
    if (watch !== undefined) watch.told++;
  }

  onStandingEnded(path: string): void {
    this.standing.delete(path);
  }

  /** What happens until the next connection stands is not told by persistent watches. */
  onDisconnected(): void {
    for (const watch of this.standing.values()) {
      watch.base = undefined;
      watch.told = 0;
    }
  }

  /** Paths whose one-shot watch has not told yet. */
  get untold(): string[] {
    return [...this.watchedAt.keys()];
  }

  violate(what: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(`${what} (at ${Math.round(this.nowMs())} ms)`);
  }

  private checkStanding(path: string, version: number): void {
    const watch = this.standing.get(path);
    if (watch === undefined) return;
    if (watch.base === undefined) {
      watch.base = version;
      watch.told = 0;
    } else if (version > watch.base + watch.told) {
      this.violate(
        `version ${version} of ${path} was seen when its stream had told of ${watch.told} changes since ${watch.base}`,
      );
    }
  }
}
