import type { ByteReader, ByteWriter } from "@watchkeeper/wire";
import type { Call, DeadlinePlace, Failure, PersistentWatchRequest, WatchRequest } from "../session/index.js";

/** What a call is, as bits of one byte. */
const IS = {
  changing: 1,
  contentWithAbsence: 2,
  limited: 4,
  watching: 8,
  addingWatch: 16,
  removingWatches: 32,
  failingSuspended: 64,
  waitingSuspended: 128,
} as const;

const READ_KINDS = ["data", "child"] as const;
const PERSISTENT_KINDS = ["persistent", "recursive"] as const;
const somebody = (): void => undefined;

/** Writes all that the connection's thread needs to know of a call, its body last, for `DistantCall` to read. */
export function writeCall(writer: ByteWriter, call: Call, writeBody: (writer: ByteWriter) => void): void {
  const { watch, addsWatch, removesWatches, timeoutMs } = call;
  writer.int(call.xid);
  writer.int(call.opcode);
  writer.byte(flagsOf(call));
  if (timeoutMs > 0) writer.longFromNumber(Math.min(Math.ceil(timeoutMs), Number.MAX_SAFE_INTEGER));
  if (watch !== undefined) writeWatch(writer, READ_KINDS.indexOf(watch.kind as "data"), watch.path);
  if (addsWatch !== undefined) writeWatch(writer, PERSISTENT_KINDS.indexOf(addsWatch.kind), addsWatch.path);
  if (removesWatches !== undefined) writeWatch(writer, removesWatches.type, removesWatches.path);
  const start = writer.reserve(4);
  writeBody(writer);
  writeInt(writer.bytes, start, writer.length - start - 4);
}
