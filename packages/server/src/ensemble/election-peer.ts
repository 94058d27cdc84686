import type { Scheduler, Timer } from "../ports/index.js";
import type { ElectionLink } from "./election-link.js";

/**
 * What is kept about one other server: its connection, if there is one, and a single message for it. Messages
 * are reports of a state, so that a newer one takes the place of one that has not left; and the last one
 * is said again on every new connection, because nobody knows what became of it on the old.
 */
export class ElectionPeer {
  readonly sid: number;
  link: ElectionLink | undefined;
  /** A connection is being made, or the other side was asked to make it. */
  isConnecting = false;
  /** Times it was asked, since it last did, to connect to this server. */
  unansweredKnocks = 0;
  /** Whether it was said that it cannot be reached. */
  isKnownUnreachable = false;
  private knockTimer: Timer | undefined;
  private unsent: Uint8Array | undefined;
  private last: Uint8Array | undefined;

  constructor(sid: number) {
    this.sid = sid;
  }

  get hasUnsent(): boolean {
    return this.unsent !== undefined;
  }

  put(frame: Uint8Array): void {
    this.unsent = frame;
    this.flush();
  }

  /** The newest connection is the one that counts: the other side made it because it has no other. */
  attach(link: ElectionLink): void {
    this.link?.close();
    this.link = link;
    this.knockTimer?.cancel();
    this.isConnecting = false;
    this.isKnownUnreachable = false;
    this.unansweredKnocks = 0;
    this.unsent ??= this.last;
    this.flush();
  }

  /** The other side was asked to connect: until it has had its time it is not asked again. */
  awaitAnswer(scheduler: Scheduler, waitMs: number): void {
    this.knockTimer = scheduler.after(waitMs, () => {
      this.isConnecting = false;
    });
  }

  /** The connection is of no use any more; one that is being made may be. */
  detach(): void {
    this.link?.close();
    this.link = undefined;
  }

  stop(): void {
    this.knockTimer?.cancel();
    this.detach();
  }

  flush(): void {
    if (this.link === undefined || this.unsent === undefined || this.link.isBusy) return;
    this.link.send(this.unsent);
    this.last = this.unsent;
    this.unsent = undefined;
  }
}
