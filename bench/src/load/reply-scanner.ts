import { readInt } from "@watchkeeper/wire";

const PREFIX_BYTES = 20;

/**
 * Walks over a connection's replies by their lengths and keeps nothing but the first twenty bytes of
 * each: of a reply its length, xid, zxid (two words) and error; of the handshake's answer its length,
 * protocol version, session time-out and id. A body is never copied, however it is torn between chunks.
 */
export class ReplyScanner {
  /** The five words, overwritten by the next frame. */
  readonly words = new Int32Array(PREFIX_BYTES / 4);
  private readonly prefix = new Uint8Array(PREFIX_BYTES);
  private prefixBytes = 0;
  private bodyBytesLeft = 0;

  /** Looks at the first `count` bytes of `chunk`; calls `onFrame` at the end of every frame. */
  scan(chunk: Uint8Array, count: number, onFrame: (words: Int32Array) => void): void {
    let at = 0;
    for (;;) {
      if (this.prefixBytes < PREFIX_BYTES) {
        if (this.prefixBytes === 0 && count - at >= PREFIX_BYTES) {
          this.begin(chunk, at);
          at += PREFIX_BYTES;
        } else {
          while (this.prefixBytes < PREFIX_BYTES && at < count) this.prefix[this.prefixBytes++] = chunk[at++]!;
          if (this.prefixBytes < PREFIX_BYTES) return;
          this.begin(this.prefix, 0);
        }
      }
      const skipped = Math.min(this.bodyBytesLeft, count - at);
      at += skipped;
      this.bodyBytesLeft -= skipped;
      if (this.bodyBytesLeft > 0) return;
      this.prefixBytes = 0;
      onFrame(this.words);
      if (at === count) return;
    }
  }

  private begin(bytes: Uint8Array, at: number): void {
    for (let i = 0; i < this.words.length; i++) this.words[i] = readInt(bytes, at + 4 * i);
    const bodyBytes = this.words[0]! + 4 - PREFIX_BYTES;
    if (bodyBytes < 0) throw new Error(`a frame of ${this.words[0]} bytes: shorter than any reply`);
    this.prefixBytes = PREFIX_BYTES;
    this.bodyBytesLeft = bodyBytes;
  }
}

export const WORD = { length: 0, xid: 1, sessionTimeoutMs: 2, error: 4 } as const;
