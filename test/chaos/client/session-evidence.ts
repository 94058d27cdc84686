/**
 * What the network between a client and its servers knows of the client's sessions: when a server last heard
 * of one for certain, and when a server said that there is none. From both follows whether a session was lost
 * that could have been kept, and by whom.
 */
export interface Refusal {
  readonly sessionId: bigint;
  readonly atMs: number;
  /** When a server last heard of the session for certain; undefined where none ever did. */
  readonly heardMs: number | undefined;
  readonly timeoutMs: number;
  /** Since when nothing was wrong with the network. */
  readonly soundSinceMs: number;
}

interface Known {
  readonly timeoutMs: number;
  heardMs: number;
  isClosed: boolean;
}

/** A new dial, a pause before it, a handshake: more a client does not need to come back over a sound network. */
const RECOVERY_MS = 250;
/** By so much the clocks of two processes, read one after the other, may seem apart. */
const MARGIN_MS = 30;
/** A client takes a server for dead that was silent for this part of the session's timeout. */
const SILENT_PART = 2 / 3;

export class SessionEvidence {
  /** Since when nothing is wrong; Infinity while something is. */
  soundSinceMs = 0;
  readonly refusals: Refusal[] = [];
  private readonly sessions = new Map<bigint, Known>();

  onAccepted(sessionId: bigint, timeoutMs: number, sentMs: number): void {
    const known = this.sessions.get(sessionId);
    if (known === undefined) this.sessions.set(sessionId, { timeoutMs, heardMs: sentMs, isClosed: false });
    else known.heardMs = Math.max(known.heardMs, sentMs);
  }

  /** A server has answered what was sent to it at `sentMs`. */
  onAnswered(sessionId: bigint, sentMs: number): void {
    const known = this.sessions.get(sessionId);
    if (known !== undefined) known.heardMs = Math.max(known.heardMs, sentMs);
  }

  /** Its client has asked for its end, and a server may have heard that. */
  onClosing(sessionId: bigint): void {
    const known = this.sessions.get(sessionId);
    if (known !== undefined) known.isClosed = true;
  }

  onRefused(sessionId: bigint): Refusal | undefined {
    const known = this.sessions.get(sessionId);
    if (known === undefined || known.isClosed) return undefined;
    const { heardMs, timeoutMs } = known;
    const refusal = { sessionId, atMs: performance.now(), heardMs, timeoutMs, soundSinceMs: this.soundSinceMs };
    this.refusals.push(refusal);
    return refusal;
  }

  /** Whether the client still has the time to come back, if the network is sound from now on. */
  canBeKept(sessionId: bigint, slackMs: number): boolean {
    const known = this.sessions.get(sessionId);
    if (known === undefined) return false;
    return known.heardMs + known.timeoutMs > performance.now() + RECOVERY_MS + slackMs;
  }
}

/**
 * What was wrong about a session's end, or undefined.
 *
 * @param slackMs so long this process was kept from running
 */
export function wronglyLost({ atMs, heardMs, timeoutMs, soundSinceMs }: Refusal, slackMs: number): string | undefined {
  if (heardMs === undefined) return undefined;
  const silentMs = Math.round(atMs - heardMs);
  if (silentMs < timeoutMs - MARGIN_MS)
    return `the server ended a session of ${timeoutMs} ms that it had heard of ${silentMs} ms before`;
  const knowsMs = Math.max(soundSinceMs, heardMs + timeoutMs * SILENT_PART);
  const hadMs = Math.round(heardMs + timeoutMs - knowsMs);
  if (hadMs < RECOVERY_MS + slackMs) return undefined;
  return `the client lost a session of ${timeoutMs} ms though it had ${hadMs} ms of a sound network to keep it`;
}
