import { encodeFileHeader } from "./log-format.js";

/**
 * The layout of a snapshot file, in the clear:
 *
 *     file := header(16)
 *             int count { long sessionId, int timeoutMs }*
 *             int count { long aclId, vector<ACL> }*
 *             { ustring path, buffer data, long aclId, StatPersisted }* ustring "/"
 *             seal
 *             [ long zxid, int digestVersion, long digest, seal ]     since 3.6
 *             [ long lastProcessedZxid, seal ]                        since 3.9
 *     seal := long adler32-of-everything-before, ustring "/"
 *
 * Which of the last two sections are there is told by nothing but the bytes left behind the first seal.
 * (Java goes by its own settings instead and misreads what others wrote; hence both are always written.)
 *
 * The stream that a learner is sent behind a SNAP packet is the part from the first count to the "/"
 * behind the nodes, and then a signature: without header, seal or digest, as TCP is trusted to deliver.
 */
export const SNAPSHOT_MAGIC = 0x5a4b534e;
export const SNAPSHOT_HEADER: Uint8Array = encodeFileHeader(SNAPSHOT_MAGIC, -1n);

/** ustring "/": closes the node list and every seal, and so ends every whole file. */
export const TERMINATOR: Uint8Array = Uint8Array.of(0, 0, 0, 1, 0x2f);

/** ustring "BenWasHere": closes the stream that a learner is sent. */
export const STREAM_SIGNATURE: Uint8Array = Uint8Array.of(
  ...[0, 0, 0, 10],
  ...[0x42, 0x65, 0x6e, 0x57, 0x61, 0x73, 0x48, 0x65, 0x72, 0x65],
);

export const SESSION_BYTES = 12;
export const SEAL_BYTES = 13;
export const DIGEST_SECTION_BYTES = 20 + SEAL_BYTES;
export const LAST_ZXID_SECTION_BYTES = 8 + SEAL_BYTES;
