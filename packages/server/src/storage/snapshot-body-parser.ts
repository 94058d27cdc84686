import { readInt, readLongAsNumber, STAT_PERSISTED_BYTES } from "@watchkeeper/wire";
import type { SnapshotSink } from "./snapshot-content.js";
import { SESSION_BYTES } from "./snapshot-format.js";
import type { StreamWindow } from "./stream-window.js";
import { isZxid } from "./zxid.js";

/**
 * Parses what a snapshot file and the stream of a SNAP have in common: sessions, ACL lists and nodes. It
 * never asks the window for a byte more than must come, since behind a stream nothing more may come
 * until it has been answered.
 */
export interface SnapshotBodyRead {
  readonly sessionCount: number;
  readonly nodeCount: number;
}

export class SnapshotBodyParser {
  private readonly window: StreamWindow;
  private readonly sink: SnapshotSink;
  private readonly valueBytesMax: number;
  private readonly damaged: (found: string) => Error;
  private readonly whole: string;
  private nodeCount = 0;

  /**
   * @param damaged makes the error for what is found at the window's offset
   * @param whole what is read, in an error's words
   */
  constructor(
    window: StreamWindow,
    sink: SnapshotSink,
    valueBytesMax: number,
    damaged: (found: string) => Error,
    whole: "file" | "stream",
  ) {
    this.window = window;
    this.sink = sink;
    this.valueBytesMax = valueBytesMax;
    this.damaged = damaged;
    this.whole = whole;
  }

  /** Behind it the window stands after the "/" that closes the nodes. */
  async parse(): Promise<SnapshotBodyRead> {
    const sessionCount = await this.sessions();
    await this.acls();
    await this.nodes();
    return { sessionCount, nodeCount: this.nodeCount };
  }

  /** Brings `count` bytes of what is named `within` into the window. */
  async need(count: number, within: string): Promise<void> {
    if (this.window.available < count && !(await this.window.need(count)))
      throw this.damaged(`the ${this.whole} ends within ${within}`);
  }

  private async sessions(): Promise<number> {
    const count = await this.count("the session list");
    for (let i = 0; i < count; i++) {
      if (this.window.available < SESSION_BYTES) await this.need(SESSION_BYTES, "the session list");
      const { bytes, at } = this.window;
      this.sink.session({
        idHigh: readInt(bytes, at),
        idLow: readInt(bytes, at + 4),
        timeoutMs: readInt(bytes, at + 8),
      });
      this.window.at += SESSION_BYTES;
    }
    return count;
  }

  private async acls(): Promise<void> {
    const count = await this.count("the ACL table");
    const { window } = this;
    for (let i = 0; i < count; i++) {
      await this.need(12, "the ACL table");
      const aclId = readLongAsNumber(window.bytes, window.at);
      if (!isZxid(aclId)) throw this.damaged(`an ACL list has the id ${aclId}; ids from 0 to 2^53-1 can be held`);
      const end = await this.aclListEnd();
      this.sink.acl(aclId, window.bytes, window.at + 8, window.at + end);
      window.at += end;
    }
  }

  /** Brings the vector<ACL> behind an ACL id into the window. @returns where it ends, counted from the id */
  private async aclListEnd(): Promise<number> {
    const { window, valueBytesMax } = this;
    const count = readInt(window.bytes, window.at + 8);
    if (count < -1) throw this.damaged(`an ACL list has the count ${count}`);
    let end = 12;
    for (let text = 0; text < count * 2; text++) {
      // Each ACL is its permissions and two texts, scheme and id.
      if (text % 2 === 0) end += 4;
      if (window.available < end + 4) await this.need(end + 4, "the ACL table");
      const length = readInt(window.bytes, window.at + end);
      if (length < -1 || length > valueBytesMax) throw this.damaged(`an ACL has a text of length ${length}`);
      end += 4 + Math.max(0, length);
      if (end - 8 > valueBytesMax) throw this.damaged(`an ACL list is longer than ${valueBytesMax} bytes`);
    }
    await this.need(end, "the ACL table");
    return end;
  }

  private async nodes(): Promise<void> {
    for (let missing = this.wholeNodes(); missing > 0; missing = this.wholeNodes()) {
      await this.need(missing, "the node list");
    }
  }

  /** Delivers the nodes that lie whole in the window. @returns the bytes the next one needs; 0 behind the last */
  private wholeNodes(): number {
    const { window, sink, valueBytesMax } = this;
    const { bytes, end } = window;
    for (;;) {
      const at = window.at;
      if (end - at < 5) return 5;
      const pathLength = readInt(bytes, at);
      if (pathLength === 1 && bytes[at + 4] === 0x2f) {
        window.at += 5;
        return 0;
      }
      if (pathLength < 0 || pathLength > valueBytesMax) throw this.damaged(`a node has a path of length ${pathLength}`);
      const dataStart = at + 4 + pathLength + 4;
      if (end < dataStart) return dataStart - at;
      const dataLength = readInt(bytes, dataStart - 4);
      if (dataLength < -1 || dataLength > valueBytesMax) throw this.damaged(`a node has data of length ${dataLength}`);
      const aclAt = dataStart + Math.max(0, dataLength);
      const next = aclAt + 8 + STAT_PERSISTED_BYTES;
      if (end < next) return next - at;
      const aclId = readLongAsNumber(bytes, aclAt);
      if (!Number.isSafeInteger(aclId)) throw this.damaged(`a node has the ACL id ${aclId}, beyond what can be held`);
      if (!sink.node(bytes, at + 4, pathLength, dataStart, dataLength, aclId, aclAt + 8)) {
        throw this.damaged("a node comes before its parent");
      }
      this.nodeCount++;
      window.at = next;
    }
  }

  private async count(of: string): Promise<number> {
    await this.need(4, of);
    const count = readInt(this.window.bytes, this.window.at);
    if (count < 0) throw this.damaged(`${of} has the count ${count}`);
    this.window.at += 4;
    return count;
  }
}
