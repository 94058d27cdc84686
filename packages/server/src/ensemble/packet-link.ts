import {
  ByteWriter,
  PACKET_DATA_BYTES_MAX_DEFAULT,
  PACKET_SLOT,
  PACKET_SLOTS,
  readPacketZxid,
  scanQuorumPacket,
  WireError,
  writeQuorumPacket,
} from "@watchkeeper/wire";
import type { PeerSocket, Scheduler, Timer } from "../ports/index.js";

/**
 * The connection between a learner and its leader: quorum packets, back to back (section 5.1 of the protocol; Apache's
 * `LearnerHandler` and `Learner` with their `InputArchive`).
 *
 * While the two agree on an epoch and a history, packets are asked for one by one (`next`); a snapshot is
 * read as raw bytes in between (`pieces`); afterwards they are handed on as they come (`handOn`), a chunk of
 * the stream at a time, without a copy or a promise for each.
 *
 * What is sent gathers and leaves at the end of the turn, in one write.
 */
export interface PacketView {
  readonly type: number;
  readonly zxid: number;
  /** The data lies in `[dataStart, dataStart + dataLength)`, valid until control is given back; length -1 for none. */
  readonly bytes: Uint8Array;
  readonly dataStart: number;
  readonly dataLength: number;
  readonly authStart: number;
  readonly authCount: number;
}

/** The other end went away, said nothing for too long, or said what it must not say: this connection is over. */
export class LinkError extends Error {
  override readonly name = "LinkError";
}

export interface PacketLinkSettings {
  readonly dataBytesMax?: number;
  /** Unsent bytes above which the other end is given up: it does not read. */
  readonly unsentBytesMax: number;
}

/** Received bytes that nobody has taken: above this the other end is slowed down. */
const UNREAD_BYTES_PAUSE = 4 << 20;

/** Who takes the packets of a connection as they come. */
export interface PacketHandler {
  onPacket(packet: PacketView): void;
  /** All packets that have come by now were handed on: what they say together is done once. */
  onPause(): void;
  /** The connection is over: the last call. */
  onEnd(error: LinkError): void;
}

interface Waiter {
  resolve(): void;
  reject(error: LinkError): void;
}

export class PacketLink {
  readonly remote: string;
  private readonly socket: PeerSocket;
  private readonly scheduler: Scheduler;
  private readonly dataBytesMax: number;
  private readonly unsentBytesMax: number;
  private readonly slots = new Int32Array(PACKET_SLOTS);
  private readonly view: { -readonly [K in keyof PacketView]: PacketView[K] } = {
    type: 0,
    zxid: 0,
    bytes: new Uint8Array(0),
    dataStart: 0,
    dataLength: -1,
    authStart: 0,
    authCount: -1,
  };
  private window: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;
  private handler: PacketHandler | undefined;
  private waiter: Waiter | undefined;
  private drainWaiter: Waiter | undefined;
  private failure: LinkError | undefined;
  private paused = false;
  private output: ByteWriter | undefined;
  private flushScheduled = false;
  private heard = false;
  private silence: Timer | undefined;

  constructor(socket: PeerSocket, scheduler: Scheduler, settings: PacketLinkSettings) {
    this.socket = socket;
    this.remote = socket.remote;
    this.scheduler = scheduler;
    this.dataBytesMax = settings.dataBytesMax ?? PACKET_DATA_BYTES_MAX_DEFAULT;
    this.unsentBytesMax = settings.unsentBytesMax;
    socket.start({
      onBytes: (bytes) => this.onBytes(bytes),
      onDrained: () => this.onDrained(),
      onClosed: (reason) => this.endWith(new LinkError(reason)),
    });
  }

  get isOpen(): boolean {
    return this.failure === undefined;
  }

  get unsentBytes(): number {
    return this.socket.unsentBytes + (this.output?.length ?? 0);
  }

  // In.

  /**
   * The next packet; its bytes are good until the next `await`.
   * @throws LinkError where none came within `timeoutMs`, or the connection is over
   */
  async next(timeoutMs: number): Promise<PacketView> {
    for (;;) {
      if (this.scan()) return this.view;
      await this.moreBytes(timeoutMs);
    }
  }

