/**
 * The ZooKeeper wire format and nothing else: bytes, records, operations, packets, error codes. It knows no
 * socket, no session and no tree, and has no dependency, not even on Node.
 */
export { readExactLong } from "./bytes/exact-long.js";
export { FRAME_BYTES_MAX_DEFAULT, FrameSplitter } from "./bytes/frame-splitter.js";
export { ByteReader } from "./bytes/reader.js";
export { decodeText, encodeText, textBytes } from "./bytes/text.js";
export { WireError } from "./bytes/wire-error.js";
export {
  ByteWriter,
  copyBytes,
  readInt,
  readLong,
  readLongAsNumber,
  writeInt,
  writeLong,
  writeLongFromNumber,
} from "./bytes/writer.js";
export * from "./errors.js";
export * from "./operations.js";
export * from "./quorum/election-greeting.js";
export * from "./quorum/notification.js";
export * from "./quorum/packet.js";
export * from "./quorum/packet-data.js";
export * from "./quorum/packet-types.js";
export * from "./records/kit.js";
export * from "./records/requests.js";
export * from "./records/shared.js";
export * from "./records/transactions.js";
export { counterOf, epochOf, formatZxid, makeZxid } from "./zxid.js";
