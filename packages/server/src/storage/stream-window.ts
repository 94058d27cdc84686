/**
 * A stretch of a stream in memory, for parsing in plain synchronous code: `need` brings more, what has
 * been consumed is dropped. Memory is one piece and the longest stretch ever needed at once.
 */
export class StreamWindow {
  bytes: Uint8Array = new Uint8Array(0);
  /** The first byte not yet consumed; moved on by whoever parses. */
  at = 0;
  end = 0;
  /** The stream offset of `bytes[0]`. */
  private base = 0;
  private readonly pieces: AsyncIterator<Uint8Array>;
  private readonly onConsumed: ((bytes: Uint8Array, start: number, end: number) => void) | undefined;
  private reportedTo = 0;

  /** @param onConsumed is given all bytes, in order, once they are consumed: for checksums */
  constructor(pieces: AsyncIterable<Uint8Array>, onConsumed?: (bytes: Uint8Array, start: number, end: number) => void) {
    this.pieces = pieces[Symbol.asyncIterator]();
    this.onConsumed = onConsumed;
  }

  /** The stream offset of the first byte not yet consumed. */
  get offset(): number {
    return this.base + this.at;
  }

  get available(): number {
    return this.end - this.at;
  }

  /** Brings at least `count` bytes into the window. @returns false where the stream ends before that */
  async need(count: number): Promise<boolean> {
    while (this.available < count) {
      const next = await this.pieces.next();
      if (next.done === true) return false;
      this.append(next.value, count);
    }
    return true;
  }

  /** Hands the bytes consumed so far to `onConsumed`. */
  report(): void {
    if (this.at > this.reportedTo) this.onConsumed?.(this.bytes, this.reportedTo, this.at);
    this.reportedTo = this.at;
  }

  async close(): Promise<void> {
    await this.pieces.return?.();
  }

  private append(piece: Uint8Array, count: number): void {
    this.report();
    const kept = this.available;
    const room = Math.max(kept + piece.length, count);
    const target = room > this.bytes.length ? new Uint8Array(room + (room >>> 2)) : this.bytes;
    target.set(this.bytes.subarray(this.at, this.end));
    target.set(piece, kept);
    this.base += this.at;
    this.bytes = target;
    this.at = 0;
    this.reportedTo = 0;
    this.end = kept + piece.length;
  }
}
