import { ByteWriter, DIGEST_VERSION } from "@watchkeeper/wire";
import { adler32 } from "./adler32.js";
import type { SnapshotSource } from "./snapshot-content.js";
import { SNAPSHOT_HEADER, STREAM_SIGNATURE, TERMINATOR } from "./snapshot-format.js";

/** About a millisecond's encoding: what a request waits for at most on a snapshot's account. */
const SLICE_BYTES = 256 << 10;

/**
 * Turns a source into bytes, slice by slice, all in the same memory: a slice is valid until the next is
 * asked for. A file and the stream that a learner is sent have the same body, sessions, ACL lists and
 * nodes; only the file has a header, seals, and sections behind.
 */
export class SnapshotEncoder {
  private readonly source: SnapshotSource;
  private readonly writer = new ByteWriter(SLICE_BYTES * 2);
  private checksum = 1;
  private checkedBytes = 0;

  constructor(source: SnapshotSource) {
    this.source = source;
  }

  *file(): Generator<Uint8Array> {
    const { writer, source } = this;
    writer.copy(SNAPSHOT_HEADER, 0, SNAPSHOT_HEADER.length);
    yield* this.body();
    this.seal();

    const { zxid, digestHigh, digestLow } = source.digest();
    writer.longFromNumber(zxid);
    writer.int(DIGEST_VERSION);
    writer.longParts(digestHigh, digestLow);
    this.seal();
    writer.longFromNumber(Math.max(zxid, source.zxid));
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
    let nodesLeft = true;
    while (nodesLeft) {
      nodesLeft = this.source.writeNodes(this.writer, SLICE_BYTES);
      if (this.writer.length >= SLICE_BYTES) yield this.slice();
    }
    this.terminator();
  }

  private *sessions(): Generator<Uint8Array> {
    const { writer } = this;
    const sessions = [...this.source.sessions()];
    writer.int(sessions.length);
    for (const { idHigh, idLow, timeoutMs } of sessions) {
      writer.longParts(idHigh, idLow);
      writer.int(timeoutMs);
      if (writer.length >= SLICE_BYTES) yield this.slice();
    }
  }

  private *acls(): Generator<Uint8Array> {
    const { writer } = this;
    const acls = [...this.source.acls()];
    writer.int(acls.length);
    for (const { aclId, bytes } of acls) {
      writer.longFromNumber(aclId);
      writer.copy(bytes, 0, bytes.length);
      if (writer.length >= SLICE_BYTES) yield this.slice();
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
