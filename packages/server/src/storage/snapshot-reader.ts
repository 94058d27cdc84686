import { readInt, readLongAsNumber, WireError } from "@watchkeeper/wire";
import type { Disk } from "../ports/index.js";
import { adler32 } from "./adler32.js";
import { type Compression, CompressionError } from "./compression.js";
import { DataDirectoryError } from "./data-directory-error.js";
import type { CompressionMethod } from "./file-names.js";
import { ENTRY_BYTES_MAX_DEFAULT, FORMAT_VERSION } from "./log-format.js";
import { SnapshotBodyParser, type SnapshotBodyRead } from "./snapshot-body-parser.js";
import type { SnapshotSink } from "./snapshot-content.js";
import {
  DIGEST_SECTION_BYTES,
  LAST_ZXID_SECTION_BYTES,
  SEAL_BYTES,
  SNAPSHOT_HEADER,
  SNAPSHOT_MAGIC,
} from "./snapshot-format.js";
import { StreamWindow } from "./stream-window.js";
import { isZxid } from "./zxid.js";

/**
 * Reads a snapshot of any release, packed or not, into a sink: as a stream, in bounded memory, without
 * an allocation per node. A sink that was given a part of a damaged file must be thrown away: seals
 * come after what they seal.
 */
export interface SnapshotReadOptions {
  /** For packed files. */
  readonly compression?: { readonly method: CompressionMethod; readonly codec: Compression } | undefined;
  /** The longest path, data or ACL list: jute.maxbuffer and its extra size. @default 2 097 150 */
  readonly valueBytesMax?: number;
}

export interface SnapshotRead extends SnapshotBodyRead {
  /** Of the digest section; undefined where the file has none. */
  readonly digestZxid: number | undefined;
  /** Of the last section; undefined where the file has none. A server goes by the file's name instead. */
  readonly lastProcessedZxid: number | undefined;
}

const ADVICE =
  "Restore the file from a backup, or move it away: the server then starts from an older snapshot if it has one";

/** @throws DataDirectoryError where the file is not a whole snapshot, DiskError where it cannot be read */
export async function readSnapshot(
  disk: Disk,
  path: string,
  sink: SnapshotSink,
  options: SnapshotReadOptions = {},
): Promise<SnapshotRead> {
  const packed = filePieces(disk, path);
  const { compression } = options;
  const plain = compression === undefined ? packed : compression.codec.unpack(compression.method, packed);
  const parser = new SnapshotParser(
    { path, packed: compression !== undefined },
    plain,
    sink,
    options.valueBytesMax ?? ENTRY_BYTES_MAX_DEFAULT,
  );
  try {
    return await parser.parse();
  } finally {
    await parser.close();
  }
}

const PIECE_BYTES = 1 << 20;

async function* filePieces(disk: Disk, path: string): AsyncGenerator<Uint8Array> {
  const file = await disk.open(path, { mode: "read" });
  try {
    const piece = new Uint8Array(PIECE_BYTES);
    for (let position = 0; ; ) {
      const length = await file.read(piece, position);
      if (length > 0) yield piece.subarray(0, length);
      if (length < piece.length) return;
      position += length;
    }
  } finally {
    await file.close();
  }
}

class SnapshotParser {
  private readonly path: string;
  private readonly packed: boolean;
  private readonly window: StreamWindow;
  private readonly sink: SnapshotSink;
  private readonly body: SnapshotBodyParser;
  private checksum = 1;

  constructor(
    file: { readonly path: string; readonly packed: boolean },
    pieces: AsyncIterable<Uint8Array>,
    sink: SnapshotSink,
    valueBytesMax: number,
  ) {
    this.path = file.path;
    this.packed = file.packed;
    this.sink = sink;
    this.window = new StreamWindow(pieces, (bytes, start, end) => {
      this.checksum = adler32(bytes, start, end, this.checksum);
    });
    this.body = new SnapshotBodyParser(this.window, sink, valueBytesMax, (found) => this.damaged(found), "file");
  }

