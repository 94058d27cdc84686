import { ByteWriter, DIGEST_VERSION } from "@watchkeeper/wire";
import { adler32 } from "./adler32.js";
import type { SnapshotSource } from "./snapshot-content.js";
import { SNAPSHOT_HEADER, STREAM_SIGNATURE, TERMINATOR } from "./snapshot-format.js";

/** About a millisecond's encoding: what a request waits for at most on a snapshot's account. */
const SLICE_BYTES_DEFAULT = 256 << 10;

/** What Apache writes where nothing was applied: a section that nobody compares with. Left out, it would be misread. */
const NO_DIGEST = { zxid: 0, digestHigh: 0, digestLow: 0 } as const;

/**
 * Turns a source into bytes, slice by slice, all in the same memory: a slice is valid until the next is
 * asked for. A file and the stream that a learner is sent have the same body, sessions, ACL lists and
 * nodes; only the file has a header, seals, and sections behind.
 */
export class SnapshotEncoder {
  private readonly source: SnapshotSource;
  private readonly sliceBytes: number;
  private readonly writer: ByteWriter;
  private checksum = 1;
  private checkedBytes = 0;

  constructor(source: SnapshotSource) {
    this.source = source;
    this.sliceBytes = source.sliceBytes ?? SLICE_BYTES_DEFAULT;
    this.writer = new ByteWriter(this.sliceBytes * 2);
  }

  *file(): Generator<Uint8Array> {
    const { writer, source } = this;
    writer.copy(SNAPSHOT_HEADER, 0, SNAPSHOT_HEADER.length);
    yield* this.body();
    this.seal();

    const { zxid, digestHigh, digestLow } = source.digest() ?? NO_DIGEST;
    writer.longFromNumber(zxid);
    writer.int(DIGEST_VERSION);
    writer.longParts(digestHigh, digestLow);
    this.seal();
    writer.longFromNumber(Math.max(source.lastZxid(), source.zxid));
    this.seal();
    yield this.slice();
  }

  *stream(): Generator<Uint8Array> {
    yield* this.body();
    this.writer.copy(STREAM_SIGNATURE, 0, STREAM_SIGNATURE.length);
    yield this.slice();
  }

  private *body(): Generator<Uint8Array> {
    yield* this.sessions();
    yield* this.acls();
    const { writer, source, sliceBytes } = this;
    let nodesLeft = true;
    while (nodesLeft) {
      nodesLeft = source.writeNodes(writer, sliceBytes);
      if (writer.length >= sliceBytes) yield this.slice();
    }
    this.terminator();
  }

  private *sessions(): Generator<Uint8Array> {
    const { writer, sliceBytes } = this;
    const sessions = [...this.source.sessions()];
    writer.int(sessions.length);
    for (const { idHigh, idLow, timeoutMs } of sessions) {
      writer.longParts(idHigh, idLow);
      writer.int(timeoutMs);
      if (writer.length >= sliceBytes) yield this.slice();
    }
  }

  private *acls(): Generator<Uint8Array> {
    const { writer, sliceBytes } = this;
    const acls = [...this.source.acls()];
    writer.int(acls.length);
    for (const { aclId, bytes } of acls) {
      writer.longFromNumber(aclId);
      writer.copy(bytes, 0, bytes.length);
      if (writer.length >= sliceBytes) yield this.slice();
    }
  }

  private terminator(): void {
    this.writer.copy(TERMINATOR, 0, TERMINATOR.length);
  }

  /** The checksum of everything before it, earlier seals included. */
  private seal(): void {
    this.check();
    this.writer.longParts(0, this.checksum);
    this.terminator();
  }

  private check(): void {
    this.checksum = adler32(this.writer.bytes, this.checkedBytes, this.writer.length, this.checksum);
    this.checkedBytes = this.writer.length;
  }

  private slice(): Uint8Array {
    this.check();
    const slice = this.writer.view();
    this.writer.reset();
    this.checkedBytes = 0;
    return slice;
  }
}
