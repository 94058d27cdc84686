/**
 * What travels from one server to another, on all their connections together. A cut holds bytes back and
 * lets them arrive after it, as a network does that repeats lost packets: what was sent before the cut is
 * late, not lost, and the end of a connection is late too.
 */
import type { Socket } from "node:net";

export class Flow {
  private held = false;
  private delayMs = 0;
  private readonly streams = new Set<OneWay>();

  get isHeld(): boolean {
    return this.held;
  }

  hold(): void {
    this.held = true;
    for (const stream of this.streams) stream.update();
  }

  /** Everything is late by so much; 0 for a quick link. */
  slow(delayMs: number): void {
    this.delayMs = delayMs;
  }

  heal(): void {
    this.held = false;
    this.delayMs = 0;
    for (const stream of this.streams) stream.update();
  }

  /** Carries what one socket receives to another, through `rewrite` while that is given and wants more. */
  carry(from: Socket, to: Socket, rewrite?: (bytes: Buffer) => Buffer | undefined): void {
    const stream = new OneWay(from, to, this, rewrite);
    this.streams.add(stream);
    to.once("close", () => this.streams.delete(stream));
  }

  get latencyMs(): number {
    return this.delayMs;
  }
}

interface Parcel {
  /** Nothing is the end of the stream. */
  readonly bytes: Buffer | undefined;
  readonly dueMs: number;
}

class OneWay {
  private readonly from: Socket;
  private readonly to: Socket;
  private readonly flow: Flow;
  private rewrite: ((bytes: Buffer) => Buffer | undefined) | undefined;
  private opening = Buffer.alloc(0);
  private readonly parcels: Parcel[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, flow: Flow, rewrite: ((bytes: Buffer) => Buffer | undefined) | undefined) {
    this.from = from;
    this.to = to;
    this.flow = flow;
    this.rewrite = rewrite;
    from.on("data", (bytes) => this.receive(bytes));
    from.once("close", () => this.enqueue(undefined));
    to.once("close", () => clearTimeout(this.timer));
  }

  update(): void {
    if (this.flow.isHeld) this.from.pause();
    else this.from.resume();
    this.deliver();
  }

  private receive(bytes: Buffer): void {
    if (this.rewrite === undefined) {
      this.enqueue(bytes);
      return;
    }
    this.opening = Buffer.concat([this.opening, bytes]);
    const rewritten = this.rewrite(this.opening);
    if (rewritten === undefined) return;
    this.rewrite = undefined;
    this.enqueue(rewritten);
  }

  private enqueue(bytes: Buffer | undefined): void {
    this.parcels.push({ bytes, dueMs: performance.now() + this.flow.latencyMs });
    this.deliver();
  }

  private deliver(): void {
    clearTimeout(this.timer);
    while (!this.flow.isHeld && this.parcels.length > 0) {
      const { bytes, dueMs } = this.parcels[0]!;
      const earlyMs = dueMs - performance.now();
      if (earlyMs > 0) {
        this.timer = setTimeout(() => this.deliver(), earlyMs);
        return;
      }
      this.parcels.shift();
      if (bytes === undefined) this.to.destroy();
      else this.to.write(bytes);
    }
  }
}
