/**
 * The sessions that live and when each is to expire (Apache's `SessionTrackerImpl`). Expiry goes by
 * buckets of one tick: a session expires with its bucket, never early and at most a tick late, and a
 * touch that does not leave the bucket, as nearly all do, is one comparison.
 */
export interface Session {
  readonly key: bigint;
  readonly idHigh: number;
  readonly idLow: number;
  /** As negotiated by the last handshake. */
  timeoutMs: number;
  /** As logged when the session was made: what snapshots hold. */
  readonly createdTimeoutMs: number;
  /** The end of its bucket, monotonic. */
  expiresMs: number;
  /** A closeSession is on its way: nothing of this session is accepted any more. */
  closing: boolean;
  /** On a leader: the server, of those it leads, whose client speaks for the session; undefined until one does. */
  owner: object | undefined;
}

export function newSession(key: bigint, idHigh: number, idLow: number, timeoutMs: number): Session {
  return {
    key,
    idHigh,
    idLow,
    timeoutMs,
    createdTimeoutMs: timeoutMs,
    expiresMs: 0,
    closing: false,
    owner: undefined,
  };
}

export class SessionTable {
  private readonly byKey = new Map<bigint, Session>();
  private readonly buckets = new Map<number, Set<Session>>();
  private readonly tickMs: number;
  private nextBucketMs: number;

  constructor(tickMs: number, nowMs: number) {
    this.tickMs = tickMs;
    this.nextBucketMs = this.bucketOf(nowMs, 0);
  }

  get count(): number {
    return this.byKey.size;
  }

  get(key: bigint): Session | undefined {
    return this.byKey.get(key);
  }

  all(): Iterable<Session> {
    return this.byKey.values();
  }

  /** A session that is committed, or found on disk; it gets its full timeout from now. */
  add(key: bigint, idHigh: number, idLow: number, timeoutMs: number, nowMs: number): Session {
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const session = newSession(key, idHigh, idLow, timeoutMs);
    this.byKey.set(key, session);
    this.touch(session, nowMs);
    return session;
  }

  remove(key: bigint): void {
    const session = this.byKey.get(key);
    if (session === undefined) return;
    this.byKey.delete(key);
    this.leaveBucket(session);
  }

  touch(session: Session, nowMs: number): void {
    const expiresMs = this.bucketOf(nowMs, session.timeoutMs);
    if (expiresMs === session.expiresMs || session.closing) return;
    this.leaveBucket(session);
    session.expiresMs = expiresMs;
    const bucket = this.buckets.get(expiresMs);
    if (bucket === undefined) this.buckets.set(expiresMs, new Set([session]));
    else bucket.add(session);
  }

  /** Whoever was closing a session has given up, and nobody has been heard: each begins its time anew. */
  renewAll(nowMs: number): void {
    this.buckets.clear();
    this.nextBucketMs = this.bucketOf(nowMs, 0);
    for (const session of this.byKey.values()) {
      session.closing = false;
      session.owner = undefined;
      session.expiresMs = 0;
      this.touch(session, nowMs);
    }
  }

  /** Its closing has begun; it will not expire a second time. */
  markClosing(session: Session): void {
    session.closing = true;
    this.leaveBucket(session);
  }

  /** The sessions whose time is up; the caller closes them. */
  expire(nowMs: number): Session[] {
    const expired: Session[] = [];
    while (this.nextBucketMs <= nowMs) {
      const bucket = this.buckets.get(this.nextBucketMs);
      if (bucket !== undefined) expired.push(...bucket);
      this.nextBucketMs += this.tickMs;
    }
    return expired;
  }

  /** Buckets and their sessions in order of time, for `dump`. */
  bucketsInOrder(): [number, ReadonlySet<Session>][] {
    return [...this.buckets].sort(([a], [b]) => a - b);
  }

  private bucketOf(nowMs: number, timeoutMs: number): number {
    return (Math.floor((nowMs + timeoutMs) / this.tickMs) + 1) * this.tickMs;
  }

  private leaveBucket(session: Session): void {
    const bucket = this.buckets.get(session.expiresMs);
    if (bucket === undefined) return;
    bucket.delete(session);
    if (bucket.size === 0) this.buckets.delete(session.expiresMs);
  }
}
