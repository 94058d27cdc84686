import type { CompressionMethod } from "./file-names.js";

/**
 * Packing and unpacking of snapshot files, handed in by the host since the codecs are not pure. Both
 * directions pull: the next piece is made when it is asked for, so that a file which unpacks to a
 * thousand times its size takes no more memory than another.
 *
 * A piece that was handed out is valid until the next is asked for. Bytes that are no packed stream, or
 * only a part of one, end the iteration with a `CompressionError`.
 */
export interface Compression {
  pack(method: CompressionMethod, plain: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  unpack(method: CompressionMethod, packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

export class CompressionError extends Error {
  override readonly name = "CompressionError";
}
