import type { Client } from "../client.js";
import { ZkError } from "../errors.js";
import type { ErrorName, SessionState, WatchEvent } from "../session/index.js";
import { giveUp, giveUpSoon, type OwnedNode } from "./owned-node.js";
import { PATIENT } from "./patience.js";

/** How a hold ends. */
export interface HoldOptions {
  /**
   * When to stop. "presumed-lost": as late as is safe, when by this client's clock the servers may have
   * given the hold to another. "suspended": as soon as the connection is lost. @default "presumed-lost"
   */
  readonly stopsWhen?: "presumed-lost" | "suspended" | undefined;
}

/** Why a hold ended. */
export type HoldEnd = "released" | "deleted" | Exclude<SessionState, "connecting" | "connected">;

const CODES: Readonly<Record<HoldEnd, ErrorName>> = {
  released: "ABORTED",
  deleted: "NO_NODE",
  suspended: "CONNECTION_LOSS",
  "presumed-lost": "SESSION_EXPIRED",
  "read-only": "NOT_READ_ONLY",
  lost: "SESSION_EXPIRED",
  "auth-failed": "AUTH_FAILED",
  closed: "CLOSING",
};
const SENTENCES: Readonly<Record<HoldEnd, string>> = {
  released: "released by its holder",
  deleted: "somebody deleted its node: another may hold it now",
  suspended: "the connection is lost",
  "presumed-lost": "without a connection for as long as the session was sure to live: another may hold it now",
  "read-only": "connected to a server that is cut off from the others: another may hold it now",
  lost: "the session has ended, and the hold with it",
  "auth-failed": "the client has ended: a credential was refused",
  closed: "the client was closed",
};

/**
 * Something held by one process at a time (or by so many), for as long as its session lives.
 *
 * While it is held, no other process holds it, as the servers see it. This process learns that it must
 * stop by `signal`, which is aborted before the servers can give the hold to another: the client's own
 * clock says when that may be. Three things no client can prevent: a thread that is blocked does not hear
 * the signal (look at `isHeld` before an important step); a clock that runs slow; a request that was sent
 * before the hold ended and arrives after it. Against all three, hand `token` to what is guarded, and let
 * it refuse a token that is smaller than the largest it has seen.
 */
export class Hold implements AsyncDisposable {
  /** The node by which it is held. */
  readonly path: string;
  /** The fencing token: larger than that of every earlier holder, on any path of this ensemble. */
  readonly token: bigint;
  /** Aborted at the moment the holder must stop; its `reason` is a `ZkError` that says why. */
  readonly signal: AbortSignal;
  private readonly client: Client;
  private readonly node: OwnedNode;
  private readonly controller = new AbortController();
  private readonly stopListening: () => void;
  private leaving: Promise<void> | undefined;
  private endedBy: HoldEnd | undefined;

  /** Made by the recipes, of a node whose turn it is. @internal */
  constructor(client: Client, node: OwnedNode, { stopsWhen = "presumed-lost" }: HoldOptions) {
    this.client = client;
    this.node = node;
    this.path = node.path;
    this.token = node.token;
    this.signal = this.controller.signal;
    const onState = (state: SessionState): void => {
      if (state === "connected" || state === "connecting") return;
      if (state !== "suspended" || stopsWhen === "suspended") this.end(state);
    };
    this.stopListening = client.onState(onState);
    // What happened between the servers' word and this moment has been told already.
    if (client.sessionId !== node.sessionId) this.end("lost");
    else onState(client.state);
    if (this.endedBy === undefined) this.watchNode();
  }

  /** Why it ended; undefined while it has not. */
  get ended(): HoldEnd | undefined {
    return this.endedBy;
  }

  /** Whether it is held at this very moment: true also by the clock, however long this thread was blocked. */
  get isHeld(): boolean {
    if (this.endedBy !== undefined || performance.now() >= this.client.sessionAliveUntilMs) return false;
    // A client that renews its session has the next one, or none yet, before it tells of the last one's end.
    return this.client.sessionId === this.node.sessionId;
  }

  /** Throws what `signal.reason` says, or would say, unless it is held at this very moment. */
  throwIfEnded(): void {
    if (this.isHeld) return;
    throw this.endedBy === undefined ? this.errorOf("presumed-lost") : this.signal.reason;
  }

  /**
   * Gives it back, and resolves when the servers know, through reconnects if need be; at once if it had
   * ended before. The work that it guards must have ended. Can be called again.
   */
  async release(): Promise<void> {
    this.end("released");
    if (this.endedBy !== "released") return;
    this.leaving ??= giveUp(this.client, this.node);
    await this.leaving;
  }

  /** As `release`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  private end(by: HoldEnd): void {
    if (this.endedBy !== undefined) return;
    this.endedBy = by;
    this.stopListening();
    this.client.unwatch(this.path, this.onNodeEvent);
    // Held no more, so others are not kept waiting, should the session be found alive.
    if (by !== "released" && by !== "deleted") giveUpSoon(this.client, this.node);
    this.controller.abort(this.errorOf(by));
  }

  private watchNode(): void {
    const watched = this.client.exists(this.path, { ...PATIENT, watch: this.onNodeEvent });
    watched.then(
      (stat) => {
        // One of the same name, made while the connection was lost, is another's.
        if (stat?.czxid !== this.token) this.end("deleted");
        if (this.endedBy !== undefined) this.client.unwatch(this.path, this.onNodeEvent);
      },
      () => undefined, // the session has ended, of which its state tells
    );
  }

  private readonly onNodeEvent = (event: WatchEvent): void => {
    if (event.kind === "deleted") this.end("deleted");
    else if (event.kind !== "session" && this.endedBy === undefined) this.watchNode();
  };

  private errorOf(by: HoldEnd): ZkError {
    const details = SENTENCES[by];
    return new ZkError({ code: CODES[by], outcome: "not-applied", operation: "hold", path: this.path, details });
  }
}
