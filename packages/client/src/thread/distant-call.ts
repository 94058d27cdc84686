import { type ByteReader, type ByteWriter, writeInt } from "@watchkeeper/wire";
import {
  type Call,
  type DeadlinePlace,
  type Failure,
  type PersistentWatchRequest,
  WATCH_KINDS,
  type WatchKind,
  type WatchListener,
  type WatchRequest,
} from "../session/index.js";

/** What there is to a call, as bits of one byte. */
const HAS = {
  changesTree: 1,
  absentIsResult: 2,
  timeout: 4,
  watch: 8,
  addsWatch: 16,
  removesWatches: 32,
  failsSuspended: 64,
  waitsSuspended: 128,
} as const;

/** All watches in the connection's thread have the same listener: who is really told, the other side's table knows. */
export const somebody = (): void => undefined;

/**
 * Writes what the connection's thread needs to know of a call, for `DistantCall` to read: its number, which
 * is its xid on this side, its parts, and last its body, or the credential in its place.
 */
export function writeCall(writer: ByteWriter, call: Call, auth: Uint8Array | undefined): void {
  const { watch, addsWatch, removesWatches, timeoutMs } = call;
  writer.int(call.xid);
  writer.int(call.opcode);
  writer.byte(partsOf(call));
  if (timeoutMs > 0) writer.longFromNumber(Math.min(Math.ceil(timeoutMs), Number.MAX_SAFE_INTEGER));
  if (watch !== undefined) writePath(writer, WATCH_KINDS.indexOf(watch.kind), watch.path);
  if (addsWatch !== undefined) writePath(writer, WATCH_KINDS.indexOf(addsWatch.kind), addsWatch.path);
  if (removesWatches !== undefined) writePath(writer, removesWatches.type, removesWatches.path);
  const start = writer.reserve(4);
  if (auth === undefined) call.encodeBody(writer);
  else writer.copy(auth, 0, auth.length);
  writeInt(writer.bytes, start, writer.length - start - 4);
}

function partsOf(call: Call): number {
  let parts = 0;
  if (call.changesTree) parts |= HAS.changesTree;
  if (call.absentIsResult) parts |= HAS.absentIsResult;
  if (call.timeoutMs > 0) parts |= HAS.timeout;
  if (call.watch !== undefined) parts |= HAS.watch;
  if (call.addsWatch !== undefined) parts |= HAS.addsWatch;
  if (call.removesWatches !== undefined) parts |= HAS.removesWatches;
  if (call.whenSuspended === "fail") parts |= HAS.failsSuspended;
  else if (call.whenSuspended === "wait") parts |= HAS.waitsSuspended;
  return parts;
}

function writePath(writer: ByteWriter, kind: number, path: string): void {
  writer.int(kind);
  writer.ustring(path);
}

/**
 * A call of the application as the connection's thread has it. Its body stays where it came, in the memory
 * of the batch, until it is sent; its reply goes at once into the batch that leaves next.
 */
export class DistantCall implements Call {
  readonly kind = "call";
  /** What the application's thread knows it by; the server knows it by another, its xid. */
  readonly id: number;
  readonly opcode: number;
  readonly timeoutMs: number;
  readonly watch: WatchRequest | undefined;
  readonly addsWatch: PersistentWatchRequest | undefined;
  readonly removesWatches: Call["removesWatches"];
  readonly deadline: DeadlinePlace | undefined;
  xid = 0;
  result: unknown;
  failure: Failure | undefined;
  isOver = false;
  /** Where its reply lies in `replies`. */
  replyStart = 0;
  replyEnd = 0;
  private readonly parts: number;
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private readonly end: number;
  private readonly replies: ByteWriter;

  constructor(reader: ByteReader, replies: ByteWriter) {
    this.id = reader.int();
    this.opcode = reader.int();
    const parts = reader.byte();
    this.parts = parts;
    this.timeoutMs = (parts & HAS.timeout) === 0 ? 0 : reader.longAsNumber();
    this.watch = (parts & HAS.watch) === 0 ? undefined : readWatch<WatchRequest["kind"]>(reader);
    this.addsWatch = (parts & HAS.addsWatch) === 0 ? undefined : readWatch<PersistentWatchRequest["kind"]>(reader);
    this.removesWatches = (parts & HAS.removesWatches) === 0 ? undefined : { type: reader.int(), path: pathOf(reader) };
    this.deadline = this.timeoutMs > 0 ? { slot: 0, earlier: undefined, later: undefined } : undefined;
    const length = reader.int();
    this.bytes = reader.bytes;
    this.start = reader.position;
    this.end = this.start + length;
    this.replies = replies;
    reader.skip(length);
  }

  get changesTree(): boolean {
    return (this.parts & HAS.changesTree) !== 0;
  }

  get absentIsResult(): boolean {
    return (this.parts & HAS.absentIsResult) !== 0;
  }

  get whenSuspended(): Call["whenSuspended"] {
    if ((this.parts & HAS.failsSuspended) !== 0) return "fail";
    return (this.parts & HAS.waitsSuspended) === 0 ? "try-all" : "wait";
  }

  /** What stands in the place of the body; its own memory, since a credential stays. */
  get credential(): Uint8Array {
    return this.bytes.slice(this.start, this.end);
  }

  encodeBody(writer: ByteWriter): void {
    writer.copy(this.bytes, this.start, this.end);
  }

  /** Keeps the reply as it came: its memory is only lent. */
  decodeBody(reader: ByteReader): undefined {
    this.replyStart = this.replies.length;
    this.replies.copy(reader.bytes, reader.position, reader.end);
    this.replyEnd = this.replies.length;
  }

  settle(): void {
    // Reported to the other thread, which settles its own call.
  }
}

function readWatch<K extends WatchKind>(reader: ByteReader): { kind: K; path: string; listener: WatchListener } {
  return { kind: WATCH_KINDS[reader.int()] as K, path: pathOf(reader), listener: somebody };
}

function pathOf(reader: ByteReader): string {
  return reader.ustring() ?? "";
}
