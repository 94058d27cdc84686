import { ByteWriter, FILE_HEADER_BYTES, fileHeader } from "@watchkeeper/wire";

/**
 * The layout of a log file:
 *
 *     file  := header(16) entry* zeros
 *     entry := long adler32-of-payload, int length, payload, byte 0x42
 *
 * The payload is the TxnHeader, the record of its type and, in most, the tree digest after it.
 */
export const LOG_MAGIC = 0x5a4b4c47;
export const FORMAT_VERSION = 2;

/** Checksum and length, before the payload. */
export const ENTRY_HEAD_BYTES = 12;
/** What an entry is longer than its payload. */
export const ENTRY_FRAME_BYTES = ENTRY_HEAD_BYTES + 1;
export const ENTRY_END = 0x42;

/** Where the zxid stands in a payload. */
export const PAYLOAD_ZXID_OFFSET = 12;

/**
 * The longest payload, string or buffer that a Java server with default settings reads back
 * (jute.maxbuffer + jute.maxbuffer.extrasize). One that is longer makes the directory unreadable for it.
 */
export const ENTRY_BYTES_MAX_DEFAULT = 2_097_150;

export function encodeFileHeader(magic: number, dbid: bigint): Uint8Array {
  const writer = new ByteWriter(FILE_HEADER_BYTES);
  fileHeader.encode(writer, { magic, version: FORMAT_VERSION, dbid });
  return writer.bytes;
}

export const LOG_HEADER: Uint8Array = encodeFileHeader(LOG_MAGIC, 0n);
