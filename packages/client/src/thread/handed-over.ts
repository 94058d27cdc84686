import type { ByteWriter } from "@watchkeeper/wire";

/** Above this a batch was unusual, and the next one begins small again. */
const KEEP_BYTES_MAX = 128 * 1024;
const BYTES_MIN = 512;

/**
 * Takes a batch's memory away from its writer, to be handed over to the other thread. The writer gets
 * other memory, a little more than this batch needed: the next one is likely to be as large.
 */
export function handOver(writer: ByteWriter): ArrayBuffer {
  const memory = writer.bytes.buffer as ArrayBuffer;
  const expectedBytes = writer.length > KEEP_BYTES_MAX ? BYTES_MIN : Math.max(BYTES_MIN, writer.length * 1.5);
  writer.bytes = new Uint8Array(Math.ceil(expectedBytes));
  writer.reset();
  return memory;
}
