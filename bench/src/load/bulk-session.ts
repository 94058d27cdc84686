import { ByteWriter, errorName, XID } from "@watchkeeper/wire";
import { WORD } from "./reply-scanner.js";
import { frames, PING_INTERVAL_MS } from "./request-frames.js";
import { type ConnectionEvents, ServerConnection, type Target } from "./server-connection.js";

const IN_FLIGHT_MAX = 1000;
const SILENCE_MS_MAX = 120_000;
const PING = frames.ping();

export interface Answer {
  readonly error: number;
  /** The whole reply, its length and header included. */
  readonly bytes: number;
  readonly tookMs: number;
}

export type AppendRequest = (writer: ByteWriter, index: number) => void;

/** Error codes that are as good as success. */
export type Tolerated = readonly number[] | "any";

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * A session for what the closed loop does not measure: laying a million nodes, holding watches, being
 * one of ten thousand that only ping. One job at a time; while it runs a thousand requests are in flight.
 */
export class BulkSession implements ConnectionEvents {
  private readonly connection: ServerConnection;
  private readonly writer = new ByteWriter(1024);
  private readonly pinging: NodeJS.Timeout;
  private waiting: Waiting | undefined;
  private append: AppendRequest = () => {};
  private tolerated: Tolerated = [];
  private left = 0;
  private sent = 0;
  private inFlight = 0;
  private replyBytes = 0;
  private replyError = 0;
  private lost: Error | undefined;

  private constructor(target: Target) {
    this.connection = new ServerConnection(target, this);
    this.pinging = setInterval(() => this.connection.write(PING), PING_INTERVAL_MS);
    this.pinging.unref();
  }

  static async open(target: Target, answerMsMax = SILENCE_MS_MAX): Promise<BulkSession> {
    const session = new BulkSession(target);
    await session.wait("opening a session", answerMsMax);
    return session;
  }

  get isOpen(): boolean {
    return this.lost === undefined;
  }

  /** Sends `count` requests, each written by `append`; any error reply but a tolerated one ends it. */
  async pipeline(count: number, append: AppendRequest, tolerated: Tolerated = []): Promise<void> {
    if (count === 0) return;
    this.append = append;
    this.tolerated = tolerated;
    this.left = count;
    this.sent = 0;
    this.sendMore();
    await this.wait(`${count} requests`);
  }

  /** One request and its reply. */
  async ask(frame: Uint8Array): Promise<Answer> {
    const startedMs = performance.now();
    await this.pipeline(1, (writer) => writer.copy(frame, 0, frame.length), "any");
    return { error: this.replyError, bytes: this.replyBytes, tookMs: performance.now() - startedMs };
  }

  /** Closes the session, so that the server forgets it and its ephemerals at once. */
  async close(): Promise<void> {
    clearInterval(this.pinging);
    await this.ask(frames.closeSession()).catch(() => {});
    this.connection.destroy();
  }

  onReady(): void {
    this.settle();
  }

  onFrame(words: Int32Array): void {
    if (words[WORD.xid] === XID.ping || words[WORD.xid] === XID.notification) return;
    this.inFlight--;
    this.replyError = words[WORD.error]!;
    this.replyBytes = words[WORD.length]! + 4;
    if (this.replyError === 0 || this.tolerated === "any" || this.tolerated.includes(this.replyError)) return;
    throw new Error(`the server answered ${errorName(this.replyError) ?? this.replyError}`);
  }

  onChunkEnd(): void {
    if (this.left > 0 && this.inFlight <= IN_FLIGHT_MAX / 2) this.sendMore();
    if (this.left === 0 && this.inFlight === 0) this.settle();
  }

  onClosed(error: Error | undefined): void {
    clearInterval(this.pinging);
    this.lost ??= error ?? new Error("the server closed the connection");
    this.waiting?.reject(this.lost);
    this.waiting = undefined;
  }

  private sendMore(): void {
    this.writer.reset();
    while (this.left > 0 && this.inFlight < IN_FLIGHT_MAX) {
      this.append(this.writer, this.sent++);
      this.inFlight++;
      this.left--;
    }
    this.connection.write(this.writer.view().slice());
  }

  private settle(): void {
    this.waiting?.resolve();
    this.waiting = undefined;
  }

  private async wait(what: string, silenceMsMax = SILENCE_MS_MAX): Promise<void> {
    let progressBefore = this.sent - this.inFlight;
    const watchdog = setInterval(() => {
      const progress = this.sent - this.inFlight;
      if (progress === progressBefore) {
        this.onClosed(new Error(`${what}: no answer for ${silenceMsMax / 1000} s`));
        this.connection.destroy();
      }
      progressBefore = progress;
    }, silenceMsMax);
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.lost !== undefined) reject(this.lost);
        else this.waiting = { resolve, reject };
      });
    } finally {
      clearInterval(watchdog);
    }
  }
}

/** Opens `count` sessions, a hundred at a time. */
export async function openSessions(target: Target, count: number): Promise<BulkSession[]> {
  const sessions: BulkSession[] = [];
  while (sessions.length < count) {
    const batch = Math.min(100, count - sessions.length);
    sessions.push(...(await Promise.all(Array.from({ length: batch }, () => BulkSession.open(target)))));
  }
  return sessions;
}

export async function closeSessions(sessions: readonly BulkSession[]): Promise<void> {
  for (let i = 0; i < sessions.length; i += 100) {
    await Promise.all(sessions.slice(i, i + 100).map((session) => session.close()));
  }
}
