import { connect, type Socket } from "node:net";
import { ReplyScanner, WORD } from "./reply-scanner.js";
import { frames } from "./request-frames.js";

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionEvents {
  /** The session is open. */
  onReady(): void;
  /** A frame after the handshake: its words as the scanner gives them, and when its last bytes came. */
  onFrame(words: Int32Array, atMs: number): void;
  /** All that has been read is handled: the moment to send more, in one write. */
  onChunkEnd(): void;
  /** The connection is gone; once, with the reason where it was not a quiet close. */
  onClosed(error: Error | undefined): void;
}

const SESSION_TIMEOUT_MS = 30_000;
const CONNECT_FRAME = frames.connect(SESSION_TIMEOUT_MS);

/**
 * All sockets read into one buffer. On Linux libuv asks for it, reads and calls back in one go, so no
 * two reads are ever in it at once; ten thousand connections then need no ten thousand buffers.
 */
const READ_BUFFER = new Uint8Array(256 * 1024);

/** One session over a raw socket: it does the handshake, then hands out frames and takes bytes. */
export class ServerConnection {
  private readonly socket: Socket;
  private readonly scanner = new ReplyScanner();
  private readonly events: ConnectionEvents;
  private ready = false;
  private reason: Error | undefined;

  constructor(target: Target, events: ConnectionEvents) {
    this.events = events;
    this.socket = connect({
      ...target,
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (count, chunk) => this.onRead(count, chunk) },
    });
    this.socket.on("error", (error) => {
      this.reason = error;
    });
    this.socket.on("close", () => this.events.onClosed(this.reason));
    this.socket.write(CONNECT_FRAME);
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  destroy(): void {
    this.socket.destroy();
  }

  private onRead(count: number, chunk: Uint8Array): boolean {
    const atMs = performance.now();
    try {
      this.scanner.scan(chunk, count, (words) => this.onFrame(words, atMs));
    } catch (error) {
      this.socket.destroy(error as Error);
      return false;
    }
    this.events.onChunkEnd();
    return true;
  }

  private onFrame(words: Int32Array, atMs: number): void {
    if (this.ready) {
      this.events.onFrame(words, atMs);
      return;
    }
    if (words[WORD.sessionTimeoutMs]! <= 0) throw new Error("the server refused the session");
    this.ready = true;
    this.events.onReady();
  }
}
