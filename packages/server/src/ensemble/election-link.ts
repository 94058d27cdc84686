import { ELECTION_FRAME_BYTES_MAX, FrameSplitter, WireError } from "@watchkeeper/wire";
import type { PeerSocket, PeerSocketHandler } from "../ports/index.js";

export interface LinkEvents {
  /** A message lies in `[start, end)`, for the time of the call. */
  onMessage(bytes: Uint8Array, start: number, end: number): void;
  onDrained(): void;
  onClosed(reason: string): void;
  /** What came is no message of an election; the connection is being closed over it. */
  onForeignBytes(sentence: string): void;
}

/** A connection that is kept, in both directions: each message behind its length. */
export class ElectionLink implements PeerSocketHandler {
  private readonly socket: PeerSocket;
  private readonly events: LinkEvents;
  private readonly frames = new FrameSplitter(ELECTION_FRAME_BYTES_MAX);
  private isOpen = true;

  constructor(socket: PeerSocket, events: LinkEvents) {
    this.socket = socket;
    this.events = events;
  }

  get remote(): string {
    return this.socket.remote;
  }

  /** Whether a message would wait: it is better kept back then, for a newer one to take its place. */
  get isBusy(): boolean {
    return this.socket.unsentBytes > 0;
  }

  send(frame: Uint8Array): void {
    this.socket.send(frame);
  }

  /** Without a word to its owner. */
  close(): void {
    this.isOpen = false;
    this.socket.close();
  }

  onBytes(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    try {
      this.frames.push(bytes);
      // Whoever gets a message may close this connection over it.
      while (this.isOpen && this.frames.next()) this.onFrame();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.refuse(error.message);
    }
  }

  onDrained(): void {
    if (this.isOpen) this.events.onDrained();
  }

  onClosed(reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events.onClosed(reason);
  }

  private onFrame(): void {
    const { bytes, start, end } = this.frames;
    if (start === end) this.refuse("frame of 0 bytes");
    else this.events.onMessage(bytes, start, end);
  }

  private refuse(sentence: string): void {
    this.close();
    this.events.onForeignBytes(sentence);
    this.events.onClosed(sentence);
  }
}
