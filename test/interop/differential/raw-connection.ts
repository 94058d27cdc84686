/**
 * A connection that sends and receives frames and believes nothing: what it is given goes out as it is,
 * what comes back is kept as it came. It knows of the protocol only where frames end and what a ping's
 * reply looks like, because a ping's reply says that everything before it has been answered.
 */
import { connect, type Socket } from "node:net";
import { FrameSplitter, readInt, XID } from "@watchkeeper/wire";

const waitMs = 30_000;
const replyFrameBytesMax = 1 << 26;

export class RawConnection {
  isClosed = false;
  private readonly socket: Socket;
  private readonly splitter = new FrameSplitter(replyFrameBytesMax);
  private frames: Uint8Array[] = [];
  private pings = 0;
  private handshakeDone = false;
  private wake: (() => void) | undefined;

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket.on("data", (chunk) => this.onData(chunk));
    this.socket.on("error", () => this.socket.destroy());
    this.socket.on("close", () => {
      this.isClosed = true;
      this.wake?.();
    });
  }

  send(bytes: Uint8Array): void {
    if (!this.isClosed) this.socket.write(bytes);
  }

  /** The answer to the handshake; undefined where the server closed the connection instead. */
  async connectResponse(): Promise<Uint8Array | undefined> {
    await this.until(() => this.frames.length > 0);
    this.handshakeDone = true;
    return this.frames.shift();
  }

  /** What has come since the last call, once the replies to so many pings are in it or the connection is closed. */
  async framesUntilPings(count: number): Promise<Uint8Array[]> {
    await this.until(() => this.pings >= count);
    this.pings = 0;
    const frames = this.frames;
    this.frames = [];
    return frames;
  }

  async untilClosed(): Promise<void> {
    await this.until(() => false);
  }

  async drop(): Promise<void> {
    this.socket.destroy();
    await this.untilClosed();
  }

  private onData(chunk: Uint8Array): void {
    this.splitter.push(chunk);
    while (this.splitter.next()) {
      const { bytes, start, end } = this.splitter;
      const frame = bytes.slice(start, end);
      if (this.handshakeDone && frame.length >= 4 && readInt(frame, 0) === XID.ping) this.pings += 1;
      this.frames.push(frame);
    }
    this.wake?.();
  }

  private async until(condition: () => boolean): Promise<void> {
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      this.wake?.();
    }, waitMs);
    try {
      while (!condition() && !this.isClosed && !isLate) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    } finally {
      clearTimeout(deadline);
      this.wake = undefined;
    }
    if (isLate) throw new Error(`the server did not answer within ${waitMs} ms`);
  }
}