  /** The stream as it comes, from here on, until `unread`. Each piece is the caller's. @throws LinkError */
  async *pieces(timeoutMs: number): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      if (this.at < this.end) {
        const piece = this.window.slice(this.at, this.end);
        this.at = this.end;
        this.resumeIfRead();
        yield piece;
      } else await this.moreBytes(timeoutMs);
    }
  }

  /** Gives back the end of a piece that was more than was wanted. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const rest = this.window.subarray(this.at, this.end);
    const window = new Uint8Array(bytes.length + rest.length);
    window.set(bytes);
    window.set(rest, bytes.length);
    this.window = window;
    this.at = 0;
    this.end = window.length;
  }

  /**
   * From now on every packet goes to `handler` as it comes.
   * @param silenceMsMax the connection ends where nothing comes for so long, or for up to an eighth longer
   */
  handOn(handler: PacketHandler, silenceMsMax: number): void {
    if (this.failure !== undefined) {
      handler.onEnd(this.failure);
      return;
    }
    this.handler = handler;
    this.watchSilence(silenceMsMax);
    this.drainWindow(handler);
  }

  /** One timer for a connection, and none for a packet. */
  private watchSilence(silenceMsMax: number, quietSteps = 0): void {
    this.heard = false;
    this.silence = this.scheduler.after(silenceMsMax / SILENCE_STEPS, () => {
      const steps = this.heard ? 0 : quietSteps + 1;
      if (steps < SILENCE_STEPS) this.watchSilence(silenceMsMax, steps);
      else this.fail(`nothing came from it for ${silenceMsMax} ms (syncLimit)`);
    });
  }

  private onBytes(bytes: Uint8Array): void {
    this.heard = true;
    const { handler } = this;
    if (handler !== undefined && this.at === this.end) {
      // Parsed where it lies; only a packet that is cut off at the end is kept.
      this.window = bytes;
      this.at = 0;
      this.end = bytes.length;
      this.drainWindow(handler);
      const rest = this.window.slice(this.at, this.end);
      this.window = rest;
      this.at = 0;
      this.end = rest.length;
      return;
    }
    this.append(bytes);
    if (handler !== undefined) this.drainWindow(handler);
    else {
      if (this.end - this.at > UNREAD_BYTES_PAUSE && !this.paused) {
        this.paused = true;
        this.socket.pause();
      }
      this.wake();
    }
  }

  private append(bytes: Uint8Array): void {
    const kept = this.end - this.at;
    if (this.end + bytes.length > this.window.length || this.window.buffer === bytes.buffer) {
      const target = new Uint8Array(Math.max(2 * (kept + bytes.length), 4096));
      target.set(this.window.subarray(this.at, this.end));
      this.window = target;
      this.at = 0;
      this.end = kept;
    }
    this.window.set(bytes, this.end);
    this.end += bytes.length;
  }

  private drainWindow(handler: PacketHandler): void {
    let violation: string | undefined;
    try {
      while (this.failure === undefined && this.scan()) handler.onPacket(this.view);
    } catch (error) {
      if (!(error instanceof WireError || error instanceof LinkError)) throw error;
      violation = error.message;
    }
    // Before the end, if it is one: what the packets ahead of it said counts.
    handler.onPause();
    if (violation !== undefined) this.fail(violation);
  }

  /** Takes the next packet, if it is there as a whole. */
  private scan(): boolean {
    if (this.failure !== undefined && this.at === this.end) throw this.failure;
    let next: number;
    try {
      next = scanQuorumPacket(this.window, this.at, this.end, this.slots, this.dataBytesMax);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.fail(`it sent bytes that are no quorum packet: ${error.message}`);
      throw this.failure!;
    }
    if (next === 0) return false;
    const { view, slots } = this;
    view.type = slots[PACKET_SLOT.type]!;
    view.zxid = readPacketZxid(slots);
    view.bytes = this.window;
    view.dataStart = slots[PACKET_SLOT.dataStart]!;
    view.dataLength = slots[PACKET_SLOT.dataLength]!;
    view.authStart = slots[PACKET_SLOT.authStart]!;
    view.authCount = slots[PACKET_SLOT.authCount]!;
    this.at = next;
    this.resumeIfRead();
    return true;
  }

  private resumeIfRead(): void {
    if (!this.paused || this.end - this.at > UNREAD_BYTES_PAUSE / 2) return;
    this.paused = false;
    this.socket.resume();
  }

  private async moreBytes(timeoutMs: number): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    let timer: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.waiter = { resolve, reject };
        timer = this.scheduler.after(timeoutMs, () => {
          this.fail(`nothing came from it for ${timeoutMs} ms`);
        });
      });
    } finally {
      timer?.cancel();
    }
  }

  private wake(): void {
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.resolve();
  }

  // Out.

  /** Where packets are appended to; they leave at the end of the turn. */
  writer(): ByteWriter {
    this.output ??= new ByteWriter(FIRST_OUTPUT_BYTES);
    if (!this.flushScheduled) {
      this.flushScheduled = true;
      this.scheduler.soon(() => {
        this.flushScheduled = false;
        this.flush();
      });
    }
    return this.output;
  }

  /** A packet without data. */
  send(type: number, zxid: number): void {
    writeQuorumPacket(this.writer(), type, zxid);
  }

  /** Bytes that others are sent too; they must not change any more. */
  sendShared(bytes: Uint8Array): void {
    this.flush();
    if (this.failure !== undefined) return;
    this.socket.send(bytes);
    if (this.socket.unsentBytes > this.unsentBytesMax)
      this.fail(`it does not read: ${this.socket.unsentBytes} bytes wait for it, ${this.unsentBytesMax} are allowed`);
  }

  flush(): void {
    const { output } = this;
    if (output === undefined || output.length === 0) return;
    this.output = undefined;
    this.sendShared(output.view());
  }

  /** Resolves when all that was sent has left. @throws LinkError where it has not within `timeoutMs` */
  async drained(timeoutMs: number): Promise<void> {
    this.flush();
    if (this.failure !== undefined) throw this.failure;
    if (this.socket.unsentBytes === 0) return;
    let timer: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.drainWaiter = { resolve, reject };
        timer = this.scheduler.after(timeoutMs, () => this.fail(`it took nothing that was sent for ${timeoutMs} ms`));
      });
    } finally {
      timer?.cancel();
    }
  }

  private onDrained(): void {
    const waiter = this.drainWaiter;
    this.drainWaiter = undefined;
    waiter?.resolve();
  }

  // The end.

  /** Ends the connection; what was sent before may still leave. */
  close(reason: string): void {
    this.flush();
    this.fail(reason);
  }

  private fail(reason: string): void {
    this.endWith(new LinkError(reason));
    this.socket.close();
  }

  private endWith(error: LinkError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.output = undefined;
    this.silence?.cancel();
    const { waiter, drainWaiter, handler } = this;
    this.waiter = undefined;
    this.drainWaiter = undefined;
    this.handler = undefined;
    waiter?.reject(error);
    drainWaiter?.reject(error);
    handler?.onEnd(error);
  }
}

const SILENCE_STEPS = 8;
const FIRST_OUTPUT_BYTES = 1 << 10;
