import { createGunzip, createGzip, type Gunzip, type Gzip } from "node:zlib";
import { type Compression, CompressionError, type CompressionMethod } from "../storage/index.js";
import { packSnappy, unpackSnappy } from "./snappy-stream.js";

const PIECE_BYTES = 256 << 10;

/** Snapshot compression with Node's zlib and snappy. */
export const nodeCompression: Compression = {
  pack(method: CompressionMethod, plain: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return method === "gz" ? through(createGzip({ chunkSize: PIECE_BYTES }), plain) : packSnappy(plain);
  },
  unpack(method: CompressionMethod, packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return method === "gz" ? through(createGunzip({ chunkSize: PIECE_BYTES }), packed) : unpackSnappy(packed);
  },
};

/**
 * Runs pieces through a zlib stream. The next piece is asked for when zlib is done with the one before,
 * since pieces lie in memory that is used again; zlib itself waits while its output is not taken.
 */
async function* through(stream: Gzip | Gunzip, input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const feeding = feed(stream, input).catch((error: unknown) => {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const piece of stream) yield piece as Uint8Array;
  } catch (error) {
    if (isZlibError(error))
      throw new CompressionError(`the gzip stream is damaged: ${error.message}`, { cause: error });
    throw error;
  } finally {
    stream.destroy();
    await feeding;
  }
}

async function feed(stream: Gzip | Gunzip, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of input) {
    if (stream.destroyed) return;
    await write(stream, piece);
  }
  stream.end();
}

/** A stream that is destroyed, by its own error or because nobody wants the rest, may forget a write's callback. */
function write(stream: Gzip | Gunzip, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => resolve();
    stream.once("close", onClose);
    stream.write(piece, (error) => {
      stream.off("close", onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

function isZlibError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith("Z_");
}