  async close(): Promise<void> {
    await this.window.close();
  }

  async parse(): Promise<SnapshotRead> {
    try {
      await this.header();
      const body = await this.body.parse();
      await this.seal("the node list");
      return { ...body, ...(await this.sections()) };
    } catch (error) {
      // What the codec or the sink could not make sense of is wrong with the file.
      if (error instanceof CompressionError || error instanceof WireError) throw this.damaged(error.message, error);
      throw error;
    }
  }

  private async header(): Promise<void> {
    await this.body.need(SNAPSHOT_HEADER.length, "the header");
    const magic = readInt(this.window.bytes, this.window.at);
    if (magic !== SNAPSHOT_MAGIC) {
      const found = (magic >>> 0).toString(16);
      throw this.damaged(`a snapshot begins with the magic 0x${SNAPSHOT_MAGIC.toString(16)}, found 0x${found}`);
    }
    const version = readInt(this.window.bytes, this.window.at + 4);
    if (version !== FORMAT_VERSION)
      throw this.damaged(`format version ${FORMAT_VERSION} can be read, found ${version}`);
    this.window.at += SNAPSHOT_HEADER.length;
  }

  private async seal(of: string): Promise<void> {
    const { window } = this;
    window.report();
    const expected = this.checksum;
    await this.body.need(SEAL_BYTES, `the seal of ${of}`);
    const { bytes, at } = window;
    const found = readLongAsNumber(bytes, at);
    if (found !== expected) {
      throw this.damaged(
        `the seal of ${of} holds the checksum 0x${found.toString(16)}, the bytes before it have 0x${expected.toString(16)}`,
      );
    }
    if (readInt(bytes, at + 8) !== 1 || bytes[at + 12] !== 0x2f)
      throw this.damaged(`the seal of ${of} does not end in "/"`);
    window.at += SEAL_BYTES;
  }

  /** What follows the node list's seal: the bytes that are left tell which sections. */
  private async sections(): Promise<Pick<SnapshotRead, "digestZxid" | "lastProcessedZxid">> {
    const both = DIGEST_SECTION_BYTES + LAST_ZXID_SECTION_BYTES;
    // Beyond both, a release to come may have added more: what is known is read, the rest left alone.
    await this.window.need(both);
    const left = this.window.available;
    if (left === 0) return { digestZxid: undefined, lastProcessedZxid: undefined };
    if (left === LAST_ZXID_SECTION_BYTES)
      return { digestZxid: undefined, lastProcessedZxid: await this.lastZxidSection() };
    if (left === DIGEST_SECTION_BYTES) return { digestZxid: await this.digestSection(), lastProcessedZxid: undefined };
    if (left < both) throw this.damaged(`${left} bytes follow the node list, which no section's length explains`);
    return { digestZxid: await this.digestSection(), lastProcessedZxid: await this.lastZxidSection() };
  }

  private async digestSection(): Promise<number> {
    const { bytes, at } = this.window;
    const zxid = readLongAsNumber(bytes, at);
    const digestHigh = readInt(bytes, at + 12);
    const digestLow = readInt(bytes, at + 16);
    this.window.at += 20;
    await this.seal("the digest");
    if (!isZxid(zxid))
      throw this.damaged(`the digest section has the zxid ${zxid}; zxids from 0 to 2^53-1 can be held`);
    this.sink.digest(zxid, digestHigh, digestLow);
    return zxid;
  }

  private async lastZxidSection(): Promise<number> {
    const zxid = readLongAsNumber(this.window.bytes, this.window.at);
    this.window.at += 8;
    await this.seal("the last zxid");
    return zxid;
  }

  private damaged(what: string, cause?: unknown): DataDirectoryError {
    const found = this.packed ? `${what} (the offset counts unpacked bytes)` : what;
    return new DataDirectoryError({ file: this.path, offset: this.window.offset, found, advice: ADVICE }, { cause });
  }
}
