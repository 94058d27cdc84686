/**
 * One direction of a connection, frame by frame, in order: what it is given comes out at the other end, late
 * where it is slow, twice where it doubles, not at all where it swallows.
 */
export class FrameLane {
  /** From now on everything vanishes. */
  swallows = false;
  /** So many of the next frames come twice. */
  doubles = 0;
  /** The next frame comes as its first half, and nothing after it. */
  cutsNextFrame = false;
  delayMs = 0;
  private readonly out: (bytes: Buffer) => void;
  private readonly onCut: () => void;
  private readonly parcels: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private rest: Buffer = Buffer.alloc(0);

  constructor(out: (bytes: Buffer) => void, onCut: () => void) {
    this.out = out;
    this.onCut = onCut;
  }

  /** @param onFrame is told of every whole frame before it is sent on */
  receive(bytes: Buffer, onFrame: (frame: Buffer) => void): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= 4 && this.rest.length >= 4 + this.rest.readInt32BE(0)) {
      const frame = this.rest.subarray(0, 4 + this.rest.readInt32BE(0));
      this.rest = this.rest.subarray(frame.length);
      onFrame(frame);
      this.carry(frame);
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.parcels.length = 0;
  }

  private carry(frame: Buffer): void {
    if (this.swallows) return;
    if (this.cutsNextFrame) {
      this.swallows = true;
      this.enqueue(frame.subarray(0, frame.length >> 1));
      this.onCut();
      return;
    }
    this.enqueue(frame);
    if (this.doubles === 0) return;
    this.doubles--;
    this.enqueue(frame);
  }

  private enqueue(bytes: Buffer): void {
    this.parcels.push({ bytes, dueMs: performance.now() + this.delayMs });
    this.deliver();
  }

  private deliver(): void {
    clearTimeout(this.timer);
    for (let first = this.parcels[0]; first !== undefined; first = this.parcels[0]) {
      const earlyMs = first.dueMs - performance.now();
      if (earlyMs > 0) {
        this.timer = setTimeout(() => this.deliver(), earlyMs);
        return;
      }
      this.parcels.shift();
      this.out(first.bytes);
    }
  }
}
